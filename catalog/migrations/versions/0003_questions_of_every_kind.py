"""Questions of every kind, decisions between groups of images, and labels that follow from them

Answers that were pulled before are read again once: how far a project was read is now kept for the
project, not for the locale.
"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON()


def upgrade() -> None:
    with op.batch_alter_table("question") as question:
        question.alter_column("cluster_id", existing_type=sa.String(32), nullable=True)
        question.drop_column("sheet")
        question.add_column(sa.Column("reference_ids", JSON, nullable=False, server_default="[]"))
        question.add_column(sa.Column("suggestion", sa.String()))
        question.add_column(sa.Column("expected", JSON))
    op.create_table(
        "site_project",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("desk", sa.String(8), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site", "locale", "kind", "desk"),
        sa.UniqueConstraint("site", "project_id"),
    )
    op.execute(
        "INSERT INTO site_project (site, locale, kind, desk, project_id)"
        " SELECT question.site, question.locale, 'verify', 'crowd', max(site_task.project_id)"
        " FROM site_task JOIN question ON question.id = site_task.question_id"
        " GROUP BY question.site, question.locale"
    )
    _replace_site_task(
        "site_task_by_desk",
        sa.Column("desk", sa.String(8), nullable=False, server_default="crowd"),
    )
    op.drop_table("pull")
    op.create_table(
        "pull",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("through", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "project_id", "through"),
    )
    with op.batch_alter_table("answer") as answer:
        answer.add_column(sa.Column("desk", sa.String(8), nullable=False, server_default="crowd"))
        answer.add_column(sa.Column("groups", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("decision") as decision:
        decision.add_column(sa.Column("groups", JSON, nullable=False, server_default="[]"))
        decision.add_column(sa.Column("memberships", JSON, nullable=False, server_default="[]"))
        decision.add_column(sa.Column("confidence", sa.Float(), nullable=False, server_default="1"))
        decision.add_column(sa.Column("reason", sa.String()))
    _rewrite_decisions(
        "kept_ids",
        lambda kept: {"groups": [kept] if kept else [], "memberships": [1.0] * len(kept)},
    )
    with op.batch_alter_table("decision") as decision:
        decision.drop_column("kept_ids")
    with op.batch_alter_table("verified_label") as label:
        label.add_column(sa.Column("name", sa.String()))
        label.add_column(sa.Column("supersedes_id", sa.String(32)))
        label.add_column(
            sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        label.create_unique_constraint("label_superseded_once", ["supersedes_id"])
        label.create_foreign_key(
            "label_supersedes_label", "verified_label", ["supersedes_id"], ["id"]
        )
    op.execute(
        "UPDATE verified_label SET name = (SELECT product_name.name FROM product_name"
        " WHERE product_name.product_id = verified_label.product_id"
        " AND product_name.locale = verified_label.locale)"
    )
    op.drop_table("product_name")


def downgrade() -> None:
    op.create_table(
        "product_name",
        sa.Column("product_id", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"]),
        sa.PrimaryKeyConstraint("product_id", "locale"),
        sa.UniqueConstraint("locale", "key"),
    )
    with op.batch_alter_table("verified_label") as label:
        label.drop_constraint("label_supersedes_label", type_="foreignkey")
        label.drop_constraint("label_superseded_once", type_="unique")
        label.drop_column("withdrawn")
        label.drop_column("supersedes_id")
        label.drop_column("name")
    with op.batch_alter_table("decision") as decision:
        decision.add_column(sa.Column("kept_ids", JSON, nullable=False, server_default="[]"))
    _rewrite_decisions("groups", lambda groups: {"kept_ids": groups[0] if groups else []})
    with op.batch_alter_table("decision") as decision:
        for column in ("reason", "confidence", "memberships", "groups"):
            decision.drop_column(column)
    with op.batch_alter_table("answer") as answer:
        answer.drop_column("groups")
        answer.drop_column("desk")
    op.drop_table("pull")
    op.create_table(
        "pull",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("through", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "locale", "through"),
    )
    op.execute("DELETE FROM site_task WHERE desk <> 'crowd'")
    _replace_site_task("site_task_by_question")
    op.drop_table("site_project")
    with op.batch_alter_table("question") as question:
        question.drop_column("expected")
        question.drop_column("suggestion")
        question.drop_column("reference_ids")
        question.add_column(sa.Column("sheet", sa.Integer(), nullable=False, server_default="0"))


def _replace_site_task(name: str, *further_key: "sa.Column[str]") -> None:
    """Make the table again with `further_key` in its primary key, which is called `name`."""
    op.rename_table("site_task", "site_task_before")
    op.create_table(
        "site_task",
        sa.Column("question_id", sa.String(32), nullable=False),
        *further_key,
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"]),
        sa.PrimaryKeyConstraint("question_id", *(column.name for column in further_key), name=name),
    )
    op.execute(
        "INSERT INTO site_task (question_id, project_id, task_id, pushed_at)"
        " SELECT question_id, project_id, task_id, pushed_at FROM site_task_before"
    )
    op.drop_table("site_task_before")


def _rewrite_decisions(old: str, rewritten: Callable[[list[Any]], dict[str, list[Any]]]) -> None:
    connection = op.get_bind()
    for identity, value in connection.execute(sa.text(f"SELECT id, {old} FROM decision")).all():
        found = json.loads(value) if isinstance(value, str) else value
        values = rewritten(found)
        columns = ", ".join(f"{name} = :{name}" for name in values)
        connection.execute(
            sa.text(f"UPDATE decision SET {columns} WHERE id = :id"),
            {"id": identity} | {name: json.dumps(value) for name, value in values.items()},
        )
