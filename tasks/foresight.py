"""What is expected of the locales, orders and budgets, from all that the catalogue holds."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from catalog import Transaction, labels
from tasks.artifacts import table
from tasks.settings import Settings
from tasks.spending import done
from workforce import Spent
from workforce.billing.statement import Statement, statement
from workforce.foresight.backtest import Case, backtest, score
from workforce.foresight.forecast import Forecast, forecast
from workforce.foresight.scenarios import AS_NOW, Practice, Scenario
from workforce.periods import Period
from workforce.records import ledger
from workforce.reviews.review import BudgetLine, OrderLine

LOCALES = ("locale", "labels needed", "done P50", "done P85", "spend P50", "spend P85")
BACKTEST = (
    "weeks",
    "cases",
    "within P50",
    "within P85",
    "bias, days",
    "error",
    "last week",
    "mean",
)


@dataclass(frozen=True)
class Known:
    """What a forecast starts from: all that was done and billed, and what each locale needs."""

    statement: Statement
    remaining: Mapping[str, int | None]
    planned: Mapping[str, int]
    currency: str

    @property
    def as_of(self) -> dt.date:
        return self.statement.period.ends

    def forecast(self, scenario: Scenario = AS_NOW) -> Forecast:
        """What is expected if it goes on as in `scenario`; raises as `foresight.forecast`."""
        return forecast(
            self.statement.done,
            self.statement.workforce,
            self.remaining,
            as_of=self.as_of,
            currency=self.currency,
            spent=self._spent,
            scenario=scenario,
        )

    def backtest(self) -> list[Case]:
        """What forecasts would have said in the past."""
        return backtest(self.statement.done, self.statement.workforce, self.as_of)

    def due(self, settings: Settings) -> dict[str, dt.date]:
        """By when each locale is to have its labels: as set, or when its budget ends."""
        budgets = [each for each in self.statement.workforce.budgets if each.ends >= self.as_of]
        ends = {
            locale: max(each.ends for each in budgets if each.holds(locale))
            for locale in self.remaining
            if any(each.holds(locale) for each in budgets)
        }
        return ends | settings.foresight.due

    def orders(self, told: Forecast) -> dict[str, list[OrderLine]]:
        """The purchase orders of each vendor, with the days on which they run out."""
        foretold = {each.number for each in told.orders}
        return {
            vendor.site: [
                told.on_order(line)
                for line in self.statement.orders(vendor.site)
                if line.number in foretold
            ]
            for vendor in self.statement.workforce.vendors
        }

    def budgets(self, told: Forecast) -> list[BudgetLine]:
        """The budgets, with what they will have paid."""
        foretold = {each.name for each in told.budgets}
        return [
            told.on_budget(line)
            for line in self.statement.budgets(self.planned)
            if line.name in foretold
        ]

    @property
    def _spent(self) -> Spent:
        orders = (
            line
            for vendor in self.statement.workforce.vendors
            for line in self.statement.orders(vendor.site)
        )
        return Spent(
            {each.number: each.invoiced + each.accrued for each in orders},
            {each.name: each.actual for each in self.statement.budgets(self.planned)},
        )


def known(transaction: Transaction, settings: Settings, as_of: dt.date) -> Known:
    """What is known at the end of `as_of`.

    Raises `WorkforceError` where a record cannot be read, or an exchange rate is missing.
    """
    so_far = done(transaction)
    first = min((each.on for each in so_far), default=as_of)
    period = Period(name="so far", starts=min(first, as_of), ends=as_of)
    accepted = Counter(row.locale for row in labels.accepted(transaction))
    planned = settings.plan.images
    remaining = {
        locale: max(planned[locale] - accepted[locale], 0) if locale in planned else None
        for locale in settings.locales
    }
    agreed = ledger.standing(transaction)
    return Known(
        statement(agreed, so_far, period, as_of), remaining, planned, settings.company.currency
    )


def practice(settings: Settings) -> Practice:
    """How labels are asked for today, by the settings."""
    return Practice(votes=settings.annotate.votes.first, gold=settings.annotate.asking.gold_share)


def forecast_page(told: Forecast, cases: Iterable[Case]) -> Iterator[str]:
    """What is expected, and how forecasts did in the past, as sections of a page."""
    yield f"As of {told.as_of}: in 50 of 100 simulated futures by the P50, in 85 by the P85."
    yield table(LOCALES, (_cells(each.locale, told) for each in told.locales))
    known_cases = list(cases)
    lines = []
    for weeks in sorted({each.weeks for each in known_cases}):
        found = score(each for each in known_cases if each.weeks == weeks)
        if found is not None:
            within = (f"{found.within_p50:.0%}", f"{found.within_p85:.0%}")
            errors = (found.bias, found.error, found.error_of_last, found.error_of_mean)
            lines.append((weeks, found.n, *within, *(f"{each:.1f}" for each in errors)))
    if lines:
        yield (
            "What forecasts would have said in the past: how often it was done by the P50 and the"
            " P85, the days that the P50 told too late (the median), and mean errors in days: of"
            " the P50, of going by the last week, and of going by the mean of all weeks."
        )
        yield table(BACKTEST, lines)


def _cells(locale: str, told: Forecast) -> tuple[object, ...]:
    [each] = told.about([locale]).locales
    needed = each.remaining if each.remaining is not None else "no plan"
    days = (each.done_p50 or "beyond a year", each.done_p85 or "beyond a year")
    return locale, needed, *days, each.spend_p50, each.spend_p85
