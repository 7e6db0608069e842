"""All records as an Excel workbook that people edit: a sheet for each kind, a row for each record.

What a record holds several of lies on a sheet of its own, as `contracts.rates`: its column `of`
names the row that it belongs to, by the record's key (vendor-a/1) or, on a sheet below that, by key
and place (vendor-a/1#2 is the second rate). A cell with several values lists them with commas; one
that holds a comma itself stands in double quotes. What people wrote is text whatever it begins
with, so that no cell is ever a formula.
"""

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import xlsxwriter
from pydantic import BaseModel, ValidationError

from workforce.errors import WorkforceError
from workforce.records import spreadsheets
from workforce.records.spreadsheets import Row
from workforce.records.workforce import KINDS, Workforce

OF = "of"
KEYS = {
    "vendors": ("site",),
    "contracts": ("vendor", "version"),
    "invoices": ("vendor", "number"),
}
"""The columns that make the key of a record, of the kinds that have sheets below."""

Place = tuple[int | str, ...]
"""Where something lies in the records, as pydantic names it."""


@dataclass
class _Sheet:
    """The columns of a sheet (True: of several values) and the sheets below it, by their path.

    `key` is the column that tells rows of one record apart, where the record holds them by name.
    """

    name: str
    key: str | None = None
    columns: dict[str, bool] = field(default_factory=dict)
    below: dict[str, "_Sheet"] = field(default_factory=dict)

    def walk(self) -> Iterator["_Sheet"]:
        yield self
        for each in self.below.values():
            yield from each.walk()


def written(workforce: Workforce, file: Path) -> None:
    """Write all records to a workbook that `read` reads back."""
    rows: dict[str, list[dict[str, object]]] = defaultdict(list)
    for sheet in SHEETS:
        for record in getattr(workforce, sheet.name):
            _lay_out(sheet, record.model_dump(exclude_defaults=True), record.key, {}, rows)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        header = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet in (each for root in SHEETS for each in root.walk()):
            page = book.add_worksheet(sheet.name)
            columns = _columns(sheet)
            page.write_row(0, 0, columns, header)
            page.freeze_panes(1, 0)
            page.set_column(0, len(columns) - 1, 18)
            for number, row in enumerate(rows[sheet.name], 1):
                for place, name in enumerate(columns):
                    match row.get(name):
                        case None:
                            continue
                        case dt.date() as value:
                            page.write_datetime(number, place, value, day)
                        case int() | float() as value:
                            page.write_number(number, place, value)
                        case value:
                            page.write_string(number, place, str(value))


def read(file: Path) -> Workforce:
    """What a workbook says; raises `WorkforceError` that names each cell to mend."""
    found = spreadsheets.read(file)
    known = {each.name: each for root in SHEETS for each in root.walk()}
    if unknown := sorted(found.keys() - known.keys()):
        raise WorkforceError(
            f"{file} has the sheets {', '.join(unknown)}, which are not known: remove them, or name"
            f" them as one of {', '.join(known)}"
        )
    said: dict[str, list[Any]] = {}
    places: dict[Place, Row] = {}
    problems = [
        problem for name, rows in found.items() for problem in _unknown_columns(known[name], rows)
    ]
    of_parent: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for name, rows in found.items():
        for row in rows:
            of_parent[name, row.cells.get(OF, "")].append(row)
    for sheet in SHEETS:
        said[sheet.name] = []
        for number, row in enumerate(found.get(sheet.name, [])):
            ref = "/".join(row.cells.get(name, "") for name in KEYS.get(sheet.name, ()))
            place = (sheet.name, number)
            said[sheet.name].append(_gathered(sheet, row, ref, place, of_parent, places))
    used = {(row.sheet, row.number) for row in places.values()}
    problems += [
        f"{row.place(OF)}: {row.cells.get(OF, 'nothing')!r} names no row of sheet"
        f" {name.rpartition('.')[0]}: write its key"
        for name, rows in found.items()
        for row in rows
        if (row.sheet, row.number) not in used
    ]
    if not problems:
        try:
            return Workforce.model_validate(said)
        except ValidationError as error:
            problems = [f"{_cell(each['loc'], places)}: {each['msg']}" for each in error.errors()]
    raise WorkforceError(f"{file} cannot be used: {'; '.join(problems)}")


