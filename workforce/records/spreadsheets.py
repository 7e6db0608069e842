"""Tables that people send as CSV or Excel: rows of texts under a header, each cell with its place.

Values are read as they were typed: 12.5 is "12.5" and a date "2026-11-30". Formulas count as their
results, and are never computed here.
"""

import csv
import datetime as dt
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from workforce.errors import WorkforceError

MOST_ROWS = 100_000
MOST_COLUMNS = 200
MOST_BYTES = 300_000_000
"""Of a workbook, unpacked: a small file may unpack to any size."""


@dataclass(frozen=True)
class Row:
    """The cells of a row that hold something, by the name of their column."""

    sheet: str
    number: int
    columns: tuple[str, ...]
    cells: dict[str, str]

    def place(self, column: str | None = None) -> str:
        """Where it stands, as a person finds it."""
        where = f"sheet {self.sheet}, " if self.sheet else ""
        if not column or column not in self.columns:
            return f"{where}row {self.number}"
        letter = get_column_letter(self.columns.index(column) + 1)
        return f"{where}cell {letter}{self.number} ({column})"


def read(file: Path) -> dict[str, list[Row]]:
    """The rows of each sheet; a CSV file is one sheet without a name.

    Raises `WorkforceError` where the file is neither, is too large, or has a header that cannot be.
    """
    try:
        if file.suffix.lower() == ".csv":
            return {"": list(_rows("", _of_csv(file)))}
        if file.suffix.lower() == ".xlsx":
            return {name: list(_rows(name, lines)) for name, lines in _of_workbook(file)}
    except WorkforceError:
        raise
    except OSError as error:
        raise WorkforceError(f"{file} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise WorkforceError(f"{file} is no CSV in UTF-8: {error}") from error
    except Exception as error:  # openpyxl raises what a damaged workbook makes it raise
        raise WorkforceError(f"{file} is no Excel workbook (.xlsx): {error}") from error
    raise WorkforceError(f"{file} is neither .csv nor .xlsx: save it as one of them")


def _of_csv(file: Path) -> Iterator[list[object]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        head = stream.readline()
        stream.seek(0)
        separator = ";" if head.count(";") > head.count(",") else ","
        yield from csv.reader(stream, delimiter=separator, strict=True)


def _of_workbook(file: Path) -> Iterator[tuple[str, Iterable[Iterable[object]]]]:
    with zipfile.ZipFile(file) as archive:
        if (size := sum(each.file_size for each in archive.infolist())) > MOST_BYTES:
            raise WorkforceError(
                f"{file} unpacks to {size:,} bytes, and up to {MOST_BYTES:,} are read: send less"
            )
    book = load_workbook(file, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            yield sheet.title, sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
    finally:
        book.close()


def _rows(sheet: str, lines: Iterable[Iterable[object]]) -> Iterator[Row]:
    header: tuple[str, ...] | None = None
    for number, line in enumerate(lines, 1):
        if number > MOST_ROWS:
            raise WorkforceError(
                f"sheet {sheet or 'of the file'} has more than {MOST_ROWS:,} rows: divide it"
            )
        texts = [_text(value) for value in line]
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            continue
        if header is None:
            header = tuple(texts)
            named = [name for name in header if name]
            if twice := sorted({name for name in named if named.count(name) > 1}):
                raise WorkforceError(
                    f"sheet {sheet or 'of the file'} has two columns {', '.join(twice)}: keep one"
                )
            continue
        if texts[len(header) :] or any(
            text and not name for name, text in zip(header, texts, strict=False)
        ):
            raise WorkforceError(
                f"{Row(sheet, number, header, {}).place()} has a value in a column without a name:"
                " name it in the first row, or delete it"
            )
        cells = {name: text for name, text in zip(header, texts, strict=False) if text}
        yield Row(sheet, number, header, cells)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value).strip()
