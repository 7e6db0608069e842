"""Working time of many questions at once is what the calendar says of each."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workforce import staff
from workforce import WorkforceError, WorkingCalendar
from workforce.performance.working_time import EPOCH, WorkingTime, moment

A_YEAR = st.datetimes(dt.datetime(2027, 9, 1), dt.datetime(2028, 4, 30), timezones=st.just(dt.UTC))
SHIFTS = st.sampled_from([("Europe/Berlin", "DE", 9, 17), ("America/New_York", "US", 1, 12)])


@settings(max_examples=60)
@given(SHIFTS, A_YEAR, A_YEAR, st.sampled_from(["0.25", "1", "2", "2.5", "10"]))
def test_working_time_is_the_calendars(
    place: tuple[str, str, int, int], one: dt.datetime, other: dt.datetime, days: str
) -> None:
    zone, country, starts, ends = place
    vendor = staff.vendor(
        time_zone=zone, country=country, day_starts=dt.time(starts), day_ends=dt.time(ends)
    )
    calendar = WorkingCalendar(vendor)
    start, end = sorted((one, other))
    time = WorkingTime(calendar, start.date(), end.date(), float(days))
    start_at, end_at = (np.array([moment(each)]) for each in (start, end))
    worked = time.worked(end_at) - time.worked(start_at)
    assert worked[0] == pytest.approx(float(calendar.working_days(start, end)), abs=1e-9)
    due = EPOCH + dt.timedelta(microseconds=int(time.due(start_at, np.array([float(days)]))[0]))
    assert abs(due - calendar.after(start, Fraction(days))) <= dt.timedelta(microseconds=1)


def test_who_never_works_is_an_error_that_says_so() -> None:
    closed = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(8000)]
    calendar = WorkingCalendar(staff.vendor(closed=closed))
    with pytest.raises(WorkforceError, match="correct `working_days`"):
        WorkingTime(calendar, dt.date(2026, 1, 1), dt.date(2026, 1, 1), 1.0)
