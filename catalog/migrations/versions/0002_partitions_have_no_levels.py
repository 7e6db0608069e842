"""Partitions have no levels: clusters are formed in one"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("partition", "n_levels")


def downgrade() -> None:
    levels = sa.Column("n_levels", sa.Integer(), nullable=False, server_default="1")
    op.add_column("partition", levels)
