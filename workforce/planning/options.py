"""Which vendor can answer which block of questions, at what price, and what there is a limit to."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from workforce.billing.rates import SECONDS_PER_HOUR, Line, Work, bill, list_price, total
from workforce.money import Money, nothing
from workforce.planning.demand import Block, Quality
from workforce.planning.offers import Offer, Purse
from workforce.records import Workforce

Counts = Sequence[int]
"""How many questions each option gets, in the order of the options."""

Seconds = Callable[[str, Block], float]
"""Paid seconds that one answer to a question of a block takes an annotator of a vendor."""


@dataclass(frozen=True)
class Option:
    """A vendor may answer questions of a block: done by `due`, and in a rush where need be."""

    block: Block
    offer: Offer
    due: dt.datetime
    rush: bool
    seconds_per_answer: float

    @property
    def vendor(self) -> str:
        return self.offer.vendor.site

    @cached_property
    def seconds(self) -> Fraction:
        """Paid seconds of one question."""
        return Fraction(self.seconds_per_answer) * self.block.votes_of_a_vendor

    @cached_property
    def pool(self) -> tuple[str, str]:
        """Whose hours it takes: the vendor, and the locale that has hours of its own or ""."""
        own = self.offer.vendor.locales[self.block.locale].paid_hours_per_day
        return self.vendor, self.block.locale if own is not None else ""

    def work(self, n_questions: int) -> Work:
        block = self.block
        answers = n_questions * block.votes_of_a_vendor
        return Work(
            block.locale,
            block.kind,
            answers,
            block.n_pictures * answers,
            float(self.seconds * n_questions),
            block.n_labels * n_questions / block.n_vendors,
            self.rush,
        )

    @cached_property
    def price(self) -> Money:
        """The list price of one question."""
        return list_price(self.offer.contract, self.work(1))


def option(
    block: Block,
    offer: Offer,
    purses: Sequence[Purse],
    quality: Quality,
    bar: float,
    seconds: Seconds,
    starting: dt.datetime,
) -> Option | str:
    """The option that `offer`, which serves the locale, is for `block`, or why it is none."""
    vendor, contract = offer.vendor, offer.contract
    if (why := dict(block.refused).get(vendor.site)) is not None:
        return why
    if not contract.covers(block.kind, block.locale):
        return f"contract {contract.key} has no rate for {block.kind} in {block.locale}"
    if (people := vendor.people_who_read(block.locale)) < block.votes_of_a_vendor:
        return f"{people} of its people read {block.locale}, and a question needs {block.votes}"
    if quality.interval[1] < bar:
        return (
            f"{quality.n_right} of {quality.n_answered} gold answers in {block.locale} are right,"
            f" which is shown to be below {bar:.0%}"
        )
    due = min(
        [offer.until, *(purse.until for purse in purses if purse.holds(block.locale))]
        + ([block.due] if block.due is not None else [])
    )
    rush = False
    if (level := contract.returned_within(block.kind, block.locale)) is not None:
        returned = offer.calendar.after(starting, Fraction(level))
        if returned > due:
            if contract.rush is None or (
                offer.calendar.after(starting, Fraction(contract.rush.working_days)) > due
            ):
                return (
                    f"its turnaround of {level} working days ends {day(returned)}, after {day(due)}"
                )
            rush = True
    return Option(block, offer, due, rush, seconds(vendor.site, block))


@dataclass(frozen=True)
class Share:
    """A limit on a sum over options: paid seconds of a pool of hours, or a number of questions."""

    said: str
    amount: Fraction
    uses: Mapping[int, Fraction]

    @property
    def members(self) -> Collection[int]:
        return self.uses.keys()

    def holds(self, counts: Counts) -> bool:
        used = sum((use * counts[member] for member, use in self.uses.items()), Fraction(0))
        return used <= self.amount

    def why(self, counts: Counts) -> str:
        return self.said


@dataclass(frozen=True)
class Funds:
    """A limit on what some options cost: what is left of purchase orders, or of a budget."""

    said: str
    left: Money
    members: Collection[int]
    costs: Callable[[Counts], Money]

    def holds(self, counts: Counts) -> bool:
        return self.costs(counts) <= self.left

    def why(self, counts: Counts) -> str:
        return f"{self.said} has {self.left - self.costs(counts)} left"


Limit = Share | Funds


def shares(options: Sequence[Option], starting: dt.datetime) -> list[Share]:
    """The limits of capacity: the hours of each pool, until each moment by which work is due."""
    pools: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, each in enumerate(options):
        pools[each.pool].append(index)
    found = []
    for members in pools.values():
        for due in sorted({options[index].due for index in members}):
            offer, locale = options[members[0]].offer, options[members[0]].block.locale
            days = offer.calendar.working_days(starting, due)
            hours = Fraction(offer.vendor.hours_per_day(locale)) * days
            found.append(
                Share(
                    f"its {float(hours):,.1f} paid hours until {day(due)} are taken",
                    hours * SECONDS_PER_HOUR,
                    {i: options[i].seconds for i in members if options[i].due <= due},
                )
            )
    return found


def bills(
    options: Sequence[Option], counts: Counts | Mapping[int, int], members: Collection[int]
) -> list[Line]:
    """What the vendors of `members` bill for their counts: one bill for each vendor."""
    works: dict[str, dict[tuple[str, str, bool], list[Work]]] = defaultdict(
        lambda: defaultdict(list)
    )
    contracts = {}
    for index in members:
        if counts[index]:
            each = options[index]
            contracts[each.vendor] = each.offer.contract
            key = each.block.locale, each.block.kind, each.rush
            works[each.vendor][key].append(each.work(counts[index]))
    return [
        line
        for vendor, by_key in works.items()
        for line in bill(contracts[vendor], [_together(each) for each in by_key.values()])
    ]


def spending(
    options: Sequence[Option],
    members: Collection[int],
    workforce: Workforce,
    currency: str,
    on: dt.date,
) -> Callable[[Counts], Money]:
    """What `members` cost in a currency, at the tiers that all work of their vendors reaches."""
    locales = {options[index].block.locale for index in members}
    billed: dict[str, list[int]] = {options[index].vendor: [] for index in members}
    for index, each in enumerate(options):
        if each.vendor in billed:
            billed[each.vendor].append(index)

    @lru_cache(maxsize=256)
    def of_vendor(vendor: str, own: tuple[int, ...]) -> Money:
        own_counts = dict(zip(billed[vendor], own, strict=True))
        agreed = options[billed[vendor][0]].offer.contract
        lines = bills(options, own_counts, billed[vendor])
        paid = total((line for line in lines if line.work.locale in locales), agreed.currency)
        return workforce.convert(paid, currency, on)

    def costs(counts: Counts) -> Money:
        return sum(
            (of_vendor(vendor, tuple(counts[i] for i in own)) for vendor, own in billed.items()),
            nothing(currency),
        )

    return costs


def day(moment: dt.datetime) -> str:
    """The day of a moment, in UTC: Thu 12 Mar."""
    return f"{moment.astimezone(dt.UTC):%a %-d %b}"


def _together(works: Sequence[Work]) -> Work:
    first = works[0]
    return Work(
        first.locale,
        first.kind,
        sum(work.n_questions for work in works),
        sum(work.n_pictures for work in works),
        sum(work.seconds for work in works),
        sum(work.n_labels for work in works),
        first.rush,
    )
