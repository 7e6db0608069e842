"""The scorecard: what was measured of a vendor beside what was agreed, line by line and as a whole.

A light is given by the interval: green where all of it meets what was agreed, red where none of it
does, amber where neither is shown, grey where too little was measured or nothing was agreed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from pydantic import BaseModel, Field, PositiveInt

from workforce.money import Money
from workforce.performance.definitions import DEFINITIONS
from workforce.performance.figures import Cell, Figure, Metric
from workforce.records.contracts import Contract
from workforce.reviews.review import Level, Light, Said, Score, Value


class Line(BaseModel, frozen=True, extra="forbid"):
    """How much a metric weighs, and what is asked where the contract does not say."""

    weight: float = Field(gt=0, le=1)
    target: float | None = None


class Scorecard(BaseModel, frozen=True, extra="forbid"):
    """The metrics that vendors are judged by; a figure of fewer than `enough` is grey."""

    lines: dict[Metric, Line] = {
        Metric.GOLD_ACCURACY: Line(weight=0.3, target=0.95),
        Metric.SLA_ATTAINMENT: Line(weight=0.25, target=0.95),
        Metric.DEFECT_RATE: Line(weight=0.2, target=0.03),
        Metric.FIRST_PASS_YIELD: Line(weight=0.1),
        Metric.AGREEMENT: Line(weight=0.1, target=0.67),
        Metric.COST_PER_LABEL: Line(weight=0.05),
    }
    enough: PositiveInt = 30


@dataclass(frozen=True)
class Agreed:
    """What a metric is asked to be, in a locale and kind or (None) in all of them."""

    metric: Metric
    target: float | None
    weight: float
    locale: str | None = None
    kind: str | None = None


def scores(
    scorecard: Scorecard,
    contract: Contract | None,
    figures: Sequence[Figure],
    before: Sequence[Figure],
    whole: Cell,
) -> tuple[Score, ...]:
    """A line for each metric of the scorecard, or for each part that the contract names of it.

    `figures` are those of the period of `whole`, the vendor's work as a whole; `before` are those
    of the period before.
    """
    known, was = _by_place(figures), _by_place(before)
    found = []
    for each in agreed(scorecard, contract):
        place = each.metric, each.locale, each.kind
        cell = Cell(whole.period, whole.vendor, each.locale, each.kind)
        figure = known.get(place, Figure(each.metric, cell, None, 0))
        light, why = judged(figure, each.target, scorecard.enough)
        found.append(Score(figure, was.get(place), each.target, each.weight, light, why))
    return tuple(found)


def agreed(scorecard: Scorecard, contract: Contract | None) -> list[Agreed]:
    """What each line asks for: the contract's word, or else the scorecard's."""
    found = []
    for metric, line in scorecard.lines.items():
        levels = [each for each in contract.levels if each.metric == metric] if contract else []
        places: list[tuple[float | None, str | None, str | None]] = [
            (float(level.target), locale, kind)
            for level in levels
            for locale, kind in product(level.locales or (None,), level.kinds or (None,))
        ]
        asked = places or [(_of_contract(metric, contract, line.target), None, None)]
        found += [
            Agreed(metric, target, line.weight / len(asked), locale, kind)
            for target, locale, kind in asked
        ]
    return found


def judged(figure: Figure, target: float | None, enough: int) -> tuple[Light, Said]:
    """The light of a figure beside its target, and why."""
    if figure.value is None:
        return Light.GREY, Said("why.nothing")
    if target is None or isinstance(figure.value, Money):
        return Light.GREY, Said("why.not_agreed")
    if figure.n < enough:
        return Light.GREY, Said("why.few", {"n": figure.n, "enough": enough})
    less = DEFINITIONS[figure.metric].less_is_better
    direction = "most" if less else "least"
    asked: dict[str, Value] = {"target": Level(figure.metric, target), "at": direction}
    low = figure.low if figure.low is not None else figure.value
    high = figure.high if figure.high is not None else figure.value
    meets = high <= target if less else low >= target
    misses = low > target if less else high < target
    light = Light.GREEN if meets else Light.RED if misses else Light.AMBER
    shown = "" if figure.low is not None and figure.high is not None else ".point"
    return light, Said(f"why{shown}.{light}", asked)


def overall(lines: Sequence[Score]) -> Light:
    """The light of the whole: by how much of the known weight is shown to be met or missed.

    Grey while less than half of the weight is known; red from a quarter missed on; green where
    three quarters are met and nothing is missed.
    """
    weight: Mapping[Light, float] = {
        light: sum(each.weight for each in lines if each.light == light) for light in Light
    }
    known = sum(weight.values()) - weight[Light.GREY]
    if known == 0 or known < weight[Light.GREY]:
        return Light.GREY
    if weight[Light.RED] >= known / 4:
        return Light.RED
    if not weight[Light.RED] and weight[Light.GREEN] >= 3 * known / 4:
        return Light.GREEN
    return Light.AMBER


def _of_contract(metric: Metric, contract: Contract | None, usual: float | None) -> float | None:
    if contract is None:
        return usual
    if metric == Metric.GOLD_ACCURACY and contract.quality_bar is not None:
        return contract.quality_bar
    if metric == Metric.DEFECT_RATE and contract.acceptance is not None:
        return float(contract.acceptance.refused_above)
    return usual


def _by_place(
    figures: Sequence[Figure],
) -> dict[tuple[Metric, str | None, str | None], Figure]:
    return {(each.metric, each.cell.locale, each.cell.kind): each for each in figures}
