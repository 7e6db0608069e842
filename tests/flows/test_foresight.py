"""What is expected, what could be mixed and what is warned of, on the command line."""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from catalog import Catalog
from deployments.cli import app
from deployments.orchestration import prefect_environment
from tasks.settings import SETTINGS_VARIABLE, Settings, load_settings
from workforce.sample_year import VENDORS, SampleYear, written

YEAR = SampleYear(year=2026, seed=2, answers=2_000)
LAST = dt.date(2026, 3, 31)
AS_OF = ("--as-of", LAST.isoformat())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings and the catalogue of a year as it is known after its first quarter."""
    folder = tmp_path_factory.mktemp("year")
    wanted = {**YEAR.planned, "en-US": YEAR.planned["en-US"] // 2}
    planned = ", ".join(f'"{locale}" = {{images = {n}}}' for locale, n in wanted.items())
    (folder / "groundtruth.toml").write_text(
        f'data = "data"\nlocales = {list(YEAR.planned)}\n'
        f"[annotate]\nsites = {list(VENDORS)}\n[plan]\nlocales = {{ {planned} }}\n"
    )
    catalog = Catalog(f"sqlite:///{folder / 'catalogue.sqlite'}")
    with catalog.begin() as transaction:
        until = dt.datetime.combine(LAST, dt.time(23), dt.UTC)
        written(transaction, YEAR, YEAR.before, until)
    catalog.close()
    return folder


@pytest.fixture
def year(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv(SETTINGS_VARIABLE, str(folder / "groundtruth.toml"))
    monkeypatch.setenv("GROUNDTRUTH_CATALOGUE", f"sqlite:///{folder / 'catalogue.sqlite'}")
    monkeypatch.setenv("GROUNDTRUTH_BLOBS", str(folder / "blobs"))
    load_settings.cache_clear()
    yield load_settings()
    load_settings.cache_clear()


def run(*arguments: object) -> str:
    said = [str(each) for each in arguments]
    return CliRunner().invoke(app, said, catch_exceptions=False, env={"COLUMNS": "200"}).output


def n_colours(file: Path) -> int:
    pixels = np.asarray(Image.open(BytesIO(file.read_bytes())).convert("RGB"))
    return len(np.unique(pixels.reshape(-1, 3), axis=0))


@pytest.mark.usefixtures("year")
def test_a_scenario_stands_beside_what_is_expected_as_things_go(tmp_path: Path) -> None:
    picture = tmp_path / "fan.png"
    asked = ("forecast", *AS_OF, "--locale", "en-US", "--scenario", "overlap=2", "--to", picture)
    lines = run(*asked).splitlines()
    cells = [[cell.strip() for cell in line.split("│")] for line in lines if "en-US" in line]
    done = {scenario: p50 for _, _, scenario, _, p50, *_ in cells}
    assert LAST.isoformat() < done["as now"] < "2028"
    assert done["overlap=2"] > done["as now"] or done["overlap=2"] == "beyond a year"
    assert not any("ja-JP" in line for line in lines)
    assert n_colours(picture) > 10


@pytest.mark.usefixtures("year")
def test_the_mixes_that_no_other_beats_are_named_and_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "mixes.png"
    said = run("tradeoffs", "en-US", "--labels", 100, *AS_OF, "--to", picture)
    mixes = [line for line in said.splitlines() if line.startswith("*")]
    assert mixes
    assert all("right is shown, done on" in line for line in mixes)
    assert n_colours(picture) > 10


@pytest.mark.usefixtures("year")
def test_no_mix_is_known_of_a_locale_that_nobody_serves(tmp_path: Path) -> None:
    picture = tmp_path / "mixes.png"
    assert "No vendor" in run("tradeoffs", "fr-FR", "--labels", 10, *AS_OF, "--to", picture)
    assert not picture.exists()


def test_what_the_watch_finds_is_listed_until_it_is_over(
    year: Settings, prefect: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "All clear" in run("warnings")
    for name, value in prefect_environment(prefect).items():
        if name.startswith("PREFECT"):
            monkeypatch.setenv(name, value)
    with temporary_settings({PREFECT_API_URL: prefect.servers.prefect_api}):
        found = run("watch", *AS_OF)
    assert [line for line in found.splitlines() if "de-DE needs" in line]
    assert found.splitlines()[-5:] == run("warnings").splitlines()[-5:]
