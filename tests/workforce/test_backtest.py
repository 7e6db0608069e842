"""The backtest knows what was known then, and counts what then happened."""

import datetime as dt

import pytest

from tests.workforce.staff import vendor, workforce
from tests.workforce.test_forecast import SUNDAY, day, working_days
from workforce.foresight.backtest import Case, backtest, score

STAFF = workforce(vendor(country="US"))


def test_the_actual_day_is_that_on_which_the_labels_were_there() -> None:
    done = [day(on) for on in working_days(30)]
    found = backtest(done, STAFF, SUNDAY)
    assert {each.weeks for each in found} == {4}
    for each in found:
        days = [n for n in range(1, 57) if each.as_of + dt.timedelta(days=n) in working_days(30)]
        assert each.actual == days[each.needed // 200 - 1]


def test_what_came_later_changes_no_forecast_of_before() -> None:
    weeks = working_days(30)
    calm = backtest([day(on) for on in weeks], STAFF, SUNDAY)
    told = {each.as_of: (each.needed, each.p50, each.p85) for each in calm}
    since = min(told)
    changed = [day(on, 100 if on <= since else 500) for on in weeks]
    found = {each.as_of: each for each in backtest(changed, STAFF, SUNDAY)}
    first = found[since]
    assert (first.needed, first.p50, first.p85) == told[since]


def case(actual: int | None, p50: int | None, p85: int | None) -> Case:
    return Case("de-DE", SUNDAY, 4, 100, actual, p50, p85, last=30, mean=28)


def test_the_score_counts_days_kept_and_how_late_the_p50_was() -> None:
    found = score([case(20, 24, 30), case(32, 24, 30), case(28, 26, 30), case(None, None, None)])
    assert found is not None
    assert (found.n, found.within_p50, found.within_p85) == (4, 0.5, 0.75)
    assert found.bias == -2
    assert found.error == pytest.approx((4 + 8 + 2) / 3)


def test_without_a_past_there_is_no_case_and_no_score() -> None:
    assert backtest([], STAFF, SUNDAY) == []
    assert score([]) is None
