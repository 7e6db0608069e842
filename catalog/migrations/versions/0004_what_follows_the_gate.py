"""What the gate saw over time, and what people rule about the labels that it stopped"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON()
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _replace_judgement(
        "judgement_of_release",
        sa.Column("release_number", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_table(
        "observation",
        sa.Column("gate_run_id", sa.String(32), nullable=False),
        sa.Column("rule", sa.String(40), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["gate_run_id"], ["gate_run.id"]),
        sa.PrimaryKeyConstraint("gate_run_id", "rule", "locale"),
    )
    op.create_table(
        "settlement",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decision_ids", JSON, nullable=False),
        sa.Column("question_id", sa.String(32)),
        sa.Column("retracts", sa.Integer()),
        sa.Column("settled_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"]),
        sa.ForeignKeyConstraint(["retracts"], ["settlement.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("retracts", name="settlement_retracted_once"),
    )
    op.create_table(
        "settled_label",
        sa.Column("settlement_number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("label_id", sa.String(32), nullable=False),
        sa.Column("overruled", JSON, nullable=False),
        sa.ForeignKeyConstraint(["settlement_number"], ["settlement.number"]),
        sa.ForeignKeyConstraint(["label_id"], ["verified_label.id"]),
        sa.PrimaryKeyConstraint("settlement_number", "label_id"),
    )
    op.create_index("ix_settled_label_label_id", "settled_label", ["label_id"])
    op.create_table(
        "suspension",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("annotator", sa.String(), nullable=False),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        sa.Column("said_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("said_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_suspension_annotator", "suspension", ["annotator"])


def downgrade() -> None:
    for table in ("suspension", "settled_label", "settlement", "observation"):
        op.drop_table(table)
    op.execute("DELETE FROM judgement WHERE release_number <> 0")
    _replace_judgement("judgement_of_label")


def _replace_judgement(name: str, *further_key: "sa.Column[int]") -> None:
    """Make the table again with `further_key` in its primary key, which is called `name`."""
    op.drop_index("ix_judgement_gate_run_id", "judgement")
    op.rename_table("judgement", "judgement_before")
    op.create_table(
        "judgement",
        sa.Column("label_id", sa.String(32), nullable=False),
        *further_key,
        sa.Column("gate_run_id", sa.String(32), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["verified_label.id"]),
        sa.ForeignKeyConstraint(["gate_run_id"], ["gate_run.id"]),
        sa.PrimaryKeyConstraint("label_id", *(each.name for each in further_key), name=name),
    )
    op.create_index("ix_judgement_gate_run_id", "judgement", ["gate_run_id"])
    op.execute(
        "INSERT INTO judgement (label_id, gate_run_id, accepted, reasons)"
        " SELECT label_id, gate_run_id, accepted, reasons FROM judgement_before"
    )
    op.drop_table("judgement_before")
