"""Tables on a sheet: columns that follow from others by formulas, subtotals and totals.

Each formula stands beside its value as we compute it, so that a reader can check one by the other.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Self

from babel.numbers import get_currency_precision
from xlsxwriter.utility import xl_rowcol_to_cell

from workforce.money import Money
from workforce.workbook.sheets import LINE, SHADE, Cell, Elsewhere, Sheet

Values = Mapping[str, Any]
"""The values of a row's cells, by the names of their columns."""

NAMED = re.compile(r"\[(?P<name>[a-z]\w*)(?P<whole>:total)?\]")
BODY = {"bottom": 1, "bottom_color": LINE}
SUBTOTAL = {"bold": True, "bg_color": SHADE, "bottom": 1, "bottom_color": LINE}
TOTAL = {"bold": True, "bg_color": SHADE, "top": 1, "bottom": 6}


@dataclass(frozen=True)
class Column:
    """A column of cells that are written as they are, and added up where `summed`.

    `form` is the number format of what is neither text, nor a day, nor money, or the name under
    which each row says its own.
    """

    name: str
    title: str
    form: str = "General"
    summed: bool = False

    def called(self, name: str, title: str | None = None) -> Self:
        return replace(self, name=name, title=title or self.title)


@dataclass(frozen=True)
class Computed(Column):
    """A column that follows from others, in totals as well: by `formula`, and by `value`.

    The formula says `[name]` for the cell of a column in its row, `[name:total]` for that in the
    total, and `[digits]` for the decimals of the value's currency. `value` is told the values of
    the row and those of the total; where it gives None, the cell stays empty.
    """

    formula: str = field(kw_only=True)
    value: Callable[[Values, Values], Cell] = field(kw_only=True)


@dataclass(frozen=True)
class Table:
    """Where a table stands: header, first and last row (with subtotals), and its totals.

    `totals` are the rows of totals with their values, by group; the total of all is that of None.
    """

    sheet: str
    columns: Mapping[str, int]
    header: int
    first: int
    last: int
    totals: Mapping[Cell, tuple[int, Values]] = field(default_factory=dict)

    def area(self, name: str) -> tuple[int, int, int, int]:
        """The rows of a column: first row, column, last row, column."""
        return self.first, self.columns[name], self.last, self.columns[name]

    def cells(self, name: str) -> list[str | int]:
        """The rows of a column, as a chart names them."""
        return [self.sheet, *self.area(name)]

    def across(self, one: str, other: str, place: int) -> list[str | int]:
        """A row's cells from one column to another, as a chart names them."""
        row = self.first + place
        return [self.sheet, row, self.columns[one], row, self.columns[other]]

    def said(self, name: str) -> str:
        """The rows of a column, as a formula names them."""
        return f"{self.cell(name, self.first)}:{_place(self.last, self.columns[name])}"

    def cell(self, name: str, row: int) -> str:
        """A cell, as a formula names it."""
        sheet = self.sheet.replace("'", "''")
        return f"'{sheet}'!{_place(row, self.columns[name])}"

    def sum(self, name: str, group: Cell = None) -> Elsewhere | None:
        """The total of a column, or of a group's; None where there is none."""
        row, values = self.totals.get(group, (0, {}))
        value = values.get(name)
        return None if value is None else Elsewhere(self.cell(name, row), value)


def write_table(
    sheet: Sheet,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Cell]],
    *,
    totals: str | None = None,
    group: str | None = None,
    height: float | None = None,
) -> Table:
    """Write a header and rows from the next row of the sheet on; `totals` names the total.

    Money is rounded to the smallest unit first, so that totals add up what is seen. Rows that
    follow one another with the same cell in the column `group` are a group. Each has a subtotal
    where there are several; the whole has a total where it is of one currency.
    """
    rows = [{name: _to_the_unit(cell) for name, cell in row.items()} for row in rows]
    groups = [
        (name, list(members))
        for name, members in groupby(rows, key=lambda row: row[group] if group else None)
    ]
    has_total = totals is not None and bool(rows) and len(_currencies(rows)) <= 1
    has_subtotals = totals is not None and group is not None and (len(groups) > 1 or not has_total)
    sheet.header([each.title for each in columns], [_aligned(each, rows) for each in columns])
    first = sheet.row
    n_rows = len(rows) + (len(groups) if has_subtotals else 0)
    total = first + n_rows
    writer = _Rows(sheet, columns)
    found: dict[Cell, tuple[int, Values]] = {}
    whole = _sums(columns, rows) if has_total else {}
    for name, members in groups:
        begins = sheet.row
        bottom, sums = total, whole
        if not has_total:
            bottom, sums = begins + len(members), _sums(columns, members)
        for row in members:
            needed = height or sheet.height([row.get(each.name) for each in columns])
            sheet.made.set_row(sheet.row, needed, None, {"level": 1} if has_subtotals else {})
            writer.row(row, sums, bottom)
        if has_subtotals:
            title = f"{totals} {name}"
            of_group = _sums(columns, members)
            found[name] = sheet.row, writer.total(title, of_group, sums, bottom, begins, SUBTOTAL)
    if has_total:
        found[None] = sheet.row, writer.total(str(totals), whole, whole, total, first, TOTAL)
        if len(groups) == 1:
            found[groups[0][0]] = found[None]
    last = max(first + n_rows - 1, first)
    return Table(sheet.title, writer.places, first - 1, first, last, found)


