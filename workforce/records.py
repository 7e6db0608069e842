"""What is recorded of the workforce: vendors, contracts, purchase orders, budgets, exchange rates.

Each record has a key of its own kind. A contract is recorded version by version, each from a date
on; a record that was wrong is recorded again, and the catalogue keeps both.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo, available_timezones

import holidays
from babel import Locale, UnknownLocaleError
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from catalog.schema import QuestionKind
from workforce.errors import WorkforceError
from workforce.money import Money, names_a_currency


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Unit(StrEnum):
    """What a price is for: a paid hour, an answer to a question, an accepted label."""

    HOUR = "hour"
    QUESTION = "question"
    LABEL = "label"


def _names_a_locale(tag: str) -> str:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{tag!r} is no locale: write a BCP 47 tag, for example de-DE") from error
    return tag


@cache
def _time_zones() -> set[str]:
    return available_timezones()


@cache
def _countries() -> dict[str, list[str]]:
    return holidays.list_supported_countries()


Currency = Annotated[str, AfterValidator(names_a_currency)]
LocaleTag = Annotated[str, AfterValidator(_names_a_locale)]
Key = Annotated[str, Field(pattern=r"^[^\s/](.{0,38}\S)?$", max_length=40)]
Hours = Annotated[Decimal, Field(gt=0, le=100_000)]
Price = Annotated[Decimal, Field(ge=0, max_digits=18)]


class Record(BaseModel, frozen=True, extra="forbid"):
    """One thing that is recorded; `key` names it among its kind."""

    kind: ClassVar[str]

    @property
    def key(self) -> str:
        raise NotImplementedError

    @property
    def summary(self) -> str:
        """What a person wants to know of it, in a line."""
        raise NotImplementedError


class Readers(BaseModel, frozen=True, extra="forbid"):
    """Those of a vendor who read a locale; None where they are counted for the whole vendor."""

    people: PositiveInt | None = None
    paid_hours_per_day: Hours | None = None


class Vendor(Record, frozen=True, extra="forbid"):
    """Who answers questions, named by their site: when they work, and how much.

    `paid_hours_per_day` is what all people of the vendor work on a working day, shared by the
    locales that have no hours of their own.
    """

    kind = "vendor"

    site: Key
    name: str = Field(min_length=1)
    country: str
    subdivision: str | None = None
    time_zone: str
    day_starts: dt.time = dt.time(9)
    day_ends: dt.time = dt.time(17)
    working_days: tuple[Weekday, ...] = Field(tuple(Weekday)[:5], min_length=1)
    closed: tuple[dt.date, ...] = ()
    people: PositiveInt = 1
    paid_hours_per_day: Hours | None = None
    locales: dict[LocaleTag, Readers] = Field(min_length=1)

    @property
    def key(self) -> str:
        return self.site

    @property
    def summary(self) -> str:
        hours = (f"{locale} {self.hours_per_day(locale)} h a day" for locale in self.locales)
        return f"{self.name}, {self.country}, {self.time_zone}: {', '.join(hours)}"

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        if name not in _time_zones():
            raise ValueError(f"{name!r} is no time zone: write one as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _works_somewhere_and_some_time(self) -> Self:
        if self.country not in _countries():
            raise ValueError(
                f"the holidays of {self.country!r} are not known: write a country as ISO 3166 does,"
                " for example DE"
            )
        if self.subdivision is not None and self.subdivision not in _countries()[self.country]:
            known = ", ".join(_countries()[self.country]) or "none"
            raise ValueError(
                f"{self.country} has no subdivision {self.subdivision!r} with holidays of its own:"
                f" write one of {known}, or leave it out"
            )
        if self.day_starts >= self.day_ends:
            raise ValueError(
                f"day_ends {self.day_ends} is not after day_starts {self.day_starts}: a shift ends"
                " on the day that it starts"
            )
        for locale, readers in self.locales.items():
            if self.paid_hours_per_day is None and readers.paid_hours_per_day is None:
                raise ValueError(
                    f"nothing says how much is worked in {locale}: set `paid_hours_per_day` there,"
                    " or of the vendor"
                )
        return self

    def people_who_read(self, locale: str) -> int:
        return self.locales[locale].people or self.people

    def hours_per_day(self, locale: str) -> Decimal:
        """Paid hours of a working day for `locale`, which may be shared with other locales."""
        hours = self.locales[locale].paid_hours_per_day or self.paid_hours_per_day
        assert hours is not None
        return hours

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Scope(BaseModel, frozen=True, extra="forbid"):
    """The kinds of question and the locales that something is about; empty: all."""

    kinds: tuple[QuestionKind, ...] = ()
    locales: tuple[LocaleTag, ...] = ()

    def holds(self, kind: str, locale: str) -> bool:
        return (not self.kinds or kind in self.kinds) and (
            not self.locales or locale in self.locales
        )

    def meets(self, other: "Scope") -> bool:
        """Whether there is a kind and a locale that both hold."""
        return all(
            not one or not two or set(one) & set(two)
            for one, two in ((self.kinds, other.kinds), (self.locales, other.locales))
        )


class Tier(BaseModel, frozen=True, extra="forbid"):
    """The price of what goes beyond `above` units in a calendar month."""

    above: PositiveInt
    price: Price


class Rate(Scope, frozen=True, extra="forbid"):
    """A line of a rate card: the price of a unit, and of units beyond a volume."""

    unit: Unit
    price: Price
    tiers: tuple[Tier, ...] = ()

    def __str__(self) -> str:
        about = " ".join((*self.kinds, *self.locales)) or "all"
        tiers = "".join(f", {tier.price} above {tier.above:,}" for tier in self.tiers)
        return f"{self.price} per {self.unit} ({about}{tiers})"

    @model_validator(mode="after")
    def _falls_with_volume(self) -> Self:
        steps = [(0, self.price), *((tier.above, tier.price) for tier in self.tiers)]
        for (above, price), (next_above, next_price) in pairwise(steps):
            if next_above <= above or next_price >= price:
                raise ValueError(
                    f"the tier above {next_above} at {next_price} does not lower the price {price}"
                    f" above {above}: list tiers by volume, each cheaper than the one before"
                )
        return self


class Turnaround(Scope, frozen=True, extra="forbid"):
    """A service level: questions come back within so many of the vendor's working days."""

    working_days: Hours


