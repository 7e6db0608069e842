"""Copies of the log by the day, in the blob store: ten million answers are read in seconds.

Rows are only added, so a day that is over stays what it is. Its rows of a part are kept as one
Parquet file, named by the part, the day and how many rows the database has of it; where a row comes
late, the count is another one, and so is the copy. A copy that is lost is made again.
"""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.identity import digest
from catalog.performance import PARTS, Log, Part, frame, read

A_DAY = dt.timedelta(days=1)
SETTLED = dt.timedelta(hours=1)
"""After midnight, for transactions that have begun before it."""


def log_of(session: Session, blobs: BlobStore, now: dt.datetime) -> Log:
    """All of every part without the identities of rows, from copies where a day is over."""
    return Log(**{part.name: frame(part, _tables(session, blobs, part, now)) for part in PARTS})


def _tables(session: Session, blobs: BlobStore, part: Part, now: dt.datetime) -> Iterator[pa.Table]:
    """The rows of a part: those of each day that is over, and the rest."""
    columns = [name for name in part.schema.names if name != "id"]
    open_from = dt.datetime.combine((now - SETTLED).date(), dt.time(), dt.UTC)
    day = session.scalar(select(func.min(part.added)))
    if day is not None:
        day = dt.datetime.combine(day.date(), dt.time(), dt.UTC)
        while day < open_from:
            of_day = and_(part.added >= day, part.added < day + A_DAY)
            if n := session.scalar(select(func.count(part.added)).where(of_day)):
                yield _copy(session, blobs, part, of_day, f"{day:%Y-%m-%d}-{n}", columns)
            day += A_DAY
    yield read(session, part, part.added >= open_from).select(columns)


def _copy(
    session: Session,
    blobs: BlobStore,
    part: Part,
    of_day: ColumnElement[bool],
    name: str,
    columns: list[str],
) -> pa.Table:
    """The rows of a day, which are copied where they were not yet."""
    key = f"performance/{part.name}/{digest(part.schema)}/{name}.parquet"
    if not blobs.exists(key):
        content = BytesIO()
        rows = read(session, part, of_day)
        if part.ordered_by is not None:
            rows = rows.sort_by(part.ordered_by)
        pq.write_table(rows, content, compression="zstd")
        blobs.put(key, content.getvalue())
    with blobs.open(key) as file:
        return pq.read_table(file, columns=columns)
