"""What was done is billed month by month, and paid from the orders and budgets of its day."""

import datetime as dt

from catalog.schema import QuestionKind
from tests.workforce.staff import budget, contract, euros, order, vendor, workforce
from workforce import Work
from workforce.billing.charges import Done
from workforce.billing.spent import spent_on

TODAY = dt.date(2026, 11, 16)


def done(n_questions: int, on: dt.date = TODAY, locale: str = "de-DE") -> Done:
    return Done("vendor-a", on, Work(locale, QuestionKind.VERIFY, n_questions, 0, 0, 0))


def test_answers_are_paid_from_the_order_that_ends_first_and_from_each_budget() -> None:
    soon = order("100", number="soon", ends=dt.date(2026, 11, 30))
    found = spent_on(
        workforce(vendor(), contract(), order("100"), soon, budget("500")), [done(10)], TODAY
    )
    assert found.orders == {"soon": euros("5.00")}
    assert found.budgets == {"2026": euros("5.00")}
    assert found.month == {"vendor-a": euros("5.00")}


def test_an_earlier_month_is_billed_by_itself_and_is_not_of_this_months_minimum() -> None:
    rates = ({"unit": "question", "price": "0.50", "tiers": [{"above": 10, "price": "0.10"}]},)
    staff = workforce(vendor(), contract(rates=rates), order("100"))
    october = dt.date(2026, 10, 30)
    found = spent_on(staff, [done(10, october), done(10)], TODAY)
    assert found.orders == {"of vendor-a": euros("10.00")}
    assert found.month == {"vendor-a": euros("5.00")}
    together = spent_on(staff, [done(10), done(10)], TODAY)
    assert together.month == {"vendor-a": euros("6.00")}


def test_what_no_contract_is_for_is_not_billed() -> None:
    staff = workforce(vendor(), contract(), order("100"))
    assert spent_on(staff, [done(10, dt.date(2025, 6, 1))], TODAY).orders == {}
