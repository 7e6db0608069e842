"""Audits, and decisions that accept a model's word without asking"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("question_id", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("model_id", sa.String(32)),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"]),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"]),
        sa.PrimaryKeyConstraint("question_id"),
    )
    op.create_index("audit_of_subject", "audit", ["purpose", "locale", "subject"])
    with op.batch_alter_table("decision") as decision:
        decision.add_column(sa.Column("model_id", sa.String(32)))
        decision.create_foreign_key("decision_accepts_model", "model", ["model_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("decision") as decision:
        decision.drop_constraint("decision_accepts_model", type_="foreignkey")
        decision.drop_column("model_id")
    op.drop_index("audit_of_subject", "audit")
    op.drop_table("audit")
