"""Each time that a locale was clustered is kept, also where nothing new came of it"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FIRST_TIMES = """
INSERT INTO clustering (locale, number, partition_id, clustered_at)
SELECT locale, row_number() OVER (PARTITION BY locale ORDER BY created_at, id), id, created_at
FROM "partition"
"""


def upgrade() -> None:
    op.create_table(
        "clustering",
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("partition_id", sa.String(32), sa.ForeignKey("partition.id"), nullable=True),
        sa.Column("clustered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("locale", "number"),
    )
    op.execute(FIRST_TIMES)


def downgrade() -> None:
    op.drop_table("clustering")
