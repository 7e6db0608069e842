"""The frontier of value, cost and time: what more money or a later deadline would give."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from workforce.money import Money
from workforce.planning.outcome import Allocation


@dataclass(frozen=True)
class Point:
    """An allocation that no other beats in value, cost and time at once."""

    value: float
    cost: Money
    finished_at: dt.datetime
    allocation: Allocation


def frontier(
    allocated: Callable[[Money, dt.datetime], Allocation],
    budgets: Sequence[Money],
    deadlines: Sequence[dt.datetime],
) -> list[Point]:
    """The points that no other dominates, the cheapest first.

    `allocated` gives the allocation under a cost and by a deadline: `allocate` with the rest of its
    arguments given. What does nothing is no point.
    """
    points = []
    for at_most, deadline in product(budgets, deadlines):
        found = allocated(at_most, deadline)
        if found.cost is not None and found.finished_at is not None:
            points.append(Point(found.value, found.cost, found.finished_at, found))
    kept = [
        point
        for index, point in enumerate(points)
        if not any(
            _dominates(other, point) or (_same(other, point) and before < index)
            for before, other in enumerate(points)
        )
    ]
    return sorted(kept, key=lambda point: (point.cost.amount, point.finished_at))


def _dominates(one: Point, other: Point) -> bool:
    no_worse = (
        one.value >= other.value and one.cost <= other.cost and one.finished_at <= other.finished_at
    )
    return no_worse and not _same(one, other)


def _same(one: Point, other: Point) -> bool:
    return (one.value, one.cost, one.finished_at) == (other.value, other.cost, other.finished_at)
