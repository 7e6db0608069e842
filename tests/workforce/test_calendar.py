"""Working time, counted against what a person would count."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workforce.staff import MONDAY, midnight, vendor
from workforce import WorkforceError, WorkingCalendar

A_WEEK = dt.timedelta(days=7)
BERLIN = {"country": "DE", "time_zone": "Europe/Berlin"}
moments = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC))


def test_a_plain_week_has_five_days_of_eight_hours() -> None:
    calendar = WorkingCalendar(vendor())
    assert calendar.working_days(MONDAY, MONDAY + A_WEEK) == 5
    assert calendar.working_time(MONDAY, MONDAY + A_WEEK) == dt.timedelta(hours=40)


def test_closing_days_and_holidays_are_not_worked() -> None:
    christmas = dt.datetime(2026, 12, 21, tzinfo=dt.UTC)
    calendar = WorkingCalendar(vendor(**BERLIN, closed=["2026-12-24"]))
    assert calendar.working_days(christmas, christmas + A_WEEK) == 3
    assert not calendar.works_on(dt.date(2026, 12, 25))


def test_a_subdivision_has_holidays_of_its_own() -> None:
    epiphany = dt.date(2026, 1, 6)
    assert WorkingCalendar(vendor(**BERLIN)).works_on(epiphany)
    assert not WorkingCalendar(vendor(**BERLIN, subdivision="BY")).works_on(epiphany)


@pytest.mark.parametrize("day", [dt.date(2026, 3, 30), dt.date(2026, 10, 26)])
def test_a_shift_starts_at_nine_on_the_clock_before_and_after_it_is_changed(day: dt.date) -> None:
    calendar = WorkingCalendar(vendor(**BERLIN))
    for each in (day - dt.timedelta(days=3), day):
        starts, ends = calendar.shift(each)
        zone = vendor(**BERLIN).zone
        assert (starts.astimezone(zone).hour, ends.astimezone(zone).hour) == (9, 17)
        assert calendar.working_days(starts, ends) == 1


def test_a_shift_in_which_the_clock_is_changed_is_as_long_as_it_is() -> None:
    sunday = dt.date(2026, 3, 29)
    calendar = WorkingCalendar(
        vendor(**BERLIN, working_days=["sun"], day_starts="00:00", day_ends="08:00")
    )
    starts, ends = calendar.shift(sunday)
    assert ends - starts == dt.timedelta(hours=7)
    assert calendar.working_days(starts, ends) == 1


def test_a_leap_day_is_worked() -> None:
    assert WorkingCalendar(vendor()).works_on(dt.date(2028, 2, 29))


@given(start=moments, days=st.fractions(0, 30))
def test_the_moment_after_so_many_days_is_the_first_by_which_they_have_passed(
    start: dt.datetime, days: Fraction
) -> None:
    calendar = WorkingCalendar(vendor(**BERLIN))
    end = calendar.after(start, days)
    assert calendar.working_days(start, end) >= days
    if days:
        assert calendar.working_days(start, end - dt.timedelta(microseconds=1)) < days


@given(moments=st.lists(moments, min_size=3, max_size=3).map(sorted))
def test_working_time_adds_up(moments: list[dt.datetime]) -> None:
    first, second, third = moments
    calendar = WorkingCalendar(vendor(**BERLIN))
    parts = calendar.working_time(first, second) + calendar.working_time(second, third)
    assert parts == calendar.working_time(first, third)
    assert calendar.working_days(third, first) == 0


def test_who_never_works_is_told_so() -> None:
    closed = [midnight(day).date() for day in range(0, 3700)]
    with pytest.raises(WorkforceError, match="closed"):
        WorkingCalendar(vendor(closed=closed)).after(MONDAY, Fraction(1))
