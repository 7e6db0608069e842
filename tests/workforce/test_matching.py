"""Each line of an invoice is beside the work that it bills, with the reason why they differ."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import workforce as package
from catalog.schema import QuestionKind
from tests.workforce.staff import contract, euros, order, vendor, workforce
from workforce import ExchangeRate, Work
from workforce.billing.charges import Done, charges
from workforce.billing.matching import match, matched
from workforce.money import Money
from workforce.records import Workforce
from workforce.records.invoices import Invoice
from workforce.reviews.review import InvoiceLine

OCTOBER = {"starts": "2026-10-01", "ends": "2026-10-31"}
END = dt.date(2026, 10, 31)
TIERED = ({"unit": "question", "price": "0.50", "tiers": [{"above": 100, "price": "0.40"}]},)


def done(n: int, day: int = 5, **changes: Any) -> Done:
    usual = {
        "locale": "de-DE",
        "kind": QuestionKind.VERIFY,
        "n_questions": n,
        "n_pictures": 0,
        "seconds": 0,
        "n_labels": 0,
    }
    return Done("vendor-a", dt.date(2026, 10, day), Work(**{**usual, **changes}))


def line(quantity: str, price: str, amount: str | None = None, **changes: Any) -> dict[str, Any]:
    right = str(Decimal(quantity) * Decimal(price))
    usual = {"unit": "question", "quantity": quantity, "price": price, "amount": amount or right}
    return {**usual, **changes}


def invoice(*lines: dict[str, Any], number: str = "1", **changes: Any) -> Invoice:
    total = sum((Decimal(each["amount"]) for each in lines), Decimal(0))
    usual = {"number": number, "vendor": "vendor-a", "issued": "2026-11-02", "currency": "EUR"}
    return Invoice.model_validate({**usual, **OCTOBER, "items": lines, "total": total, **changes})


def only(sent: Invoice, staff: Workforce, *work: Done) -> InvoiceLine:
    [found] = match(sent, staff, work)
    return found


STAFF = workforce(vendor(), contract())


def test_a_line_that_bills_what_was_done_as_agreed_agrees() -> None:
    found = only(invoice(line("100", "0.50")), STAFF, done(60), done(40, 6))
    assert (found.agreed, found.variance, found.why.key) == (
        euros("50.00"),
        euros("0.00"),
        "invoice.agrees",
    )


@pytest.mark.parametrize(
    ("sent", "agreed", "why"),
    [
        (line("100", "0.55"), "50.00", "invoice.price"),
        (line("100", "0.45"), "50.00", "invoice.below"),
        (line("130", "0.50"), "50.00", "invoice.quantity"),
        (line("100", "0.50", "60.00"), "50.00", "invoice.arithmetic"),
        (line("100", "0.50", "50.01"), "50.00", "invoice.rounding"),
        (line("2", "20", unit="hour"), "0.00", "invoice.no_rate"),
        (line("1", "20", unit="other"), "0.00", "invoice.no_rate"),
        (line("10", "0.50", locale="ja-JP"), "0.00", "invoice.quantity"),
        (line("1", "-9"), "0.00", "invoice.credit_unexplained"),
    ],
)
def test_a_line_that_differs_says_why(sent: dict[str, Any], agreed: str, why: str) -> None:
    found = only(invoice(sent), STAFF, done(100))
    assert (found.agreed, found.why.key) == (euros(agreed), why)


def test_a_tier_that_was_not_granted_is_found() -> None:
    staff = workforce(vendor(), contract(rates=TIERED))
    first, second = match(invoice(line("100", "0.50"), line("50", "0.50")), staff, [done(150)])
    assert first.why.key == "invoice.agrees"
    assert (second.variance, second.why.key) == (euros("5.00"), "invoice.tier")


@given(
    places=st.lists(st.tuples(st.integers(1, 28), st.integers(1, 80)), min_size=1, max_size=6),
    order_of_lines=st.randoms(use_true_random=False),
)
def test_however_a_vendor_lists_a_month_it_costs_what_was_agreed(
    places: list[tuple[int, int]], order_of_lines: Any
) -> None:
    """Its lines, one for each locale, may reach the tiers in any order."""
    staff = workforce(vendor(), contract(rates=TIERED))
    locales = ["de-DE", "sv-SE", "en-US"]
    work = [done(n, day, locale=locales[i % 3]) for i, (day, n) in enumerate(places)]
    counts = {
        locale: sum(each.work.n_questions for each in work if each.work.locale == locale)
        for locale in locales
    }
    billed, so_far = [], 0
    for locale in order_of_lines.sample(locales, 3):
        if counts[locale]:
            upto = so_far + counts[locale]
            amount = _tiered(upto) - _tiered(so_far)
            price = str(amount / counts[locale])
            line_of = line(str(counts[locale]), price[:12], str(amount), locale=locale)
            billed.append(line_of)
            so_far = upto
    found = match(invoice(*billed), staff, work)
    assert {each.why.key for each in found} == {"invoice.agrees"}


def _tiered(n: int) -> Decimal:
    return min(n, 100) * Decimal("0.50") + max(n - 100, 0) * Decimal("0.40")


def test_work_is_billed_once_by_whichever_invoice_comes_first() -> None:
    staff = workforce(vendor(), contract(), invoice(line("100", "0.50")))
    later = invoice(line("100", "0.50"), number="2", issued="2026-11-09")
    found = only(later, staff, done(100))
    assert (found.variance, found.why.key) == (euros("50.00"), "invoice.billed_before")
    assert found.why.values == {"invoice": "1 (1)"}


def test_a_line_that_stands_there_twice_is_billed_before() -> None:
    sent = invoice(line("100", "0.50"), line("100", "0.50"))
    assert [each.why.key for each in match(sent, STAFF, [done(100)])] == [
        "invoice.agrees",
        "invoice.billed_before",
    ]


def test_hours_are_billed_to_two_digits() -> None:
    staff = workforce(vendor(), contract(rates=[{"unit": "hour", "price": "26.00"}]))
    worked = done(1, seconds=4500.7)
    found = only(invoice(line("1.25", "26.00", unit="hour")), staff, worked)
    assert found.why.key in {"invoice.agrees", "invoice.rounding"}
    assert (
        matched(
            workforce(*staff.records(), invoice(line("1.25", "26", unit="hour"))), [worked], END
        ).accruals
        == ()
    )


def test_each_day_is_billed_under_the_version_of_its_day() -> None:
    second = contract(version=2, starts="2026-10-16", rates=[{"unit": "question", "price": "0.40"}])
    staff = workforce(vendor(), contract(), second)
    sent = invoice(line("100", "0.50"), line("100", "0.40"))
    found = match(sent, staff, [done(100, 15), done(100, 16)])
    assert [each.why.key for each in found] == ["invoice.agrees", "invoice.agrees"]
    billed_old = invoice(line("200", "0.50"))
    assert only(billed_old, staff, done(100, 15), done(100, 16)).variance == euros("10.00")


def test_work_without_a_contract_was_not_agreed() -> None:
    september = invoice(line("10", "0.50"), starts="2025-09-01", ends="2025-09-30")
    assert only(september, STAFF, done(10)).why.key == "invoice.no_contract"


def test_another_currency_is_compared_at_the_rate_of_the_invoices_day() -> None:
    rate = ExchangeRate(of="EUR", into="SEK", on=dt.date(2026, 11, 1), rate=Decimal("11.50"))
    staff = workforce(vendor(), contract(), rate)
    found = only(invoice(line("100", "5.75"), currency="SEK"), staff, done(100))
    assert found.agreed == Money(Decimal("575.00"), "SEK")
    assert (found.variance.amount, found.why.key) == (0, "invoice.currency")


@pytest.mark.parametrize(
    ("of_order", "named", "why"),
    [
        (order("50.00"), "of vendor-a", "invoice.agrees"),
        (order("50.00"), None, "invoice.agrees"),
        (order("49.99"), "of vendor-a", "invoice.beyond_order"),
        (order("50.00", ends="2026-10-30"), "of vendor-a", "invoice.outside_order"),
        (order("50.00", ends="2026-10-30"), None, "invoice.no_order"),
        (order("50.00"), "4711", "invoice.unknown_order"),
    ],
)
def test_a_line_that_agrees_may_be_outside_of_its_order(
    of_order: Any, named: Any, why: str
) -> None:
    staff = workforce(vendor(), contract(), of_order)
    assert only(invoice(line("100", "0.50"), order=named), staff, done(100)).why.key == why


def test_a_credit_note_takes_back_what_was_billed_too_much() -> None:
    staff = workforce(vendor(), contract(), invoice(line("120", "0.50")))
    note = invoice(line("-20", "0.50"), number="2", issued="2026-11-09", corrects="1")
    found = only(note, staff, done(100))
    assert (found.billed, found.agreed, found.why.key) == (
        euros("-10.00"),
        euros("0.00"),
        "invoice.credit_of_excess",
    )


def test_a_credit_note_for_work_lets_it_be_billed_again() -> None:
    note = invoice(line("-30", "0.50"), number="2", issued="2026-11-09", corrects="1")
    again = invoice(line("30", "0.50"), number="3", issued="2026-11-10")
    staff = workforce(vendor(), contract(), invoice(line("100", "0.50")), note)
    assert matched(staff, [done(100)], END).lines[note.key][0].why.key == "invoice.credit_of_work"
    assert [each.money for each in matched(staff, [done(100)], END).accruals] == [euros("15.00")]
    assert only(again, staff, done(100)).why.key == "invoice.agrees"


def test_a_minimum_is_billed_for_the_days_that_it_held() -> None:
    second = contract(version=2, starts="2026-10-11", minimum_per_month="310")
    staff = workforce(vendor(), contract(), second)
    billed = invoice(line("1", "210.00", unit="minimum"))
    assert only(billed, staff).why.key == "invoice.agrees"
    worked = only(billed, staff, done(100, 20))
    assert (worked.agreed, worked.why.key) == (euros("160.00"), "invoice.minimum")


@given(
    days=st.lists(st.tuples(st.integers(1, 31), st.integers(1, 90)), max_size=8),
    billed=st.lists(st.integers(1, 150), max_size=4),
)
def test_what_was_agreed_is_billed_or_accrues(
    days: list[tuple[int, int]], billed: list[int]
) -> None:
    """Whatever invoices say, what they were owed and what is left make up what the work costs."""
    sent = [invoice(line(str(n), "0.50"), number=str(number)) for number, n in enumerate(billed, 1)]
    staff = workforce(vendor(), contract(rates=TIERED), *sent)
    work = [done(n, day) for day, n in days]
    found = matched(staff, work, END)
    agreed = [each.agreed.amount for lines in found.lines.values() for each in lines]
    owed = [each.money.amount for each in found.accruals]
    whole = sum((each.money.amount for each in charges(staff, work)), Decimal(0))
    assert abs(sum(agreed) + sum(owed) - whole) <= Decimal("0.01") * (len(agreed) + len(owed))


def test_an_invoice_without_any_work_is_all_variance() -> None:
    found = only(invoice(line("1", "0.50")), STAFF)
    assert (found.agreed, found.why.key) == (euros("0"), "invoice.quantity")
    assert matched(STAFF, [], END).accruals == ()


def test_one_answer_that_nobody_billed_accrues() -> None:
    [owed] = matched(STAFF, [done(1)], END).accruals
    assert (owed.money, owed.locale, owed.kind) == (euros("0.50"), "de-DE", "verify")


def test_every_reason_has_a_text_and_every_text_a_reason() -> None:
    folder = Path(package.__file__).parent
    texts = yaml.safe_load((folder / "reviews/texts/en/money.yaml").read_text(encoding="utf-8"))
    source = "".join(
        (folder / "billing" / name).read_text() for name in ("matching.py", "credits.py")
    )
    said = set(re.findall(r'"((?:invoice|credit)\.[a-z_]+)"', source))
    of_scope = {f"{key}_of" for key in ("credit.at_least", "credit.at_most")}
    assert said | of_scope == set(texts)
