"""Quality, latency and cost of each way to share a locale's work among its vendors.

A mix gives each vendor a share of the labels. Each works its paid hours on its working days, and is
charged day by day by the contract in force: tiers and versions as `billing.charges` has them. The
mix is done when the last vendor is; it is as good as its vendors are, by their shares.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from catalog.schema import QuestionKind
from workforce.billing.charges import Done, charges
from workforce.billing.rates import SECONDS_PER_HOUR, Work
from workforce.foresight.throughput import A_DAY
from workforce.money import Money, nothing
from workforce.planning.demand import Quality
from workforce.records import Workforce
from workforce.records.calendar import WorkingCalendar
from workforce.reviews.review import Said

STEPS = 10
"""Parts into which the labels are divided."""
LONGEST = 730
"""Days after which work that is not done is not considered."""


@dataclass(frozen=True)
class Able:
    """What a vendor who serves a locale needs for a label there, and how good its answers are."""

    vendor: str
    answers_per_label: float
    seconds_per_label: float
    quality: Quality


@dataclass(frozen=True)
class Mix:
    """Shares of the labels by vendor, in percent, with what they give.

    `quality` is the expected share of right answers and `quality_low` the least that is shown, at
    the lower ends of the 95 % intervals; it is None where nothing was measured of some vendor.
    """

    shares: Mapping[str, int]
    quality: float | None
    quality_low: float
    done: dt.date
    cost: Money

    @property
    def what(self) -> Said:
        """Who does how much, in words."""
        parts = ", ".join(f"{vendor} {share} %" for vendor, share in self.shares.items())
        return Said(
            "tradeoff.mix",
            {"mix": parts, "quality": self.quality_low, "day": self.done, "cost": self.cost},
        )


@dataclass(frozen=True)
class Task:
    """Labels that a locale still needs, as questions of one kind, from the day after `as_of`."""

    locale: str
    kind: QuestionKind
    n_labels: int
    as_of: dt.date


def mixes(task: Task, able: Sequence[Able], workforce: Workforce, currency: str) -> list[Mix]:
    """Every mix of the vendors in tenths that can be done under their contracts.

    A vendor without a contract that covers the work on all of its days gets no share. Amounts are
    converted by the rate of `as_of`; raises `WorkforceError` where it is missing.
    """
    courses = {each.vendor: _Course(task, each, workforce, currency) for each in able}
    found = []
    for parts in _shared(STEPS, len(able)):
        own = [(each, n) for each, n in zip(able, parts, strict=True) if n]
        done = [courses[each.vendor].done(n) for each, n in own]
        known = [each for each in done if each is not None]
        if len(known) < len(own):
            continue
        measured = all(each.quality.n_answered for each, _ in own)
        right = sum(n * each.quality.n_right / max(each.quality.n_answered, 1) for each, n in own)
        found.append(
            Mix(
                {each.vendor: n * 100 // STEPS for each, n in own},
                right / STEPS if measured else None,
                sum(n * each.quality.interval[0] for each, n in own) / STEPS,
                max(day for day, _ in known),
                sum((money for _, money in known), nothing(currency)),
            )
        )
    return found


def efficient(found: Sequence[Mix]) -> list[Mix]:
    """The mixes of which no other is better in quality, day or cost and as good in the others.

    Quality is what is shown. The cheapest comes first.
    """
    best: list[Mix] = []
    for one in sorted(found, key=lambda each: (each.cost.amount, -each.quality_low, each.done)):
        if not any(kept.quality_low >= one.quality_low and kept.done <= one.done for kept in best):
            best.append(one)
    return best


@dataclass(eq=False)
class _Course:
    """A vendor's work on a task, day by day, from its first day to the last of all labels."""

    task: Task
    able: Able
    workforce: Workforce
    currency: str

    def done(self, n: int) -> tuple[dt.date, Money] | None:
        """When it is done with `n` parts of the labels, and what these cost; None: never."""
        wanted = self.task.n_labels * n / STEPS
        days = [each for each in self._days if each[1] < wanted]
        if not days or self._days[-1][2] < wanted:
            return None
        work = []
        for day, before, after in days:
            labels = min(after, wanted) - before
            answers = round(min(after, wanted) * self.able.answers_per_label) - round(
                before * self.able.answers_per_label
            )
            seconds = labels * self.able.seconds_per_label
            each = Work(self.task.locale, self.task.kind, answers, 0.0, seconds, labels)
            work.append(Done(self.able.vendor, day, each))
        charged = [each.money for each in charges(self.workforce, work)]
        paid = (self.workforce.convert(each, self.currency, self.task.as_of) for each in charged)
        return days[-1][0], sum(paid, nothing(self.currency))

    @cached_property
    def _days(self) -> list[tuple[dt.date, float, float]]:
        """The days under contract, with the labels before and after each."""
        vendor = self.workforce.vendor(self.able.vendor)
        if vendor is None or self.task.locale not in vendor.locales:
            return []
        calendar = WorkingCalendar(vendor)
        hours = float(vendor.hours_per_day(self.task.locale))
        per_day = hours * SECONDS_PER_HOUR / self.able.seconds_per_label
        found, reached = [], 0.0
        for number in range(1, LONGEST + 1):
            day = self.task.as_of + number * A_DAY
            contract = self.workforce.contract(vendor.site, day)
            if contract is None or not contract.covers(self.task.kind, self.task.locale):
                break
            if calendar.works_on(day):
                found.append((day, reached, reached + per_day))
                reached += per_day
            if reached >= self.task.n_labels:
                break
        return found


def _shared(n: int, among: int) -> Iterator[tuple[int, ...]]:
    """All ways to share `n` parts among so many."""
    if among == 1:
        yield (n,)
    elif among > 1:
        for first in range(n, -1, -1):
            for rest in _shared(n - first, among - 1):
                yield first, *rest
