"""Reviews are made by a flow, kept under names of their content, and written by the command."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.server.schemas.schedules import CronSchedule
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from catalog.workforce import add_versions
from deployments.cli import app
from deployments.orchestration import declared_deployments, prefect_environment
from flows.review import review
from tasks.dashboard import count_costs, refresh_dashboard
from tasks.review import books, period_of, vendor_review, whole_portfolio
from tasks.settings import Settings, load_settings
from tests.workforce.staff import contract, order, vendor
from workforce import WorkforceError
from workforce.periods import A_DAY, FiscalCalendar
from workforce.records import content
from workforce.reviews.review import Light

YEAR_END = dt.date(2026, 12, 31)


@pytest.fixture
def settings(
    prefect: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """The settings of a catalogue with a vendor whose name is markup, with a contract and an order;
    nothing was answered."""
    monkeypatch.setenv("GROUNDTRUTH_CATALOGUE", f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    monkeypatch.setenv("GROUNDTRUTH_BLOBS", str(tmp_path / "blobs"))
    for name, value in prefect_environment(prefect).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    opened = load_settings()
    records = (vendor(name="<script>"), contract(), order("100"))
    with opened.catalog.begin() as transaction:
        contents = {(each.kind, each.key): content(each) for each in records}
        add_versions(transaction, contents, by="somebody", reason="agreed")
    with temporary_settings({PREFECT_API_URL: prefect.servers.prefect_api}):
        yield opened
    load_settings.cache_clear()


def test_a_quarter_without_answers_is_reviewed_and_the_same_again_is_the_same_file(
    settings: Settings,
) -> None:
    first = review("2026Q4", forms=["html"], as_of=YEAR_END)
    again = review("2026Q4", forms=["html"], as_of=YEAR_END)
    assert [each.title for each in first] == ["vendor-a 2026Q4 en", "portfolio 2026Q4 en"]
    assert first == again
    page = settings.blob_store.get(first[0].locations["html"]).decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "No question was answered in the period." in page


def test_where_nothing_is_known_the_light_is_grey(settings: Settings) -> None:
    held = books(settings, settings.company.fiscal.period("2026Q4"), YEAR_END)
    assert vendor_review(held, "vendor-a").light == Light.GREY
    assert whole_portfolio(held).light == Light.GREY


@pytest.mark.usefixtures("settings")
def test_the_command_writes_a_page_and_a_workbook(tmp_path: Path) -> None:
    asked = ("review", "--quarter", "2026Q4", "--as-of", "2026-12-31", "--to", str(tmp_path / "to"))
    done = CliRunner().invoke(app, [*asked, "--vendor", "vendor-a", "--language", "de"])
    assert done.exit_code == 0, done.output
    assert {file.name for file in (tmp_path / "to").iterdir()} == {
        "vendor-a-2026Q4-de.html",
        "vendor-a-2026Q4-de.xlsx",
    }
    refused = CliRunner().invoke(app, [*asked, "--vendor", "nobody"])
    assert isinstance(refused.exception, WorkforceError)
    assert "name one of vendor-a" in str(refused.exception)


def test_the_dashboard_is_made_with_the_costs_that_were_last_counted(settings: Settings) -> None:
    def page() -> str:
        return settings.blob_store.get(refresh_dashboard.fn()).decode()

    uncounted = page()
    assert "No question waits for an answer." in uncounted
    assert "Costs were not counted yet" in uncounted
    count_costs.fn()
    counted = page()
    assert "Costs were not counted yet" not in counted
    assert "&lt;script&gt;" in counted
    assert counted.count("€100.00") == page().count("€100.00") == 2


def test_only_the_newest_dashboard_is_kept(settings: Settings) -> None:
    keys = {refresh_dashboard.fn() for _ in range(2)}

    kept = [key for key in settings.blob_store.every_key() if key.endswith(".html")]
    assert kept == [*keys]


@pytest.mark.parametrize("first_month", range(1, 13))
def test_each_quarter_of_ten_years_is_reviewed_once_when_it_is_over(first_month: int) -> None:
    fiscal = FiscalCalendar(first_month=first_month)
    company = Settings().company.model_copy(update={"fiscal": fiscal})
    settings = Settings(company=company)
    [deployment] = [
        each for each in declared_deployments() if each["entrypoint"] == "flows/review.py:review"
    ]
    [scheduled] = deployment["schedules"]
    cron = CronSchedule(cron=scheduled["cron"], timezone=scheduled["timezone"])
    quarters = [fiscal.quarter(dt.date(2026, 2, 1))]
    while len(quarters) < 41:
        quarters.append(fiscal.quarter(quarters[-1].ends + A_DAY))

    runs = asyncio.run(cron.get_dates(1000, quarters[1].begins, quarters[-1].over))
    reviewed = [(run.date(), period_of(settings, None, run.date())) for run in runs]

    assert [each for day, each in reviewed if each.ends < day] == quarters[:-1]
