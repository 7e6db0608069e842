"""Mixes of vendors: what each gives, and those that no other beats."""

import datetime as dt
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import QuestionKind
from tests.workforce.staff import contract, euros, vendor, workforce
from workforce import Quality
from workforce.foresight.tradeoffs import Able, Mix, Task, efficient, mixes

SUNDAY = dt.date(2026, 8, 2)
TASK = Task("de-DE", QuestionKind.VERIFY, 1000, SUNDAY)
GOOD = Able("vendor-a", 0.5, 144.0, Quality(980, 1000))
CHEAP = Able("vendor-b", 0.5, 72.0, Quality(900, 1000))
DEAR = contract("vendor-a", rates=[{"unit": "label", "price": "0.30"}])
LOW = contract("vendor-b", rates=[{"unit": "question", "price": "0.20"}])
STAFF = workforce(vendor("vendor-a"), vendor("vendor-b"), DEAR, LOW)


def test_each_mix_costs_lasts_and_errs_by_the_shares_of_its_vendors() -> None:
    found = {tuple(each.shares.items()): each for each in mixes(TASK, [GOOD, CHEAP], STAFF, "EUR")}
    assert len(found) == 11
    # 200 labels a day of eight hours, so a week; 400 of the other.
    alone = found[(("vendor-a", 100),)]
    assert (alone.cost, alone.done) == (euros("300.00"), dt.date(2026, 8, 7))
    other = found[(("vendor-b", 100),)]
    assert (other.cost.rounded(), other.done) == (euros("100.00"), dt.date(2026, 8, 5))
    both = found[("vendor-a", 50), ("vendor-b", 50)]
    assert both.cost.rounded() == euros("200.00")
    assert both.done == dt.date(2026, 8, 5)
    assert both.quality == pytest.approx(0.94)


def test_tiers_are_reached_by_what_a_month_brings() -> None:
    rates = [{"unit": "label", "price": "0.30", "tiers": [{"above": 500, "price": "0.10"}]}]
    staff = workforce(vendor("vendor-a"), contract("vendor-a", rates=rates))
    [found] = mixes(TASK, [GOOD], staff, "EUR")
    assert found.cost == euros("200.00")


def test_a_vendor_whose_contract_ends_before_its_share_is_done_does_not_get_it() -> None:
    short = contract("vendor-b", rates=[{"unit": "question", "price": "0.20"}], ends="2026-08-03")
    staff = workforce(vendor("vendor-a"), vendor("vendor-b"), DEAR, short)
    shares = [each.shares.get("vendor-b", 0) for each in mixes(TASK, [GOOD, CHEAP], staff, "EUR")]
    assert max(shares) == 40


def test_what_was_never_measured_is_not_shown_to_be_good() -> None:
    unknown = Able("vendor-a", 0.5, 144.0, Quality())
    [found] = mixes(TASK, [unknown], STAFF, "EUR")
    assert (found.quality, found.quality_low) == (None, 0.0)


def mix(low: int, day: int, cost: int) -> Mix:
    return Mix({}, None, low / 10, SUNDAY + dt.timedelta(days=day), euros(str(Decimal(cost))))


@given(st.lists(st.builds(mix, *[st.integers(0, 4)] * 3), max_size=30))
def test_the_frontier_is_what_no_other_mix_beats(found: list[Mix]) -> None:
    best = efficient(found)
    for one, other in product(best, found):
        better = (
            other.quality_low >= one.quality_low
            and other.done <= one.done
            and other.cost <= one.cost
            and (other.quality_low, other.done, other.cost) != (one.quality_low, one.done, one.cost)
        )
        assert not better
    places = {(each.quality_low, each.done, each.cost) for each in best}
    for other in found:
        assert any(
            low >= other.quality_low and day <= other.done and cost <= other.cost
            for low, day, cost in places
        )
