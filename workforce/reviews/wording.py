"""What reports say in a reader's language: texts, and numbers, money and dates as people write.

The texts of a language are the files `texts/LANGUAGE/*.yaml` beside this one: a key and a text with
placeholders, or one text for each plural form of the placeholder `n`. A placeholder is printed by
what it holds; `{share:percent}` prints a share, `{amount:price}` a price to its last digit, and
`{kind:kind}` the text under `kind.verify`.
"""

import datetime as dt
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, format_percent

from workforce.errors import WorkforceError
from workforce.money import Money
from workforce.performance.definitions import DEFINITIONS, Unit
from workforce.performance.figures import Metric
from workforce.periods import NAME, Period
from workforce.reviews.review import Level, Said, Value

TEXTS = Path(__file__).parent / "texts"
Text = str | Mapping[str, str]


@dataclass(frozen=True)
class Wording:
    """The texts of a language, written as people of `locale` write."""

    locale: Locale
    texts: Mapping[str, Text]

    @classmethod
    def load(cls, language: str, folder: Path = TEXTS) -> Self:
        """The texts for a BCP 47 tag: a language as de, or a locale as de-AT for its own formats.

        Raises `WorkforceError` where the tag is none, or its language has no texts.
        """
        try:
            locale = Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError) as error:
            raise WorkforceError(
                f"{language!r} is no language: write a BCP 47 tag, for example de or en-GB"
            ) from error
        if locale.language not in languages(folder):
            raise WorkforceError(
                f"there are no texts for {language!r}, only for {', '.join(languages(folder))}:"
                f" choose one of them, or translate the files of {folder / 'en'}"
            )
        return cls(locale, _texts(folder / locale.language))

    @property
    def tag(self) -> str:
        """The BCP 47 tag of the locale."""
        return str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        return self.locale.text_direction

    def text(self, key: str, **values: Value) -> str:
        """The text under `key`, with `values` in their places.

        Raises `WorkforceError` where there is no such text, or a value is missing.
        """
        try:
            found = self.texts[key]
        except KeyError:
            raise WorkforceError(
                f"{self.locale.language} has no text {key!r}: add it to the files of"
                f" {TEXTS / self.locale.language}"
            ) from None
        if isinstance(found, Mapping):
            found = found.get(self.locale.plural_form(_counted(key, values)), found["other"])
        try:
            return _Filled(self).vformat(found, (), values)
        except KeyError as error:
            raise WorkforceError(
                f"the text {key!r} names {error}, which was not said: it was said of"
                f" {', '.join(values) or 'nothing'}"
            ) from None

    def said(self, said: Said) -> str:
        return self.text(said.key, **said.values)

    def written(self, value: Value) -> str:
        """A value as it stands in a sentence."""
        match value:
            case Said():
                return self.said(value)
            case Money():
                return self.money(value)
            case dt.date():
                return self.date(value)
            case Period():
                return self.period(value)
            case Metric():
                return self.text(f"metric.{value}")
            case Level():
                return self.level(value.metric, value.value)
            case str():
                return value
            case _:
                return self.number(value)

    def level(self, metric: Metric, value: float | Money) -> str:
        """A value of a metric with its unit, with just as many digits as the metric has."""
        if isinstance(value, Money):
            return self.money(value)
        defined = DEFINITIONS[metric]
        if defined.unit == Unit.SHARE:
            return self.percent(value, defined.digits)
        pattern = f"#,##0.{'0' * defined.digits}"
        number = format_decimal(value, pattern, locale=self.locale)
        return number if defined.unit == Unit.MONEY else self.text(f"unit.{metric}", value=number)

    def number(self, value: int | float | Decimal, digits: int = 2) -> str:
        """With so many digits at most after the point."""
        pattern = "#,##0." + "#" * digits if digits else "#,##0"
        return format_decimal(value, pattern, locale=self.locale)

    def percent(self, share: float | Decimal, digits: int = 1) -> str:
        """A share (1 is the whole) in percent, with just so many digits after the point."""
        pattern = self.locale.percent_formats[None].pattern
        written = pattern.replace("#,##0", "#,##0." + "0" * digits) if digits else pattern
        return format_percent(share, written, locale=self.locale)

    def money(self, money: Money) -> str:
        """To the smallest unit of its currency."""
        return format_currency(money.rounded().amount, money.currency, locale=self.locale)

    def price(self, money: Money) -> str:
        """To the last digit: the price of a unit may be a part of the currency's smallest unit."""
        return format_currency(
            money.amount, money.currency, locale=self.locale, decimal_quantization=False
        )

    def date(self, day: dt.date) -> str:
        return format_date(day, "medium", locale=self.locale)

    def time(self, moment: dt.datetime) -> str:
        """Hour and minute."""
        return format_time(moment, "short", locale=self.locale)

    def period(self, period: Period) -> str:
        said = NAME.fullmatch(period.name)
        if said is None:
            return f"{self.date(period.starts)} – {self.date(period.ends)}"
        if said["month"]:
            return format_skeleton("yMMMM", period.starts, locale=self.locale)
        for kind in ("quarter", "week"):
            if said[kind]:
                name = str(int(said[kind]))
                return self.text(f"period.{kind}", year=said["year"], name=name)
        return self.text("period.year", year=said["year"])


class _Filled(string.Formatter):
    """Fills the places of a text."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def format_field(self, value: Any, spec: str) -> str:
        match spec:
            case "":
                return self._wording.written(value)
            case "percent":
                return self._wording.percent(value)
            case "price":
                return self._wording.price(value)
            case _:
                return self._wording.text(f"{spec}.{value}")


def languages(folder: Path = TEXTS) -> list[str]:
    """The languages that there are texts for."""
    return sorted(each.name for each in folder.iterdir() if each.is_dir())


def placeholders(text: Text) -> set[str]:
    """What a text names, in any of its plural forms, with how it is printed."""
    forms = [text] if isinstance(text, str) else text.values()
    return {
        f"{name}:{spec}"
        for form in forms
        for _, name, spec, _ in string.Formatter().parse(form)
        if name is not None
    }


@cache
def _texts(folder: Path) -> Mapping[str, Text]:
    found: dict[str, Text] = {}
    for key, text in _pairs(folder):
        if key in found:
            raise WorkforceError(f"{folder} has two texts {key!r}: keep one")
        found[key] = text
    return found


def _pairs(folder: Path) -> Iterator[tuple[str, Text]]:
    for file in sorted(folder.glob("*.yaml")):
        yield from (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).items()


def _counted(key: str, values: Mapping[str, Value]) -> int | float | Decimal:
    n = values.get("n")
    if not isinstance(n, int | float | Decimal):
        raise WorkforceError(f"the text {key!r} has plural forms and no number `n`: say one")
    return n
