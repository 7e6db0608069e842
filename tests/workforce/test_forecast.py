"""Forecasts: weeks drawn as they were, days by the calendar, paths billed as invoices would be."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schema import QuestionKind
from tests.workforce.staff import budget, contract, euros, order, vendor, workforce
from workforce import ExchangeRate, Money, Spent, Work, Workforce, WorkforceError
from workforce.billing.charges import Done, charges, minimums
from workforce.foresight.billed_ahead import BilledAhead, Which
from workforce.foresight.forecast import Forecast, forecast
from workforce.foresight.resampling import draws
from workforce.foresight.scenarios import Practice, Scenario
from workforce.foresight.simulation import Paths, segments, simulated
from workforce.foresight.throughput import ANSWERS, LABELS, Calendars, streams

SUNDAY = dt.date(2026, 8, 30)
A_DAY = dt.timedelta(days=1)
VERIFY = QuestionKind.VERIFY
LABOR_DAY = dt.date(2026, 9, 7)
PLAIN = vendor(country="US")


def day(on: dt.date, n: int = 100, vendor: str = "vendor-a", locale: str = "de-DE") -> Done:
    """Answers of a day; each takes half a minute and brings two labels."""
    return Done(vendor, on, Work(locale, VERIFY, n, 0, 30 * n, 2 * n))


def working_days(n_weeks: int, until: dt.date = SUNDAY) -> list[dt.date]:
    days = [until - k * A_DAY for k in range(7 * n_weeks)]
    return [each for each in sorted(days) if each.weekday() < 5]


def steady(n_weeks: int = 8, **changes: Any) -> list[Done]:
    """The same every day that the calendar of `PLAIN` has."""
    return [day(on, **changes) for on in working_days(n_weeks) if on != dt.date(2026, 7, 3)]


def told(
    done: list[Done], staff: Workforce, needed: Mapping[str, int | None], **changes: Any
) -> Forecast:
    usual: dict[str, Any] = {"as_of": SUNDAY, "currency": "EUR", "n_paths": 200, "n_weeks": 30}
    return forecast(done, staff, needed, **{**usual, **changes})


def test_a_week_with_a_holiday_is_a_short_week_and_not_a_slow_one() -> None:
    staff = workforce(vendor(country="US"))
    sunday = LABOR_DAY + 6 * A_DAY
    done = [day(on) for on in working_days(2, sunday) if on != LABOR_DAY]
    [stream] = streams(done, staff, sunday)
    assert stream.per_day[:, ANSWERS].tolist() == [100.0, 100.0]


def test_weeks_without_work_are_zeros_and_what_comes_later_is_not_seen() -> None:
    first, last = working_days(3)[:5], working_days(3)[10:]
    staff = workforce(PLAIN)
    [stream] = streams([day(on) for on in (*first, *last)], staff, SUNDAY)
    assert stream.per_day[:, LABELS].tolist() == [200.0, 0.0, 200.0]
    [then] = streams([day(on) for on in (*first, *last)], staff, SUNDAY - 7 * A_DAY)
    assert then.per_day[:, LABELS].tolist() == [200.0, 0.0]


def test_paths_are_as_long_as_the_past_tells_and_the_same_each_time() -> None:
    staff = workforce(PLAIN, contract())
    assert told(steady(), staff, {"de-DE": 3000}) == told(steady(), staff, {"de-DE": 3000})
    [ahead] = told(steady(), staff, {"de-DE": 3000}).locales
    # 15 working days from Monday on, one of them a holiday, then one more.
    assert ahead.done_p50 is not None
    assert abs((ahead.done_p50 - dt.date(2026, 9, 21)).days) <= 2
    assert ahead.done_p85 is not None
    assert ahead.done_p50 <= ahead.done_p85


def test_what_is_done_already_is_done_today_and_costs_nothing() -> None:
    [ahead] = told(steady(), workforce(PLAIN, contract()), {"de-DE": 0}).locales
    assert (ahead.done_p50, ahead.done_p85) == (SUNDAY, SUNDAY)
    assert ahead.spend_p85 == euros("0")


def test_a_locale_that_nobody_works_on_is_never_done() -> None:
    [ahead] = told([], workforce(PLAIN, contract()), {"de-DE": 10}).locales
    assert (ahead.done_p50, ahead.done_p85) == (None, None)


def test_more_doubt_moves_the_p85_and_hardly_the_p50() -> None:
    staff = workforce(PLAIN, contract())
    generator = np.random.default_rng(0)
    days = working_days(30)
    shaky = [
        day(on, int(n)) for on, n in zip(days, generator.gamma(1, 100, len(days)), strict=True)
    ]
    [calm] = told([day(on) for on in days], staff, {"de-DE": 8000}).locales
    [doubtful] = told(shaky, staff, {"de-DE": 8000}).locales
    assert calm.done_p50 is not None
    assert calm.done_p85 is not None
    assert doubtful.done_p50 is not None
    assert doubtful.done_p85 is not None
    assert doubtful.done_p85 - doubtful.done_p50 > calm.done_p85 - calm.done_p50


RATES = st.sampled_from(
    [
        [{"unit": "question", "price": "0.37", "tiers": [{"above": 900, "price": "0.21"}]}],
        [{"unit": "hour", "price": "27.5"}, {"unit": "label", "price": "0.013"}],
        [{"unit": "label", "price": "0.2", "locales": ["de-DE"]}],
    ]
)


@settings(max_examples=15)
@given(first=RATES, second=RATES, minimum=st.sampled_from(["0", "333.33", "5000"]))
def test_each_path_is_billed_as_its_invoices_would_be(
    first: list[dict[str, Any]], second: list[dict[str, Any]], minimum: str
) -> None:
    """The path as work done day by day costs what the forecast says of it."""
    change = dt.date(2026, 10, 10)
    staff = workforce(
        vendor(locales={"de-DE": {}, "sv-SE": {}}),
        contract(rates=first, minimum_per_month=minimum),
        contract(rates=second, version=2, starts=change, minimum_per_month=minimum),
    )
    done = [*steady(9), *steady(5, n=30, locale="sv-SE")]
    ahead = segments(SUNDAY, 17, {change})
    known = streams(done, staff, SUNDAY)
    none = {"de-DE": None, "sv-SE": 2000}
    paths = simulated(known, none, Calendars(staff), ahead, SUNDAY, 20)
    bills = BilledAhead(paths, done, staff, SUNDAY, "EUR")
    for path in (0, 19):
        exactly = bills.exactly(path, Which(), "EUR")
        assert exactly.rounded() == invoiced(paths, path, done, staff).rounded()
        about = float(bills.about(Which()).sum(axis=1)[path])
        assert about == pytest.approx(float(exactly.amount))


def invoiced(paths: Paths, path: int, done: list[Done], staff: Workforce) -> Money:
    """What `workforce.billing.charges` makes of a path after the work so far."""
    future = [
        Done(
            stream.vendor,
            segment.first,
            Work(stream.locale, stream.kind, int(answers), 0, int(seconds), int(labels)),
        )
        for row, stream in enumerate(paths.streams)
        for place, segment in enumerate(paths.segments)
        for answers, seconds, labels in [paths.units[row, path, place]]
    ]
    month = [each for each in done if each.on >= SUNDAY.replace(day=1)]
    charged = charges(staff, [*month, *future])
    sums = [each.money for each in charged if each.on > SUNDAY]
    owed = minimums(staff, charged, SUNDAY.replace(day=1), paths.segments[-1].last)
    return sum((*sums, *(each.owed for each in owed)), euros("0"))


def test_an_order_runs_out_when_the_bills_have_used_what_is_left_of_it() -> None:
    staff = workforce(PLAIN, contract(), order("2000"), budget("9000"))
    found = told(steady(), staff, {"de-DE": None}, spent=Spent({"of vendor-a": euros("1500")}))
    [run_out] = found.orders
    # EUR 50 on each working day: EUR 500 last for ten of them, with one holiday.
    assert run_out.p50 is not None
    assert abs((run_out.p50 - dt.date(2026, 9, 14)).days) <= 2
    assert run_out.p85 is not None


def test_an_order_that_lasts_does_not_run_out() -> None:
    staff = workforce(PLAIN, contract(), order("90000"))
    [run_out] = told(steady(), staff, {"de-DE": None}).orders
    assert (run_out.p50, run_out.p85) == (None, None)


def test_the_order_that_ends_first_pays_first() -> None:
    soon = order("500", number="soon", ends=dt.date(2026, 11, 30))
    late = order("90000", number="late")
    found = told(steady(), workforce(PLAIN, contract(), soon, late), {"de-DE": None})
    p50 = {each.number: each.p50 for each in found.orders}
    assert p50["soon"] is not None
    assert p50["late"] is None


def test_a_budget_pays_for_its_locales_and_days_in_its_currency() -> None:
    rate = ExchangeRate.model_validate({"of": "EUR", "into": "SEK", "on": SUNDAY, "rate": "11"})
    small = budget("10", ends=dt.date(2026, 9, 6), currency="SEK", locales=["de-DE"])
    staff = workforce(
        vendor(locales={"de-DE": {}, "sv-SE": {}}, country="US"), contract(), rate, small
    )
    done = [*steady(), *steady(locale="sv-SE")]
    spent = Spent(budgets={"2026": replace(euros("7"), currency="SEK")})
    [at] = told(done, staff, {"de-DE": None, "sv-SE": None}, spent=spent).budgets
    # Five days of EUR 50 at SEK 11, about, and what was spent.
    assert at.p50.currency == "SEK"
    assert 7 + 250 * 11 * 0.9 < float(at.p50.amount) < 7 + 250 * 11 * 1.1


def test_a_missing_exchange_rate_is_said() -> None:
    staff = workforce(PLAIN, contract(currency="SEK"))
    with pytest.raises(WorkforceError, match="exchange rate"):
        told(steady(), staff, {"de-DE": None})


def test_twice_the_votes_take_twice_the_time_and_money() -> None:
    staff = workforce(PLAIN, contract())
    today = Practice()
    twice = Scenario.parsed("overlap=2", today)
    [now] = told(steady(), staff, {"de-DE": 4000}).locales
    [then] = told(steady(), staff, {"de-DE": 4000}, scenario=twice).locales
    assert then.spend_p50.amount == pytest.approx(2 * now.spend_p50.amount, rel=Decimal("0.01"))
    assert now.done_p50 is not None
    assert then.done_p50 is not None
    assert 1.8 < (then.done_p50 - SUNDAY).days / (now.done_p50 - SUNDAY).days < 2.2


def test_gold_and_rework_cost_and_a_stronger_model_saves() -> None:
    staff = workforce(PLAIN, contract())
    today = Practice(gold=0.05)
    names = ("questions=0.5", "gold=0.05", "gold=0.2", "gold=0.2,rework=0.3")
    spends = [
        told(steady(), staff, {"de-DE": 4000}, scenario=Scenario.parsed(name, today))
        .locales[0]
        .spend_p50.amount
        for name in names
    ]
    assert all(one < other for one, other in pairwise(spends))


def test_another_vendor_works_by_its_own_hours_pace_and_prices() -> None:
    other = vendor("vendor-b", paid_hours_per_day=16, country="US")
    dear = contract("vendor-b", rates=[{"unit": "question", "price": "1.00"}])
    staff = workforce(PLAIN, contract(), other, dear)
    instead = Scenario.parsed("vendor-a=vendor-b", Practice())
    [now] = told(steady(), staff, {"de-DE": 6000}).locales
    [then] = told(steady(), staff, {"de-DE": 6000}, scenario=instead).locales
    assert then.spend_p50.amount == pytest.approx(2 * now.spend_p50.amount, rel=Decimal("0.01"))
    assert now.done_p50 is not None
    assert then.done_p50 is not None
    assert then.done_p50 < now.done_p50


@pytest.mark.parametrize("text", ["overlap", "overlap=two", "gold=1", "overlap=0.5", "vendor-a=x"])
def test_a_scenario_that_cannot_be_says_why(text: str) -> None:
    with pytest.raises(WorkforceError):
        told(steady(), workforce(PLAIN), {"de-DE": 10}, scenario=Scenario.parsed(text, Practice()))


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 40))
def test_weeks_ahead_are_weeks_that_were_at_another_level(history: list[float], n: int) -> None:
    per_day = np.array(history)
    drawn = draws(per_day, n, 20, np.random.default_rng(0))
    assert drawn.age.shape == drawn.level.shape == (20, n)
    assert drawn.age.min() >= 0
    assert drawn.age.max() < len(per_day)
    like = drawn.of(per_day) / drawn.level
    assert np.allclose(like, per_day[::-1][drawn.age])


def test_weeks_that_resemble_their_neighbours_are_drawn_in_a_row() -> None:
    alike = np.repeat([1.0, 9.0, 2.0, 8.0], 8)
    chance = np.random.default_rng(3).normal(5, 1, 32)
    in_a_row = [
        np.mean(np.diff(draws(each, 24, 200, np.random.default_rng(0)).age, axis=1) == -1)
        for each in (alike, chance)
    ]
    assert in_a_row[0] > 0.5 > 0.2 > in_a_row[1]
