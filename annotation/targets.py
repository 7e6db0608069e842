"""When to stop asking: quality against what it costs, and how much the next point would cost.

The planner lists the questions that are left, the most gain per second first. What past rounds
really gained for each point that was promised tells how far to believe it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise

from pydantic import BaseModel, Field, model_validator

from annotation.certificate import Interval

POINT = 0.01
"""What a marginal cost is of: one point of recall, that is 1 %."""

EXPERIENCE = 0.05
"""Recall that was promised, from which experience counts for more than the plan."""

LEAST_KEPT, MOST_KEPT = 0.05, 2.0


class Targets(BaseModel, extra="forbid", frozen=True):
    """What is enough, and what must not be exceeded; what is not set does not count."""

    precision_at_least: float | None = Field(None, gt=0, le=1)
    recall_at_least: float | None = Field(None, gt=0, le=1)
    budget: Decimal | None = Field(None, gt=0)
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    price_per_hour: Decimal | None = Field(None, gt=0, description="What an hour of work costs.")
    seconds: float | None = Field(None, gt=0, description="Of work.")
    date: dt.date | None = None

    @model_validator(mode="after")
    def _say_in_what(self) -> "Targets":
        if self.currency is None and (self.budget or self.price_per_hour) is not None:
            raise ValueError("budget and price_per_hour are money: give the currency, say EUR")
        return self

    def price(self, seconds: float) -> Decimal | None:
        """What `seconds` of work cost; None without a price."""
        if self.price_per_hour is None:
            return None
        return self.price_per_hour * Decimal(str(round(seconds, 3))) / 3600


@dataclass(frozen=True)
class Point:
    """What had been spent and reached at the end of a round.

    `seconds` of work and `money` are since the beginning; `promised` is the recall that the plan
    said would be gained since the point before, 0 where there was no plan. Plans gain `recall`
    within reach; what is wanted is `recall_of_all`, for much may lie out of reach.
    """

    seconds: float
    money: Decimal | None
    on: dt.date
    precision: Interval
    recall: Interval
    recall_of_all: Interval
    promised: float = 0.0


@dataclass(frozen=True)
class Step:
    """A question that is left: the recall that it is expected to gain, in [0, 1], and its time."""

    gain: float
    seconds: float


@dataclass(frozen=True)
class Price:
    """What one point more of recall costs."""

    seconds: float
    money: Decimal | None


@dataclass(frozen=True)
class Advice:
    """Whether to go on, why, and what the next point of recall costs; None: there is none left."""

    go_on: bool
    why: str
    next_point: Price | None


@dataclass(frozen=True)
class Forecast:
    """Recall after so much more work."""

    seconds: float
    recall: float


def advise(
    targets: Targets, history: Sequence[Point], plan: Sequence[Step], today: dt.date
) -> Advice:
    """Go on or stop.

    Quality counts as reached when the low end of its interval is; it is looked at first, then what
    would be exceeded. Without a target, the plan is followed to its end.

    Parameters
    ----------
    history
        The oldest first; empty before the first certificate.
    plan
        In the order in which it would be asked.
    """
    price = next_point(targets, history, plan)
    for go_on, why in (
        *_reached(targets, history),
        *_exceeded(targets, history, plan, today),
        *_nothing_left(plan),
    ):
        return Advice(go_on, why, price)
    return Advice(True, _what_is_missing(targets, history), price)


def kept(history: Sequence[Point]) -> float:
    """Of the recall that plans promised, the part that came: 1 before there is experience.

    The ratio of sums over all rounds, drawn towards 1 while little was promised.
    """
    pairs = list(pairwise(history))
    gained = sum(later.recall.value - earlier.recall.value for earlier, later in pairs)
    promised = sum(later.promised for _, later in pairs)
    if not promised:
        return 1.0
    return min(max((gained + EXPERIENCE) / (promised + EXPERIENCE), LEAST_KEPT), MOST_KEPT)


def next_point(targets: Targets, history: Sequence[Point], plan: Sequence[Step]) -> Price | None:
    """What the next point of recall costs; None where the plan does not gain one any more."""
    start = history[-1].recall.value if history else 0.0
    for found in forecast(history, plan):
        if found.recall >= start + POINT - 1e-12:
            return Price(found.seconds, targets.price(found.seconds))
    return None


def forecast(history: Sequence[Point], plan: Sequence[Step]) -> list[Forecast]:
    """Recall after each question of the plan, as far as plans were kept before."""
    start = history[-1].recall.value if history else 0.0
    share = kept(history)
    gained = accumulate((step.gain for step in plan), initial=0.0)
    spent = accumulate((step.seconds for step in plan), initial=0.0)
    return [
        Forecast(seconds, min(start + share * gain, 1.0))
        for seconds, gain in zip(spent, gained, strict=True)
    ]


def _reached(targets: Targets, history: Sequence[Point]) -> Iterable[tuple[bool, str]]:
    wanted = _wanted(targets, history)
    if wanted and all(low >= least for _, least, low in wanted):
        what = " and ".join(f"{name} is at least {low:.1%}" for name, _, low in wanted)
        yield False, f"Stop: {what}, which is enough."


def _exceeded(
    targets: Targets, history: Sequence[Point], plan: Sequence[Step], today: dt.date
) -> Iterable[tuple[bool, str]]:
    seconds = history[-1].seconds if history else 0.0
    following = plan[0].seconds if plan else 0.0
    if targets.date is not None and today >= targets.date:
        yield False, f"Stop: {targets.date} has come."
    if targets.seconds is not None and seconds + following > targets.seconds:
        yield (
            False,
            f"Stop: {hours(seconds)} of the {hours(targets.seconds)} of work are spent, and the"
            " next question does not fit.",
        )
    money = history[-1].money if history else None
    spent = money if money is not None else targets.price(seconds) or Decimal(0)
    more = targets.price(following) or Decimal(0)
    if targets.budget is not None and spent + more > targets.budget:
        yield (
            False,
            f"Stop: {spent:.2f} of {targets.budget:.2f} {targets.currency} are spent, and the"
            " next question does not fit.",
        )


def _nothing_left(plan: Sequence[Step]) -> Iterable[tuple[bool, str]]:
    if not plan:
        yield False, "Stop: there is no question left that is expected to gain anything."


def _what_is_missing(targets: Targets, history: Sequence[Point]) -> str:
    lacking = [each for each in _wanted(targets, history) if each[2] < each[1]]
    if not lacking:
        return "Go on: there are questions left, and no target says when it is enough."
    what = " and ".join(
        f"{name} is only known to be at least {low:.1%}, and {least:.1%} is wanted"
        for name, least, low in lacking
    )
    return f"Go on: {what}."


def _wanted(targets: Targets, history: Sequence[Point]) -> list[tuple[str, float, float]]:
    """Each quality that is wanted, the least of it, and the least that it surely is."""
    last = history[-1] if history else None
    return [
        (name, least, interval.low if interval is not None else 0.0)
        for name, least, interval in (
            ("precision", targets.precision_at_least, last.precision if last else None),
            ("recall", targets.recall_at_least, last.recall_of_all if last else None),
        )
        if least is not None
    ]


def hours(seconds: float) -> str:
    """`seconds` of work as a person says them."""
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"
