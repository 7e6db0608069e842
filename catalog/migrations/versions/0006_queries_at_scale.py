"""Which images a question is about as rows, and the indexes that large catalogues are read by"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = {
    "image_of_locale": ("image", ["locale", "id"]),
    "cluster_of_partition": ("cluster", ["partition_id", "id"]),
    "question_of_kind": ("question", ["locale", "kind", "id"]),
    "question_of_site": ("question", ["site", "locale"]),
    "label_of_product": ("verified_label", ["product_id", "image_id"]),
    "label_of_origin": ("verified_label", ["origin", "id"]),
}
# Each is the beginning of a new one.
NARROWER = {
    "ix_image_locale": ("image", "locale"),
    "ix_cluster_partition_id": ("cluster", "partition_id"),
}


def upgrade() -> None:
    op.create_table(
        "question_image",
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("question_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"]),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"]),
        sa.PrimaryKeyConstraint("image_id", "question_id"),
    )
    elements = {
        "sqlite": "json_each(question.image_ids)",
        "postgresql": "json_array_elements_text(question.image_ids)",
    }[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO question_image (image_id, question_id)"
        " SELECT DISTINCT image.id, question.id"
        f" FROM question CROSS JOIN {elements} AS element JOIN image ON image.id = element.value"
    )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for name, (table, _) in NARROWER.items():
        op.drop_index(name, table)


def downgrade() -> None:
    for name, (table, column) in NARROWER.items():
        op.create_index(name, table, [column])
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("question_image")
