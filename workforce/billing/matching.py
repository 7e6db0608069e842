"""Invoices beside the work that they are for, line by line, with why they differ.

Invoices take from a vendor's work (`billing.pools`) in the order of their dates, so that no work
is billed twice; what none has taken accrues.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from babel.numbers import get_currency_precision

from workforce.billing.charges import Charge, Done, Minimum, charges, minimums
from workforce.billing.pools import Cell, Pool, Taken, give_back, left, pools, take
from workforce.money import Money, nothing
from workforce.records import Workforce
from workforce.records.contracts import Contract
from workforce.records.invoices import Billed, Invoice, Item
from workforce.reviews.review import Credit, InvoiceLine, Said

ROUNDING = Decimal("0.01")
"""Hours that a line may differ by from those that were worked: they are billed to two digits."""

AGREES = Said("invoice.agrees")


@dataclass(frozen=True)
class Accrual:
    """What is owed for work of a month that no invoice has billed; a minimum has no locale.

    `order` is the purchase order that will pay for it, if any.
    """

    vendor: str
    month: dt.date
    locale: str | None
    kind: str | None
    order: str | None
    money: Money


@dataclass(frozen=True)
class Matched:
    """The lines of each invoice, by its key, beside what was agreed; and what is not billed yet."""

    lines: Mapping[str, tuple[InvoiceLine, ...]]
    accruals: tuple[Accrual, ...]


def match(
    invoice: Invoice,
    workforce: Workforce,
    done: Iterable[Done],
    credits: Sequence[Credit] = (),
) -> tuple[InvoiceLine, ...]:
    """The lines of `invoice` beside the work that no earlier invoice has billed; see `matched`."""
    others = [each for each in workforce.invoices if each.key != invoice.key]
    known = workforce.model_copy(update={"invoices": (*others, invoice)})
    of_vendor = [each for each in done if each.vendor == invoice.vendor]
    return matched(known, of_vendor, invoice.ends, credits).lines[invoice.key]


def matched(
    workforce: Workforce,
    done: Iterable[Done],
    until: dt.date,
    credits: Sequence[Credit] = (),
) -> Matched:
    """Every invoice beside `done`; what is left of the work until a day accrues.

    `credits` are what vendors owe for service levels that were missed: lines that bill a `credit`
    are compared with those of the vendor.

    Raises `WorkforceError` where an exchange rate is missing.
    """
    charged = charges(workforce, done)
    return billed(
        workforce, charged, minimums(workforce, charged, dt.date.min, until), until, credits
    )


def billed(
    workforce: Workforce,
    charged: Sequence[Charge],
    owed: Sequence[Minimum],
    until: dt.date,
    credits: Sequence[Credit] = (),
) -> Matched:
    """As `matched`, of work that is charged already and of what minimums add to it."""
    known = {x.vendor for x in workforce.contracts} | {x.vendor for x in workforce.invoices}
    lines: dict[str, tuple[InvoiceLine, ...]] = {}
    accruals: list[Accrual] = []
    for vendor in sorted(known):
        account = _Account(
            workforce,
            vendor,
            pools(each for each in charged if each.vendor == vendor),
            {each: each.owed for each in owed if each.vendor == vendor},
            [each.amount for each in credits if each.contract.rpartition("/")[0] == vendor],
        )
        sent = [each for each in workforce.invoices if each.vendor == vendor]
        for invoice in sorted(sent, key=lambda each: (each.issued, each.number)):
            lines[invoice.key] = tuple(account.entered(invoice))
        accruals += account.accrued(until)
    return Matched(lines, tuple(accruals))


@dataclass
class _Account:
    """What a vendor may still bill, as its invoices are entered one after the other."""

    workforce: Workforce
    vendor: str
    pools: Sequence[Pool]
    minimums: dict[Minimum, Money]
    credits: list[Money]
    taken: list[Taken] = field(default_factory=list)
    excess: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    ordered: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def entered(self, invoice: Invoice) -> Iterator[InvoiceLine]:
        for number, item in enumerate(invoice.items, 1):
            billed = Money(item.amount, invoice.currency)
            agreed, why = self._agreed(invoice, number, item)
            line = InvoiceLine(invoice.number, number, billed, agreed.rounded(), why)
            self.excess[invoice.currency] += line.variance.amount
            against_order = self._against_order(invoice, billed)
            if why == AGREES and against_order is not None:
                line = replace(line, why=against_order)
            yield line

    def accrued(self, until: dt.date) -> Iterator[Accrual]:
        """What is left of the work until a day, and of the minimums."""
        sums: dict[tuple[dt.date, str | None, str | None, str | None, str], Decimal]
        sums = defaultdict(Decimal)
        for pool in self.pools:
            whole = sum(pool.cells.values(), Decimal(0))
            for cell, units in pool.cells.items():
                if units and cell.on <= until:
                    order = self._order(cell.on)
                    key = pool.month, cell.locale, cell.kind, order, pool.contract.currency
                    sums[key] += pool.money * units / whole
        for minimum, owed in self.minimums.items():
            order = self._order(minimum.last_day)
            sums[minimum.month, None, None, order, owed.currency] += owed.amount
        for (month, locale, kind, order, currency), amount in sums.items():
            money = Money(amount, currency)
            if money.rounded().amount:
                yield Accrual(self.vendor, month, locale, kind, order, money)

    def _agreed(self, invoice: Invoice, number: int, item: Item) -> tuple[Money, Said]:
        """What was agreed to be billed in a line, and why it is more or less."""
        if item.amount < 0 and item.unit == Billed.CREDIT:
            return self._credited(invoice, item)
        if item.amount < 0:
            return self._returned(invoice, item)
        if item.unit == Billed.MINIMUM:
            return self._minimum(invoice, item)
        return self._worked(invoice, number, item)

    def _worked(self, invoice: Invoice, number: int, item: Item) -> tuple[Money, Said]:
        among = [
            each
            for each in self.pools
            if each.rate.unit == item.unit.unit
            and invoice.starts.replace(day=1) <= each.month <= invoice.ends
        ]
        tolerance = ROUNDING if item.unit == Billed.HOUR else Decimal(0)

        def wanted(cell: Cell) -> bool:
            return invoice.in_force(cell.on) and item.holds(cell.kind, cell.locale)

        of_scope = [each for each in among if any(map(wanted, each.cells))]
        of_pools = (each for each in self.taken if each.pool in of_scope)
        before = [each for each in of_pools if any(map(wanted, each.cells))]
        there = left(of_scope, wanted)
        quantity = there if abs(there - item.quantity) <= tolerance else item.quantity
        taken = take(of_scope, wanted, quantity, item.amount, f"{invoice.number} ({number})")
        self.taken += taken
        agreed = self._sum(taken, invoice)
        billed = Money(item.amount, invoice.currency)
        off = billed - agreed.rounded()
        right = Money(item.quantity * item.price, invoice.currency).rounded()
        price = Money(item.price, invoice.currency)
        agreed_price = self._agreed_price(invoice, item)
        reached = min((min(each.prices) for each in of_scope), default=item.price)
        currencies = {each.currency for each in self._in_force(invoice)}
        if agreed_price is None:
            why = self._not_agreed(invoice)
        elif invoice.currency not in currencies:
            values = {"currency": invoice.currency, "agreed": ", ".join(sorted(currencies))}
            why = Said("invoice.currency", values)
        elif not off.amount:
            why = AGREES
        elif abs(off.amount) <= _smallest(invoice.currency) + tolerance * item.price:
            why = Said("invoice.rounding", {"difference": off})
        elif abs((billed - right).amount) > _smallest(invoice.currency):
            why = Said("invoice.arithmetic", {"billed": billed, "right": right})
        elif quantity > there and before and not there:
            why = Said("invoice.billed_before", {"invoice": before[-1].by})
        elif quantity > there:
            why = Said("invoice.quantity", {"quantity": item.quantity, "done": there})
        elif off.amount < 0:
            why = Said("invoice.below", {"price": price, "agreed": agreed})
        elif item.price <= agreed_price and reached < agreed_price:
            why = Said("invoice.tier", {"price": price, "tier": Money(reached, price.currency)})
        else:
            agreed_at = Money(agreed_price, invoice.currency)
            why = Said("invoice.price", {"price": price, "agreed": agreed_at})
        return agreed, why

    def _agreed_price(self, invoice: Invoice, item: Item) -> Decimal | None:
        """The dearest price that the contracts of the period have for what a line bills."""
        prices = (
            rate.price
            for contract in self._in_force(invoice)
            for rate in contract.rates
            if rate.unit == item.unit.unit
            and (item.kind is None or not rate.kinds or item.kind in rate.kinds)
            and (item.locale is None or not rate.locales or item.locale in rate.locales)
        )
        return max(prices, default=None)

    def _not_agreed(self, invoice: Invoice) -> Said:
        if self._in_force(invoice):
            return Said("invoice.no_rate")
        return Said("invoice.no_contract", {"starts": invoice.starts, "ends": invoice.ends})

    def _in_force(self, invoice: Invoice) -> set[Contract]:
        n = (invoice.ends - invoice.starts).days + 1
        days = (invoice.starts + dt.timedelta(days=day) for day in range(n))
        versions = {self.workforce.contract(self.vendor, day) for day in days}
        return {each for each in versions if each is not None}

    def _minimum(self, invoice: Invoice, item: Item) -> tuple[Money, Said]:
        owed = nothing(invoice.currency)
        for minimum, money in self.minimums.items():
            if invoice.in_force(minimum.last_day):
                owed += self.workforce.convert(money, invoice.currency, invoice.issued)
                self.minimums[minimum] = nothing(money.currency)
        if owed.rounded().amount == item.amount:
            return owed, AGREES
        return owed, Said("invoice.minimum", {"owed": owed})

    def _returned(self, invoice: Invoice, item: Item) -> tuple[Money, Said]:
        """A negative line takes back what was billed too much before or, else, work itself."""
        none = nothing(invoice.currency)
        if self.excess[invoice.currency] >= -item.amount:
            return none, Said("invoice.credit_of_excess")
        units = -item.quantity
        returned = []
        for place, each in reversed(list(enumerate(self.taken))):
            of_scope = any(item.holds(cell.kind, cell.locale) for cell in each.cells)
            if units > 0 and each.pool.rate.unit == item.unit.unit and of_scope:
                self.taken[place], back = give_back(each, min(units, each.units))
                units -= back.units
                returned.append(back)
        if not returned:
            return none, Said("invoice.credit_unexplained")
        agreed = none - self._sum(returned, invoice)
        if abs(agreed.amount - item.amount) <= _smallest(invoice.currency):
            return agreed, Said("invoice.credit_of_work")
        return agreed, Said("invoice.credit_differs", {"agreed": agreed})

    def _credited(self, invoice: Invoice, item: Item) -> tuple[Money, Said]:
        """A credit for service levels that were missed, beside what the contract says of them."""
        owed = nothing(invoice.currency)
        for each in self.credits:
            owed += self.workforce.convert(each, invoice.currency, invoice.issued)
        self.credits.clear()
        agreed = nothing(invoice.currency) - owed
        if agreed.rounded().amount == item.amount:
            return agreed, AGREES
        if not owed.amount:
            return self._returned(invoice, item)
        return agreed, Said("invoice.credit_differs", {"agreed": agreed})

    def _against_order(self, invoice: Invoice, billed: Money) -> Said | None:
        """Why the purchase order does not pay for a line; None where it does, or there is none."""
        orders = [each for each in self.workforce.purchase_orders if each.vendor == self.vendor]
        if not orders:
            return None
        if invoice.order is None:
            if self.workforce.paying(self.vendor, invoice.ends) is None:
                return Said("invoice.no_order", {"on": invoice.ends})
            return None
        named = next((each for each in orders if each.number == invoice.order), None)
        values = {"order": invoice.order}
        if named is None:
            return Said("invoice.unknown_order", values)
        if not (named.starts <= invoice.starts and invoice.ends <= named.ends):
            dates = {"starts": named.starts, "ends": named.ends}
            return Said("invoice.outside_order", {**values, **dates})
        self.ordered[named.number] += self.workforce.convert(
            billed, named.currency, invoice.issued
        ).amount
        over = Money(self.ordered[named.number], named.currency) - named.money
        if over.amount > 0:
            return Said("invoice.beyond_order", {**values, "excess": over})
        return None

    def _order(self, on: dt.date) -> str | None:
        order = self.workforce.paying(self.vendor, on)
        return order.number if order is not None else None

    def _sum(self, taken: Iterable[Taken], invoice: Invoice) -> Money:
        """What was taken costs, in the currency of an invoice."""
        parts = (Money(each.money, each.pool.contract.currency) for each in taken)
        return sum(
            (self.workforce.convert(each, invoice.currency, invoice.issued) for each in parts),
            nothing(invoice.currency),
        )


def _smallest(currency: str) -> Decimal:
    """The smallest unit of a currency."""
    return Decimal(1).scaleb(-get_currency_precision(currency))
