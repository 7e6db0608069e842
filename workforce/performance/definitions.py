"""What kind of number each metric is: its unit, which way is better, and how it is printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workforce.money import Money
from workforce.performance.figures import Figure, Metric


class Unit(StrEnum):
    SHARE = "share"
    ALPHA = "alpha"
    SECONDS = "seconds"
    LABELS_PER_HOUR = "labels per hour"
    WORKING_DAYS = "working days"
    HOURS = "hours"
    MONEY = "money"


class Better(StrEnum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True)
class Definition:
    """`counted` is what a figure's `n` counts; numbers are printed to `digits` after the point."""

    unit: Unit
    better: Better
    counted: str
    digits: int

    @property
    def less_is_better(self) -> bool:
        return self.better == Better.DOWN

    def printed(self, value: float | Money | None) -> str:
        """A value in English; a dash where there is none."""
        if value is None:
            return "–"
        if isinstance(value, Money):
            return str(value)
        style = "%" if self.unit == Unit.SHARE else "f"
        return f"{value:.{self.digits}{style}}"


def _share(better: Better, counted: str) -> Definition:
    return Definition(Unit.SHARE, better, counted, 1)


DEFINITIONS: Mapping[Metric, Definition] = {
    Metric.GOLD_ACCURACY: _share(Better.UP, "gold answers"),
    Metric.SENSITIVITY: _share(Better.UP, "intruders shown"),
    Metric.SPECIFICITY: _share(Better.UP, "members shown"),
    Metric.FIRST_PASS_YIELD: _share(Better.UP, "questions submitted"),
    Metric.REWORK_RATE: _share(Better.DOWN, "questions submitted"),
    Metric.DEFECT_RATE: _share(Better.DOWN, "answers that others answered too"),
    Metric.ESCAPE_RATE: _share(Better.DOWN, "labels accepted"),
    Metric.AGREEMENT: Definition(Unit.ALPHA, Better.UP, "questions with several answers", 2),
    Metric.HANDLING_SECONDS: Definition(Unit.SECONDS, Better.DOWN, "answers", 1),
    Metric.THROUGHPUT: Definition(Unit.LABELS_PER_HOUR, Better.UP, "labels accepted", 1),
    Metric.TURNAROUND_P50: Definition(Unit.WORKING_DAYS, Better.DOWN, "questions accepted", 2),
    Metric.TURNAROUND_P95: Definition(Unit.WORKING_DAYS, Better.DOWN, "questions accepted", 2),
    Metric.TURNAROUND_HOURS_P50: Definition(Unit.HOURS, Better.DOWN, "questions accepted", 1),
    Metric.TURNAROUND_HOURS_P95: Definition(Unit.HOURS, Better.DOWN, "questions accepted", 1),
    Metric.SLA_ATTAINMENT: _share(Better.UP, "questions due"),
    Metric.COST_PER_LABEL: Definition(Unit.MONEY, Better.DOWN, "labels accepted", 2),
    Metric.COST_PER_CLUSTER: Definition(Unit.MONEY, Better.DOWN, "clusters verified", 2),
    Metric.COVERAGE: _share(Better.UP, "labels accepted"),
}

SHARES_OF_WORK = {metric for metric, each in DEFINITIONS.items() if each.unit == Unit.SHARE} - {
    Metric.COVERAGE
}
"""Shares that follow from a vendor's own work: a service level may name them, and they have causes
in parts of that work. How much is planned is not the vendor's."""


def printed(figure: Figure) -> tuple[str, str]:
    """A figure in English, and its interval; dashes where there is none."""
    definition = DEFINITIONS[figure.metric]
    ends = (definition.printed(each) for each in (figure.low, figure.high))
    interval = "–" if figure.low is figure.high is None else " to ".join(ends)
    return definition.printed(figure.value), interval
