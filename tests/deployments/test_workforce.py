"""The workforce on the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import workforce
from deployments.workforce import app
from tasks.settings import load_settings

SAMPLE = Path(workforce.__file__).parent / "sample.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "data"))
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_dry_run_says_what_would_change_and_changes_nothing(folder: Path) -> None:
    for _ in range(2):
        tried = run("import", SAMPLE, "--reason", "to see", "--dry-run")
        assert "* new contract vendor-b/1" in tried.output
        assert "12 of 12 records would change" in tried.output


def test_what_is_imported_is_shown_exported_and_imported_without_a_change(folder: Path) -> None:
    assert run("import", SAMPLE, "--reason", "first").exit_code == 0
    assert "EUR 12,000.00 for vendor-a" in run("show").output
    exported = folder / "today.yaml"
    assert run("export", exported).exit_code == 0
    assert "0 of 12 records changed" in run("import", exported, "--reason", "again").output
    assert run("export", exported).exit_code == 2


def test_a_workbook_is_exported_and_imported_without_a_change(folder: Path) -> None:
    run("import", SAMPLE, "--reason", "first")
    assert run("export", folder / "today.xlsx").exit_code == 0
    again = run("import", folder / "today.xlsx", "--reason", "again")
    assert "0 of 12 records changed" in again.output


def test_the_history_says_who_and_why(folder: Path) -> None:
    run("import", SAMPLE, "--reason", "first", "--by", "Ann")
    run("withdraw", "budget", "Q4", "--reason", "twice", "--by", "Bo")
    history = run("history", "budget", "Q4").output
    assert all(said in history for said in ("Ann", "first", "Bo", "twice", "withdrawn"))
