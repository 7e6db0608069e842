"""A vendor and the number of its invoice are longer than other keys of the workforce"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("workforce_record") as table:
        table.alter_column("key", existing_type=sa.String(64), type_=sa.String(96))


def downgrade() -> None:
    with op.batch_alter_table("workforce_record") as table:
        table.alter_column("key", existing_type=sa.String(96), type_=sa.String(64))
