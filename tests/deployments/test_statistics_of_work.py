"""Statistics of what the catalogue holds: who differs, by what, since when, and what to accept."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import Result
from typer.testing import CliRunner

from catalog.schema import Audit, AuditPurpose, AuditSubject, Promotion
from deployments.statistics import app
from tasks.settings import load_settings
from tests.workforce.performed import FIRST, Work
from workforce.errors import WorkforceError

RIGHT = {"verdict": "confirm", "intruder_ids": []}
WEEK = dt.timedelta(days=7)
SHARES = {"vendor-a": 0.98, "vendor-b": 0.75, "vendor-c": 0.98}
"""Of gold answers that are right."""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Rows that are yet to be added to the catalogue of the settings."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path / "data"))
    load_settings.cache_clear()
    yield Work()
    load_settings.cache_clear()


def gold(work: Work, weeks: int, per_week: int, shares: dict[str, float], since: int = 0) -> None:
    """Gold answers of four annotators of each vendor, week by week."""
    chance = Random(since)
    for week in range(since, since + weeks):
        for number in range(per_week):
            for site, share in shares.items():
                name, at = f"{site} {week} {number}", FIRST + week * WEEK
                asked = work.question(name, at, site=site, expected=RIGHT)
                verdict = "confirm" if chance.random() < share else "unsure"
                work.answer(asked, at, f"{site}-{number % 4}", verdict=verdict)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def says(*arguments: object) -> str:
    found = run(*arguments)
    if found.exception is not None:
        raise found.exception
    return found.output


def pair(printed: str, one: str, other: str) -> str:
    [line] = [line for line in printed.splitlines() if one in line and other in line]
    return line


def test_vendors_that_differ_are_told_from_those_that_are_alike(work: Work) -> None:
    gold(work, weeks=4, per_week=60, shares=SHARES)
    work.into(load_settings().catalog)
    printed = says("compare", "--period", "2026Q4", "--margin", "0.05")
    assert " differ " in pair(printed, "vendor-a", "vendor-b")
    assert " alike " in pair(printed, "vendor-a", "vendor-c")


def test_a_vendor_is_compared_with_what_it_was(work: Work) -> None:
    gold(work, weeks=4, per_week=60, shares={"vendor-a": 0.98}, since=-4)
    gold(work, weeks=4, per_week=60, shares={"vendor-a": 0.75})
    work.into(load_settings().catalog)
    printed = says("compare", "--period", "2026-10", "--with", "2026-09")
    assert " differ " in pair(printed, "vendor-a", "2026-09")


def test_where_nothing_can_be_compared_it_says_why(work: Work) -> None:
    gold(work, weeks=1, per_week=5, shares={"vendor-a": 1.0})
    work.into(load_settings().catalog)
    with pytest.raises(WorkforceError, match="no locale has gold answers of two vendors"):
        says("compare", "--period", "2026Q4")


def test_the_annotator_who_is_wrong_is_where_differences_come_from(work: Work) -> None:
    for number in range(120):
        asked = work.question(str(number), expected=RIGHT)
        for annotator in ("ada", "bea", "cy"):
            wrong = annotator == "cy" and number % 3
            verdict = "unsure" if wrong else "confirm"
            work.answer(asked, FIRST, annotator, verdict=verdict)
    work.into(load_settings().catalog)
    lines = says("components", "--period", "2026Q4").splitlines()
    shares = {
        name: float(line.split()[3].rstrip("%"))
        for line in lines
        for name in ("annotator", "cluster", "noise")
        if f" {name} " in line
    }
    assert max(shares, key=shares.__getitem__) == "annotator"


def test_charts_name_the_weeks_beyond_what_is_usual(work: Work, tmp_path: Path) -> None:
    gold(work, weeks=51, per_week=20, shares={"vendor-a": 0.97}, since=-51)
    gold(work, weeks=1, per_week=20, shares={"vendor-a": 0.0})
    for week in range(-51, 1):
        at = FIRST + week * WEEK
        asked = work.question(f"work {week}", at)
        for annotator in ("vendor-a-0", "vendor-a-1"):
            work.answer(asked, at, annotator, seconds=3600.0)
        work.decide(asked, at)
    work.into(load_settings().catalog)
    picture = tmp_path / "charts.png"
    printed = says("charts", "vendor-a", "--until", f"{FIRST:%Y-%m-%d}", "--to", picture)
    assert "2026-W41 (1)" in printed
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_vendor_without_work_has_no_chart(work: Work) -> None:
    with pytest.raises(WorkforceError, match="vendor-x has no chart"):
        says("charts", "vendor-x")


def test_the_threshold_is_above_the_scores_that_were_wrong(work: Work, tmp_path: Path) -> None:
    model = work.model()
    work.add(
        Promotion(challenger_id=model.id, champion_id=None, number=1, promoted=True, reason="first")
    )
    for number in range(40):
        score = number / 40
        asked = work.question(f"audit {number}", expected=None)
        work.decide(asked, FIRST, "same" if score >= 0.6 else "different")
        work.add(
            Audit(
                question_id=asked.id,
                purpose=AuditPurpose.ACCEPTANCE,
                locale="de-DE",
                subject=AuditSubject.CLUSTER,
                score=score,
                chance=1.0,
                model_id=model.id,
                drawn_at=FIRST,
            )
        )
    work.into(load_settings().catalog)
    picture = tmp_path / "curves.png"
    printed = says("threshold", "de-DE", "--to", picture)
    assert "accept from 0.600 on: 100.0%" in printed
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_threshold_needs_audits_of_both_kinds(work: Work) -> None:
    model = work.model()
    work.add(
        Promotion(challenger_id=model.id, champion_id=None, number=1, promoted=True, reason="first")
    )
    work.into(load_settings().catalog)
    with pytest.raises(WorkforceError, match="de-DE has no threshold for cluster"):
        says("threshold", "de-DE")
