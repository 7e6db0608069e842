"""Copies of the log by the day, in the blob store: ten million answers are read in seconds.

Rows are only added, so a day that is over stays what it is. Its rows of a part are kept as one
Parquet file, named by the part, the day and how many rows the database has of it; where a row comes
late, the count is another one, and so is the copy. A copy that is lost is made again.
"""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.identity import digest
from catalog.performance import PARTS, Log, Part, frame, read

COPIES = "performance"
"""The folder of the copies among the blobs."""
A_DAY = dt.timedelta(days=1)
SETTLED = dt.timedelta(hours=1)
"""After midnight, for transactions that have begun before it."""


def log_of(session: Session, blobs: BlobStore, now: dt.datetime) -> Log:
    """All of every part without the identities of rows, from copies where a day is over."""
    return Log(**{part.name: _frame(session, blobs, part, now) for part in PARTS})


def copies(session: Session, blobs: BlobStore, part: Part, open_from: dt.datetime) -> Iterator[str]:
    """The keys of the copies of the days before a midnight, made where they were not yet."""
    first = session.scalar(select(func.min(part.added)))
    day = dt.datetime.combine(first.date(), dt.time(), dt.UTC) if first else open_from
    while day < open_from:
        of_day = and_(part.added >= day, part.added < day + A_DAY)
        if n := session.scalar(select(func.count(part.added)).where(of_day)):
            key = f"{COPIES}/{part.name}/{digest(part.schema)}/{day:%Y-%m-%d}-{n}.parquet"
            if not blobs.exists(key):
                blobs.put(key, _parquet(part, read(session, part, of_day)))
            yield key
        day += A_DAY


def _frame(session: Session, blobs: BlobStore, part: Part, now: dt.datetime) -> pd.DataFrame:
    """The rows of a part: those of each day that is over, and the rest."""
    columns = [name for name in part.schema.names if name != "id"]
    open_from = dt.datetime.combine((now - SETTLED).date(), dt.time(), dt.UTC)
    keys = list(copies(session, blobs, part, open_from))
    rest = read(session, part, part.added >= open_from).select(columns)

    def tables() -> Iterator[pa.Table]:
        for key in keys:
            with blobs.open(key) as file:
                yield pq.read_table(file, columns=columns)
        yield rest

    n_rows = sum(_n_rows(blobs, key) for key in keys) + len(rest)
    return frame(part, n_rows, tables())


def _parquet(part: Part, rows: pa.Table) -> bytes:
    content = BytesIO()
    in_order = rows.sort_by(part.ordered_by) if part.ordered_by else rows
    pq.write_table(in_order, content, compression="zstd")
    return content.getvalue()


def _n_rows(blobs: BlobStore, key: str) -> int:
    with blobs.open(key) as file:
        n_rows: int = pq.read_metadata(file).num_rows
    return n_rows
