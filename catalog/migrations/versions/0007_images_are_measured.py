"""How each image looks, in numbers

Images that were ingested before have no row; the next ingest measures them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "image_measures",
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("sharpness", sa.Float(), nullable=False),
        sa.Column("brightness", sa.Float(), nullable=False),
        sa.Column("contrast", sa.Float(), nullable=False),
        sa.Column("clipped", sa.Float(), nullable=False),
        sa.Column("border", sa.Float(), nullable=False),
        sa.Column("flat", sa.Float(), nullable=False),
        sa.Column("screenshot", sa.Boolean(), nullable=False),
        sa.Column("jpeg_quality", sa.Float()),
        sa.Column("perceptual_hash", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"]),
        sa.PrimaryKeyConstraint("image_id"),
    )


def downgrade() -> None:
    op.drop_table("image_measures")
