"""The invoices of a sample year: each month's work as agreed, and what a vendor bills beyond it."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from functools import cache
from random import Random
from typing import NamedTuple

from catalog.schema import QuestionKind
from workforce.billing.charges import Charge, Done, charges
from workforce.billing.rates import Work, steps
from workforce.money import Money
from workforce.periods import FiscalCalendar, Period
from workforce.records import Workforce
from workforce.records.contracts import Rate, Unit
from workforce.records.invoices import Billed, Invoice, Item
from workforce.sample_year.agreed import Recording
from workforce.sample_year.course import A_DAY, SampleYear

OVERBILLED_MONTHS = 4
BILLED_ON_DAY = 3
"""Of the month after, on which last month's work is billed."""
MORE = Decimal("1.08")
HUNDREDTH = Decimal("0.01")


class Fault(StrEnum):
    """What a vendor at fault does to an invoice."""

    QUANTITY = "quantity"
    TIER = "tier"
    TWICE = "twice"


@dataclass(frozen=True)
class Sent:
    """An invoice, and by how much it is too high through which fault, if any."""

    invoice: Invoice
    fault: Fault | None
    excess: Money


def billed(year: SampleYear) -> list[Recording]:
    """The entries of the year's invoices, each a day after its date."""
    return [
        Recording(
            dt.datetime.combine(each.invoice.issued + A_DAY, dt.time(8), dt.UTC),
            "accounts payable",
            f"invoice of {each.invoice.issued}",
            Workforce.model_construct(invoices=(each.invoice,)),
        )
        for each in sent(year)
    ]


def sent(year: SampleYear) -> list[Sent]:
    """Every invoice of the year, vendor by vendor and month by month."""
    fiscal = FiscalCalendar(first_month=1)
    worked = done(year, _billed_at)
    found = []
    for vendor in (each.site for each in year.agreed.vendors):
        faults = _faults(year, vendor)
        for month in fiscal.months(fiscal.period(f"{year.year}")):
            of_month = [each for each in worked if each.vendor == vendor and each.on in month]
            if charged := charges(year.agreed, of_month):
                found.append(_sent(vendor, month, charged, faults.get(month.starts.month)))
    return found


def done(year: SampleYear, known: Callable[[dt.date], dt.datetime]) -> list[Done]:
    """What vendors did in a day, locale and kind, as it is known at a moment `known` of the day.

    A label counts on the day of its decision, if the gate has accepted it and it still stands.
    """
    answers: dict[_Cell, list[float]] = defaultdict(list)
    labels: Counter[_Cell] = Counter()
    pictures: Counter[_Cell] = Counter()
    for asked in year.asked:
        sheet = asked.sheet
        for answer in asked.answers:
            cell = _Cell(asked.site, answer.at.date(), asked.locale, sheet.kind)
            if answer.at < known(cell.on):
                answers[cell].append(answer.seconds)
                pictures[cell] += len(sheet.pictures) + len(sheet.references)
        superseded: dict[int, dt.datetime] = {}
        for label in reversed(list(asked.labelled())):
            on = label.at.date()
            stands = superseded.get(label.place, known(on)) >= known(on) > label.at + A_DAY
            if stands and label.product is not None and label.place not in asked.stopped:
                labels[_Cell(asked.site, on, asked.locale, sheet.kind)] += 1
            superseded[label.place] = label.at
    found = []
    for cell in sorted(answers.keys() | labels.keys()):
        seconds = answers[cell]
        n_labels = labels[cell]
        work = Work(cell.locale, cell.kind, len(seconds), pictures[cell], sum(seconds), n_labels)
        found.append(Done(cell.site, cell.on, work))
    return found


class _Cell(NamedTuple):
    """Where and when work was done."""

    site: str
    on: dt.date
    locale: str
    kind: QuestionKind


