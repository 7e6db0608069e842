"""What a period cost follows from its days, the versions of contracts, invoices and orders."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.workforce.staff import budget, contract, euros, order, vendor, workforce
from tests.workforce.test_matching import done, invoice, line
from workforce import ExchangeRate, Money
from workforce.billing.charges import charges
from workforce.billing.credits import credits
from workforce.billing.statement import Statement, statement
from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import FiscalCalendar, Period

FISCAL = FiscalCalendar()
OCTOBER = FISCAL.period("2026-10")
TODAY = dt.date(2026, 11, 16)
LEVEL = {"at_least": "0.95", "step": "0.01", "credit": "0.02", "credit_at_most": "0.10"}


def of_october(*records: Any, work: Any = ()) -> Statement:
    return statement(workforce(vendor(), *records), work, OCTOBER, TODAY)


def test_a_line_says_what_one_kind_of_work_in_one_locale_cost() -> None:
    work = [done(60, n_labels=50), done(40, 9, seconds=7200)]
    [found] = of_october(contract(), work=work).spend("vendor-a")
    assert (found.locale, found.kind) == ("de-DE", "verify")
    assert (found.n_answers, found.n_labels) == (100, 50)
    assert (found.hours, found.agreed) == (Decimal(2), euros("50.00"))


def test_a_period_without_work_has_no_lines_and_costs_nothing() -> None:
    found = of_october(contract())
    assert found.spend("vendor-a") == ()
    assert found.cost(Cell(OCTOBER), "EUR") == euros("0")


def test_a_month_of_little_work_costs_its_minimum() -> None:
    found = of_october(contract(minimum_per_month="80"), work=[done(100)])
    assert [each.agreed for each in found.spend("vendor-a")] == [euros("30.00"), euros("50.00")]
    assert found.cost(Cell(OCTOBER, vendor="vendor-a"), "EUR") == euros("80.00")
    assert found.cost(Cell(OCTOBER, locale="de-DE"), "EUR") == euros("50.00")


def test_a_leap_day_is_a_day_of_its_month() -> None:
    """A contract that ends with the first half of February 2028 is owed 14 of 29 days."""
    staff = workforce(
        vendor(), contract(starts="2028-01-01", ends="2028-02-14", minimum_per_month="290")
    )
    february = FISCAL.period("2028-02")
    [line_of] = statement(staff, [], february, dt.date(2028, 3, 1)).spend("vendor-a")
    assert line_of.agreed == euros("140.00")
    whole = workforce(vendor(), contract(starts="2028-02-29", ends="2028-02-29"))
    on_that_day = replace(done(10), on=dt.date(2028, 2, 29))
    found = statement(whole, [on_that_day], february, dt.date(2028, 3, 1))
    assert found.cost(Cell(february), "EUR") == euros("5.00")


def test_a_minimum_of_a_month_that_is_not_over_is_not_owed_yet() -> None:
    staff = workforce(vendor(), contract(minimum_per_month="80"))
    assert statement(staff, [], OCTOBER, dt.date(2026, 10, 30)).minimums[-1].month.month == 9


def test_work_that_nobody_agreed_on_is_listed_and_costs_nothing() -> None:
    found = of_october(
        contract(rates=[{"unit": "question", "price": 1, "kinds": ["merge"]}]), work=[done(7)]
    )
    assert found.charged == ()
    assert [each.work.n_questions for each in found.unagreed] == [7]


def test_what_is_billed_beyond_the_contract_is_a_cost_until_it_is_credited() -> None:
    dear = invoice(line("100", "0.60", locale="de-DE", kind="verify"))
    note = invoice(line("1", "-10", locale="de-DE", kind="verify"), number="2", issued="2026-11-09")
    cell = Cell(OCTOBER, locale="de-DE")
    assert of_october(contract(), dear, work=[done(100)]).cost(cell, "EUR") == euros("60.00")
    assert of_october(contract(), dear, note, work=[done(100)]).cost(cell, "EUR") == euros("50.00")


def test_vendors_of_two_currencies_are_added_at_the_rate_of_each_day() -> None:
    rates = [
        ExchangeRate(of="EUR", into="JPY", on=dt.date(2026, 10, day), rate=Decimal(rate))
        for day, rate in ((1, "160"), (10, "200"))
    ]
    yen = contract(currency="JPY", rates=[{"unit": "question", "price": "80"}])
    found = of_october(yen, *rates, work=[done(10, 9), done(10, 10)])
    assert found.cost(Cell(OCTOBER), "EUR") == euros("9")
    assert found.cost(Cell(OCTOBER), "JPY") == Money(Decimal(1600), "JPY")


def test_an_order_burns_down_by_what_is_invoiced_and_what_accrues() -> None:
    sent = invoice(line("60", "0.50"), order="of vendor-a")
    [found] = of_october(contract(), order("100"), sent, work=[done(100)]).orders("vendor-a")
    assert (found.invoiced, found.accrued, found.left) == (
        euros("30.00"),
        euros("20.00"),
        euros("50.00"),
    )


def test_a_budget_earns_by_the_labels_that_were_accepted() -> None:
    planned = budget("200", labels=400)
    [found] = of_october(contract(), planned, work=[done(100, n_labels=50)]).budgets()
    assert (found.actual, found.earned) == (euros("50.00"), euros("25.00"))
    assert found.estimate_as_planned == euros("225.00")
    assert found.estimate_as_so_far == euros("400.00")
    [spent] = of_october(contract(), budget("200"), work=[done(100)]).budgets()
    assert spent.earned == spent.actual


@given(st.lists(st.tuples(st.integers(1, 31), st.integers(1, 90)), max_size=8))
def test_the_lines_of_a_vendor_make_up_what_it_cost(days: list[tuple[int, int]]) -> None:
    second = contract(version=2, starts="2026-10-16", rates=[{"unit": "question", "price": "0.37"}])
    found = of_october(contract(), second, work=[done(n, day) for day, n in days])
    lines = sum((each.agreed.amount for each in found.spend("vendor-a")), Decimal(0))
    assert lines == found.cost(Cell(OCTOBER), "EUR").amount
    assert lines == sum(n * Decimal("0.50" if day < 16 else "0.37") for day, n in days)


def figure(value: float, n: int = 100, locale: str = "de-DE", period: Period = OCTOBER) -> Figure:
    return Figure(Metric.SLA_ATTAINMENT, Cell(period, "vendor-a", locale, "verify"), value, n)


def owed(level: dict[str, Any], *figures: Figure, **changes: Any) -> list[Money]:
    staff = workforce(vendor(), contract(levels=[{**LEVEL, **level}], **changes))
    found = credits(staff, charges(staff, [done(100)]), figures, OCTOBER)
    return [each.amount for each in found]


def test_each_step_that_is_begun_below_a_level_is_a_credit_up_to_the_cap() -> None:
    assert owed({}, figure(0.95)) == []
    assert owed({}, figure(0.9499)) == [euros("1.00")]
    assert owed({}, figure(0.94)) == [euros("1.00")]
    assert owed({}, figure(0.93)) == [euros("2.00")]
    assert owed({}, figure(0.10)) == [euros("5.00")]


def test_a_level_is_judged_on_all_that_it_is_about_together() -> None:
    assert owed({}, figure(0.80, 100), figure(0.97, 300, "sv-SE")) == [euros("3.00")]
    assert owed({"locales": ["sv-SE"]}, figure(0.5), figure(0.97, 300, "sv-SE")) == []


def test_a_penalty_is_due_besides_and_too_little_is_not_judged() -> None:
    assert owed({"penalty": "250"}, figure(0.94)) == [euros("251.00")]
    assert owed({"judged_from": 101}, figure(0.10)) == []
    assert owed({}, figure(0.10, period=FISCAL.period("2026-09"))) == []


def test_less_of_what_is_bad_is_agreed_as_at_most() -> None:
    level = {"metric": "defect_rate", "at_least": None, "at_most": "0.02"}
    worse = Figure(Metric.DEFECT_RATE, Cell(OCTOBER, "vendor-a", "de-DE", "verify"), 0.035, 200)
    assert owed(level, worse) == [euros("2.00")]
