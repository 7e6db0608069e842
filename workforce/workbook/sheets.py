"""Excel sheets that are safe to open and easy to check: cells, headings, paper.

What people typed is written as text, never as a formula or a link. What follows from other cells is
a formula, beside the value that we compute ourselves, for viewers that do not calculate. Excel
keeps numbers as binary fractions that hold any 15 decimal digits: amounts are written to the
smallest unit of their currency, so that each is read back to its last digit.
"""

import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from babel import Locale
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workforce.errors import WorkforceError
from workforce.money import Money
from workforce.workbook.number_formats import NumberFormats


@dataclass(frozen=True)
class Elsewhere:
    """What another cell of the workbook holds, and its value: written as a formula."""

    cell: str
    value: str | int | float | Decimal | Money


Cell = str | int | float | Decimal | Money | dt.date | Elsewhere | None

CELL_HOLDS = 32_767  # UTF-16 units, as Excel counts characters
DIGITS_HELD = 15
TITLE_HOLDS = 31
UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
# The territories that print on Letter (CLDR, supplemental data, `paperSize`).
ON_LETTER = frozenset(
    ["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"]
)
A4, LETTER = 9, 1
LINE_HEIGHT = 16
WIDE = 130  # characters, from which a sheet is printed in landscape

INK, SLATE, LINE, SHADE = "#1B2733", "#24405E", "#D5DCE4", "#EEF2F6"


def plain(text: str) -> str:
    """`text` without what a cell cannot hold; what is too long ends with an ellipsis."""
    said = UNWRITABLE.sub("", text).encode("utf-16-le", "surrogatepass")
    if len(said) > 2 * CELL_HOLDS:
        said = said[: 2 * (CELL_HOLDS - 1)] + "…".encode("utf-16-le")
    return said.decode("utf-16-le", "ignore")


def sheet_title(text: str, taken: Iterable[str] = ()) -> str:
    """`text` as the title of a sheet that differs from those `taken`."""
    wanted = " ".join(NOT_IN_TITLES.sub(" ", plain(text)).split()).strip("'")[:TITLE_HOLDS] or "-"
    used = {each.casefold() for each in taken}
    title, place = wanted, 1
    while title.casefold() in used:
        place += 1
        ending = f" {place}"
        title = wanted[: TITLE_HOLDS - len(ending)] + ending
    return title


def amount(money: Money) -> float:
    """What a cell holds of an amount: its value to the smallest unit of the currency.

    Raises `WorkforceError` where it has more digits than a cell holds.
    """
    rounded = money.rounded().amount
    if len(rounded.as_tuple().digits) > DIGITS_HELD:
        raise WorkforceError(
            f"{money} has more than the {DIGITS_HELD} digits that a cell of Excel holds: look for"
            " the mistake in its record, or export it as CSV"
        )
    return float(rounded)


