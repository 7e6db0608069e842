"""Vendors: who answers questions, when they work and how much, and their people by pseudonym."""

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

import holidays
from pydantic import BaseModel, Field, PositiveInt, field_validator, model_validator

from catalog.identity import digest
from catalog.schema import QuestionKind
from workforce.records.record import Hours, Key, LocaleTag, Record


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


@cache
def _time_zones() -> set[str]:
    return available_timezones()


@cache
def _countries() -> dict[str, list[str]]:
    return holidays.list_supported_countries()


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
    name: str = Field(min_length=1, max_length=200)
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


class Person(Record, frozen=True, extra="forbid"):
    """One of a vendor's people, by pseudonym: which locales they read, and what they can do.

    `kinds` are the kinds of question that they were trained for; empty: all.
    """

    kind = "person"

    vendor: Key
    pseudonym: str = Field(pattern=r"^[0-9a-f]{12}$")
    locales: tuple[LocaleTag, ...] = Field(min_length=1)
    kinds: tuple[QuestionKind, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def key(self) -> str:
        return f"{self.vendor}/{self.pseudonym}"

    @property
    def summary(self) -> str:
        return f"{', '.join(self.locales)}: {', '.join(self.kinds) or 'all kinds'}"

    def works_on(self, day: dt.date) -> bool:
        return (self.since or day) <= day <= (self.until or day)


def pseudonym(vendor: str, annotator: str) -> str:
    """Under which name the person is recorded whom a vendor's site calls `annotator`.

    Always the same, and different at each vendor. Whoever knows a name can find its pseudonym; none
    is found from the pseudonym alone.
    """
    return digest("person", vendor, annotator)[:12]
