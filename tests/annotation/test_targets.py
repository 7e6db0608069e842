"""Asking goes on while something is missing, affordable and to be gained."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.certificate import Interval
from annotation.frontier import Crew, chosen, frontier
from annotation.targets import Forecast, Point, Step, Targets, advise, forecast, kept, next_point

TODAY = dt.date(2026, 11, 20)
PLAN = [Step(0.02, 60.0), Step(0.01, 60.0), Step(0.005, 60.0)]
EUR = Targets(currency="EUR", price_per_hour=Decimal("36.00"))


def point(recall: float, *, seconds: float = 3600.0, promised: float = 0.0) -> Point:
    sure = Interval(recall, recall - 0.02, min(recall + 0.02, 1.0))
    return Point(
        seconds, EUR.price(seconds), TODAY, Interval(0.995, 0.99, 1.0), sure, sure, promised
    )


@pytest.mark.parametrize(
    ("targets", "plan", "why"),
    [
        ({"precision_at_least": 0.99, "recall_at_least": 0.88}, PLAN, "is enough"),
        ({"date": TODAY}, PLAN, "2026-11-20 has come"),
        ({"seconds": 3630}, PLAN, "1.0 hours of the 1.0 hours of work are spent"),
        ({"budget": "36.30", "currency": "EUR"}, PLAN, "36.00 of 36.30 EUR are spent"),
        ({}, [], "no question left"),
    ],
)
def test_it_stops_when_enough_is_reached_spent_or_asked(
    targets: dict[str, object], plan: list[Step], why: str
) -> None:
    price = {"price_per_hour": "36.00", "currency": "EUR"}
    advice = advise(Targets.model_validate(price | targets), [point(0.9)], plan, TODAY)
    assert not advice.go_on
    assert why in advice.why


def test_it_goes_on_while_the_low_end_is_too_low() -> None:
    advice = advise(Targets(recall_at_least=0.9), [point(0.91)], PLAN, TODAY)
    assert advice.go_on
    assert advice.why == "Go on: recall is only known to be at least 89.0%, and 90.0% is wanted."


def test_recall_within_reach_is_not_enough() -> None:
    far = replace(point(0.97), recall_of_all=Interval(0.8, 0.5, 0.97))
    assert advise(Targets(recall_at_least=0.9), [far], PLAN, TODAY).go_on


def test_before_the_first_certificate_nothing_is_known_to_be_reached() -> None:
    assert advise(Targets(precision_at_least=0.5), [], PLAN, TODAY).go_on


def test_the_next_point_costs_what_the_plan_takes_to_gain_it() -> None:
    price = next_point(EUR, [point(0.9)], PLAN)
    assert price is not None
    assert (price.seconds, price.money) == (60.0, Decimal("0.60"))
    assert next_point(EUR, [point(0.9)], PLAN[2:]) is None


def test_promises_that_were_not_kept_make_the_next_point_dearer() -> None:
    history = [point(0.5), point(0.6, promised=0.4), point(0.7, promised=0.4)]
    assert 0.2 / 0.8 < kept(history) < 0.4
    later = next_point(EUR, history, PLAN)
    assert later is not None
    assert later.seconds == 180.0
    assert forecast(history, PLAN)[-1].recall < 0.7 + 0.035


def test_money_needs_a_currency() -> None:
    with pytest.raises(ValueError, match="give the currency"):
        Targets(budget=Decimal(1))


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1)), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=3),
)
def test_no_choice_on_the_frontier_is_dominated_and_every_other_is(
    found: list[tuple[float, float]], crews: list[tuple[int, int]]
) -> None:
    forecasts = [Forecast(seconds, recall) for seconds, recall in found]
    people = [Crew(str(n), 1000.0 * a, Decimal(p)) for n, (a, p) in enumerate(crews)]
    best = frontier(forecasts, people)
    every = [choice for f in forecasts for crew in people for choice in frontier([f], [crew])]
    for one in every:
        assert any(
            b.recall >= one.recall and b.days <= one.days and b.cost <= one.cost for b in best
        )
    for one in best:
        assert not any(
            (b.recall >= one.recall and b.days <= one.days and b.cost <= one.cost)
            and (b.recall, b.days, b.cost) != (one.recall, one.days, one.cost)
            for b in best
        )


def test_the_cheapest_choice_that_is_enough_is_chosen() -> None:
    forecasts = [Forecast(0, 0.5), Forecast(3600, 0.8), Forecast(7200, 0.9)]
    choices = frontier(forecasts, [Crew("as now", 3600, Decimal(10))])
    enough, best = chosen(choices, 0.75), chosen(choices, 0.99)
    assert enough is not None
    assert best is not None
    assert (enough.recall, enough.cost, enough.days) == (0.8, Decimal(10), 1.0)
    assert best.recall == 0.9
    assert chosen([], 0.5) is None
