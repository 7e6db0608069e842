"""What a piece of work costs under a version of a contract.

A bill is a sum over the lines of the rate card: each line that holds for a piece of work charges
its units (paid hours, answers, accepted labels) at its price. Where a line has tiers, the units of
all pieces together reach the cheaper prices (graduated: only what lies beyond a step costs less).
Rush work costs `factor - 1` of the list price on top. A contract's minimum is due each month
whatever was done; it is no part of a bill, and `Contract.minimum_per_month` says how much.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.schema import QuestionKind
from workforce.errors import WorkforceError
from workforce.money import Money, nothing
from workforce.records import Contract, Rate, Unit

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Work:
    """Questions of one kind in one locale, as a vendor would bill them.

    `n_questions` counts answers: a question that two people of the vendor answer is billed twice.
    `n_pictures` and `seconds` (paid working time) are totals, `n_labels` those that are accepted.
    """

    locale: str
    kind: QuestionKind
    n_questions: int
    n_pictures: float
    seconds: float
    n_labels: float
    rush: bool = False

    def units(self, unit: Unit) -> Decimal:
        """How much of `unit` the work is."""
        match unit:
            case Unit.HOUR:
                return Decimal(self.seconds) / SECONDS_PER_HOUR
            case Unit.QUESTION:
                return Decimal(self.n_questions)
            case Unit.LABEL:
                return Decimal(self.n_labels)


@dataclass(frozen=True)
class Line:
    """One line of a bill: what one rate charges for one piece of work."""

    rate: Rate
    work: Work
    units: Decimal
    money: Money


def bill(contract: Contract, works: Sequence[Work]) -> list[Line]:
    """What `works` of one calendar month cost, line by line; tiers are reached in their order.

    Raises `WorkforceError` where the contract has no rate for a piece of work, or none for rush.
    """
    for work in works:
        if not contract.covers(work.kind, work.locale):
            raise WorkforceError(
                f"contract {contract.key} has no rate for {work.kind} in {work.locale}: add one to"
                " its `rates`, or give the work to another vendor"
            )
    lines = []
    for rate in contract.rates:
        so_far = Decimal(0)
        for work in works:
            if rate.holds(work.kind, work.locale):
                units = work.units(rate.unit)
                amount = sum(
                    (price * n for price, n in steps(rate, so_far, so_far + units)), Decimal(0)
                )
                if work.rush:
                    amount += rush_surcharge(contract, rate) * units
                so_far += units
                lines.append(Line(rate, work, units, Money(amount, contract.currency)))
    return lines


def total(lines: Iterable[Line], currency: str) -> Money:
    return sum((line.money for line in lines), nothing(currency))


def cost(contract: Contract, work: Work, on: dt.date) -> Money:
    """What `work` costs by itself under `contract` on a day.

    Raises `WorkforceError` where the contract is not in force then, or has no rate for the work.
    """
    if not contract.in_force(on):
        raise WorkforceError(
            f"contract {contract.key} is not in force on {on}: it runs from {contract.starts} to"
            f" {contract.ends}"
        )
    return total(bill(contract, [work]), contract.currency)


def list_price(contract: Contract, work: Work) -> Money:
    """What `work` costs before any tier is reached; no bill charges more for it."""
    factor = _rush_factor(contract) if work.rush else Decimal(1)
    prices = (
        factor * rate.price * work.units(rate.unit)
        for rate in contract.rates
        if rate.holds(work.kind, work.locale)
    )
    return Money(sum(prices, Decimal(0)), contract.currency)


def graduated(rate: Rate, units: Decimal) -> Decimal:
    """What so many units of a month cost at a rate."""
    return sum((price * n for price, n in steps(rate, Decimal(0), units)), Decimal(0))


def steps(rate: Rate, above: Decimal, until: Decimal) -> list[tuple[Decimal, Decimal]]:
    """The prices of a month's units beyond `above` up to `until`, each with how many have it."""
    bounds = [(Decimal(0), rate.price), *((Decimal(x.above), x.price) for x in rate.tiers)]
    ends = [begins for begins, _ in bounds[1:]]
    found = []
    for (begins, price), ends_at in zip(bounds, [*ends, until], strict=True):
        n = min(until, ends_at) - max(above, begins)
        if n > 0:
            found.append((price, n))
    return found


def rush_surcharge(contract: Contract, rate: Rate) -> Decimal:
    """What a unit of rush work costs more; raises `WorkforceError` where no rush was agreed."""
    return (_rush_factor(contract) - 1) * rate.price


def _rush_factor(contract: Contract) -> Decimal:
    if contract.rush is None:
        raise WorkforceError(
            f"contract {contract.key} has no `rush`: agree on one, or allow its turnaround"
        )
    return contract.rush.factor
