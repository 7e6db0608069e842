"""What a cell and the title of a sheet can hold."""

from decimal import Decimal

from babel import Locale
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from workforce.money import Money
from workforce.workbook.number_formats import NumberFormats
from workforce.workbook.sheets import (
    CELL_HOLDS,
    NOT_IN_TITLES,
    TITLE_HOLDS,
    amount,
    plain,
    sheet_title,
)

anything = st.text(st.characters(codec=None))


def units(text: str) -> int:
    """The characters of a text as Excel counts them."""
    return len(text.encode("utf-16-le")) // 2


@given(anything)
def test_plain_text_can_be_written_as_xml_and_stays_plain(text: str) -> None:
    said = plain(text)
    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in said)
    assert said.encode("utf-8").decode("utf-8") == said
    assert plain(said) == said


@given(st.sampled_from(("x", "é", "語", "👩")), st.integers(1, 80_000))
def test_a_text_that_is_too_long_ends_with_an_ellipsis(letter: str, n: int) -> None:
    said = plain(letter * n)
    assert units(said) <= CELL_HOLDS
    assert (said == letter * n) == (units(letter * n) <= CELL_HOLDS)
    assert said == letter * n or said.endswith("…")


@given(st.lists(anything, max_size=5))
def test_sheets_have_titles_that_excel_takes_and_that_differ(texts: list[str]) -> None:
    titles: list[str] = []
    for text in texts:
        titles.append(sheet_title(text, titles))
    for title in titles:
        assert 0 < len(title) <= TITLE_HOLDS
        assert not NOT_IN_TITLES.search(title)
        assert not title.startswith("'")
        assert not title.endswith("'")
    assert len({each.casefold() for each in titles}) == len(titles)


@given(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.sampled_from(("JPY", "EUR", "USD", "BHD", "KWD", "ISK")),
)
def test_a_cell_gives_an_amount_back_to_its_last_digit(units: int, currency: str) -> None:
    exact = Decimal(units).scaleb(-get_currency_precision(currency))
    assert Decimal(f"{amount(Money(exact, currency)):.15g}") == exact


def test_dates_are_written_as_the_locale_orders_them() -> None:
    forms = {tag: NumberFormats(Locale.parse(tag)).date() for tag in ("de_DE", "en_US", "ja_JP")}
    assert forms == {
        "de_DE": "[$-407]dd.mm.yyyy",
        "en_US": "[$-409]mmm d, yyyy",
        "ja_JP": "[$-411]yyyy/mm/dd",
    }
