"""A bill charges what the rate card says, unit by unit."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import QuestionKind
from tests.workforce.staff import contract, euros
from workforce import Rate, Work, WorkforceError, bill, cost
from workforce.billing.rates import graduated, list_price, total

TIERED = Rate.model_validate(
    {
        "unit": "question",
        "price": "0.12",
        "tiers": [{"above": 10, "price": "0.10"}, {"above": 25, "price": "0.07"}],
    }
)
DAY = dt.date(2026, 11, 16)


def work(n_questions: int = 100, **changes: Any) -> Work:
    usual = {
        "locale": "de-DE",
        "kind": QuestionKind.VERIFY,
        "n_questions": n_questions,
        "n_pictures": 20.0 * n_questions,
        "seconds": 36.0 * n_questions,
        "n_labels": 18.0 * n_questions,
    }
    return Work(**{**usual, **changes})


def test_every_rate_that_holds_is_charged() -> None:
    rates = [
        {"unit": "hour", "price": "20"},
        {"unit": "question", "price": "0.10", "kinds": ["verify"]},
        {"unit": "question", "price": "9", "kinds": ["split"]},
        {"unit": "label", "price": "0.01", "locales": ["de-DE"]},
        {"unit": "label", "price": "9", "locales": ["ja-JP"]},
    ]
    assert cost(contract(rates=rates), work(), DAY) == euros("48.00")


@given(n=st.integers(0, 60))
def test_each_question_costs_the_price_of_its_place(n: int) -> None:
    prices = [("0.12" if i < 10 else "0.10" if i < 25 else "0.07") for i in range(n)]
    assert graduated(TIERED, Decimal(n)) == sum(map(Decimal, prices))


@given(parts=st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_a_bill_is_as_high_however_the_work_is_divided(parts: list[int]) -> None:
    agreed = contract(rates=[TIERED, {"unit": "hour", "price": "19.99"}])
    divided = total(bill(agreed, [work(n) for n in parts]), "EUR")
    whole = total(bill(agreed, [work(sum(parts))]), "EUR")
    assert divided.rounded() == whole.rounded()


@given(n=st.integers(1, 60), rush=st.booleans())
def test_no_bill_is_above_the_list_price(n: int, rush: bool) -> None:
    agreed = contract(rates=[TIERED], rush={"working_days": 1, "factor": "1.5"})
    asked = work(n, rush=rush)
    assert cost(agreed, asked, DAY) <= list_price(agreed, asked)


def test_a_rush_costs_its_factor() -> None:
    agreed = contract(rush={"working_days": 1, "factor": "1.5"})
    assert cost(agreed, work(rush=True), DAY) == cost(agreed, work(), DAY) * Decimal("1.5")


@pytest.mark.parametrize(
    ("asked", "on", "said"),
    [
        (work(kind=QuestionKind.SPLIT), DAY, "no rate for split in de-DE"),
        (work(), dt.date(2027, 1, 1), "not in force on 2027-01-01"),
        (work(rush=True), DAY, "has no `rush`"),
    ],
)
def test_what_was_not_agreed_has_no_price(asked: Work, on: dt.date, said: str) -> None:
    rates = [{"unit": "question", "price": "0.10", "kinds": ["verify"]}]
    with pytest.raises(WorkforceError, match=said):
        cost(contract(rates=rates), asked, on)
