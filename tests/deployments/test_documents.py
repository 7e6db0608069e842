"""Documents on the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import workforce
from deployments.documents import app
from tasks.settings import load_settings
from workforce import WorkforceError
from workforce.records import files, ledger

SAMPLE = Path(workforce.__file__).parent / "sample.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, beside a catalogue that holds the sample's records."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "data"))
    load_settings.cache_clear()
    with load_settings().catalog.begin() as transaction:
        ledger.recorded(transaction, files.read(SAMPLE), by="Ann", reason="first")
    yield tmp_path / "documents"
    load_settings.cache_clear()


def run(*arguments: object) -> str:
    said = [str(each) for each in arguments]
    return CliRunner().invoke(app, said, catch_exceptions=False).output


def test_an_order_is_written_as_page_and_pdf_in_a_language(folder: Path) -> None:
    order = files.read(SAMPLE).purchase_orders[0]
    run("order", order.number, "--language", "de", "--to", folder, "--pdf")
    page, printed = sorted(folder.iterdir())
    assert f"Bestellung {order.number}" in page.read_text(encoding="utf-8")
    assert printed.read_bytes().startswith(b"%PDF")


def test_the_same_order_is_the_same_page(folder: Path) -> None:
    order = files.read(SAMPLE).purchase_orders[0]
    pages = []
    for _ in range(2):
        run("order", order.number, "--to", folder)
        (page,) = folder.iterdir()
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]


def test_an_order_that_does_not_stand_is_no_document(folder: Path) -> None:
    with pytest.raises(WorkforceError, match="no purchase order"):
        run("order", "nothing", "--to", folder)


def test_a_vendor_who_missed_nothing_owes_no_credit(folder: Path) -> None:
    with pytest.raises(WorkforceError, match="owes no credit"):
        run("credit", "--vendor", "vendor-a", "--period", "2026-10", "--to", folder)


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Notice of"), ("de", "Kündigung"), ("ja", "契約終了通知書")]
)
def test_a_contract_is_ended_in_the_language_of_the_vendor(
    folder: Path, language: str, title: str
) -> None:
    asked = ("notice", "--vendor", "vendor-a", "--on", "2026-09-30", "--language", language)
    run(*asked, "--to", folder)
    (page,) = folder.iterdir()
    assert page.name == "notice-end-vendor-a-1.html"
    assert title in page.read_text(encoding="utf-8")


def test_a_contract_that_goes_on_by_itself_cannot_be_ended_after_its_day(folder: Path) -> None:
    asked = ("notice", "--vendor", "vendor-a", "--on", "2026-10-01", "--to", folder)
    with pytest.raises(WorkforceError, match="was due by 2026-09-30"):
        run(*asked)
    run(*asked, "--of", "renew")
    (page,) = folder.iterdir()
    assert "goes on for 12 months" in page.read_text(encoding="utf-8")


def test_no_notice_is_given_where_no_contract_is_in_force(folder: Path) -> None:
    with pytest.raises(WorkforceError, match="no contract with vendor-b is in force"):
        run("notice", "--vendor", "vendor-b", "--on", "2026-01-01", "--to", folder)
    with pytest.raises(WorkforceError, match="name one of vendor-a, vendor-b"):
        run("notice", "--vendor", "nobody", "--to", folder)
