"""Invoices as vendors send them: a CSV file or an Excel sheet with a row for each line.

What holds for the whole invoice (`number`, `issued`, `starts`, `ends`, `currency`, `order`,
`corrects`) stands in each of its rows. A row whose unit is `tax` holds the tax, one whose unit is
`total` what is to be paid. docs/invoices.md shows a file.
"""

from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workforce.errors import WorkforceError
from workforce.records.invoices import Invoice
from workforce.records.spreadsheets import Row, read

OF_INVOICE = ("number", "issued", "starts", "ends", "currency", "order", "corrects")
OF_LINE = ("description", "locale", "kind", "unit", "quantity", "price", "amount")
NEEDED = ("number", "issued", "starts", "ends", "currency", "amount")
TAX, TOTAL = "tax", "total"


def invoices(file: Path, vendor: str) -> list[Invoice]:
    """The invoices of a file, in the order in which they stand there.

    Raises `WorkforceError` that names each row and column to mend.
    """
    rows = [row for sheet in read(file).values() for row in sheet]
    if not rows:
        raise WorkforceError(f"{file} holds no invoice: it needs a header and a row for each line")
    problems: list[str] = []
    of_number: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        unknown = sorted({name for name in row.columns if name} - {*OF_INVOICE, *OF_LINE})
        missing = [name for name in NEEDED if name not in row.columns]
        if unknown or missing:
            known = ", ".join((*OF_INVOICE, *OF_LINE))
            raise WorkforceError(
                f"{file}: the columns are not those of an invoice"
                + (f"; unknown: {', '.join(unknown)}" if unknown else "")
                + (f"; missing: {', '.join(missing)}" if missing else "")
                + f". Name them {known}"
            )
        problems += [
            f"{row.place(name)}: is empty; fill it in" for name in NEEDED if name not in row.cells
        ]
        of_number[row.cells.get("number", "")].append(row)
    found = []
    if not problems:
        for of_invoice in of_number.values():
            try:
                found.append(_invoice(of_invoice, vendor))
            except WorkforceError as error:
                problems.append(str(error))
    if problems:
        raise WorkforceError(f"{file} cannot be used: {'; '.join(problems)}")
    return found


def _invoice(rows: list[Row], vendor: str) -> Invoice:
    first = rows[0]
    for row in rows:
        for name in OF_INVOICE:
            if row.cells.get(name) != first.cells.get(name):
                raise WorkforceError(
                    f"{row.place(name)}: is {row.cells.get(name, 'empty')}, and"
                    f" {first.cells.get(name, 'empty')} in row {first.number} of the same invoice:"
                    " correct one of them"
                )
    lines = [row for row in rows if row.cells.get("unit") not in (TAX, TOTAL)]
    tax = sum((_amount(row) for row in rows if row.cells.get("unit") == TAX), Decimal(0))
    net = sum((_amount(row) for row in lines), Decimal(0))
    totals = [_amount(row) for row in rows if row.cells.get("unit") == TOTAL]
    said: dict[str, Any] = {
        "vendor": vendor,
        **{name: first.cells[name] for name in OF_INVOICE if name in first.cells},
        "items": [_item(row) for row in lines],
        "tax": tax,
        "total": totals[0] if totals else net + tax,
    }
    try:
        return Invoice.model_validate(said)
    except ValidationError as error:
        problems = (
            f"{_place(problem['loc'], lines, first)}: {problem['msg']}"
            for problem in error.errors()
        )
        raise WorkforceError("; ".join(problems)) from error


def _item(row: Row) -> dict[str, str]:
    """A line; where there is no price, its amount is that of one."""
    cells = {name: row.cells[name] for name in OF_LINE if name in row.cells}
    return cells if "price" in cells else {**cells, "price": cells["amount"], "quantity": "1"}


def _amount(row: Row) -> Decimal:
    try:
        return Decimal(row.cells["amount"])
    except InvalidOperation:
        raise WorkforceError(
            f"{row.place('amount')}: {row.cells['amount']!r} is no amount: write 1234.50, without"
            " separators of thousands"
        ) from None


def _place(parts: tuple[int | str, ...], lines: list[Row], first: Row) -> str:
    match parts:
        case ("items", int(index), str(column), *_):
            return lines[index].place(column)
        case (str(column), *_):
            return first.place(column)
        case _:
            return f"{first.place()} (invoice {first.cells['number']})"