class Rush(BaseModel, frozen=True, extra="forbid"):
    """What is needed sooner than the turnaround: by when it can be had, at which multiple."""

    working_days: Hours
    factor: Decimal = Field(ge=1, le=100)


class Dated(Record, frozen=True, extra="forbid"):
    """A record that is in force from one day to another, both included."""

    starts: dt.date
    ends: dt.date

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends < self.starts:
            raise ValueError(f"it ends on {self.ends}, before it starts on {self.starts}")
        return self

    def in_force(self, on: dt.date) -> bool:
        return self.starts <= on <= self.ends


class Contract(Dated, frozen=True, extra="forbid"):
    """A version of what was agreed with a vendor; from its first day it replaces earlier versions.

    What a vendor is paid is the sum of all rates that hold for a piece of work. Work that no rate
    holds for was not agreed, and is not given to the vendor.
    """

    kind = "contract"

    vendor: str
    version: PositiveInt
    currency: Currency
    rates: tuple[Rate, ...] = Field(min_length=1)
    minimum_per_month: Price = Decimal(0)
    turnaround: tuple[Turnaround, ...] = ()
    rush: Rush | None = None
    quality_bar: float | None = Field(None, gt=0, lt=1)
    notice_by: dt.date | None = None

    @property
    def key(self) -> str:
        return f"{self.vendor}/{self.version}"

    @property
    def summary(self) -> str:
        prices = (str(rate) for rate in self.rates)
        return f"{self.starts} to {self.ends}, {self.currency}: {', '.join(prices)}"

    @model_validator(mode="after")
    def _says_everything_once(self) -> Self:
        for name, each in (("rates", self.rates), ("turnaround", self.turnaround)):
            for later, two in enumerate(each):
                for earlier, one in enumerate(each[:later]):
                    same_unit = getattr(one, "unit", None) == getattr(two, "unit", None)
                    if same_unit and one.meets(two):
                        raise ValueError(
                            f"{name}[{earlier}] and {name}[{later}] are about the same kind,"
                            " locale and unit: keep one, or set `kinds` and `locales` apart"
                        )
        return self

    def covers(self, kind: str, locale: str) -> bool:
        """Whether the work was agreed: some rate holds for it."""
        return any(rate.holds(kind, locale) for rate in self.rates)

    def returned_within(self, kind: str, locale: str) -> Decimal | None:
        """The service level in working days; None where none was agreed."""
        return next(
            (each.working_days for each in self.turnaround if each.holds(kind, locale)), None
        )


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
    """What may be spent in a period on some locales, or on all; a revision has an approver."""

    kind = "budget"

    name: Key
    amount: Price
    currency: Currency
    locales: tuple[LocaleTag, ...] = ()
    revision: NonNegativeInt = 0
    reason: str | None = None
    approved_by: str | None = None

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


KINDS: tuple[type[Record], ...] = (Vendor, Contract, PurchaseOrder, Budget, ExchangeRate)


class Workforce(BaseModel, frozen=True, extra="forbid"):
    """Everything recorded, as it stands; what refers to a vendor refers to one that is recorded."""

    vendors: tuple[Vendor, ...] = ()
    contracts: tuple[Contract, ...] = ()
    purchase_orders: tuple[PurchaseOrder, ...] = ()
    budgets: tuple[Budget, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()

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
        """Itself; raises `WorkforceError` where a contract or order names nobody's vendor."""
        known = {vendor.site for vendor in self.vendors}
        agreed: tuple[Contract | PurchaseOrder, ...] = (*self.contracts, *self.purchase_orders)
        for each in agreed:
            if each.vendor not in known:
                raise WorkforceError(
                    f"{each.kind} {each.key} is with vendor {each.vendor!r}, who is not recorded:"
                    f" add the vendor, or name one of {', '.join(sorted(known)) or 'those to come'}"
                )
        return self

    def records(self) -> list[Record]:
        return [
            *self.vendors,
            *self.contracts,
            *self.purchase_orders,
            *self.budgets,
            *self.exchange_rates,
        ]

    def contract(self, vendor: str, on: dt.date) -> Contract | None:
        """The version of a vendor's contract that is in force on a day, if any."""
        versions = [each for each in self.contracts if each.vendor == vendor and each.starts <= on]
        newest = max(versions, key=lambda each: each.version, default=None)
        return newest if newest is not None and newest.in_force(on) else None

    def last_day(self, contract: Contract) -> dt.date:
        """The last day of a version: before a later one replaces it, or the end of its term."""
        later = [
            each.starts - dt.timedelta(days=1)
            for each in self.contracts
            if each.vendor == contract.vendor and each.version > contract.version
        ]
        return min([contract.ends, *later])

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
