"""What was spent so far: the work that vendors did or were given, as their contracts bill it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from workforce.billing.charges import Done, charges
from workforce.money import Money, nothing
from workforce.planning.offers import Spent
from workforce.records import Workforce


def spent_on(workforce: Workforce, done: Iterable[Done], today: dt.date) -> Spent:
    """What `done` takes of each purchase order and budget, and of this month's minimums.

    Work is paid from the vendor's purchase order in force that ends first, and by every budget in
    force that holds the locale. What no contract was in force for, or none has a rate for, is not
    billed.

    Raises `WorkforceError` where an exchange rate is missing.
    """
    orders: dict[str, list[tuple[Money, dt.date]]] = defaultdict(list)
    budgets: dict[str, list[tuple[Money, dt.date]]] = defaultdict(list)
    month: dict[str, Money] = {}
    for each in charges(workforce, done):
        order = workforce.paying(each.vendor, each.on)
        if order is not None:
            orders[order.number].append((each.money, each.on))
        for budget in workforce.budgets:
            if budget.in_force(each.on) and budget.holds(each.work.locale):
                budgets[budget.name].append((each.money, each.on))
        if each.month == today.replace(day=1):
            before = month.get(each.vendor, nothing(each.money.currency))
            month[each.vendor] = before + workforce.convert(each.money, before.currency, each.on)
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
