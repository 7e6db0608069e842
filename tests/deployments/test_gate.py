"""The gate on the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.gate import app
from tasks.settings import load_settings


@pytest.fixture
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path))
    load_settings.cache_clear()
    return tmp_path / "reports" / "contract"


def test_the_contract_of_a_locale_is_written_and_of_an_unknown_one_is_not(contracts: Path) -> None:
    known = CliRunner().invoke(app, ["contract", "--locale", "ja-JP"])
    unknown = CliRunner().invoke(app, ["contract", "--locale", "../ja-JP"])
    load_settings.cache_clear()
    assert (known.exit_code, unknown.exit_code) == (0, 2)
    assert "../ja-JP" in unknown.output
    assert sorted(page.name for page in contracts.iterdir()) == ["ja-JP.html", "ja-JP.md"]
