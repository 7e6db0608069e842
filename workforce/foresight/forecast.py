"""When the planned labels are reached, and what that costs, as far as past weeks tell.

Each path draws the weeks ahead of every vendor from its past (`foresight.resampling`), as long as
the days that the vendor works in them, until a locale has its labels (`foresight.simulation`). It
is billed by the contract versions of its days (`foresight.billed_ahead`) and paid from purchase
orders and budgets. What is said is a quantile of the paths: 85 of 100 stay within a P85.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workforce.billing.charges import Done
from workforce.errors import WorkforceError
from workforce.foresight.billed_ahead import BilledAhead, Which
from workforce.foresight.scenarios import AS_NOW, Scenario
from workforce.foresight.simulation import NEVER, Int, Paths, day_of, segments, simulated
from workforce.foresight.throughput import A_DAY, Calendars, streams
from workforce.money import Money, nothing
from workforce.planning.offers import Spent
from workforce.records import Budget, PurchaseOrder, Workforce
from workforce.reviews.review import BudgetLine, OrderLine

N_PATHS = 1000
HORIZON = 52
"""Weeks that are simulated."""
P15, P50, P85 = 0.15, 0.5, 0.85


@dataclass(frozen=True)
class Band:
    """The labels that a locale has got by the end of a day since the forecast, in 15, 50 and 85 of
    100 paths at most."""

    day: dt.date
    p15: int
    p50: int
    p85: int


@dataclass(frozen=True)
class Ahead:
    """What is expected of a locale: when it is done, and what is still to be paid for that.

    `remaining` labels are still to be accepted; None where no number is planned: it is never done,
    and the money is that of all weeks simulated. A day is None where it lies beyond these.
    """

    locale: str
    remaining: int | None
    done_p50: dt.date | None
    done_p85: dt.date | None
    spend_p50: Money
    spend_p85: Money
    fan: tuple[Band, ...]


@dataclass(frozen=True)
class RunOut:
    """By when a purchase order is used up in 50 and in 85 of 100 paths; None: it lasts."""

    number: str
    p50: dt.date | None
    p85: dt.date | None


@dataclass(frozen=True)
class AtCompletion:
    """What a budget will have paid when it ends: what was spent of it, and what is to come."""

    name: str
    p50: Money
    p85: Money


@dataclass(frozen=True)
class Forecast:
    """What is expected after the end of `as_of`, if it goes on as in the scenario."""

    as_of: dt.date
    scenario: str
    locales: tuple[Ahead, ...]
    orders: tuple[RunOut, ...]
    budgets: tuple[AtCompletion, ...]
    spend_p50: Money
    spend_p85: Money

    def about(self, locales: Collection[str]) -> "Forecast":
        """The same with what it says of some locales only.

        Raises `WorkforceError` where it says nothing of one of them.
        """
        told = {each.locale: each for each in self.locales}
        if unknown := sorted(set(locales) - set(told)):
            raise WorkforceError(
                f"{', '.join(unknown)} is none of {', '.join(told)}: correct it, or add it to"
                " `locales` in groundtruth.toml"
            )
        return replace(self, locales=tuple(told[each] for each in locales))

    def on_order(self, line: OrderLine) -> OrderLine:
        """The line with the days on which its order runs out, where that was simulated."""
        told = next((each for each in self.orders if each.number == line.number), None)
        return replace(line, runs_out_p50=told.p50, runs_out_p85=told.p85) if told else line

    def on_budget(self, line: BudgetLine) -> BudgetLine:
        """The line with what its budget will have paid, where that was simulated."""
        told = next((each for each in self.budgets if each.name == line.name), None)
        return replace(line, forecast_p50=told.p50, forecast_p85=told.p85) if told else line


def forecast(
    done: Sequence[Done],
    workforce: Workforce,
    remaining: Mapping[str, int | None],
    *,
    as_of: dt.date,
    currency: str,
    spent: Spent | None = None,
    scenario: Scenario = AS_NOW,
    n_paths: int = N_PATHS,
    n_weeks: int = HORIZON,
) -> Forecast:
    """Simulate the `n_weeks` after `as_of`.

    `done` is all work until then, `remaining` the labels that each locale still needs (None: there
    is no plan), and `spent` what of orders and budgets is used. The same arguments give the same
    forecast.

    Raises `WorkforceError` where an exchange rate is missing, or the scenario cannot be.
    """
    known = spent or Spent()
    history = [each for each in streams(done, workforce, as_of) if each.locale in remaining]
    paths = simulated(
        scenario.applied(history, workforce),
        remaining,
        Calendars(workforce),
        segments(as_of, n_weeks, _cuts(workforce)),
        as_of,
        n_paths,
    )
    bills = BilledAhead(paths, done, workforce, as_of, currency)
    return Forecast(
        as_of,
        scenario.name,
        tuple(_ahead(bills, locale, n) for locale, n in sorted(remaining.items())),
        tuple(each for vendor in workforce.vendors for each in _orders(bills, vendor.site, known)),
        tuple(
            _at_completion(bills, each, known) for each in workforce.budgets if each.ends > as_of
        ),
        *(bills.quantile(Which(), share, currency) for share in (P50, P85)),
    )


def _cuts(workforce: Workforce) -> set[dt.date]:
    """The days on which something agreed begins, or no longer holds."""
    dated = (*workforce.contracts, *workforce.purchase_orders, *workforce.budgets)
    return {each.starts for each in dated} | {each.ends + A_DAY for each in dated}


def _ahead(bills: BilledAhead, locale: str, needed: int | None) -> Ahead:
    paths = bills.paths
    days = paths.done[locale]
    p50, p85 = (
        bills.quantile(Which(locales=frozenset({locale})), share, bills.currency)
        for share in (P50, P85)
    )
    return Ahead(locale, needed, _day(days, P50), _day(days, P85), p50, p85, _fan(paths, locale))


def _fan(paths: Paths, locale: str) -> tuple[Band, ...]:
    weeks = [each.week for each in paths.segments]
    last = [k for k, week in enumerate(weeks) if k + 1 == len(weeks) or weeks[k + 1] != week]
    levels = np.quantile(
        paths.labels(locale)[:, last], (P15, P50, P85), axis=0, method="inverted_cdf"
    )
    return tuple(
        Band(paths.segments[k].last, *(int(each) for each in level))
        for k, level in zip(last, levels.T, strict=True)
    )


def _orders(bills: BilledAhead, vendor: str, spent: Spent) -> list[RunOut]:
    """When the orders of a vendor are used up; of those in force, the one that ends first pays
    until nothing is left of it."""
    paths, workforce = bills.paths, bills.workforce
    lasting = [
        each
        for each in workforce.purchase_orders
        if each.vendor == vendor and each.ends > bills.as_of
    ]
    found = []
    owed = bills.about(Which(vendor=vendor)) if lasting else np.zeros(0)
    for order in sorted(lasting, key=lambda each: (each.ends, each.number)):
        left = _left(bills, order, spent)
        asked = np.where([order.in_force(each.first) for each in paths.segments], owed, 0.0)
        reached = np.cumsum(asked, axis=1)
        days = day_of(paths.segments, reached, left)
        if left <= 0:
            days = np.full(paths.n_paths, bills.as_of.toordinal())
        owed = owed - np.diff(np.minimum(reached, max(left, 0.0)), axis=1, prepend=0.0)
        found.append(RunOut(order.number, _day(days, P50), _day(days, P85)))
    return found


def _left(bills: BilledAhead, order: PurchaseOrder, spent: Spent) -> float:
    used = spent.orders.get(order.number, nothing(order.currency))
    left = order.money - bills.workforce.convert(used, order.currency, bills.as_of)
    return float(bills.workforce.convert(left, bills.currency, bills.as_of).amount)


def _at_completion(bills: BilledAhead, budget: Budget, spent: Spent) -> AtCompletion:
    used = spent.budgets.get(budget.name, nothing(budget.currency))
    used = bills.workforce.convert(used, budget.currency, bills.as_of)
    which = Which(locales=frozenset(budget.locales) or None, first=budget.starts, last=budget.ends)
    p50, p85 = (used + bills.quantile(which, share, budget.currency) for share in (P50, P85))
    return AtCompletion(budget.name, p50, p85)


def _day(days: Int, share: float) -> dt.date | None:
    """The day by which it has happened on so many of the paths; None where that is never."""
    ordinal = int(np.quantile(days, share, method="inverted_cdf"))
    return dt.date.fromordinal(ordinal) if ordinal < NEVER else None
