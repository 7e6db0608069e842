"""Two catalogues compared by content, whatever the clock said and the sites' numbers were."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import DateTime, MetaData, select
from sqlalchemy import Table as CoreTable
from sqlalchemy.orm import Session

from catalog.paging import PAGE
from catalog.schema import Table, UtcDateTime

# What a site gives out, how fast a machine is and how often it was asked for the same: they differ
# between two runs that did the same work, as times do.
INCIDENTAL_COLUMNS = {
    "site_task": {"project_id", "task_id"},
    "answer": {"annotation"},
    "measurement": {"speed"},
}
INCIDENTAL_TABLES = {"clustering", "pull", "site_project"}
MODULUS = 2**256


@dataclass(frozen=True)
class Fingerprint:
    """How many rows a table has, and a digest of their content in any order."""

    table: str
    n_rows: int
    digest: str


def fingerprint(session: Session) -> list[Fingerprint]:
    """The content of every table, so that two catalogues can be compared line by line."""
    return fingerprint_of(session, Table.metadata.sorted_tables)


def fingerprint_as_found(session: Session) -> list[Fingerprint]:
    """The same of the tables that the database has, of whichever revision of the schema."""
    found = MetaData()
    found.reflect(session.connection())
    return fingerprint_of(session, found.sorted_tables)


def fingerprint_of(session: Session, tables: Iterable[CoreTable]) -> list[Fingerprint]:
    """The content of `tables`, read as a stream.

    A table's digest is the sum of the SHA-256 digests of its rows, which no order changes.
    """
    prints = []
    for table in tables:
        if table.name in INCIDENTAL_TABLES:
            continue
        columns = [
            column
            for column in table.columns
            if not isinstance(column.type, UtcDateTime | DateTime)
            and column.name not in INCIDENTAL_COLUMNS.get(table.name, set())
        ]
        n_rows = total = 0
        for row in session.execute(select(*columns).execution_options(yield_per=PAGE)):
            line = json.dumps(list(row), sort_keys=True, default=str).encode()
            total = (total + int.from_bytes(hashlib.sha256(line).digest())) % MODULUS
            n_rows += 1
        prints.append(Fingerprint(table.name, n_rows, f"{total:064x}"[:16]))
    return prints
