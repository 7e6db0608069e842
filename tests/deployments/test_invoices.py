"""Invoices on the command line."""

from pathlib import Path

from typer.testing import CliRunner

import workforce
from deployments.invoices import app
from tests.deployments.test_workforce import SAMPLE, folder, run

INVOICE = Path(workforce.__file__).parent / "sample-invoice.csv"
__all__ = ["folder"]


def invoice(*arguments: object) -> str:
    found = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    return found.output


def test_an_invoice_is_recorded_once_listed_and_matched(folder: Path) -> None:
    run("import", SAMPLE, "--reason", "first")
    assert "1 of 1 invoices are new" in invoice("import", INVOICE, "--vendor", "vendor-a")
    assert "0 of 1 invoices are new" in invoice("import", INVOICE, "--vendor", "vendor-a")
    assert "EUR 1,397.50" in invoice("list")
    matched = invoice("match", "A-2026-118")
    assert "41.5 units are billed, and 0 were done" in matched
    assert "EUR 318.50" in matched


def test_a_number_that_no_invoice_has_is_said(folder: Path) -> None:
    found = CliRunner().invoke(app, ["match", "4711"])
    assert found.exit_code == 2
    assert "0 invoices have the number 4711" in found.output
