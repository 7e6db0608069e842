"""When a vendor works: its weekdays, shift, closing days and public holidays, in its time zone.

Working time is counted in working days: half of a shift is half a day, however long the shift. All
sums are exact (`Fraction`), so that what fits into the days before a deadline ends by the deadline.
"""

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction

import holidays

from workforce.errors import WorkforceError
from workforce.records.vendors import Vendor, Weekday

A_MICROSECOND = dt.timedelta(microseconds=1)
# A vendor who does not work in so many days will not work.
LOOKED_AHEAD = 3660


class WorkingCalendar:
    """The working days of a vendor."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._closed = frozenset(vendor.closed)
        self._holidays = holidays.country_holidays(vendor.country, subdiv=vendor.subdivision)
        self._weekdays = {list(Weekday).index(day) for day in vendor.working_days}

    def works_on(self, day: dt.date) -> bool:
        return (
            day.weekday() in self._weekdays
            and day not in self._closed
            and day not in self._holidays
        )

    def shift(self, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """When work starts and ends on a working day, in UTC."""
        starts, ends = (
            dt.datetime.combine(day, time, self._vendor.zone).astimezone(dt.UTC)
            for time in (self._vendor.day_starts, self._vendor.day_ends)
        )
        return starts, ends

    def working_time(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """The time of the shifts between two moments."""
        shifts = self._shifts(start, end)
        return sum((ends - starts for starts, ends, _ in shifts), dt.timedelta())

    def working_days(self, start: dt.datetime, end: dt.datetime) -> Fraction:
        """The working days between two moments, parts of days included."""
        return sum(
            (_share(ends - starts, whole) for starts, ends, whole in self._shifts(start, end)),
            Fraction(0),
        )

    def after(self, start: dt.datetime, working_days: Fraction) -> dt.datetime:
        """The moment, in UTC, by which so many working days have passed since `start`.

        Raises `WorkforceError` where the vendor does not work so many days in the next ten years.
        """
        left = working_days
        if left <= 0:
            return start
        for starts, ends, whole in self._shifts(start, start + dt.timedelta(days=LOOKED_AHEAD)):
            share = _share(ends - starts, whole)
            if left <= share:
                microseconds = left * (whole // A_MICROSECOND)
                return starts + -(-microseconds.numerator // microseconds.denominator) * (
                    A_MICROSECOND
                )
            left -= share
        raise WorkforceError(
            f"{self._vendor.site} does not work {float(working_days):,.1f} days in the ten years"
            f" after {start:%Y-%m-%d}: correct its `working_days` and `closed`, or plan less work"
        )

    def _shifts(
        self, start: dt.datetime, end: dt.datetime
    ) -> Iterator[tuple[dt.datetime, dt.datetime, dt.timedelta]]:
        """What of each shift lies between two moments: from, to, and how long the shift is."""
        day = start.astimezone(self._vendor.zone).date()
        last = end.astimezone(self._vendor.zone).date()
        while day <= last:
            if self.works_on(day):
                starts, ends = self.shift(day)
                if max(starts, start) < min(ends, end):
                    yield max(starts, start), min(ends, end), ends - starts
            day += dt.timedelta(days=1)


def _share(part: dt.timedelta, whole: dt.timedelta) -> Fraction:
    return Fraction(part // A_MICROSECOND, whole // A_MICROSECOND)
