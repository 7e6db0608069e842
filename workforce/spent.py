"""What was spent so far: the work that vendors did or were given, as their contracts bill it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workforce.money import Money, nothing
from workforce.offers import Spent
from workforce.rates import Work, bill
from workforce.records import Contract, Workforce


@dataclass(frozen=True)
class Done:
    """Work of one kind in one locale that a vendor did on a day, or was given."""

    vendor: str
    on: dt.date
    work: Work


def spent_on(workforce: Workforce, done: Iterable[Done], today: dt.date) -> Spent:
    """What `done` takes of each purchase order and budget, and of this month's minimums.

    A month's work is billed together, under the contract of its day. A bill is paid from the
    vendor's purchase order in force that ends first, and by every budget in force that holds the
    locale. What no contract was in force for, or none has a rate for, is not billed.

    Raises `WorkforceError` where an exchange rate is missing.
    """
    months: dict[tuple[str, dt.date, str], tuple[Contract, list[Done]]] = {}
    for each in done:
        agreed = workforce.contract(each.vendor, each.on)
        if agreed is not None and agreed.covers(each.work.kind, each.work.locale):
            key = each.vendor, each.on.replace(day=1), agreed.key
            months.setdefault(key, (agreed, []))[1].append(each)
    orders: dict[str, list[tuple[Money, dt.date]]] = defaultdict(list)
    budgets: dict[str, list[tuple[Money, dt.date]]] = defaultdict(list)
    month: dict[str, Money] = {}
    for (vendor, begins, _), (agreed, of_month) in sorted(months.items(), key=lambda each: each[0]):
        on_day = {id(each.work): each.on for each in of_month}
        for line in bill(agreed, [each.work for each in of_month]):
            on = on_day[id(line.work)]
            paying = [
                each
                for each in workforce.purchase_orders
                if each.vendor == vendor and each.in_force(on)
            ]
            for order in sorted(paying, key=lambda each: (each.ends, each.number))[:1]:
                orders[order.number].append((line.money, on))
            for budget in workforce.budgets:
                if budget.in_force(on) and budget.holds(line.work.locale):
                    budgets[budget.name].append((line.money, on))
            if begins == today.replace(day=1):
                month[vendor] = month.get(vendor, nothing(line.money.currency)) + line.money
    of_orders = {each.number: each.currency for each in workforce.purchase_orders}
    of_budgets = {each.name: each.currency for each in workforce.budgets}
    return Spent(_sums(workforce, orders, of_orders), _sums(workforce, budgets, of_budgets), month)


def _sums(
    workforce: Workforce,
    paid: Mapping[str, Iterable[tuple[Money, dt.date]]],
    currency_of: Mapping[str, str],
) -> dict[str, Money]:
    return {
        name: sum(
            (workforce.convert(money, currency_of[name], on) for money, on in each),
            nothing(currency_of[name]),
        )
        for name, each in paid.items()
    }
