"""The catalogue under the doctor's eyes: every way to be wrong is told, and nothing is changed."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.checkup import checkup
from catalog.database import add_new
from catalog.schema import Model, Promotion, Question, TrainingSet
from deployments.doctor import catalogue, work
from deployments.doctor.examination import CannotTell, Level
from tasks.settings import Settings
from tests.conftest import free_ports
from tests.deployments.doctor.findings import told
from tests.workforce.staff import contract, vendor, workforce
from workforce.records import ledger

NOW = dt.datetime.now(dt.UTC)
LONG_AGO = NOW - dt.timedelta(days=90)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An SQLite catalogue of today's schema."""
    path = tmp_path / "catalogue.sqlite"
    Catalog(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def settings(file: Path) -> Iterator[Settings]:
    opened = Settings(data=file.parent)
    yield opened
    if "catalog" in vars(opened):
        opened.catalog.close()


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(statement)


def test_todays_catalogue_is_well(settings: Settings) -> None:
    for look in (catalogue.database, catalogue.integrity):
        assert told(look, settings, Level.OK)


def test_none_yet_is_well_and_none_is_made(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new")

    assert told(catalogue.database, settings, Level.OK)
    with pytest.raises(CannotTell):
        list(work.questions(settings))
    assert not settings.data.exists()


def test_an_earlier_schema_is_a_warning_and_stays_what_it_is(
    settings: Settings, file: Path
) -> None:
    change(file, "UPDATE alembic_version SET version_num = '0003'")

    [found] = told(catalogue.database, settings, Level.WARNING)

    assert "the schema is 0003" in found.says
    with pytest.raises(CannotTell, match="0003"):
        list(work.model(settings))
    assert checkup(settings.catalogue_url).revision == "0003"


def test_a_schema_of_a_newer_program_is_an_error(settings: Settings, file: Path) -> None:
    change(file, "UPDATE alembic_version SET version_num = '9999'")

    [found] = told(catalogue.database, settings, Level.ERROR)

    assert "does not know the schema 9999" in found.says


def test_a_journal_in_which_readers_wait_for_writers_is_an_error(
    settings: Settings, file: Path
) -> None:
    change(file, "PRAGMA journal_mode = DELETE")

    [found] = told(catalogue.database, settings, Level.ERROR)

    assert "'delete' and not WAL" in found.says


def test_a_damaged_file_is_an_error(settings: Settings, file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(8 * 4096)
        opened.write(b"\xff" * 20_000)

    [found] = told(catalogue.integrity, settings, Level.ERROR)

    assert "damaged" in found.says or "malformed" in found.says


def test_a_database_that_is_down_is_named_without_its_password(tmp_path: Path) -> None:
    [closed] = free_ports(1)
    url = f"postgresql+psycopg://ann:secret-word@127.0.0.1:{closed}/x"
    settings = Settings(data=tmp_path, catalogue=url)

    [found] = told(catalogue.database, settings, Level.ERROR)

    assert f"ann:***@127.0.0.1:{closed}/x does not answer" in found.says


def test_questions_beyond_the_turnaround_of_their_vendor_are_told(settings: Settings) -> None:
    for_ever = {"starts": dt.date(2020, 1, 1), "ends": dt.date(2099, 12, 31)}
    agreed = workforce(
        vendor("local"), contract("local", turnaround=[{"working_days": 3}], **for_ever)
    )
    question = Question(
        id="q", kind="verify", locale="de-DE", site="local", image_ids=[], asked_at=LONG_AGO
    )
    with settings.catalog.begin() as transaction:
        ledger.recorded(transaction, agreed, by="Ann", reason="agreed")
        transaction.add(question)

    [found] = told(work.questions, settings, Level.WARNING)

    assert "de-DE, verify: 1 of 1 open questions are overdue" in found.says


def test_a_champion_that_has_learnt_nothing_for_long_is_told(settings: Settings) -> None:
    [none_yet] = told(work.model, settings, Level.WARNING)
    assert "there is no champion" in none_yet.says

    with settings.catalog.begin() as transaction:
        for row in (
            TrainingSet(
                version=1,
                digest="0",
                parent=None,
                location="-",
                n_images=0,
                n_products=0,
                per_locale={},
            ),
            Model(id="m", training_set=1, location="-", config={}, metrics={}, trained_at=LONG_AGO),
            Promotion(number=1, challenger_id="m", champion_id=None, promoted=True, reason="first"),
        ):
            add_new(transaction, [row])

    [found] = told(work.model, settings, Level.WARNING)
    assert "was trained 90 days ago" in found.says
