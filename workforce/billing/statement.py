"""What a period's work cost: agreed, invoiced and owed, by vendor, locale, kind, order and budget.

All amounts follow from the records and from what was done; each charge names its day, contract,
rate and units, and `tasks.spending` reads the answers and labels of each day again.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from workforce.billing.charges import Charge, Done, Minimum, charges, minimums, unagreed
from workforce.billing.matching import Accrual, Matched, billed
from workforce.billing.rates import SECONDS_PER_HOUR
from workforce.money import Money, nothing
from workforce.performance.figures import Cell
from workforce.periods import Period
from workforce.records import Budget, PurchaseOrder, Workforce
from workforce.records.invoices import Invoice, Item
from workforce.reviews.review import BudgetLine, Credit, InvoiceLine, OrderLine, SpendLine


@dataclass(frozen=True)
class Statement:
    """What was done and billed until the end of a period, or until today where that is earlier.

    Attributes
    ----------
    charged
        What contracts charge for all work until then, that of earlier periods included.
    minimums
        What monthly minimums add to months that are over.
    matched
        Every invoice of work until then, and what is left to be billed.
    unagreed
        Work of the period that no contract or rate was in force for; it costs nothing here.
    """

    workforce: Workforce
    period: Period
    done: tuple[Done, ...]
    charged: tuple[Charge, ...]
    minimums: tuple[Minimum, ...]
    matched: Matched
    unagreed: tuple[Done, ...]

    def spend(self, vendor: str) -> tuple[SpendLine, ...]:
        """What a vendor's work of the period costs as agreed, by locale and kind.

        A month's minimum is a line without locale and kind.
        """
        n_answers: dict[tuple[str, str], int] = defaultdict(int)
        n_labels: dict[tuple[str, str], float] = defaultdict(float)
        seconds: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for each in self.done:
            if each.vendor == vendor and each.on in self.period:
                place = each.work.locale, each.work.kind
                n_answers[place] += each.work.n_questions
                n_labels[place] += each.work.n_labels
                seconds[place] += Decimal(each.work.seconds)
        agreed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for charge in self.charged:
            if charge.vendor == vendor and charge.on in self.period:
                money = charge.money
                agreed[charge.work.locale, charge.work.kind, money.currency] += money.amount
        for minimum in self.minimums:
            if minimum.vendor == vendor and minimum.last_day in self.period:
                agreed["", "", minimum.owed.currency] += minimum.owed.amount
        return tuple(
            SpendLine(
                locale,
                kind,
                n_answers[locale, kind],
                round(n_labels[locale, kind]),
                seconds[locale, kind] / SECONDS_PER_HOUR,
                Money(amount, currency),
            )
            for (locale, kind, currency), amount in sorted(agreed.items())
        )

    def invoices(self, vendor: str) -> tuple[InvoiceLine, ...]:
        """The lines of the vendor's invoices for work that ends in the period, the first first."""
        return tuple(
            line
            for invoice, _, line in self._billed()
            if invoice.vendor == vendor and invoice.ends in self.period
        )

    def accruals(self, vendor: str) -> tuple[Accrual, ...]:
        """What is owed to a vendor and not billed yet, of this and earlier periods."""
        return tuple(each for each in self.matched.accruals if each.vendor == vendor)

    def cost(self, cell: Cell, currency: str) -> Money:
        """What the work of a cell cost: as agreed, and what invoices billed beyond that.

        A month's minimum is a cost of the vendor as a whole, and so is what an invoice's line bills
        too much that names no locale or kind. Gold and second answers are answers like any other,
        and are in it. Exchange rates are those of the day of the work or of the invoice.

        Raises `WorkforceError` where an exchange rate is missing.
        """
        whole = cell.locale is None and cell.kind is None
        parts = [
            (each.money, each.on)
            for (vendor, locale, kind), charged in self._by_cell.items()
            if cell.vendor in (None, vendor)
            and cell.locale in (None, locale)
            and cell.kind in (None, kind)
            for each in charged
            if each.on in cell.period
        ]
        parts += [
            (each.owed, each.last_day)
            for each in self.minimums
            if whole and each.last_day in cell.period and cell.vendor in (None, each.vendor)
        ]
        parts += [
            (line.variance, invoice.issued)
            for invoice, item, line in self._billed()
            if invoice.ends in cell.period
            and cell.vendor in (None, invoice.vendor)
            and cell.locale in (None, item.locale)
            and cell.kind in (None, item.kind)
        ]
        return self._sum(parts, currency)

    def orders(self, vendor: str) -> tuple[OrderLine, ...]:
        """How far each purchase order of a vendor is used up, tax aside.

        An invoice that names no order is paid by the one that pays for the last day of its work.
        """
        return tuple(
            self._order(each) for each in self.workforce.purchase_orders if each.vendor == vendor
        )

    def budgets(self, planned: Mapping[str, int] | None = None) -> tuple[BudgetLine, ...]:
        """Each budget: what was invoiced and accrued of it, and what the accepted labels earned.

        `planned` are the labels wanted in each locale, for budgets that do not say how many they
        are for. Where neither is known, what was spent counts as earned.
        """
        return tuple(self._budget(each, planned or {}) for each in self.workforce.budgets)

    @cached_property
    def _by_cell(self) -> dict[tuple[str, str, str], list[Charge]]:
        found: dict[tuple[str, str, str], list[Charge]] = defaultdict(list)
        for each in self.charged:
            found[each.vendor, each.work.locale, each.work.kind].append(each)
        return found

    def _order(self, order: PurchaseOrder) -> OrderLine:
        invoiced = [
            (each.money, each.issued)
            for each in self._invoices()
            if each.vendor == order.vendor and self._pays(order, each)
        ]
        accrued = [
            (each.money, self.period.ends)
            for each in self.accruals(order.vendor)
            if each.order == order.number
        ]
        return OrderLine(
            order.number,
            order.money,
            self._sum(invoiced, order.currency),
            self._sum(accrued, order.currency),
            order.starts,
            order.ends,
        )

    def _pays(self, order: PurchaseOrder, invoice: Invoice) -> bool:
        if invoice.order is not None:
            return invoice.order == order.number
        return self.workforce.paying(invoice.vendor, invoice.ends) == order

    def _budget(self, budget: Budget, planned: Mapping[str, int]) -> BudgetLine:
        parts = [
            (each.money, each.on)
            for each in self.charged
            if budget.in_force(each.on) and budget.holds(each.work.locale)
        ]
        parts += [
            (each.owed, each.last_day)
            for each in self.minimums
            if not budget.locales and budget.in_force(each.last_day)
        ]
        parts += [
            (line.variance, invoice.issued)
            for invoice, item, line in self._billed()
            if budget.in_force(invoice.ends)
            and (not budget.locales or item.locale in budget.locales)
        ]
        actual = self._sum(parts, budget.currency)
        n_planned = budget.labels or sum(n for name, n in planned.items() if budget.holds(name))
        if not n_planned:
            return BudgetLine(budget.name, budget.money, actual, actual)
        n_labels = sum(
            (
                Decimal(each.work.n_labels)
                for each in self.done
                if budget.in_force(each.on) and budget.holds(each.work.locale)
            ),
            Decimal(0),
        )
        earned = budget.money * min(n_labels / n_planned, Decimal(1))
        return BudgetLine(budget.name, budget.money, actual, earned)

    def _invoices(self) -> list[Invoice]:
        """The invoices for work until the end of the period, in the order of their dates."""
        sent = [each for each in self.workforce.invoices if each.ends <= self.period.ends]
        return sorted(sent, key=lambda each: (each.issued, each.number))

    def _billed(self) -> Iterator[tuple[Invoice, Item, InvoiceLine]]:
        for invoice in self._invoices():
            lines = self.matched.lines[invoice.key]
            for item, line in zip(invoice.items, lines, strict=True):
                yield invoice, item, line

    def _sum(self, parts: Iterable[tuple[Money, dt.date]], currency: str) -> Money:
        return sum(
            (self.workforce.convert(money, currency, on) for money, on in parts), nothing(currency)
        )


def statement(
    workforce: Workforce,
    done: Iterable[Done],
    period: Period,
    today: dt.date,
    credits: Sequence[Credit] = (),
) -> Statement:
    """The statement of `period` on a day; `credits` are what vendors owe for service levels.

    Raises `WorkforceError` where an exchange rate is missing.
    """
    period = period.until(today)
    so_far = tuple(each for each in done if each.on <= period.ends)
    charged = charges(workforce, so_far)
    owed = minimums(workforce, charged, dt.date.min, period.ends)
    return Statement(
        workforce,
        period,
        so_far,
        tuple(charged),
        tuple(owed),
        billed(workforce, charged, owed, period.ends, credits),
        tuple(each for each in unagreed(workforce, so_far) if each.on in period),
    )
