"""What a partition is worth, and the pairs that were drawn to tell"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_draw",
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("partition", sa.String(32), nullable=False),
        sa.Column("strata", sa.JSON(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("locale", "round"),
    )
    numbers = (
        *("precision_low", "precision_high", "recall", "recall_low", "recall_high"),
        *("recall_of_all", "recall_of_all_low", "recall_of_all_high", "seconds", "promised"),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("partition", sa.String(32), nullable=False),
        sa.Column("n_audits", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("precision", sa.Float(), nullable=True),
        *(sa.Column(name, sa.Float(), nullable=False) for name in numbers),
        sa.Column("money", sa.String(40), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("point_seconds", sa.Float(), nullable=True),
        sa.Column("point_money", sa.String(40), nullable=True),
        sa.Column("go_on", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["locale", "round"], ["audit_draw.locale", "audit_draw.round"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("certificate_of_draw", "certificate", ["locale", "round"])


def downgrade() -> None:
    op.drop_table("certificate")
    op.drop_table("audit_draw")
