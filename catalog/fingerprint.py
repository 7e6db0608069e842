"""Two catalogues compared by content, whatever the clock said and the sites' numbers were."""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.schema import Table, UtcDateTime

# What a site gives out and how fast a machine is: both differ between two runs that did the same
# work, as times do.
INCIDENTAL_COLUMNS = {
    "site_task": {"project_id", "task_id"},
    "answer": {"annotation"},
    "measurement": {"speed"},
}
INCIDENTAL_TABLES = {"pull", "site_project"}


@dataclass(frozen=True)
class Fingerprint:
    """How many rows a table has, and a digest of their content in any order."""

    table: str
    n_rows: int
    digest: str


def fingerprint(session: Session) -> list[Fingerprint]:
    """The content of every table, so that two catalogues can be compared line by line."""
    prints = []
    for table in Table.metadata.sorted_tables:
        if table.name in INCIDENTAL_TABLES:
            continue
        columns = [
            column
            for column in table.columns
            if not isinstance(column.type, UtcDateTime)
            and column.name not in INCIDENTAL_COLUMNS.get(table.name, set())
        ]
        lines = sorted(
            json.dumps(list(row), sort_keys=True, default=str)
            for row in session.execute(select(*columns))
        )
        prints.append(
            Fingerprint(
                table.name, len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
            )
        )
    return prints
