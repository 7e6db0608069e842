"""The number formats of Excel for readers of a locale.

Excel writes a format's separators and months as its own user is used to, LibreOffice as the mark of
the locale in the format says. The currency's code stands where the locale puts it.
"""

import locale as systems
import re
from dataclasses import dataclass

from babel import Locale
from babel.numbers import get_currency_precision

SYSTEMS = {name: number for number, name in systems.windows_locale.items()}


@dataclass(frozen=True)
class NumberFormats:
    """The number formats of Excel for readers of a locale."""

    locale: Locale

    def number(self, digits: int = 0) -> str:
        return self._here("#,##0" + _point(digits))

    def share(self, digits: int = 1) -> str:
        return self._here(self._percent(digits))

    def money(self, currency: str) -> str:
        """With the currency's code, where the locale puts it."""
        said = "#,##0" + _point(get_currency_precision(currency))
        code = f"[${currency}-{self._number:X}]" if self._number else f"[${currency}]"
        before = self.locale.currency_formats["standard"].pattern.lstrip("\u200f").startswith("¤")
        return self._here(f"{code} {said}" if before else f"{said} {code}")

    def date(self) -> str:
        pattern = self.locale.date_formats["medium"].pattern
        days = re.sub("y+", "yyyy", pattern.replace("LLL", "mmm").replace("M", "m"))
        return self._here(re.sub("'([^']*)'", r'"\1"', days))

    def signed(self, form: str) -> str:
        """A number's format, with its sign also where it is above nothing."""
        mark, said = form[: form.find("]") + 1], form[form.find("]") + 1 :]
        return f"{mark}+{said};{mark}-{said};{mark}{said}"

    def _percent(self, digits: int) -> str:
        space = " " if self.locale.percent_formats[None].pattern.endswith("\xa0%") else ""
        return f"0{_point(digits)}{space}%"

    @property
    def _number(self) -> int | None:
        """What Windows calls the locale; None where it has no name for it."""
        return SYSTEMS.get(systems.normalize(str(self.locale)).partition(".")[0])

    def _here(self, said: str) -> str:
        return f"[$-{self._number:X}]{said}" if self._number else said


def _point(digits: int) -> str:
    return "." + "0" * digits if digits else ""
