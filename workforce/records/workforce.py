"""Everything that is recorded of the workforce: money set aside, and all records as they stand.

Each record has a key of its own kind. A contract is recorded version by version, each from a date
on; a record that was wrong is recorded again, and the catalogue keeps both.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt, model_validator

from workforce.errors import WorkforceError
from workforce.money import Money
from workforce.records.contracts import Contract
from workforce.records.invoices import Invoice
from workforce.records.record import Currency, Dated, Key, LocaleTag, Price, Record, Text
from workforce.records.vendors import Person, Vendor


class PurchaseOrder(Dated, frozen=True, extra="forbid"):
    """What a vendor may bill at most, from one day to another."""

    kind = "purchase_order"

    number: Key
    vendor: str
    amount: Price
    currency: Currency

    @property
    def key(self) -> str:
        return self.number

    @property
    def summary(self) -> str:
        return f"{self.money} for {self.vendor}, {self.starts} to {self.ends}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Budget(Dated, frozen=True, extra="forbid"):
    """What may be spent in a period on some locales, or on all; a revision has an approver.

    `labels` is how many accepted labels it is meant to pay for.
    """

    kind = "budget"

    name: Key
    amount: Price
    currency: Currency
    locales: tuple[LocaleTag, ...] = ()
    labels: PositiveInt | None = None
    revision: NonNegativeInt = 0
    reason: Text | None = None
    approved_by: Text | None = None

    @property
    def key(self) -> str:
        return self.name

    @property
    def summary(self) -> str:
        about = ", ".join(self.locales) or "all locales"
        return f"{self.money} for {about}, {self.starts} to {self.ends}, revision {self.revision}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    def holds(self, locale: str) -> bool:
        return not self.locales or locale in self.locales

    def check_follows(self, before: Self) -> None:
        if self.money != before.money and self.revision <= before.revision:
            raise WorkforceError(
                f"budget {self.name} changes from {before.money} to {self.money} without a new"
                f" revision: set `revision` to {before.revision + 1}, with its `reason` and"
                " `approved_by`"
            )

    @model_validator(mode="after")
    def _revisions_are_approved(self) -> Self:
        if self.revision and not (self.reason and self.approved_by):
            raise ValueError(
                f"revision {self.revision} has no `reason` or no `approved_by`: say both"
            )
        return self


class ExchangeRate(Record, frozen=True, extra="forbid"):
    """What one unit of `of` is worth in `into`, from a day until the next rate of the two."""

    kind = "exchange_rate"

    of: Currency
    into: Currency
    on: dt.date
    rate: Decimal = Field(gt=0, max_digits=18)

    @property
    def key(self) -> str:
        return f"{self.of}/{self.into}/{self.on}"

    @property
    def summary(self) -> str:
        return f"{self.of} 1 is {self.into} {self.rate} from {self.on} on"


KINDS: tuple[type[Record], ...] = (
    Vendor,
    Person,
    Contract,
    PurchaseOrder,
    Budget,
    ExchangeRate,
    Invoice,
)


class Workforce(BaseModel, frozen=True, extra="forbid"):
    """Everything recorded, as it stands; what refers to a vendor refers to one that is recorded."""

    vendors: tuple[Vendor, ...] = ()
    persons: tuple[Person, ...] = ()
    contracts: tuple[Contract, ...] = ()
    purchase_orders: tuple[PurchaseOrder, ...] = ()
    budgets: tuple[Budget, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()
    invoices: tuple[Invoice, ...] = ()

    @model_validator(mode="after")
    def _says_everything_once(self) -> Self:
        count = Counter((each.kind, each.key) for each in self.records())
        if twice := sorted(f"{kind} {key}" for (kind, key), n in count.items() if n > 1):
            raise ValueError(f"{', '.join(twice)} stands there more than once: keep one of each")
        return self

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Workforce":
        """All of `records`, in the order of their keys; raises `WorkforceError` as `checked`."""
        fields: dict[str, list[Any]] = {f"{kind.kind}s": [] for kind in KINDS}
        for each in sorted(records, key=lambda each: each.key):
            fields[f"{each.kind}s"].append(each)
        return cls.model_validate(fields).checked()

    def checked(self) -> Self:
        """Itself; raises `WorkforceError` where a record names a vendor that is not recorded."""
        known = {vendor.site for vendor in self.vendors}
        of_vendors: tuple[Person | Contract | PurchaseOrder | Invoice, ...] = (
            *self.persons,
            *self.contracts,
            *self.purchase_orders,
            *self.invoices,
        )
        for each in of_vendors:
            if each.vendor not in known:
                raise WorkforceError(
                    f"{each.kind} {each.key} is with vendor {each.vendor!r}, who is not recorded:"
                    f" add the vendor, or name one of {', '.join(sorted(known)) or 'those to come'}"
                )
        return self

    def records(self) -> list[Record]:
        return [
            *self.vendors,
            *self.persons,
            *self.contracts,
            *self.purchase_orders,
            *self.budgets,
            *self.exchange_rates,
            *self.invoices,
        ]

    def vendor(self, site: str) -> Vendor | None:
        return next((each for each in self.vendors if each.site == site), None)

    def recorded(self, site: str) -> Vendor:
        """The vendor of a site; raises `WorkforceError` where there is none."""
        found = self.vendor(site)
        if found is None:
            known = ", ".join(each.site for each in self.vendors) or "none yet"
            raise WorkforceError(f"no vendor {site!r} is recorded: name one of {known}")
        return found

    def contract(self, vendor: str, on: dt.date) -> Contract | None:
        """The version of a vendor's contract that is in force on a day, if any."""
        versions = [each for each in self.contracts if each.vendor == vendor and each.starts <= on]
        newest = max(versions, key=lambda each: each.version, default=None)
        return newest if newest is not None and newest.in_force(on) else None

    def binding(self, on: dt.date) -> dict[str, Contract]:
        """The contract whose confidentiality binds each vendor on a day.

        The newest version that has begun counts, and where none has, the first: what a vendor may
        see does not change when its contract ends.
        """
        found: dict[str, Contract] = {}
        in_order = sorted(self.contracts, key=lambda each: (each.vendor, each.version))
        for each in in_order:
            if each.vendor not in found or each.starts <= on:
                found[each.vendor] = each
        return found

    def last_day(self, contract: Contract) -> dt.date:
        """The last day of a version: before a later one replaces it, or the end of its term."""
        later = [
            each.starts - dt.timedelta(days=1)
            for each in self.contracts
            if each.vendor == contract.vendor and each.version > contract.version
        ]
        return min([contract.ends, *later])

    def paying(self, vendor: str, on: dt.date) -> PurchaseOrder | None:
        """The vendor's purchase order that pays for work of a day: the one that ends first."""
        in_force = [x for x in self.purchase_orders if x.vendor == vendor and x.in_force(on)]
        return min(in_force, key=lambda each: (each.ends, each.number), default=None)

    def convert(self, money: Money, currency: str, on: dt.date) -> Money:
        """`money` in `currency`, by the newest rate of the two on that day.

        Raises `WorkforceError` where no rate was recorded by then.
        """
        if money.currency == currency:
            return money
        pair = {money.currency, currency}
        rates = [each for each in self.exchange_rates if {each.of, each.into} == pair]
        newest = max(
            (each for each in rates if each.on <= on),
            key=lambda each: (each.on, each.of == money.currency),
            default=None,
        )
        if newest is None:
            raise WorkforceError(
                f"no exchange rate of {money.currency} and {currency} is recorded for {on} or"
                " before: add one under `exchange_rates` and import it"
            )
        if newest.of == money.currency:
            return Money(money.amount * newest.rate, currency)
        return Money(money.amount / newest.rate, currency)


def content(record: Record) -> dict[str, Any]:
    """What the catalogue keeps of a record: amounts and dates as text."""
    return record.model_dump(mode="json")
