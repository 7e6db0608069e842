"""Which images a question compares with as rows, and the indexes of three slow counts"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

GOLD = sa.text("expected IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "question_reference",
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("question_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"]),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"]),
        sa.PrimaryKeyConstraint("image_id", "question_id"),
    )
    elements = {
        "sqlite": "json_each(question.reference_ids)",
        "postgresql": "json_array_elements_text(question.reference_ids)",
    }[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO question_reference (image_id, question_id)"
        " SELECT DISTINCT image.id, question.id"
        f" FROM question CROSS JOIN {elements} AS element JOIN image ON image.id = element.value"
    )
    op.drop_index("question_of_site", "question")
    op.create_index("question_of_site", "question", ["site", "locale", "id"])
    op.create_index(
        "gold_question", "question", ["site", "locale"], sqlite_where=GOLD, postgresql_where=GOLD
    )
    op.create_index("task_of_project", "site_task", ["project_id", "question_id"])


def downgrade() -> None:
    op.drop_index("task_of_project", "site_task")
    op.drop_index("gold_question", "question")
    op.drop_index("question_of_site", "question")
    op.create_index("question_of_site", "question", ["site", "locale"])
    op.drop_table("question_reference")
