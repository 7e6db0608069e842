"""Where figures lie in a small picture: a trend in its frame, an interval on its scale.

Coordinates are those of an SVG: x to the right, y downwards, in the units of its view box.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workforce.money import Money
from workforce.performance.figures import Figure
from workforce.reviews.review import Score, Trend

WIDTH, HEIGHT = 300.0, 96.0
LEFT, RIGHT, TOP, BOTTOM = 4.0, 12.0, 10.0, 10.0
STRIP = 160.0
EDGE = 8.0


class Spot(NamedTuple):
    """A figure in a picture."""

    x: float
    y: float
    figure: Figure


@dataclass(frozen=True)
class TrendPlot:
    """The line through a trend's figures in runs without gaps, its band, target and alarms."""

    lines: tuple[str, ...]
    bands: tuple[str, ...]
    spots: tuple[Spot, ...]
    alarms: tuple[Spot, ...]
    target: float | None


@dataclass(frozen=True)
class Strip:
    """An interval from left to right; `low` and `high` are None where there is none."""

    value: float
    low: float | None
    high: float | None
    target: float | None
    before: float | None


def trend_plot(trend: Trend) -> TrendPlot:
    """The trend in a frame of `WIDTH` by `HEIGHT`; a period without a value leaves a gap."""
    at = _scale(
        [
            *(end for each in trend.figures for end in _ends(each)),
            *([trend.target] if trend.target is not None else []),
        ],
        HEIGHT - BOTTOM,
        TOP,
    )
    step = (WIDTH - LEFT - RIGHT) / max(len(trend.figures) - 1, 1)
    runs: list[list[Spot]] = [[]]
    for place, figure in enumerate(trend.figures):
        if figure.value is None:
            runs.append([])
        else:
            runs[-1].append(Spot(LEFT + place * step, at(_number(figure.value)), figure))
    spots = tuple(spot for run in runs for spot in run)
    return TrendPlot(
        lines=tuple(_points((spot.x, spot.y) for spot in run) for run in runs if len(run) > 1),
        bands=tuple(_band(run, at) for run in runs if len(run) > 1 and _has_interval(run)),
        spots=spots,
        alarms=tuple(spot for spot in spots if spot.figure.cell.period in trend.alarms),
        target=at(trend.target) if trend.target is not None else None,
    )


def strip(score: Score) -> Strip | None:
    """A line of the scorecard on a scale of `STRIP`; None where nothing was measured."""
    figure, before = score.figure, score.before
    if figure.value is None:
        return None
    target = _number(score.target) if score.target is not None else None
    was = _number(before.value) if before is not None and before.value is not None else None
    known = [*_ends(figure), *(each for each in (target, was) if each is not None)]
    at = _scale(known, EDGE, STRIP - EDGE)
    return Strip(
        value=at(_number(figure.value)),
        low=at(figure.low) if figure.low is not None else None,
        high=at(figure.high) if figure.high is not None else None,
        target=at(target) if target is not None else None,
        before=at(was) if was is not None else None,
    )


def _ends(figure: Figure) -> list[float]:
    """What a picture of a figure must have room for."""
    value = [_number(figure.value)] if figure.value is not None else []
    return [*value, *(end for end in (figure.low, figure.high) if end is not None)]


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """Where a value lies, the smallest of `values` at `start` and the largest at `end`."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low == high:
        return lambda _: (start + end) / 2
    return lambda value: round(start + (end - start) * (value - low) / (high - low), 1)


def _has_interval(run: Sequence[Spot]) -> bool:
    return all(spot.figure.low is not None and spot.figure.high is not None for spot in run)


def _band(run: Sequence[Spot], at: Callable[[float], float]) -> str:
    upper = [(spot.x, at(spot.figure.high or 0.0)) for spot in run]
    lower = [(spot.x, at(spot.figure.low or 0.0)) for spot in reversed(run)]
    return _points([*upper, *lower])


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _number(value: float | Money) -> float:
    return float(value.amount) if isinstance(value, Money) else value
