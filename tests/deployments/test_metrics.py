"""The metrics on the command line."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deployments.metrics import app
from tasks.settings import load_settings
from tests.workforce.performed import FIRST, Work

QUARTER = ("--period", "2026Q4")


@pytest.fixture
def answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A catalogue with one right gold answer to a vendor whose name is a formula."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "data"))
    load_settings.cache_clear()
    work = Work()
    expected = {"verdict": "confirm", "intruder_ids": []}
    asked = work.question("gold", site="=1+1", expected=expected)
    answer = work.answer(asked, FIRST)
    work.into(load_settings().catalog)
    yield answer.id
    load_settings.cache_clear()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_vendors_stand_beside_one_another(answered: str) -> None:
    lines = run(*QUARTER).output.splitlines()
    [of_vendor] = [line for line in lines if "gold_accuracy" in line and "=1+1" in line]
    assert "100.0%" in of_vendor


def test_a_figure_leads_to_its_rows(answered: str) -> None:
    found = run("rows", "gold_accuracy", *QUARTER, "--vendor", "=1+1").output
    assert f"answer\t{answered}" in found.splitlines()


def test_no_name_is_a_formula_in_the_csv(answered: str, tmp_path: Path) -> None:
    run(*QUARTER, "--csv", tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["vendor"] for row in rows} == {"", "'=1+1"}
    assert {row["n"] for row in rows if row["metric"] == "gold_accuracy"} == {"1"}


def test_a_period_must_be_named(answered: str) -> None:
    assert "name a period" in run().output
