"""What vendors did, as their contracts charge it: day by day, and what minimums add to a month.

Each day is charged under the version of the contract in force on it. Tiers are reached by what was
done in a calendar month under one version, in the order of the days. A minimum is owed for the days
of the month on which its version was in force: a version that holds for 20 of 30 days is owed two
thirds of it, less what those days cost anyway.
"""

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from workforce.billing.rates import Work, bill
from workforce.money import Money, nothing
from workforce.records import Workforce
from workforce.records.contracts import Contract, Rate


@dataclass(frozen=True)
class Done:
    """Work of one kind in one locale that a vendor did on a day, or was given."""

    vendor: str
    on: dt.date
    work: Work


@dataclass(frozen=True)
class Charge:
    """What one rate of a contract charges for the work of a day."""

    vendor: str
    on: dt.date
    contract: Contract
    rate: Rate
    work: Work
    units: Decimal
    money: Money

    @property
    def month(self) -> dt.date:
        """The first day of its month."""
        return self.on.replace(day=1)


@dataclass(frozen=True)
class Minimum:
    """What a version's minimum adds to a month, since the work of its `days` cost less."""

    vendor: str
    contract: Contract
    month: dt.date
    days: int
    days_of_month: int
    charged: Money

    @property
    def last_day(self) -> dt.date:
        """The last day of its month."""
        return self.month.replace(day=self.days_of_month)

    @property
    def money(self) -> Money:
        """The part of the minimum that falls to its days."""
        whole = Money(self.contract.minimum_per_month, self.contract.currency)
        if self.days == self.days_of_month:
            return whole
        return (whole * (Decimal(self.days) / self.days_of_month)).rounded()

    @property
    def owed(self) -> Money:
        return max(self.money - self.charged, nothing(self.charged.currency))


def charges(workforce: Workforce, done: Iterable[Done]) -> list[Charge]:
    """What `done` costs, by vendor, month, version and rate; what costs nothing is left out.

    What no contract was in force for, or none has a rate for, is not charged: `unagreed` lists it.
    """
    months: dict[tuple[str, dt.date, str], list[Done]] = defaultdict(list)
    agreed: dict[str, Contract] = {}
    for each in sorted(done, key=_place):
        contract = workforce.contract(each.vendor, each.on)
        if contract is not None and contract.covers(each.work.kind, each.work.locale):
            agreed[contract.key] = contract
            months[each.vendor, each.on.replace(day=1), contract.key].append(each)
    found = []
    for (vendor, _, key), of_month in sorted(months.items(), key=lambda each: each[0]):
        works = [replace(each.work) for each in of_month]
        day_of = {id(work): each.on for work, each in zip(works, of_month, strict=True)}
        for line in bill(agreed[key], works):
            if line.units:
                on = day_of[id(line.work)]
                found.append(
                    Charge(*(vendor, on, agreed[key], line.rate, line.work, line.units, line.money))
                )
    return found


def unagreed(workforce: Workforce, done: Iterable[Done]) -> list[Done]:
    """What no contract was in force for, or has a rate for, though the vendor has contracts."""
    under_contract = {each.vendor for each in workforce.contracts}
    found = []
    for each in sorted(done, key=_place):
        contract = workforce.contract(each.vendor, each.on)
        covered = contract is not None and contract.covers(each.work.kind, each.work.locale)
        if each.vendor in under_contract and not covered:
            found.append(each)
    return found


def minimums(
    workforce: Workforce, charged: Sequence[Charge], first: dt.date, last: dt.date
) -> list[Minimum]:
    """What minimums add to the calendar months that end from `first` to `last`."""
    sums: dict[tuple[str, dt.date], Money] = {}
    for each in charged:
        key = each.contract.key, each.month
        sums[key] = sums.get(key, nothing(each.money.currency)) + each.money
    found = []
    for contract in workforce.contracts:
        if not contract.minimum_per_month:
            continue
        for month in _months(max(first, contract.starts).replace(day=1), last):
            n = calendar.monthrange(month.year, month.month)[1]
            if month.replace(day=n) > last or month > contract.ends:
                break
            days = sum(
                workforce.contract(contract.vendor, month.replace(day=day)) == contract
                for day in range(1, n + 1)
            )
            none = nothing(contract.currency)
            minimum = Minimum(
                contract.vendor, contract, month, days, n, sums.get((contract.key, month), none)
            )
            if minimum.owed.amount:
                found.append(minimum)
    return found


def _place(done: Done) -> tuple[str, dt.date, str, str]:
    return done.vendor, done.on, done.work.locale, done.work.kind


def _months(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    """The first day of each month from `first`, itself one, until `last`."""
    while first <= last:
        yield first
        first = (first + dt.timedelta(days=31)).replace(day=1)
