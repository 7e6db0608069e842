"""The dashboard: where each locale stands, who is late, what it costs, what comes next."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from workforce.money import Money, nothing
from workforce.periods import A_DAY
from workforce.planning.offers import Spent
from workforce.records import Vendor, Workforce
from workforce.records.calendar import WorkingCalendar
from workforce.reviews.review import Light, Said

AHEAD = dt.timedelta(days=60)
"""How far the dashboard looks ahead."""


@dataclass(frozen=True)
class Standing:
    """What of a locale is planned, accepted, open and overdue."""

    locale: str
    planned: int | None
    accepted: int
    n_open: int
    n_overdue: int

    @property
    def light(self) -> Light:
        """Red where questions are overdue, grey where nothing is planned and nothing is open."""
        if self.n_overdue:
            return Light.RED
        return Light.GREEN if self.planned or self.n_open else Light.GREY


@dataclass(frozen=True)
class Late:
    """Questions that a vendor was asked and that wait; overdue are those beyond the turnaround."""

    vendor_name: str
    locale: str
    kind: str
    n_open: int
    n_overdue: int
    oldest: dt.date


@dataclass(frozen=True)
class Cost:
    """What a vendor's work of the calendar month comes to, and what its orders in force leave."""

    vendor_name: str
    month: Money | None
    ordered: Money | None
    left: Money | None


@dataclass(frozen=True)
class Costs:
    """What each vendor's work comes to, as it was counted at a moment."""

    as_of: dt.datetime
    vendors: tuple[Cost, ...]


@dataclass(frozen=True)
class Coming:
    """What happens on a day, if nobody acts before."""

    day: dt.date
    what: Said


@dataclass(frozen=True)
class Dashboard:
    """The state at a moment; `costs` are None until they were counted for the first time."""

    as_of: dt.datetime
    locales: tuple[Standing, ...] = ()
    late: tuple[Late, ...] = ()
    costs: Costs | None = None
    coming: tuple[Coming, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Questions of a vendor that wait, by the day on which they were asked."""

    site: str
    locale: str
    kind: str
    on_days: Mapping[dt.date, int]


def late(workforce: Workforce, waiting: Sequence[Asked], now: dt.datetime) -> list[Late]:
    """Those who have questions to answer, most overdue first.

    A question is overdue when the working days of the contract that was in force when it was asked
    have passed since the end of that day.
    """
    vendors = {each.site: each for each in workforce.vendors}
    found = []
    for each in waiting:
        vendor = vendors.get(each.site)
        n_overdue = sum(
            n
            for day, n in each.on_days.items()
            if vendor is not None and _is_over(workforce, vendor, each, day, now)
        )
        found.append(
            Late(
                vendor.name if vendor is not None else each.site,
                each.locale,
                each.kind,
                sum(each.on_days.values()),
                n_overdue,
                min(each.on_days),
            )
        )
    return sorted(found, key=lambda line: (-line.n_overdue, -line.n_open, line.vendor_name))


def costs(workforce: Workforce, spent: Spent, today: dt.date) -> tuple[Cost, ...]:
    """What each vendor's month comes to, and what is left of its orders of one currency."""
    found = []
    for vendor in workforce.vendors:
        orders = [
            each
            for each in workforce.purchase_orders
            if each.vendor == vendor.site and each.in_force(today)
        ]
        ordered = left = None
        if len({each.currency for each in orders}) == 1:
            none = nothing(orders[0].currency)
            ordered = sum((each.money for each in orders), none)
            used = sum((spent.orders.get(each.number, none) for each in orders), none)
            left = ordered - used
        found.append(Cost(vendor.name, spent.month.get(vendor.site), ordered, left))
    return tuple(found)


def coming(workforce: Workforce, today: dt.date) -> list[Coming]:
    """What ends, and what notice is due, within `AHEAD`; the first first."""
    found = []
    for contract in workforce.contracts:
        if workforce.contract(contract.vendor, today) == contract:
            named = {"contract": contract.key}
            if contract.notice_by is not None:
                found.append(Coming(contract.notice_by, Said("next.notice", named)))
            found.append(Coming(workforce.last_day(contract), Said("next.contract_ends", named)))
    found += [
        Coming(each.ends, Said("next.order_ends", {"order": each.number}))
        for each in workforce.purchase_orders
    ]
    found += [
        Coming(each.ends, Said("next.budget_ends", {"budget": each.name}))
        for each in workforce.budgets
    ]
    near = (each for each in found if today <= each.day <= today + AHEAD)
    return sorted(near, key=lambda each: (each.day, each.what.key))


def _is_over(
    workforce: Workforce, vendor: Vendor, asked: Asked, day: dt.date, now: dt.datetime
) -> bool:
    contract = workforce.contract(vendor.site, day)
    within = contract.returned_within(asked.kind, asked.locale) if contract is not None else None
    if within is None:
        return False
    end_of_day = dt.datetime.combine(day + A_DAY, dt.time(), dt.UTC)
    return WorkingCalendar(vendor).after(end_of_day, Fraction(within)) < now
