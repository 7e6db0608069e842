"""A large table read piece by piece, each by a query that takes a fraction of a second.

A piece is a range of an indexed key, not a number of results: a query over a piece then costs the
same however few of its rows are wanted. Read all pieces in one `Catalog.read`, or what is written
meanwhile is seen by some of them only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

PAGE = 2_000


@dataclass(frozen=True)
class Range:
    """Keys above `above`, up to and including `through`; without bound where those are None."""

    above: str | None = None
    through: str | None = None

    def holds(self, key: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """True where `key` lies in the range.

        Said of every table that a query joins by equal keys, it lets the database read that range
        of each, whichever way it joins them.
        """
        return and_(
            true() if self.above is None else key > self.above,
            true() if self.through is None else key <= self.through,
        )


EVERYTHING = Range()


def ranges(
    session: Session,
    key: InstrumentedAttribute[Any],
    *conditions: ColumnElement[bool],
    size: int = PAGE,
) -> Iterator[Range]:
    """Ranges of `key` that hold `size` rows each, ascending; all rows with one key in one range."""
    above = None
    while True:
        rows = select(key).where(Range(above).holds(key), *conditions).order_by(key)
        through = session.scalar(rows.offset(size - 1).limit(1))
        yield Range(above, through)
        if through is None:
            return
        above = through
