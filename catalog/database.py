"""The database behind the catalogue: SQLite in WAL mode on one machine, PostgreSQL by URL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import alembic.command
import alembic.config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from catalog.schema import Table

# SQLite binds at most 32,766 values to a statement.
MAX_BOUND_VALUES = 30_000
BUSY_TIMEOUT_S = 60

Item = TypeVar("Item")


Transaction = Session


class Catalog:
    """The catalogue at `url`, brought to the newest schema.

    `url` is an SQLAlchemy URL: ``sqlite:///path/catalogue.sqlite`` or
    ``postgresql+psycopg://user@host/name``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        _migrate(self._engine)
        if self._engine.dialect.name == "sqlite":
            # Migrations replace tables that others refer to, so references are checked after them.
            event.listen(self._engine, "connect", _check_references)
            self._engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction: committed when the block ends, undone when it raises."""
        with self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        self._engine.dispose()


def add_new(session: Transaction, rows: Sequence[Table]) -> int:
    """Insert those of `rows` (all of one table) that are not there yet; how many those were."""
    if not rows:
        return 0
    table = cast(CoreTable, type(rows[0]).__table__)
    names = [column.key for column in table.columns]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = [{name: getattr(row, name) for name in names} for row in rows]
    return (
        session.connection()
        .execute(
            insert(table).on_conflict_do_nothing(),
            values,
            execution_options={"preserve_rowcount": True},
        )
        .rowcount
    )


def chunks(items: Sequence[Item], size: int = MAX_BOUND_VALUES) -> Iterator[Sequence[Item]]:
    """`items` in pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ValueError(
            f"the catalogue's URL {parsed.render_as_string()} is neither SQLite nor PostgreSQL:"
            " write sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME under `catalogue` in"
            " groundtruth.toml"
        )
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin too late to keep two writers apart.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _check_references(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
