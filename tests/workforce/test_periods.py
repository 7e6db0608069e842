"""Periods by name, in calendars whose year begins in any month."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workforce import WorkforceError
from workforce.periods import FiscalCalendar, week_of

calendars = st.builds(FiscalCalendar, first_month=st.integers(1, 12))
days = st.dates(dt.date(1950, 1, 1), dt.date(2150, 1, 1))


@given(calendars, days)
def test_a_day_lies_in_its_year_quarter_and_week(calendar: FiscalCalendar, day: dt.date) -> None:
    assert day in calendar.year(day)
    assert day in calendar.quarter(day)
    assert day in week_of(day)


@given(calendars, days)
def test_four_quarters_make_a_year(calendar: FiscalCalendar, day: dt.date) -> None:
    year = calendar.year(day)
    quarters = [calendar.period(f"{year.name}Q{place}") for place in (1, 2, 3, 4)]
    assert (quarters[0].starts, quarters[-1].ends) == (year.starts, year.ends)
    for one, next_one in itertools.pairwise(quarters):
        assert next_one.starts - one.ends == dt.timedelta(days=1)
        assert calendar.before(next_one) == one


@given(calendars, days)
def test_the_months_of_a_quarter_are_three(calendar: FiscalCalendar, day: dt.date) -> None:
    quarter = calendar.quarter(day)
    first, second, third = calendar.months(quarter)
    assert (first.starts, third.ends) == (quarter.starts, quarter.ends)
    assert calendar.before(third) == second


def test_a_year_that_begins_in_april_is_named_by_the_year_in_which_it_ends() -> None:
    april = FiscalCalendar(first_month=4)
    assert april.period("2027Q1").starts == dt.date(2026, 4, 1)
    assert april.period("2027").ends == dt.date(2027, 3, 31)


def test_february_of_a_leap_year_has_29_days() -> None:
    assert FiscalCalendar().period("2028-02").ends == dt.date(2028, 2, 29)


def test_the_first_days_of_a_year_may_lie_in_a_week_of_the_year_before() -> None:
    assert week_of(dt.date(2027, 1, 1)).name == "2026-W53"


@pytest.mark.parametrize("name", ["", "2026Q5", "2026-13", "2026-W54", "2025-W53", "Q4", "0000"])
def test_what_is_no_period_is_told_how_to_write_one(name: str) -> None:
    with pytest.raises(WorkforceError, match="2026Q4"):
        FiscalCalendar().period(name)
