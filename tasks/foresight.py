"""What is expected of the locales, orders and budgets, from all that the catalogue holds."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from catalog import Transaction, labels
from tasks.settings import Settings
from tasks.spending import done, spent
from workforce import Spent, Workforce, ledger
from workforce.forecast import Forecast, forecast
from workforce.money import nothing
from workforce.review import BudgetLine, OrderLine
from workforce.scenarios import AS_NOW, Practice, Scenario
from workforce.spent import Done


@dataclass(frozen=True)
class Known:
    """What a forecast starts from: records, work so far, and what each locale still needs."""

    workforce: Workforce
    done: tuple[Done, ...]
    spent: Spent
    remaining: Mapping[str, int | None]
    as_of: dt.date
    currency: str

    def forecast(self, scenario: Scenario = AS_NOW) -> Forecast:
        """What is expected if it goes on as in `scenario`; raises as `workforce.forecast`."""
        return forecast(
            self.done,
            self.workforce,
            self.remaining,
            as_of=self.as_of,
            currency=self.currency,
            spent=self.spent,
            scenario=scenario,
        )

    def due(self, settings: Settings) -> dict[str, dt.date]:
        """By when each locale is to have its labels: as set, or when its budget ends."""
        budgets = {
            locale: max(each.ends for each in held)
            for locale in self.remaining
            if (
                held := [
                    each
                    for each in self.workforce.budgets
                    if each.holds(locale) and each.ends >= self.as_of
                ]
            )
        }
        return budgets | settings.foresight.due

    def orders(self, told: Forecast) -> dict[str, list[OrderLine]]:
        """The purchase orders of each vendor beside when they run out; all used is accrued."""
        runs_out = {each.number: each for each in told.orders}
        found: dict[str, list[OrderLine]] = {}
        for order in self.workforce.purchase_orders:
            if order.number in runs_out:
                none = nothing(order.currency)
                used = self.spent.orders.get(order.number, none)
                line = OrderLine(
                    order.number,
                    order.money,
                    none,
                    self.workforce.convert(used, order.currency, self.as_of),
                    order.starts,
                    order.ends,
                    runs_out[order.number].p50,
                    runs_out[order.number].p85,
                )
                found.setdefault(order.vendor, []).append(line)
        return found

    def budgets(self, told: Forecast) -> list[BudgetLine]:
        """The budgets beside what they will have paid."""
        expected = {each.name: each for each in told.budgets}
        found = []
        for budget in self.workforce.budgets:
            if budget.name in expected:
                used = self.spent.budgets.get(budget.name, nothing(budget.currency))
                used = self.workforce.convert(used, budget.currency, self.as_of)
                at = expected[budget.name]
                found.append(BudgetLine(budget.name, budget.money, used, used, at.p50, at.p85))
        return found


def known(transaction: Transaction, settings: Settings, as_of: dt.date) -> Known:
    """What is known at the end of `as_of`.

    Raises `WorkforceError` where a record cannot be read, or an exchange rate is missing.
    """
    workforce = ledger.standing(transaction)
    accepted = Counter(row.locale for row in labels.accepted(transaction))
    remaining: dict[str, int | None] = {}
    for locale in settings.locales:
        wanted = settings.plan.locales.get(locale)
        images = wanted.images if wanted is not None else None
        remaining[locale] = max(images - accepted[locale], 0) if images is not None else None
    return Known(
        workforce,
        tuple(done(transaction)),
        spent(transaction, workforce, as_of),
        remaining,
        as_of,
        settings.foresight.currency,
    )


def practice(settings: Settings) -> Practice:
    """How labels are asked for today, by the settings."""
    return Practice(votes=settings.annotate.votes.first, gold=settings.annotate.asking.gold_share)
