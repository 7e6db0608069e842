"""A business review before it is a workbook, a page or a PDF: all that its readers are told.

Sentences are kept apart from their language (`Said`), figures from how they are printed, so that
every form of the review says the same, and a test can compare it with the catalogue's rows.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Union

from workforce.money import Money
from workforce.performance.figures import Figure, Metric
from workforce.periods import Period

TOLERANCE = Decimal("0.02")
"""Of what was agreed: a line that bills further off is spoken of,"""
LEAST_DIFFERENCE = Decimal(1)
"""if it is further off than this, in units of its currency, too."""


@dataclass(frozen=True)
class Level:
    """A value of a metric, as it was measured or agreed; printed in the metric's unit."""

    metric: Metric
    value: float | Money


Value = Union[str, int, float, Decimal, Money, dt.date, Period, Metric, Level, "Said"]


@dataclass(frozen=True)
class Said:
    """A sentence in any language: its key among the texts, and what it names."""

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)


class Light(StrEnum):
    """Where something stands against what was agreed; `GREY`: too little is known to say."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True)
class Score:
    """A line of the scorecard: a figure beside the one of the period before and what was agreed."""

    figure: Figure
    before: Figure | None
    target: float | Money | None
    weight: float
    light: Light
    why: Said


@dataclass(frozen=True)
class Trend:
    """A metric week by week or month by month, beside what was agreed; `alarms` are its periods
    at which a control chart spoke."""

    metric: Metric
    figures: tuple[Figure, ...]
    target: float | None = None
    alarms: tuple[Period, ...] = ()


@dataclass(frozen=True)
class Confused:
    """Two products that a vendor took for one another: how often, and a picture (JPEG) of each."""

    locale: str
    one: str
    other: str
    n: int
    of: int
    picture_of_one: bytes | None = None
    picture_of_other: bytes | None = None


@dataclass(frozen=True)
class SpendLine:
    """What one kind of work in one locale cost in the period, and what was accepted of it."""

    locale: str
    kind: str
    n_answers: int
    n_labels: int
    hours: Decimal
    agreed: Money


@dataclass(frozen=True)
class InvoiceLine:
    """A line of an invoice beside the accepted work that it is for, and why they differ."""

    invoice: str
    line: int
    billed: Money
    agreed: Money
    why: Said

    @property
    def variance(self) -> Money:
        """What was billed beyond what was agreed."""
        return self.billed - self.agreed

    @property
    def is_off(self) -> bool:
        """Whether it bills more or less than was agreed by more than is worth no word."""
        allowed = max(abs(self.agreed.amount) * TOLERANCE, LEAST_DIFFERENCE)
        return abs(self.variance.amount) > allowed


@dataclass(frozen=True)
class OrderLine:
    """How far a purchase order is used up, and when it will have run out."""

    number: str
    amount: Money
    invoiced: Money
    accrued: Money
    starts: dt.date
    ends: dt.date
    runs_out_p50: dt.date | None = None
    runs_out_p85: dt.date | None = None

    @property
    def left(self) -> Money:
        return self.amount - self.invoiced - self.accrued


@dataclass(frozen=True)
class BudgetLine:
    """A budget (`at_completion`, BAC), what was spent of it (AC), and what was earned (EV)."""

    name: str
    at_completion: Money
    actual: Money
    earned: Money
    forecast_p50: Money | None = None
    forecast_p85: Money | None = None

    @property
    def estimate_as_planned(self) -> Money:
        """EAC where the rest costs what was planned: AC + (BAC - EV)."""
        return self.actual + (self.at_completion - self.earned)

    @property
    def estimate_as_so_far(self) -> Money | None:
        """EAC where the rest costs as the work so far did: AC + (BAC - EV) / CPI.

        None while nothing was earned, or nothing was spent.
        """
        if not self.earned.amount or not self.actual.amount:
            return None
        performance = self.earned.amount / self.actual.amount
        rest = (self.at_completion - self.earned).amount / performance
        return self.actual + Money(rest, self.actual.currency)


@dataclass(frozen=True)
class Credit:
    """What a service level that was missed costs the vendor, by the contract's rule."""

    contract: str
    level: Said
    missed: Said
    amount: Money


@dataclass(frozen=True)
class Risk:
    what: Said
    light: Light


@dataclass(frozen=True)
class Action:
    """What is to be done, by whom (a person, or a part that somebody has) and by when."""

    what: Said
    owner: Said
    due: dt.date


class Advice(StrEnum):
    """What to do when the contract ends."""

    RENEW = "renew"
    RENEGOTIATE = "renegotiate"
    REPLACE = "replace"
    WAIT = "wait"


@dataclass(frozen=True)
class Recommendation:
    """What to do about the contract, by when the vendor must be told, and why."""

    advice: Advice
    notice_by: dt.date | None
    because: tuple[Said, ...]


@dataclass(frozen=True)
class Review:
    """What is said to and of one vendor about a period, in the contract's `currency`.

    `figures` holds each metric for the vendor as a whole, by locale, by kind, and by both.
    """

    vendor: str
    vendor_name: str
    period: Period
    as_of: dt.date
    contracts: tuple[str, ...]
    currency: str
    light: Light
    summary: tuple[Said, ...]
    scores: tuple[Score, ...] = ()
    figures: tuple[Figure, ...] = ()
    trends: tuple[Trend, ...] = ()
    causes: tuple[Said, ...] = ()
    confused: tuple[Confused, ...] = ()
    spend: tuple[SpendLine, ...] = ()
    invoices: tuple[InvoiceLine, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    credits: tuple[Credit, ...] = ()
    risks: tuple[Risk, ...] = ()
    actions: tuple[Action, ...] = ()
    recommendation: Recommendation | None = None


@dataclass(frozen=True)
class LocaleLine:
    """Where a locale stands: what is planned, done and open of it, and when it will be done."""

    locale: str
    planned: int | None
    accepted: int
    open_questions: int
    overdue_questions: int
    spent: Money
    light: Light
    done_p50: dt.date | None = None
    done_p85: dt.date | None = None


@dataclass(frozen=True)
class Portfolio:
    """What leaders read of a period: all vendors beside one another, locales and budgets."""

    period: Period
    as_of: dt.date
    currency: str
    light: Light
    summary: tuple[Said, ...]
    reviews: tuple[Review, ...]
    locales: tuple[LocaleLine, ...] = ()
    budgets: tuple[BudgetLine, ...] = ()
    risks: tuple[Risk, ...] = ()
    actions: tuple[Action, ...] = ()
