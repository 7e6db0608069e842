"""Quality, latency and cost: the choices of which no other is better in all three."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter

from annotation.targets import Forecast

SHOWN = 40
"""Lengths of the plan that are tried with each crew."""


@dataclass(frozen=True)
class Crew:
    """Who may do the work: seconds of it a day, and what an hour costs."""

    name: str
    seconds_per_day: float
    price_per_hour: Decimal


@dataclass(frozen=True)
class Choice:
    """A crew that follows the plan up to some question."""

    crew: str
    recall: float
    days: float
    cost: Decimal


def frontier(forecasts: Sequence[Forecast], crews: Iterable[Crew]) -> list[Choice]:
    """The choices that no other dominates, by cost.

    One dominates another that it is at least equal to in recall, days and cost, and better than in
    one of them.

    Raises
    ------
    ValueError
        If a crew works no second a day.
    """
    every = [_choice(crew, at) for crew in crews for at in _thinned(forecasts)]
    best: list[Choice] = []
    for one in sorted(every, key=lambda each: (each.cost, -each.recall, each.days, each.crew)):
        if not any(kept.recall >= one.recall and kept.days <= one.days for kept in best):
            best.append(one)
    return best


def chosen(choices: Sequence[Choice], recall_at_least: float | None) -> Choice | None:
    """The cheapest choice with the recall that is wanted, or else the one with the most."""
    enough = [each for each in choices if each.recall >= (recall_at_least or 1.0)]
    if enough:
        return min(enough, key=lambda each: (each.cost, each.days))
    return max(choices, key=attrgetter("recall"), default=None)


def _choice(crew: Crew, at: Forecast) -> Choice:
    if crew.seconds_per_day <= 0:
        raise ValueError(
            f"{crew.name} works {crew.seconds_per_day} seconds a day: give more than 0"
        )
    cost = crew.price_per_hour * Decimal(str(round(at.seconds, 3))) / 3600
    return Choice(crew.name, at.recall, at.seconds / crew.seconds_per_day, cost)


def _thinned(forecasts: Sequence[Forecast]) -> list[Forecast]:
    n = len(forecasts)
    places = sorted({round(k * (n - 1) / max(SHOWN - 1, 1)) for k in range(SHOWN)}) if n else []
    return [forecasts[place] for place in places]