def _lay_out(
    sheet: _Sheet,
    said: Mapping[str, Any],
    ref: str,
    own: Mapping[str, object],
    rows: dict[str, list[dict[str, object]]],
) -> None:
    """Add the row of `said`, which `ref` names, and the rows below it."""
    row = dict(own)
    for name, several in sheet.columns.items():
        value = _at(said, name)
        if value is not None:
            row[name] = _listed(value) if several else _cell_value(value)
    rows[sheet.name].append(row)
    for name, below in sheet.below.items():
        held = _at(said, name) or ()
        for number, each in enumerate(held, 1):
            if below.key is not None:
                _lay_out(below, held[each], f"{ref}#{each}", {OF: ref, below.key: each}, rows)
            else:
                _lay_out(below, each, f"{ref}#{number}", {OF: ref}, rows)


def _gathered(
    sheet: _Sheet,
    row: Row,
    ref: str,
    place: Place,
    of_parent: Mapping[tuple[str, str], Sequence[Row]],
    places: dict[Place, Row],
) -> dict[str, Any]:
    """What a row says together with the rows below it; `places` learns where each lies."""
    places[place] = row
    said: dict[str, Any] = {}
    for name, several in sheet.columns.items():
        if name in row.cells:
            text = row.cells[name]
            _put(said, name, next(csv.reader([text], skipinitialspace=True)) if several else text)
    for name, below in sheet.below.items():
        at = (*place, *name.split("."))
        lines = of_parent.get((below.name, ref), ())
        if below.key is not None:
            keyed = {each.cells.get(below.key, ""): each for each in lines}
            held: Any = {
                key: _gathered(below, each, f"{ref}#{key}", (*at, key), of_parent, places)
                for key, each in keyed.items()
            }
        else:
            held = [
                _gathered(below, each, f"{ref}#{n + 1}", (*at, n), of_parent, places)
                for n, each in enumerate(lines)
            ]
        if held:
            _put(said, name, held)
    return said


def _unknown_columns(sheet: _Sheet, rows: Sequence[Row]) -> Iterator[str]:
    known = _columns(sheet)
    for row in rows[:1]:
        for name in row.columns:
            if name and name not in known:
                header = Row(row.sheet, 1, row.columns, {})
                yield f"{header.place(name)}: no such column; name it one of {', '.join(known)}"


def _cell(loc: Place, places: Mapping[Place, Row]) -> str:
    """Where a value of the records stands, or the row where it is missing."""
    for length in range(len(loc), 0, -1):
        if (row := places.get(loc[:length])) is not None:
            column = ".".join(str(part) for part in loc[length:] if isinstance(part, str))
            named = row.place(column)
            return named if column in row.columns or not column else f"{named}, {column}"
    return "the workbook"


def _columns(sheet: _Sheet) -> list[str]:
    own = [OF] if "." in sheet.name else []
    return [*own, *([sheet.key] if sheet.key is not None else []), *sheet.columns]


def _at(said: Any, path: str) -> Any:
    for part in path.split("."):
        said = said.get(part) if isinstance(said, Mapping) else None
    return said


def _put(said: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for part in parents:
        said = said.setdefault(part, {})
    said[last] = value


def _listed(values: Sequence[object]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow([str(value) for value in values])
    return stream.getvalue()


def _cell_value(value: object) -> object:
    """As a number where a spreadsheet keeps every digit of it, or else as text."""
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value)
    return value


def _sheet(name: str, model: type[BaseModel], key: str | None = None) -> _Sheet:
    """The sheet of a model, and those of what it holds several of."""
    sheet = _Sheet(name, key)

    def add(model: type[BaseModel], prefix: str) -> None:
        for own, info in model.model_fields.items():
            path, kind = f"{prefix}{own}", _bare(info.annotation)
            holds = [_bare(each) for each in get_args(kind) if each is not ...]
            match get_origin(kind):
                case origin if origin is tuple and _is_model(holds[0]):
                    sheet.below[path] = _sheet(f"{name}.{path}", holds[0])
                case origin if origin is tuple:
                    sheet.columns[path] = True
                case origin if origin is dict:
                    sheet.below[path] = _sheet(f"{name}.{path}", holds[1], own.removesuffix("s"))
                case _ if _is_model(kind):
                    add(kind, f"{path}.")
                case _:
                    sheet.columns[path] = False

    add(model, "")
    return sheet


def _bare(annotation: Any) -> Any:
    """A type without `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        [only] = (each for each in get_args(annotation) if each is not NoneType)
        return _bare(only)
    return annotation


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


SHEETS = tuple(_sheet(f"{each.kind}s", each) for each in KINDS)
