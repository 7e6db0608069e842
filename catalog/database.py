"""The database behind the catalogue: SQLite in WAL mode on one machine, PostgreSQL by URL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import alembic.command
import alembic.config
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.orm import Session, sessionmaker

from catalog.alone import alone
from catalog.errors import CatalogueUnreachable, DiskFull
from catalog.identity import digest
from catalog.schema import Table

# SQLite binds at most 32,766 values to a statement.
MAX_BOUND_VALUES = 30_000
BUSY_TIMEOUT_S = 60
BEGIN = "sqlite_begin"
# What the databases say where the disk is full. SQLite's wal-index has an error of its own.
SQLITE_FULL = {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_WRITE"}
POSTGRESQL_FULL = "53100"

Item = TypeVar("Item")

Transaction = Session


class Catalog:
    """The catalogue at `url`, brought to the newest schema.

    `url` is an SQLAlchemy URL: ``sqlite:///path/catalogue.sqlite`` or
    ``postgresql+psycopg://user@host/name``. Raises, here and in a transaction, `DiskFull` where
    there is no room for what is written, and `CatalogueUnreachable` where nothing answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self._readers = sessionmaker(_reading(self._engine), expire_on_commit=False)
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

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that writes nothing: it sees one moment, and keeps nobody from writing."""
        with self._readers.begin() as session:
            yield session

    def alone(
        self, what: str, on_wait: Callable[[], object] = lambda: None
    ) -> AbstractContextManager[None]:
        """Do `what` while nobody else does it; `on_wait` is called once where somebody does.

        For work of hours, which is no transaction; it can be asked for once at a time in a process.
        A holder that is killed holds nothing.
        """
        return alone(self._engine, what, on_wait)

    def close(self) -> None:
        self._engine.dispose()


def add_new(session: Transaction, rows: Sequence[Table]) -> int:
    """Insert those of `rows` (all of one table) that are not there yet; how many those were.

    Two writers of the same rows take them in the same order, that of their keys, so that neither
    waits for the other. Rows that may refer to one another keep the order in which they are given.
    """
    if not rows:
        return 0
    table = cast(CoreTable, type(rows[0]).__table__)
    names = [column.key for column in table.columns]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = [{name: getattr(row, name) for name in names} for row in rows]
    if not any(key.column.table is table for key in table.foreign_keys):
        keys = [column.key for column in table.primary_key]
        values.sort(key=lambda value: [value[key] for key in keys])
    return (
        session.connection()
        .execute(
            insert(table).on_conflict_do_nothing(),
            values,
            execution_options={"preserve_rowcount": True},
        )
        .rowcount
    )


def one_at_a_time(session: Transaction, what: str) -> None:
    """Let no other transaction that asks for `what` go on before this one has ended.

    Ask before reading what the writing depends on: the newest version, the decision that stands.
    Asked again in the same transaction, it is given at once. SQLite has one writer at a time
    anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int(digest("one at a time", what)[:15], 16)
        session.execute(select(func.pg_advisory_xact_lock(number)))


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
        engine = create_engine(parsed, pool_pre_ping=True)
        event.listen(engine, "connect", _configure_postgresql)
    else:
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _say_what_to_mend)
    return engine


def _say_what_to_mend(context: ExceptionContext) -> None:
    if context.is_pre_ping:  # the pool opens another connection
        return
    error = context.original_exception
    place = context.engine.url.render_as_string() if context.engine else "the catalogue"
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if code == POSTGRESQL_FULL or code in SQLITE_FULL:
        raise DiskFull(place) from error
    if context.connection is None or context.is_disconnect:
        says = " ".join(str(error).split())
        raise CatalogueUnreachable(
            f"the catalogue at {place} does not answer ({says}): start the database, or correct"
            " `catalogue` in groundtruth.toml, and run the same command again"
        ) from error


def _configure_postgresql(connection: Any, _record: Any) -> None:
    # Rows that are read a page at a time are all read: the plan that begins soonest, which cursors
    # get otherwise, took ten times as long. Compiling took longer than what was compiled.
    connection.execute("SET cursor_tuple_fraction = 1")
    connection.execute("SET jit = off")
    connection.commit()


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin too late to keep two writers apart.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _check_references(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A writer that reads first would otherwise find, when it writes, that another one has written.
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN IMMEDIATE"))


def _reading(engine: Engine) -> Engine:
    """`engine` for transactions that see one moment of the database."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{BEGIN: "BEGIN"})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _migrate(engine: Engine) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
