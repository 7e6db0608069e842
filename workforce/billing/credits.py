"""What vendors owe for service levels that were missed, by their contracts' own rules."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from workforce.billing.charges import Charge
from workforce.money import Money, nothing
from workforce.performance.figures import Figure
from workforce.periods import Period
from workforce.records import Workforce
from workforce.records.contracts import Contract, ServiceLevel
from workforce.reviews.review import Credit, Said

DIGITS = Decimal("0.000001")
"""Shares are compared to so many digits, since those that are measured are binary fractions."""


def credits(
    workforce: Workforce, charged: Sequence[Charge], figures: Iterable[Figure], month: Period
) -> list[Credit]:
    """What is owed for a calendar month: a line for each level of each contract that was missed.

    `figures` are those of vendor, locale and kind in `month`; what a level is about is judged as
    one, each cell weighing what was measured in it. Each version of a contract gives its credit on
    what it charged, and the penalty is that of the version in force on the last day.
    """
    known = [each for each in figures if each.cell.period == month and each.n]
    found = []
    for contract in workforce.contracts:
        of_month = [each for each in charged if each.contract == contract and each.on in month]
        last = workforce.contract(contract.vendor, month.ends) == contract
        if not of_month and not last:
            continue
        for level in contract.levels:
            measured = _measured(level, contract.vendor, known)
            if measured is None or not level.missed_by(measured[0]):
                continue
            value, n = measured
            amount = _credit(level, contract, value, of_month)
            if last:
                amount += Money(level.penalty, contract.currency)
            missed = Said("credit.missed", {"value": value, "n": n, "period": month})
            found.append(Credit(contract.key, _said(level), missed, amount.rounded()))
    return found


def _said(level: ServiceLevel) -> Said:
    """What was agreed, in words."""
    key = "credit.at_least" if level.at_least is not None else "credit.at_most"
    about = " ".join((*level.kinds, *level.locales))
    if not about:
        return Said(key, {"metric": level.metric, "target": level.target})
    return Said(f"{key}_of", {"metric": level.metric, "target": level.target, "scope": about})


def _measured(
    level: ServiceLevel, vendor: str, figures: Iterable[Figure]
) -> tuple[Decimal, int] | None:
    """The share that the level's cells have together and of how many; None where of too few."""
    total, n = Decimal(0), 0
    for each in figures:
        cell = each.cell
        if (
            each.metric == level.metric
            and cell.vendor == vendor
            and cell.locale is not None
            and cell.kind is not None
            and level.holds(cell.kind, cell.locale)
            and isinstance(each.value, float)
        ):
            total, n = total + Decimal(each.value) * each.n, n + each.n
    if n < level.judged_from:
        return None
    return (total / n).quantize(DIGITS), n


def _credit(
    level: ServiceLevel, contract: Contract, value: Decimal, charged: Iterable[Charge]
) -> Money:
    """The credit on what was charged for the work that the level is about."""
    bill = sum(
        (x.money for x in charged if level.holds(x.work.kind, x.work.locale)),
        nothing(contract.currency),
    )
    n_steps = (level.missed_by(value) / level.step).to_integral_value(ROUND_CEILING)
    return bill * min(n_steps * level.credit, level.credit_at_most)
