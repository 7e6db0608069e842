"""Periods that figures and money are about: weeks, months, fiscal quarters and years, by name."""

import datetime as dt
import re
from collections.abc import Iterator

from pydantic import BaseModel, Field

from workforce.errors import WorkforceError

A_DAY = dt.timedelta(days=1)
NAME = re.compile(r"(?P<year>\d{4})(?:Q(?P<quarter>[1-4])|-W(?P<week>\d\d)|-(?P<month>\d\d))?")


class Period(BaseModel, frozen=True, extra="forbid"):
    """Days from `starts` to `ends`, both included, as UTC counts them."""

    name: str
    starts: dt.date
    ends: dt.date

    def __contains__(self, day: dt.date) -> bool:
        return self.starts <= day <= self.ends

    def __str__(self) -> str:
        return self.name

    @property
    def begins(self) -> dt.datetime:
        """The first moment that belongs to it."""
        return dt.datetime.combine(self.starts, dt.time(), dt.UTC)

    @property
    def over(self) -> dt.datetime:
        """The first moment that does not belong to it any more."""
        return dt.datetime.combine(self.ends + A_DAY, dt.time(), dt.UTC)

    def until(self, day: dt.date) -> "Period":
        """What of it lies before the end of `day`, or on its first day."""
        return self.model_copy(update={"ends": max(self.starts, min(self.ends, day))})

    def weeks(self) -> Iterator["Period"]:
        """The weeks (ISO 8601, from Monday on) that begin in it."""
        day = self.starts + dt.timedelta(days=-self.starts.weekday() % 7)
        while day <= self.ends:
            yield week_of(day)
            day += 7 * A_DAY


class FiscalCalendar(BaseModel, frozen=True, extra="forbid"):
    """Where years begin; a fiscal year is named by the calendar year in which it ends."""

    first_month: int = Field(1, ge=1, le=12)

    def period(self, name: str) -> Period:
        """The period that is called `name`: 2026, 2026Q4, 2026-11 or 2026-W47.

        Years and quarters are fiscal, months and weeks those of the calendar.

        Raises `WorkforceError` where `name` is none of these.
        """
        said = NAME.fullmatch(name)
        try:
            if said is None:
                raise ValueError
            if said["week"]:
                return week_of(dt.date.fromisocalendar(int(said["year"]), int(said["week"]), 1))
            if said["month"]:
                return _months(name, dt.date(int(said["year"]), int(said["month"]), 1), 1)
            first = dt.date(int(said["year"]) - (self.first_month > 1), self.first_month, 1)
            if said["quarter"]:
                return _months(name, _later(first, 3 * (int(said["quarter"]) - 1)), 3)
            return _months(name, first, 12)
        except (ValueError, OverflowError):
            raise WorkforceError(
                f"{name!r} is no period: write a year as 2026, a quarter as 2026Q4, a month as"
                " 2026-11 or a week as 2026-W47"
            ) from None

    def year(self, day: dt.date) -> Period:
        """The fiscal year of a day."""
        return self.period(f"{self._year(day):04d}")

    def quarter(self, day: dt.date) -> Period:
        """The fiscal quarter of a day."""
        place = (day.month - self.first_month) % 12 // 3 + 1
        return self.period(f"{self._year(day):04d}Q{place}")

    def months(self, period: Period) -> Iterator[Period]:
        """The calendar months that begin in `period`."""
        day = period.starts if period.starts.day == 1 else _later(period.starts.replace(day=1), 1)
        while day <= period.ends:
            yield self.period(f"{day:%Y-%m}")
            day = _later(day, 1)

    def before(self, period: Period) -> Period:
        """The period of the same kind that ends where this one begins."""
        day = period.starts - A_DAY
        if "Q" in period.name:
            return self.quarter(day)
        if "W" in period.name:
            return week_of(day)
        return self.period(f"{day:%Y-%m}") if "-" in period.name else self.year(day)

    def _year(self, day: dt.date) -> int:
        return day.year + (self.first_month > 1 and day.month >= self.first_month)


def week_of(day: dt.date) -> Period:
    """The week (ISO 8601) of a day."""
    year, week, weekday = day.isocalendar()
    monday = day - (weekday - 1) * A_DAY
    return Period(name=f"{year}-W{week:02d}", starts=monday, ends=monday + 6 * A_DAY)


def weeks_until(day: dt.date, n: int) -> list[Period]:
    """The week of a day and those before it, `n` in all, the earliest first."""
    return [week_of(day - 7 * back * A_DAY) for back in reversed(range(n))]


def _months(name: str, first: dt.date, n: int) -> Period:
    return Period(name=name, starts=first, ends=_later(first, n) - A_DAY)


def _later(first: dt.date, months: int) -> dt.date:
    """The first of the month that is so many months after that of `first`."""
    years, month = divmod(first.month - 1 + months, 12)
    return dt.date(first.year + years, month + 1, 1)