@cache
def _billed_at(day: dt.date) -> dt.datetime:
    """When the work of a day is billed: early in the next month."""
    next_month = (day.replace(day=1) + 31 * A_DAY).replace(day=BILLED_ON_DAY)
    return dt.datetime.combine(next_month, dt.time(), dt.UTC)


def _faults(year: SampleYear, vendor: str) -> dict[int, Fault]:
    """In which months a vendor bills too much, and how."""
    if vendor != year.overbills:
        return {}
    chance = Random(f"faults {year.year} {year.seed} {vendor}")
    months = sorted(chance.sample(range(3, 13), OVERBILLED_MONTHS))
    return {month: tuple(Fault)[n % len(Fault)] for n, month in enumerate(months)}


def _sent(vendor: str, month: Period, charged: Sequence[Charge], fault: Fault | None) -> Sent:
    items = list(_items(charged))
    currency = charged[0].contract.currency
    right = sum((each.amount for each in items), Decimal(0))
    if fault is not None:
        items = FAULTS[fault](items, currency)
    total = sum((each.amount for each in items), Decimal(0))
    invoice = Invoice(
        number=f"{vendor[-1].upper()}-{month.name}",
        vendor=vendor,
        issued=_billed_at(month.starts).date(),
        currency=currency,
        starts=month.starts,
        ends=month.ends,
        items=tuple(items),
        total=total,
    )
    return Sent(invoice, fault, Money(total - right, currency))


def _items(charged: Sequence[Charge]) -> Iterator[Item]:
    """A line for each version, rate, locale and price that a tier gives."""
    so_far: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    units: dict[tuple[Rate, str, Decimal], Decimal] = defaultdict(Decimal)
    for each in charged:
        of_rate = each.contract.key, str(each.rate)
        for price, n in steps(each.rate, so_far[of_rate], so_far[of_rate] + each.units):
            units[each.rate, each.work.locale, price] += n
        so_far[of_rate] += each.units
    currency = charged[0].contract.currency
    for (rate, locale, price), n in units.items():
        quantity = n.quantize(HUNDREDTH) if rate.unit is Unit.HOUR else n
        yield _item(rate.unit, rate.kinds, locale, quantity, price, currency)


def _item(
    unit: str,
    kinds: Sequence[QuestionKind],
    locale: str | None,
    quantity: Decimal,
    price: Decimal,
    currency: str,
) -> Item:
    return Item(
        description=f"{unit}, {locale}",
        locale=locale,
        kind=kinds[0] if len(kinds) == 1 else None,
        unit=Billed(unit),
        quantity=quantity,
        price=price,
        amount=Money(quantity * price, currency).rounded().amount,
    )


def _changed(item: Item, quantity: Decimal, price: Decimal, currency: str) -> Item:
    amount = Money(quantity * price, currency).rounded().amount
    return item.model_copy(update={"quantity": quantity, "price": price, "amount": amount})


def _more(items: Sequence[Item], currency: str) -> list[Item]:
    """More units than were worked."""
    units = {Billed.HOUR: HUNDREDTH}
    return [
        _changed(
            each,
            (each.quantity * MORE).quantize(units.get(each.unit, Decimal(1)), ROUND_UP),
            each.price,
            currency,
        )
        for each in items
    ]


def _without_tiers(items: Sequence[Item], currency: str) -> list[Item]:
    """All units of a kind at the price of the first."""
    dearest = {
        (each.unit, each.kind): max(
            other.price for other in items if (other.unit, other.kind) == (each.unit, each.kind)
        )
        for each in items
    }
    return [
        _changed(each, each.quantity, dearest[each.unit, each.kind], currency) for each in items
    ]


def _twice(items: Sequence[Item], _currency: str) -> list[Item]:
    """The largest line once more."""
    return [*items, max(items, key=lambda each: each.amount)]


FAULTS: Mapping[Fault, Callable[[Sequence[Item], str], list[Item]]] = {
    Fault.QUANTITY: _more,
    Fault.TIER: _without_tiers,
    Fault.TWICE: _twice,
}
