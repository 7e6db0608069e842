"""Alembic's entry: it migrates over the connection that the catalogue hands it."""

from typing import Any, Literal

from alembic import context

from catalog.schema import Table, UtcDateTime


def render_item(kind: str, item: object, _context: Any) -> str | Literal[False]:
    """Write our own column types into migrations as what the database sees."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    # Two processes that start at once migrate one after the other; SQLite's own lock does the same.
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727272)")
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
