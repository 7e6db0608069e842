"""What is asked, answered, decided and labelled can be read by the day"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BY_TIME = (
    ("question_by_time", "question", "asked_at"),
    ("task_by_time", "site_task", "pushed_at"),
    ("answer_by_time", "answer", "pulled_at"),
    ("decision_by_time", "decision", "decided_at"),
    ("label_by_time", "verified_label", "labelled_at"),
)


def upgrade() -> None:
    for name, table, column in BY_TIME:
        op.create_index(name, table, [column])


def downgrade() -> None:
    for name, table, _ in BY_TIME:
        op.drop_index(name, table)
