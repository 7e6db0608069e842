"""What people were warned of is kept, so that they are told once"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "warned",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("about", sa.String(120), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=True),
        sa.Column("light", sa.String(8), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vendor", sa.String(64), nullable=True),
        sa.Column("locale", sa.String(35), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "about", "number"),
    )


def downgrade() -> None:
    op.drop_table("warned")
