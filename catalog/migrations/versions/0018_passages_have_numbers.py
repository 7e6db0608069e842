"""Passages through the gate have numbers, and decisions the number of the one before them"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NUMBERED = """
UPDATE gate_run SET number = (
    SELECT count(*) FROM gate_run AS earlier
    WHERE earlier.judged_at < gate_run.judged_at
       OR (earlier.judged_at = gate_run.judged_at AND earlier.id <= gate_run.id)
)
"""
PLACED = """
UPDATE decision SET passage = coalesce((
    SELECT max(number) FROM gate_run
    WHERE NOT gate_run.held AND gate_run.judged_at <= decision.decided_at
), 0)
"""


def upgrade() -> None:
    op.add_column("gate_run", sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "decision", sa.Column("passage", sa.Integer(), nullable=False, server_default="0")
    )
    op.execute(NUMBERED)
    op.execute(PLACED)
    op.create_index("gate_run_by_number", "gate_run", ["number"])
    op.create_index("decision_by_passage", "decision", ["passage"])


def downgrade() -> None:
    op.drop_index("decision_by_passage", "decision")
    op.drop_index("gate_run_by_number", "gate_run")
    op.drop_column("decision", "passage")
    op.drop_column("gate_run", "number")
