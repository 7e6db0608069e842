"""How the database behind the catalogue does, found out without changing anything of it.

`Catalog` brings a database to the newest schema when it opens it; this only looks.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import alembic.config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

CONNECT_SECONDS = 10


class NoCatalogue(RuntimeError):
    """There is no database where the catalogue is to be, or it does not answer."""


@dataclass(frozen=True)
class Checkup:
    """What a database says of itself.

    Attributes
    ----------
    kind, version
        ``sqlite`` or ``postgresql``, and the version of its program.
    revision, newest
        Of the schema: the one that it has (None: nothing is in it), and the one of this program.
    known
        Whether this program knows the revision.
    journal
        SQLite's journal mode; empty for PostgreSQL.
    clock
        The time that it has (UTC), beside `asked_at`, the time here.
    """

    kind: str
    version: str
    revision: str | None
    newest: str
    known: bool
    journal: str
    clock: dt.datetime
    asked_at: dt.datetime


def checkup(url: str) -> Checkup:
    """Ask the database at `url`; raises `NoCatalogue` where none answers."""
    folder = Path(__file__).parent / "migrations"
    config = alembic.config.Config()
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)
    with _connection(url) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        kind = connection.dialect.name
        asked_at = dt.datetime.now(dt.UTC)
        if kind == "postgresql":
            version = str(connection.scalar(text("SHOW server_version")))
            journal, clock = "", connection.scalar(text("SELECT clock_timestamp()"))
        else:
            version = str(connection.scalar(text("SELECT sqlite_version()")))
            journal, clock = str(connection.scalar(text("PRAGMA journal_mode"))), asked_at
    return Checkup(
        kind=kind,
        version=version,
        revision=revision,
        newest=str(scripts.get_current_head()),
        known=revision is None or revision in {each.revision for each in scripts.walk_revisions()},
        journal=journal,
        clock=clock.astimezone(dt.UTC) if clock is not None else asked_at,
        asked_at=asked_at,
    )


def damage(url: str) -> list[str]:
    """What SQLite finds wrong in its file, reading all of it; nothing for PostgreSQL.

    Raises `NoCatalogue` where there is no such file, or none that SQLite can read.
    """
    with _connection(url) as connection:
        if connection.dialect.name != "sqlite":
            return []
        found = connection.execute(text("PRAGMA quick_check(20)")).scalars().all()
    return [str(each) for each in found if each != "ok"]


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """A connection that cannot write."""
    parsed = make_url(url)
    place = parsed.render_as_string()
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or not Path(parsed.database).exists():
            raise NoCatalogue(f"there is no database at {place}")
        reading = parsed.set(
            database=f"file:{parsed.database}", query={"mode": "ro", "uri": "true"}
        )
        engine = create_engine(reading, poolclass=NullPool)
    else:
        waiting = {
            "connect_timeout": CONNECT_SECONDS,
            "options": "-c default_transaction_read_only=on",
        }
        engine = create_engine(parsed, connect_args=waiting, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise NoCatalogue(f"the database at {place} does not answer: {error.orig}") from error
