"""All records can be edited in a workbook: what is exported is imported again without a change."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

import workforce as package
from tests.workforce.staff import budget, contract, order, vendor, workforce
from tests.workforce.test_matching import invoice, line
from workforce import WorkforceError
from workforce.records import Workforce, files, record_sheets
from workforce.records.vendors import Person, pseudonym

SAMPLE = Path(package.__file__).parent / "sample.yaml"
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)
NAMES = TEXTS.map(str.strip).filter(bool).map(lambda text: text[:200].strip())
AMOUNTS = st.decimals(0, 10**9, places=4, allow_nan=False)
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31))
LOCALES = st.lists(st.sampled_from(["de-DE", "ja-JP", "ar-EG"]), unique=True).map(tuple)
RATES = st.lists(AMOUNTS, min_size=1, max_size=3).map(
    lambda prices: [
        {
            "unit": unit,
            "price": price,
            "tiers": [{"above": 10, "price": price / 2}] if price else [],
        }
        for unit, price in zip(("hour", "question", "label"), prices, strict=False)
    ]
)


@st.composite
def staffs(draw: st.DrawFn) -> Workforce:
    sources = draw(st.lists(NAMES, max_size=3))
    terms: dict[str, Any] = {
        "rates": draw(RATES),
        "minimum_per_month": draw(AMOUNTS),
        "confidentiality": {"sources": {"never": sources}},
        "acceptance": {"audited": "0.1", "refused_above": "0.02"},
        "levels": [{"at_least": "0.95", "credit": draw(st.decimals(0, 1, places=6))}],
        "rush": {"working_days": "0.5", "factor": "1.25"},
        "notice_by": draw(st.none() | DAYS),
    }
    return workforce(
        vendor(name=draw(NAMES), closed=draw(st.lists(DAYS, max_size=3))),
        Person(vendor="vendor-a", pseudonym=pseudonym("vendor-a", "ann"), locales=("de-DE",)),
        contract(**terms),
        order(str(draw(AMOUNTS)), number="007"),
        budget("1", locales=draw(LOCALES), revision=1, reason=draw(NAMES), approved_by="=A1"),
        invoice(line("3", "0.50", description=draw(NAMES)), line("1", "9", unit="other")),
    )


def again(standing: Workforce, file: Path) -> Workforce:
    record_sheets.written(standing, file)
    return record_sheets.read(file)


@settings(max_examples=10)
@given(staffs())
def test_what_is_written_is_read_back(standing: Workforce) -> None:
    with TemporaryDirectory() as folder:
        assert again(standing, Path(folder, "records.xlsx")) == standing


def test_the_sample_is_written_and_read_back(tmp_path: Path) -> None:
    standing = files.read(SAMPLE)
    assert again(standing, tmp_path / "records.xlsx") == standing


def test_what_people_wrote_is_no_formula(tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "http://x"]
    staff = workforce(*(vendor(f"v{n}", name=name) for n, name in enumerate(names)))
    record_sheets.written(staff, tmp_path / "records.xlsx")
    page = load_workbook(tmp_path / "records.xlsx")["vendors"]
    written = [cell for row in page.iter_rows(min_row=2) for cell in row if cell.value in names]
    assert [cell.value for cell in written] == names
    assert {cell.data_type for cell in written} == {"s"}
    assert not any(cell.hyperlink for cell in written)


def test_amounts_and_dates_can_be_added_up_and_sorted(tmp_path: Path) -> None:
    record_sheets.written(workforce(vendor(), order("12000.50")), tmp_path / "records.xlsx")
    page = load_workbook(tmp_path / "records.xlsx")["purchase_orders"]
    [row] = page.iter_rows(min_row=2, values_only=True)
    assert 12000.5 in row
    assert dt.datetime(2026, 1, 1) in row


def test_an_amount_that_a_spreadsheet_would_round_is_kept_as_text(tmp_path: Path) -> None:
    standing = workforce(vendor(), order("123456789012345.678"))
    found = again(standing, tmp_path / "records.xlsx")
    assert found.purchase_orders[0].amount == Decimal("123456789012345.678")


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "said"),
    [
        ("contracts.rates", "E2", "cheap", r"sheet contracts\.rates, cell E2 \(price\)"),
        ("contracts", "A1", "seller", r"sheet contracts, cell A1 \(seller\): no such column"),
        ("contracts.rates", "A2", "vendor-z/1", r"cell A2 \(of\).*names no row of sheet contracts"),
        ("vendors", "C2", "Germany", r"sheet vendors, row 2: .*ISO 3166"),
        ("vendors", "A2", None, r"cell A2 \(of\): 'vendor-a' names no row of sheet vendors"),
        ("purchase_orders", "C2", None, r"cell C2 \(number\): Field required"),
    ],
)
def test_an_error_names_the_sheet_and_the_cell(
    tmp_path: Path, sheet: str, cell: str, value: str | None, said: str
) -> None:
    file = tmp_path / "records.xlsx"
    record_sheets.written(workforce(vendor(), contract(), order("5")), file)
    book = load_workbook(file)
    page = book[sheet]
    page[cell] = value
    book.save(file)
    with pytest.raises(WorkforceError, match=said):
        record_sheets.read(file)


def test_a_sheet_that_is_not_known_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "records.xlsx"
    record_sheets.written(workforce(vendor()), file)
    book = load_workbook(file)
    book.create_sheet("vendor")
    book.save(file)
    with pytest.raises(WorkforceError, match=r"sheets vendor, .*one of vendors"):
        record_sheets.read(file)
