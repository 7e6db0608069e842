"""Warnings reach Prefect as events, each once, whatever happens in between."""

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from catalog import warned
from catalog.schema import Warned
from deployments.orchestration import ROOT, prefect_client, prefect_environment
from flows.watch import watch
from tasks.settings import Settings, load_settings
from tests.workforce.staff import contract, vendor, workforce
from workforce.records import ledger

TODAY = dt.date(2026, 11, 16)
TOMORROW, NEXT_WEEK = TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=7)
NOTICE = dt.date(2026, 11, 30)
PATIENCE_S = 60.0
KILLED_BEFORE_THE_ROW = """
import datetime, os, signal
from catalog import warned
warned.add = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from flows.watch import watch
watch(datetime.date(2026, 11, 16))
"""


@pytest.fixture
def settings(
    prefect: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """The settings of a catalogue with a contract whose last day for notice is in two weeks; it is
    with a vendor of the test's own, so that its events can be told from others."""
    monkeypatch.setenv("GROUNDTRUTH_CATALOGUE", f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    for name, value in prefect_environment(prefect).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    opened = load_settings()
    site = f"vendor-{tmp_path.name}"
    agreed = workforce(vendor(site), contract(site, notice_by=NOTICE))
    with opened.catalog.begin() as transaction:
        ledger.recorded(transaction, agreed, by="Ann", reason="agreed")
    # Events go where they went first in this process: to the server of a test before this one.
    EventsWorker.drain_all()
    with temporary_settings({PREFECT_API_URL: prefect.servers.prefect_api}):
        yield opened
    EventsWorker.drain_all()
    load_settings.cache_clear()


def rows(settings: Settings) -> list[Warned]:
    with settings.catalog.read() as transaction:
        return list(warned.newest(transaction).values())


def events(settings: Settings, at_least: int) -> list[dict[str, Any]]:
    """The events about the vendor of the test, once there are as many."""
    [vendor] = workforce_of(settings)
    query = {"filter": {"resource": {"id": [f"groundtruth.vendor.{vendor}"]}}}
    deadline = time.monotonic() + PATIENCE_S
    with prefect_client(settings) as api:
        while len(found := api.post("/events/filter", json=query).json()["events"]) < at_least:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    return sorted(found, key=lambda each: each["occurred"])


def workforce_of(settings: Settings) -> list[str]:
    with settings.catalog.read() as transaction:
        return [each.site for each in ledger.standing(transaction).vendors]


def test_a_warning_arrives_as_an_event_once_and_again_where_it_becomes_worse(
    settings: Settings,
) -> None:
    assert [watch(TODAY), watch(TODAY), watch(TOMORROW), watch(NEXT_WEEK)] == [1, 1, 1, 1]
    [row] = rows(settings)
    assert (row.kind, row.number, row.light) == ("notice_near", 2, "red")
    first, second = events(settings, 2)
    assert first["event"] == second["event"] == "groundtruth.warning.notice_near"
    assert first["payload"]["about"] == row.about
    assert (first["payload"]["light"], second["payload"]["light"]) == ("amber", "red")


def test_what_is_over_is_told_as_well(settings: Settings) -> None:
    assert watch(TODAY) == 1
    assert watch(NOTICE + dt.timedelta(days=1)) == 0
    assert [each["event"].rpartition(".")[2] for each in events(settings, 2)] == [
        "notice_near",
        "over",
    ]


def test_a_run_that_was_killed_before_the_row_leaves_one_event_and_one_row(
    settings: Settings,
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_ROW], cwd=ROOT, check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr
    [event] = events(settings, 1)
    assert rows(settings) == []
    assert watch(TODAY) == 1
    assert [row.number for row in rows(settings)] == [1]
    # An event of another day tells that the server has seen all that came before it.
    watch(NEXT_WEEK)
    first, _ = events(settings, 2)
    assert first["id"] == event["id"]
