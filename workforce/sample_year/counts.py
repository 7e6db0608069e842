"""What a sample year says of its vendors week by week, counted without a catalogue.

The same as `performance.metrics` measures on the rows of the year; a test compares them. It lets
two hundred years be looked at in the time that a few take to write.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from typing import NamedTuple

from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import Period, week_of
from workforce.sample_year.course import SampleYear


class Right(NamedTuple):
    """How many of `n` were right, or on time."""

    right: int
    n: int


def gold(year: SampleYear) -> dict[Cell, Right]:
    """The answers to gold questions by vendor, locale and week."""
    return _counted(
        (Cell(_week(answer.at.date()), asked.site, asked.locale), asked.is_right(answer))
        for asked in year.asked
        if asked.gold
        for answer in asked.answers
    )


def due(year: SampleYear) -> dict[Cell, Right]:
    """The questions that were due by vendor, locale and week, and those decided by then."""
    return _counted(
        (Cell(_week(asked.due.date()), asked.site, asked.locale), asked.on_time)
        for asked in year.asked
        if not asked.gold
    )


def figures(metric: Metric, counts: dict[Cell, Right], weeks: Collection[Period]) -> list[Figure]:
    """The shares of `counts` in `weeks`, by vendor and locale and of each vendor as a whole."""
    of_vendor: dict[Cell, Right] = {}
    for cell, (right, n) in counts.items():
        whole = Cell(cell.period, cell.vendor)
        before = of_vendor.get(whole, Right(0, 0))
        of_vendor[whole] = Right(before.right + right, before.n + n)
    known = set(weeks)
    return [
        Figure(metric, cell, right / n, n)
        for cell, (right, n) in {**counts, **of_vendor}.items()
        if cell.period in known
    ]


@cache
def _week(day: dt.date) -> Period:
    return week_of(day)


def _counted(seen: Iterator[tuple[Cell, bool]]) -> dict[Cell, Right]:
    found = Counter(seen)
    right: dict[Cell, Right] = {}
    for (cell, hit), n in found.items():
        before = right.get(cell, Right(0, 0))
        right[cell] = Right(before.right + n * hit, before.n + n)
    return right