class Book:
    """A workbook that is being written; `close` writes the file.

    What was typed stays text even when somebody edits the cell (`quote_prefix`). The same calls
    make the same bytes.
    """

    def __init__(self, file: Path, locale: Locale, *, title: str, made: dt.date) -> None:
        self._made = xlsxwriter.Workbook(
            str(file),
            {
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "in_memory": True,
            },
        )
        self._made.set_properties(
            {
                "title": plain(title)[:255],
                "author": "groundtruth",
                "created": dt.datetime.combine(made, dt.time(12)),
            }
        )
        self._made.set_calc_mode("auto")
        self._styles: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.locale = locale
        self.formats = NumberFormats(locale)

    def close(self) -> None:
        self._made.close()

    def style(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._styles:
            usual = {"font_color": INK, "valign": "top"}
            self._styles[key] = self._made.add_format({**usual, **properties})
        return self._styles[key]

    def coloured(self, ground: str, ink: str) -> Format:
        """A conditional format: it says only what it changes."""
        return self._made.add_format({"bg_color": ground, "font_color": ink, "bold": True})

    def head(self, align: str) -> Format:
        return self.style(
            bold=True,
            font_color="#FFFFFF",
            bg_color=SLATE,
            text_wrap=True,
            valign="vcenter",
            align=align,
            indent=0 if align == "right" else 1,
        )

    def chart(self, kind: str) -> Any:
        """A chart of a kind of XlsxWriter's, with its subtype after a slash."""
        name, _, subtype = kind.partition("/")
        return self._made.add_chart({"type": name, "subtype": subtype or None})

    def name(self, name: str, cells: str) -> None:
        """Give cells a name, by which formulas and readers find them."""
        self._made.define_name(name, f"={cells}")

    def sheet(self, title: str, widths: Sequence[float]) -> "Sheet":
        """A sheet with columns of so many characters, printed on the locale's paper, one wide."""
        made = self._made.add_worksheet(
            sheet_title(title, (each.get_name() for each in self._made.worksheets()))
        )
        for place, width in enumerate(widths):
            made.set_column(place, place, width)
        made.hide_gridlines(2)
        made.set_paper(LETTER if self.locale.territory in ON_LETTER else A4)
        if sum(widths) > WIDE:
            made.set_landscape()
        made.fit_to_pages(1, 0)
        made.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        if self.locale.text_direction == "rtl":
            made.right_to_left()
        return Sheet(self, made, widths)


class Sheet:
    """A sheet that is filled from above; `row` is the next free one."""

    def __init__(self, book: Book, made: Worksheet, widths: Sequence[float]) -> None:
        self.book = book
        self.made = made
        self.title = made.get_name()
        self.row = 0
        self._widths = widths

    def headed(self, title: str, below: str) -> None:
        """The title of the sheet, what it is about, and a footer that says so on paper."""
        self.made.set_row(self.row, 27)
        self.made.write_string(
            self.row, 0, plain(title), self.book.style(bold=True, font_size=18, font_color=SLATE)
        )
        self.made.write_string(
            self.row + 1, 0, plain(below), self.book.style(font_color="#5B6876", italic=True)
        )
        said = plain(title).replace("&", "&&")[:200]
        self.made.set_footer(f"&L&8{said}&R&8&P / &N")
        self.row += 3

    def heading(self, text: str) -> None:
        style = self.book.style(bold=True, font_size=13, font_color=SLATE)
        self.made.set_row(self.row, 21)
        self.made.write_string(self.row, 0, plain(text), style)
        self.row += 1

    def paragraph(self, text: str, **properties: Any) -> None:
        """Text over the whole width, in as many lines as it needs."""
        style = self.book.style(text_wrap=True, **properties)
        said = plain(text)
        across = sum(self._widths)
        self.made.merge_range(self.row, 0, self.row, len(self._widths) - 1, "", style)
        self.made.write_string(self.row, 0, said, style)
        self.made.set_row(self.row, LINE_HEIGHT * _lines(said, across * 0.95))
        self.row += 1

    def skip(self, rows: int = 1) -> None:
        self.row += rows

    def keep(self, header: int) -> None:
        """Keep what stands down to a header on the screen, and the header on every page."""
        self.made.freeze_panes(header + 1, 0)
        self.made.repeat_rows(header)

    def header(self, titles: Sequence[str], aligned: Sequence[str]) -> None:
        """The titles of the columns of a table, each left or right as what stands below it."""
        for place, (title, align) in enumerate(zip(titles, aligned, strict=True)):
            self.made.write_string(self.row, place, plain(title), self.book.head(align))
        self.made.set_row(self.row, self.height(titles) + 4)
        self.row += 1

    def height(self, cells: Sequence[object]) -> float:
        """The points that a row needs for its longest text."""
        lines = (
            _lines(cell, self._widths[place] - 1)
            for place, cell in enumerate(cells)
            if isinstance(cell, str)
        )
        return LINE_HEIGHT * max(lines, default=1)

    def picture(self, row: int, column: int, picture: io.BytesIO, said: str) -> None:
        """A JPEG inside of a cell, with what it shows for those who do not see it."""
        self.made.insert_image(
            row,
            column,
            "picture.jpg",
            {
                "image_data": picture,
                "x_offset": 6,
                "y_offset": 4,
                "object_position": 1,
                "description": plain(said)[:255],
            },
        )

    def write(self, row: int, column: int, value: Cell, form: str, **properties: Any) -> None:
        """A value as what it is: text, a number, an amount or a day."""
        formats = self.book.formats
        match value:
            case None:
                self.made.write_blank(row, column, None, self.book.style(**properties))
            case str():
                usual = {"text_wrap": True, "quote_prefix": True, "align": "left", "indent": 1}
                style = self.book.style(**{**usual, **properties})
                self.made.write_string(row, column, plain(value), style)
            case Elsewhere():
                self.write_formula(row, column, f"={value.cell}", value.value, form, **properties)
            case Money():
                style = self.book.style(num_format=formats.money(value.currency), **properties)
                self.made.write_number(row, column, amount(value), style)
            case dt.date():
                style = self.book.style(num_format=formats.date(), align="right", **properties)
                self.made.write_datetime(row, column, value, style)
            case _:
                style = self.book.style(num_format=form, **properties)
                self.made.write_number(row, column, float(value), style)

    def write_formula(
        self, row: int, column: int, formula: str, value: Cell, form: str, **properties: Any
    ) -> None:
        """A formula, with its value as we compute it."""
        known: str | float
        match value:
            case Money():
                form, known = self.book.formats.money(value.currency), amount(value)
            case int() | float() | Decimal():
                known = float(value)
            case _:
                raise TypeError(f"{formula} gives a number or money, not {value!r}")
        self.made.write_formula(
            row, column, formula, self.book.style(num_format=form, **properties), known
        )


def _lines(text: str, width: float) -> int:
    """In how many lines of `width` characters a text stands; a Chinese letter is two wide."""
    lines = 0
    for line in text.split("\n"):
        wide = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)
        lines += max(1, -int(-wide // max(width, 1)))
    return lines
