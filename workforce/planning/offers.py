"""What each vendor can do from a moment on: contract, calendar, money left, and until when."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from workforce.money import Money, nothing
from workforce.records import Budget, Contract, PurchaseOrder, Vendor, Workforce
from workforce.records.calendar import WorkingCalendar


@dataclass(frozen=True)
class Spent:
    """What was billed or is owed: by purchase order, by budget, and by vendor in this month."""

    orders: Mapping[str, Money] = field(default_factory=dict)
    budgets: Mapping[str, Money] = field(default_factory=dict)
    month: Mapping[str, Money] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """A vendor with the contract version in force.

    Work must be done by `until`, may cost `left` (None: no purchase order limits it) of the orders
    named, and costs nothing more up to `committed`, the part of the month's minimum that is due
    anyway.
    """

    vendor: Vendor
    contract: Contract
    calendar: WorkingCalendar
    until: dt.datetime
    orders: tuple[str, ...]
    left: Money | None
    committed: Money


@dataclass(frozen=True)
class Purse:
    """What is left of a budget, and for which locales; None: for all."""

    said: str
    left: Money
    locales: frozenset[str] | None
    until: dt.datetime

    def holds(self, locale: str) -> bool:
        return self.locales is None or locale in self.locales


def offers(
    workforce: Workforce, starting: dt.datetime, deadline: dt.datetime, spent: Spent
) -> tuple[list[Offer], dict[str, str]]:
    """What can be had of each vendor, and of whom nothing can: why.

    A vendor with purchase orders works only against those in force: those that last until the
    deadline or, where none does, those that last longest.
    """
    found, missing = [], {}
    for vendor in workforce.vendors:
        on = starting.astimezone(vendor.zone).date()
        contract = workforce.contract(vendor.site, on)
        if contract is None:
            missing[vendor.site] = f"no contract with it is in force on {on}"
            continue
        until = min(deadline, _end_of(workforce.last_day(contract), vendor))
        recorded = [each for each in workforce.purchase_orders if each.vendor == vendor.site]
        orders = [each for each in recorded if each.in_force(on)]
        if recorded and not orders:
            missing[vendor.site] = f"no purchase order for it is in force on {on}"
            continue
        if orders:
            until = min(until, max(_end_of(each.ends, vendor) for each in orders))
            orders = [each for each in orders if _end_of(each.ends, vendor) >= until]
        found.append(
            Offer(
                vendor,
                contract,
                WorkingCalendar(vendor),
                until,
                tuple(each.number for each in orders),
                _left(workforce, orders, contract.currency, on, spent) if orders else None,
                _committed(contract, spent),
            )
        )
    return found, missing


def purses(
    workforce: Workforce, starting: dt.datetime, spent: Spent
) -> tuple[list[Purse], set[str]]:
    """What the budgets in force leave, and the locales whose budgets are all out of force."""
    on = starting.astimezone(dt.UTC).date()
    in_force = [each for each in workforce.budgets if each.in_force(on)]
    out = {
        locale
        for vendor in workforce.vendors
        for locale in vendor.locales
        if any(each.holds(locale) for each in workforce.budgets)
        and not any(each.holds(locale) for each in in_force)
    }
    return [_purse(each, workforce, spent, on) for each in in_force], out


def _purse(budget: Budget, workforce: Workforce, spent: Spent, on: dt.date) -> Purse:
    used = spent.budgets.get(budget.name, nothing(budget.currency))
    return Purse(
        f"budget {budget.name}",
        budget.money - workforce.convert(used, budget.currency, on),
        frozenset(budget.locales) or None,
        dt.datetime.combine(budget.ends + dt.timedelta(days=1), dt.time(), dt.UTC),
    )


def _left(
    workforce: Workforce,
    orders: list[PurchaseOrder],
    currency: str,
    on: dt.date,
    spent: Spent,
) -> Money:
    """What is left of all `orders` together; one that is overdrawn takes nothing from another."""
    left = nothing(currency)
    for order in orders:
        used = spent.orders.get(order.number, nothing(order.currency))
        rest = order.money - workforce.convert(used, order.currency, on)
        left += workforce.convert(max(rest, nothing(order.currency)), currency, on)
    return left


def _committed(contract: Contract, spent: Spent) -> Money:
    used = spent.month.get(contract.vendor, nothing(contract.currency))
    minimum = Money(contract.minimum_per_month, contract.currency)
    return max(minimum - used, nothing(contract.currency))


def _end_of(day: dt.date, vendor: Vendor) -> dt.datetime:
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), vendor.zone)
    return midnight.astimezone(dt.UTC)
