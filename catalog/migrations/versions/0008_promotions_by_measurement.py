"""Models are compared by how they cluster the holdout, which grows, and can be rolled back"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAMING = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}


def upgrade() -> None:
    op.create_table(
        "measurement",
        sa.Column("model_id", sa.String(32), nullable=False),
        sa.Column("holdout", sa.String(32), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("speed", sa.JSON(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"]),
        sa.PrimaryKeyConstraint("model_id", "holdout"),
    )
    with op.batch_alter_table("promotion", naming_convention=NAMING) as promotion:
        promotion.add_column(sa.Column("holdout", sa.String(32)))
        promotion.add_column(sa.Column("figures", sa.JSON(), nullable=False, server_default="{}"))
        promotion.add_column(sa.Column("by", sa.String()))
        promotion.drop_constraint(_unique_of_a_pair(), type_="unique")
        promotion.create_unique_constraint(
            "compared_once", ["challenger_id", "champion_id", "holdout"]
        )
    with op.batch_alter_table("holdout_image") as image:
        image.add_column(sa.Column("added_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE holdout_image SET added_at = coalesce("
        "(SELECT min(committed_at) FROM training_set), CURRENT_TIMESTAMP)"
    )
    with op.batch_alter_table("holdout_image") as image:
        image.alter_column("added_at", existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("holdout_image") as image:
        image.drop_column("added_at")
    op.execute(
        "DELETE FROM promotion WHERE number NOT IN"
        " (SELECT min(number) FROM promotion GROUP BY challenger_id, champion_id)"
    )
    with op.batch_alter_table("promotion") as promotion:
        promotion.drop_constraint("compared_once", type_="unique")
        promotion.create_unique_constraint(
            "promotion_challenger_id_champion_id_key", ["challenger_id", "champion_id"]
        )
        for column in ("by", "figures", "holdout"):
            promotion.drop_column(column)
    op.drop_table("measurement")


def _unique_of_a_pair() -> str:
    """What the database calls the constraint that allows one comparison of two models."""
    [unnamed] = sa.inspect(op.get_bind()).get_unique_constraints("promotion")
    return unnamed["name"] or "uq_promotion_challenger_id_champion_id"