class _Rows:
    """Writes the rows of a table, one below the other."""

    def __init__(self, sheet: Sheet, columns: Sequence[Column]) -> None:
        self._sheet = sheet
        self._columns = columns
        self.places = {each.name: place for place, each in enumerate(columns)}

    def row(self, row: Mapping[str, Cell], whole: Values, total: int) -> None:
        values = {name: _value(cell) for name, cell in row.items()}
        for place, each in enumerate(self._columns):
            form = str(row.get(each.form, each.form))
            if isinstance(each, Computed):
                values[each.name] = each.value(values, whole)
                self._compute(place, each.formula, values[each.name], total, form, BODY)
            else:
                self._sheet.write(self._sheet.row, place, row.get(each.name), form, **BODY)
        self._sheet.row += 1

    def total(
        self,
        title: str,
        sums: Values,
        whole: Values,
        total: int,
        first: int,
        look: Mapping[str, Any],
    ) -> Values:
        """A total of the rows from `first` on, and its values."""
        row, values = self._sheet.row, dict(sums)
        self._sheet.made.set_row(row, self._sheet.height([title]))
        for place, each in enumerate(self._columns):
            if isinstance(each, Computed):
                values[each.name] = each.value(values, whole)
                self._compute(place, each.formula, values[each.name], total, each.form, look)
            elif values.get(each.name) is not None:
                formula = f"=SUBTOTAL(9,{_place(first, place)}:{_place(row - 1, place)})"
                self._sheet.write_formula(row, place, formula, values[each.name], each.form, **look)
            else:
                self._sheet.write(row, place, None if place else title, each.form, **look)
        self._sheet.row += 1
        return values

    def _compute(
        self,
        column: int,
        formula: str,
        value: Cell,
        total: int,
        form: str,
        look: Mapping[str, Any],
    ) -> None:
        row = self._sheet.row
        if value is None:
            self._sheet.write(row, column, None, form, **look)
            return
        digits = get_currency_precision(value.currency) if isinstance(value, Money) else 0

        def cell(found: re.Match[str]) -> str:
            if found["name"] == "digits":
                return str(digits)
            if found["whole"]:
                return _place(total, self.places[found["name"]])
            return str(xl_rowcol_to_cell(row, self.places[found["name"]]))

        self._sheet.write_formula(row, column, NAMED.sub(cell, formula), value, form, **look)


def _place(row: int, column: int) -> str:
    return str(xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True))


def _to_the_unit(cell: Cell) -> Cell:
    return cell.rounded() if isinstance(cell, Money) else cell


def _value(cell: Cell) -> Any:
    return cell.value if isinstance(cell, Elsewhere) else cell


def _currencies(rows: Iterable[Mapping[str, Cell]]) -> set[str]:
    cells = (_value(cell) for row in rows for cell in row.values())
    return {cell.currency for cell in cells if isinstance(cell, Money)}


def _aligned(column: Column, rows: Iterable[Mapping[str, Cell]]) -> str:
    """As what stands below: text on the left, all else on the right."""
    cells = (row.get(column.name) for row in rows)
    holds_numbers = any(cell is not None and not isinstance(cell, str) for cell in cells)
    return "right" if holds_numbers or isinstance(column, Computed) else "left"


def _sums(columns: Sequence[Column], rows: Sequence[Mapping[str, Cell]]) -> dict[str, Any]:
    """The sums of the columns that are summed; None where nothing or two currencies stand."""
    sums: dict[str, Any] = {}
    for each in columns:
        if each.summed:
            cells = [_value(row[each.name]) for row in rows if row.get(each.name) is not None]
            alike = len({getattr(cell, "currency", None) for cell in cells}) == 1
            sums[each.name] = sum(cells[1:], cells[0]) if alike else None
    return sums
