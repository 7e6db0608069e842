"""What is measured of the vendors' work: a figure for each vendor, locale, kind and period."""

from dataclasses import dataclass
from enum import StrEnum

from workforce.money import Money
from workforce.periods import Period


class Metric(StrEnum):
    """What is measured; `docs/metrics.md` defines each, and `performance.metrics` computes it."""

    GOLD_ACCURACY = "gold_accuracy"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"
    FIRST_PASS_YIELD = "first_pass_yield"
    REWORK_RATE = "rework_rate"
    DEFECT_RATE = "defect_rate"
    ESCAPE_RATE = "escape_rate"
    AGREEMENT = "agreement"
    HANDLING_SECONDS = "handling_seconds"
    THROUGHPUT = "throughput"
    TURNAROUND_P50 = "turnaround_p50"
    TURNAROUND_P95 = "turnaround_p95"
    TURNAROUND_HOURS_P50 = "turnaround_hours_p50"
    TURNAROUND_HOURS_P95 = "turnaround_hours_p95"
    SLA_ATTAINMENT = "sla_attainment"
    COST_PER_LABEL = "cost_per_label"
    COST_PER_CLUSTER = "cost_per_cluster"
    COVERAGE = "coverage"


@dataclass(frozen=True)
class Cell:
    """Whose work of which kind in which locale and when; None stands for all of them together."""

    period: Period
    vendor: str | None = None
    locale: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Figure:
    """What a metric is in a cell.

    `n` counts what it was measured on; `value` is None where that is nothing. `low` and `high` end
    its 95 % interval, and are None where it is a count or a price and has none.
    """

    metric: Metric
    cell: Cell
    value: float | Money | None
    n: int
    low: float | None = None
    high: float | None = None
