"""Documents that go to vendors: they say what the records say, to the last digit, and escape it."""

from dataclasses import replace
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from babel.numbers import format_currency

from tests.workforce import reviews
from tests.workforce.staff import contract, order, vendor
from workforce import Money, WorkforceError
from workforce.billing.totals import totals
from workforce.reviews.documents import Stationery, credit_document, credit_number, order_document
from workforce.reviews.review import Credit
from workforce.reviews.wording import Wording

LETTER = Stationery(Wording.load("en-US"), ("Example AB", "Storgatan 1"))
ATTACK = "<script>alert(1)</script>"


def owed(*amounts: str) -> list[Credit]:
    level, missed = reviews.typed("95 % in 3 days"), reviews.typed("91 %")
    return [Credit("vendor-a/1", level, missed, Money(Decimal(each), "EUR")) for each in amounts]


@pytest.mark.parametrize("language", ["en", "de", "ja", "en-GB"])
def test_an_order_names_its_amount_and_the_prices_to_the_last_digit(language: str) -> None:
    wording = Wording.load(language)
    rates = ({"unit": "label", "price": "0.0125", "tiers": [{"above": 1000, "price": "0.01125"}]},)
    agreed = contract(rates=rates, turnaround=[{"working_days": "2.5"}])
    page = order_document(order("60000.10"), vendor(), agreed, Stationery(wording))
    assert wording.money(Money(Decimal("60000.10"), "EUR")) in page
    for price in ("0.0125", "0.01125"):
        said = format_currency(
            Decimal(price), "EUR", locale=wording.locale, decimal_quantization=False
        )
        assert said in page
    assert wording.number(Decimal("2.5")) in page


def test_an_order_before_any_contract_says_so() -> None:
    page = order_document(order("100"), vendor(), None, LETTER)
    assert LETTER.wording.text("label.no_contract") in page


def test_a_credit_note_adds_up_what_it_lists() -> None:
    page = credit_document(vendor(), reviews.QUARTER, owed("558.44", "268.64"), LETTER)
    for amount in ("558.44", "268.64", "827.08"):
        assert LETTER.wording.money(Money(Decimal(amount), "EUR")) in page


def test_a_credit_note_of_two_currencies_has_a_total_of_each() -> None:
    yen = [replace(each, amount=Money(each.amount.amount, "JPY")) for each in owed("300")]
    both = [*owed("558.44"), *yen]
    page = credit_document(vendor(), reviews.QUARTER, both, LETTER)
    for total in totals((each.amount for each in both), "EUR"):
        assert page.count(LETTER.wording.money(total)) == 2


def test_the_number_of_a_credit_note_follows_from_its_credits() -> None:
    def number(*amounts: str) -> str:
        return credit_number(vendor(), reviews.QUARTER, owed(*amounts))

    assert number("558.44") == number("558.44")
    assert number("558.44") != number("558.45")


def test_no_credits_make_no_note() -> None:
    with pytest.raises(WorkforceError, match="owes no credit"):
        credit_document(vendor(), reviews.QUARTER, [], LETTER)


def test_what_people_typed_is_text_on_the_page() -> None:
    named = vendor(name=ATTACK)
    stationery = replace(LETTER, sender=(ATTACK,))
    pages = (
        order_document(order("100", number=ATTACK), named, contract(), stationery),
        credit_document(named, reviews.QUARTER, owed("1"), stationery),
    )
    for page in pages:
        assert "<script" not in page
        assert ATTACK in unescape(page)
        assert "http" not in page


def test_a_template_of_ones_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "order.html").write_text("Our letterhead: {{ order.number }} {{ vendor.name }}")
    page = order_document(
        order("1"), vendor(name="A & B"), None, replace(LETTER, templates=tmp_path)
    )
    assert page == "Our letterhead: of vendor-a A &amp; B"


def test_a_template_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "order.html").write_text("{{ order.nothing_like_this }}")
    with pytest.raises(WorkforceError, match=r"order\.html"):
        order_document(order("1"), vendor(), None, replace(LETTER, templates=tmp_path))
