"""What an operator watches is found without reading all decisions, judgements and passages"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PARTIAL = (
    ("undone_decision", "decision", "question_id", "kind = 'undone'"),
    ("judgement_against", "judgement", "label_id", "NOT accepted"),
)


def upgrade() -> None:
    op.create_index("gate_run_by_time", "gate_run", ["judged_at"])
    for name, table, column, where in PARTIAL:
        op.create_index(
            name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    op.drop_index("gate_run_by_time", "gate_run")
    for name, table, _, _ in PARTIAL:
        op.drop_index(name, table)
