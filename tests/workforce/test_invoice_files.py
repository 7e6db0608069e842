"""Invoices are read as vendors send them, and what cannot be right is refused with its place."""

from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

import workforce as package
from tests.workforce.staff import vendor, workforce
from workforce import WorkforceError
from workforce.records import Workforce, ledger
from workforce.records.invoice_files import invoices

SAMPLE = Path(package.__file__).parent / "sample-invoice.csv"
HEADER = "number,issued,starts,ends,currency,unit,quantity,price,amount"
LINE = "7,2026-11-02,2026-10-01,2026-10-31,EUR"


def csv(folder: Path, *lines: str, header: str = HEADER) -> Path:
    file = folder / "invoice.csv"
    file.write_text("\n".join((header, *lines)), encoding="utf-8")
    return file


def test_the_sample_is_read_to_the_last_digit() -> None:
    [found] = invoices(SAMPLE, "vendor-a")
    assert (found.key, str(found.items[0].amount), found.tax) == (
        "vendor-a/A-2026-118",
        "1079.00",
        Decimal("265.53"),
    )
    assert [each.locale for each in found.items] == ["de-DE", "sv-SE"]


def test_a_workbook_says_what_its_text_says(tmp_path: Path) -> None:
    book = Workbook()
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        book.active.append(
            [float(cell) if cell.replace(".", "").isdigit() else cell for cell in line.split(",")]
        )
    book.save(tmp_path / "invoice.xlsx")
    assert invoices(tmp_path / "invoice.xlsx", "vendor-a") == invoices(SAMPLE, "vendor-a")


def test_semicolons_and_a_byte_order_mark_are_what_spreadsheets_write(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8").replace(",", ";")
    (tmp_path / "excel.csv").write_text(text, encoding="utf-8-sig")
    assert invoices(tmp_path / "excel.csv", "vendor-a") == invoices(SAMPLE, "vendor-a")


def test_a_credit_note_has_negative_amounts(tmp_path: Path) -> None:
    [found] = invoices(csv(tmp_path, f"{LINE},question,-20,0.50,-10.00"), "vendor-a")
    assert (found.items[0].quantity, found.money.amount) == (Decimal(-20), Decimal("-10.00"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((f'{LINE},question,1,"1,50",1.50',), r"cell H2 \(price\)"),
        ((f'{LINE},question,1,1,"1.000,00"',), r"cell I2 \(amount\).*write 1234\.50"),
        ((f"{LINE},question,1,1,",), r"cell I2 \(amount\): is empty"),
        ((f"{LINE},gallon,1,1,1",), r"cell F2 \(unit\)"),
        ((f"{LINE},question,1,NaN,1",), r"cell H2 \(price\)"),
        (
            (f"{LINE},question,1,1,1", LINE.replace("EUR", "USD") + ",question,1,1,1"),
            r"cell E3 \(currency\): is USD, and EUR in row 2",
        ),
        ((f"{LINE},question,1,1,1", f"{LINE},total,,,2"), "do not add up to the total 2"),
        ((f"{LINE.replace('2026-10-31', '2026-09-30')},question,1,1,1",), "before it starts"),
        ((f"{LINE.replace('EUR', 'EURO')},question,1,1,1",), r"\(currency\).*ISO 4217"),
        ((f"{LINE},question,1,1,1,boo",), "row 2 has a value in a column without a name"),
        ((), "holds no invoice"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(
    tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(WorkforceError, match=said):
        invoices(csv(tmp_path, *lines), "vendor-a")


def test_columns_that_are_not_known_are_named(tmp_path: Path) -> None:
    with pytest.raises(WorkforceError, match=r"unknown: sum; missing: amount\. Name them number"):
        invoices(csv(tmp_path, "1", header="number,issued,starts,ends,currency,sum"), "vendor-a")


@pytest.mark.parametrize("name", ["invoice.pdf", "invoice.xlsx", "missing.csv"])
def test_what_is_no_table_is_refused(tmp_path: Path, name: str) -> None:
    if name != "missing.csv":
        (tmp_path / name).write_bytes(b"%PDF")
    with pytest.raises(WorkforceError, match=name):
        invoices(tmp_path / name, "vendor-a")


def test_an_invoice_is_recorded_once_and_not_changed_in_silence() -> None:
    [first] = invoices(SAMPLE, "vendor-a")
    standing = workforce(vendor(), first)
    assert ledger.changes(standing, Workforce(invoices=(first,))) == []
    other = first.model_copy(update={"order": None})
    with pytest.raises(WorkforceError, match="withdraw invoice vendor-a/A-2026-118"):
        ledger.changes(standing, Workforce(invoices=(other,)))
