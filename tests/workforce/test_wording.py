"""Every language says everything, and figures look as its readers write them."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from babel import Locale

from workforce import Money, WorkforceError
from workforce.performance.figures import Metric
from workforce.periods import FiscalCalendar
from workforce.reviews.review import Level, Said
from workforce.reviews.wording import Wording, languages, placeholders

ENGLISH = Wording.load("en")
LANGUAGES = [language for language in languages() if language != "en"]


def spoken(language: str, key: str, **values: object) -> str:
    """A text without the spaces that do not break a line."""
    text = Wording.load(language).text(key, **values)  # type: ignore[arg-type]
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts(language: str) -> None:
    assert set(Wording.load(language).texts) == set(ENGLISH.texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_what_the_english_text_names(language: str) -> None:
    texts = Wording.load(language).texts
    differing = {
        key: (placeholders(text), placeholders(texts[key]))
        for key, text in ENGLISH.texts.items()
        if key in texts and placeholders(text) != placeholders(texts[key])
    }
    assert not differing


@pytest.mark.parametrize("language", languages())
def test_a_text_has_every_plural_form_of_its_language(language: str) -> None:
    forms = {*Locale(language).plural_form.tags, "other"}
    texts = Wording.load(language).texts
    plural = {key: set(text) for key, text in texts.items() if not isinstance(text, str)}
    assert plural
    assert {key: found for key, found in plural.items() if found != forms} == {}


def test_one_is_not_many() -> None:
    assert spoken("en", "summary.overdue", n=1, locale="de-DE").startswith("1 question is")
    assert spoken("en", "summary.overdue", n=2, locale="de-DE").startswith("2 questions are")
    assert spoken("de", "summary.overdue", n=1, locale="de-DE").startswith("1 Frage ist")
    assert spoken("ja", "summary.overdue", n=1, locale="de-DE").startswith("1件の質問")


def test_values_are_written_as_people_of_the_locale_write_them() -> None:
    money = Money(Decimal("1234567.895"), "EUR")
    level = Level(Metric.GOLD_ACCURACY, 0.9712)
    for language, amount, share, day in (
        ("en", "€1,234,567.90", "97.1%", "Dec 31, 2026"),
        ("en-GB", "€1,234,567.90", "97.1%", "31 Dec 2026"),
        ("de", "1.234.567,90 €", "97,1 %", "31.12.2026"),
        ("de-CH", "€ 1’234’567.90", "97.1%", "31.12.2026"),
        ("ja-JP", "€1,234,567.90", "97.1%", "2026/12/31"),
    ):
        wording = Wording.load(language)
        plain = [
            wording.written(value).replace("\N{NO-BREAK SPACE}", " ")
            for value in (money, level, dt.date(2026, 12, 31))
        ]
        assert plain[1:] == [share, day]
        assert plain[0].replace("EUR", "€") == amount


def test_money_has_the_decimals_of_its_currency() -> None:
    assert ENGLISH.money(Money(Decimal("1234.5"), "JPY")) == "¥1,235"
    assert ENGLISH.money(Money(Decimal("1.2345"), "KWD")).endswith("1.235")


def test_a_price_is_written_to_its_last_digit() -> None:
    for amount, currency, written in (("22.5", "JPY", "¥22.5"), ("0.4125", "EUR", "€0.4125")):
        price = Money(Decimal(amount), currency)
        said = spoken("en", "invoice.tier", price=price, tier=price)
        assert said.count(written) == 2


def test_quantities_have_two_digits_and_metrics_their_own() -> None:
    assert ENGLISH.number(Decimal("1.256")) == "1.26"
    assert ENGLISH.level(Metric.TURNAROUND_P50, 1.0) == "1.00 days"


def test_periods_have_the_names_that_people_call_them() -> None:
    calendar = FiscalCalendar()
    for language, names in {
        "en": ("2026", "Q4 2026", "November 2026", "W7 2026"),
        "de": ("2026", "4. Quartal 2026", "November 2026", "KW 7/2026"),
        "ja": ("2026年度", "2026年度第4四半期", "2026年11月", "2026年第7週"),
    }.items():
        wording = Wording.load(language)
        periods = [calendar.period(name) for name in ("2026", "2026Q4", "2026-11", "2026-W07")]
        assert tuple(map(wording.period, periods)) == names


def test_a_sentence_may_hold_another() -> None:
    inner = Said("because.missed", {"metric": Metric.GOLD_ACCURACY})
    said = ENGLISH.said(Said("of_vendor", {"vendor": "A {n} B", "what": inner}))
    assert said == f"A {{n}} B: {ENGLISH.said(inner)}"


def test_what_a_person_can_mend_is_said() -> None:
    for language in ("xx-klingon", "sv"):
        with pytest.raises(WorkforceError, match=r"write a BCP 47 tag|only for de, en, ja"):
            Wording.load(language)
    with pytest.raises(WorkforceError, match=r"no text 'no\.such\.key'"):
        ENGLISH.text("no.such.key")
    with pytest.raises(WorkforceError, match="'metric', which was not said"):
        ENGLISH.text("risk.missed")


def test_a_key_stands_in_one_file_only(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    for name in ("one", "two"):
        (tmp_path / "en" / f"{name}.yaml").write_text('same: "text"', encoding="utf-8")
    with pytest.raises(WorkforceError, match="two texts 'same'"):
        Wording.load("en", tmp_path)
