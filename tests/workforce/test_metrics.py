"""What the metrics say of the cases in which definitions differ, a few rows each."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from catalog import Catalog
from catalog.performance import log_of
from catalog.schema import NO_SITE, Desk, Removal, WithdrawnQuestion
from tests.workforce import staff
from tests.workforce.performed import FIRST, HOUR, Work
from workforce import Contract, Vendor
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import Circumstances, measure
from workforce.periods import FiscalCalendar, Period

QUARTER = FiscalCalendar().period("2026Q4")
DAY = dt.timedelta(days=1)
AS_OF = dt.datetime(2026, 12, 20, tzinfo=dt.UTC)
GOLD = {"verdict": "confirm", "intruder_ids": []}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a catalogue without rows."""
    file = tmp_path_factory.mktemp("empty") / "catalogue.sqlite"
    Catalog(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def catalog(empty: Path, tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(f"sqlite:///{copy(empty, tmp_path)}")
    yield opened
    opened.close()


@pytest.fixture
def work() -> Work:
    return Work()


def figure(
    catalog: Catalog,
    work: Work,
    metric: Metric,
    vendor: str | None = "vendor-a",
    *,
    kind: str | None = None,
    period: Period = QUARTER,
    records: Sequence[Vendor | Contract] = (staff.vendor(),),
    as_of: dt.datetime = AS_OF,
    **known: Any,
) -> Figure:
    work.into(catalog)
    circumstances = Circumstances(staff.workforce(*records), as_of, **known)
    with catalog.read() as transaction:
        found = measure(log_of(transaction), [period], circumstances, [metric])
    [wanted] = [each for each in found if each.cell == Cell(period, vendor, None, kind)]
    return wanted


def test_of_no_answer_nothing_is_known(catalog: Catalog) -> None:
    known = Circumstances(staff.workforce(staff.vendor()), AS_OF)
    with catalog.read() as transaction:
        found = measure(log_of(transaction), [QUARTER], known)
    assert {each.metric for each in found} == set(Metric)
    assert {(each.n, each.value, each.low, each.high) for each in found} == {(0, None, None, None)}


def test_of_one_answer_little_is_known(catalog: Catalog, work: Work) -> None:
    asked = work.question("gold", expected=GOLD)
    work.answer(asked, FIRST, seconds=8.0)
    gold = figure(catalog, work, Metric.GOLD_ACCURACY)
    # The Wilson interval of 1 of 1.
    assert (gold.value, gold.n, gold.high) == (1.0, 1, 1.0)
    assert gold.low == pytest.approx(1 / (1 + 1.959964**2), abs=1e-6)
    pace = figure(catalog, Work(), Metric.HANDLING_SECONDS)
    assert (pace.value, pace.n, pace.low, pace.high) == (8.0, 1, None, None)


def test_an_answer_that_is_changed_counts_as_it_stands(catalog: Catalog, work: Work) -> None:
    asked = work.question("gold", expected=GOLD)
    work.answer(asked, FIRST, intruder_ids=asked.image_ids[:1])
    work.answer(asked, FIRST + HOUR, revision=1)
    found = figure(catalog, work, Metric.GOLD_ACCURACY)
    assert (found.value, found.n) == (1.0, 1)
    then = figure(catalog, Work(), Metric.GOLD_ACCURACY, as_of=FIRST + HOUR / 2)
    assert (then.value, then.n) == (0.0, 1)


def test_the_time_of_a_change_is_that_of_the_first_answer(catalog: Catalog, work: Work) -> None:
    asked = work.question("changed")
    work.answer(asked, FIRST, seconds=10.0)
    work.answer(asked, FIRST + HOUR, revision=1, seconds=60.0)
    assert figure(catalog, work, Metric.HANDLING_SECONDS).value == 10.0


def test_a_skipped_or_withdrawn_answer_is_none(catalog: Catalog, work: Work) -> None:
    for number, state in enumerate(("skipped", "withdrawn")):
        asked = work.question(f"gold {number}", expected=GOLD)
        work.answer(asked, FIRST, state=state, verdict=None)
    assert figure(catalog, work, Metric.GOLD_ACCURACY).n == 0


def test_intruders_found_and_members_left_alone(catalog: Catalog, work: Work) -> None:
    asked = work.question("gold", n_images=10)
    asked.expected = {"verdict": "confirm", "intruder_ids": asked.image_ids[:2]}
    work.answer(asked, FIRST, intruder_ids=asked.image_ids[1:4])
    found = figure(catalog, work, Metric.SENSITIVITY)
    spared = figure(catalog, Work(), Metric.SPECIFICITY)
    assert (found.value, found.n) == (1 / 2, 2)
    assert (spared.value, spared.n) == (6 / 8, 8)


def test_two_vendors_of_one_kind_have_figures_of_their_own(catalog: Catalog, work: Work) -> None:
    for site, ticked in (("vendor-a", 0), ("vendor-b", 1)):
        asked = work.question(f"gold {site}", site=site, expected=GOLD)
        work.answer(asked, FIRST, intruder_ids=asked.image_ids[:ticked])
    vendors = (staff.vendor(), staff.vendor("vendor-b"))
    values = [
        figure(catalog, work, Metric.GOLD_ACCURACY, vendor, kind="verify", records=vendors).value
        for vendor in ("vendor-a", "vendor-b", None)
    ]
    assert values == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("metric", [Metric.REWORK_RATE, Metric.COST_PER_LABEL, Metric.DEFECT_RATE])
def test_what_somebody_decided_by_hand_is_no_vendors_work(
    catalog: Catalog, work: Work, metric: Metric
) -> None:
    asked = work.question("by hand", site=NO_SITE)
    decision = work.decide(asked, FIRST)
    work.judge([work.label(asked, decision, asked.image_ids[0], FIRST)], FIRST + HOUR)
    assert figure(catalog, work, metric, None).n == 0


def accepted(work: Work, name: str, labels: int = 1) -> tuple[Any, Any, list[Any]]:
    asked = work.question(name)
    work.answer(asked, FIRST)
    decision = work.decide(asked, FIRST + HOUR)
    made = [work.label(asked, decision, image, FIRST + HOUR) for image in asked.image_ids[:labels]]
    work.judge(made, FIRST + 2 * HOUR)
    return asked, decision, made


def test_a_question_that_the_lead_had_to_decide_was_reworked(catalog: Catalog, work: Work) -> None:
    accepted(work, "well")
    asked = work.question("hard")
    work.answer(asked, FIRST)
    work.task(asked, FIRST + HOUR, Desk.LEAD)
    rework = figure(catalog, work, Metric.REWORK_RATE)
    first_pass = figure(catalog, Work(), Metric.FIRST_PASS_YIELD)
    assert (rework.value, rework.n) == (1 / 2, 2)
    assert (first_pass.value, first_pass.n) == (1 / 2, 2)


@pytest.mark.parametrize(("votes", "rework"), [(1, 1.0), (2, 0.0)])
def test_more_votes_than_are_asked_for_at_first_are_rework(
    catalog: Catalog, work: Work, votes: int, rework: float
) -> None:
    asked = work.question("twice")
    work.answer(asked, FIRST, "ada")
    work.answer(asked, FIRST, "bo")
    assert figure(catalog, work, Metric.REWORK_RATE, first_votes=votes).value == rework


def test_an_undone_decision_was_rework_and_its_labels_escaped(catalog: Catalog, work: Work) -> None:
    accepted(work, "well", labels=3)
    asked, decision, [label] = accepted(work, "badly")
    later = FIRST + 30 * DAY
    work.decide(asked, later, "undone", decision)
    work.label(asked, decision, label.image_id, later, supersedes=label, withdrawn=True)
    escapes = figure(catalog, work, Metric.ESCAPE_RATE)
    assert (escapes.value, escapes.n) == (1 / 4, 4)
    assert figure(catalog, Work(), Metric.REWORK_RATE).value == 1 / 2
    before = figure(catalog, Work(), Metric.ESCAPE_RATE, as_of=later)
    assert (before.value, before.n) == (0.0, 4)


def test_a_label_that_is_only_said_anew_is_neither_an_escape_nor_more_work(
    catalog: Catalog, work: Work
) -> None:
    asked, decision, [label] = accepted(work, "merged")
    anew = work.label(
        asked, decision, label.image_id, FIRST + DAY, supersedes=label, product="the larger one"
    )
    work.judge([anew], FIRST + DAY)
    found = figure(catalog, work, Metric.ESCAPE_RATE)
    assert (found.value, found.n) == (0.0, 1)


def test_an_image_that_must_go_takes_no_blame_with_it(catalog: Catalog, work: Work) -> None:
    asked, decision, [label] = accepted(work, "removed")
    gone = {"image_id": label.image_id, "by": "ann", "reason": "asked for", "versions": []}
    work.add(Removal(**gone, model_ids=[], requested_at=FIRST + DAY))
    said = {"supersedes": label, "withdrawn": True}
    work.label(asked, decision, label.image_id, FIRST + 2 * DAY, **said)
    assert figure(catalog, work, Metric.ESCAPE_RATE).value == 0.0


AGREED = (
    staff.vendor(time_zone="Europe/Berlin", country="DE"),
    staff.contract(turnaround=[{"working_days": "2"}]),
)


def test_what_is_overdue_and_open_is_not_on_time(catalog: Catalog, work: Work) -> None:
    accepted(work, "in time")
    work.question("open")
    found = figure(catalog, work, Metric.SLA_ATTAINMENT, records=AGREED)
    assert (found.value, found.n) == (1 / 2, 2)


def test_what_is_not_due_yet_does_not_count(catalog: Catalog, work: Work) -> None:
    work.question("open")
    due = figure(catalog, work, Metric.SLA_ATTAINMENT, records=AGREED, as_of=FIRST + DAY)
    assert due.n == 0


@pytest.mark.parametrize(("days", "n"), [(1, 0), (20, 1)])
def test_a_question_withdrawn_before_it_was_due_is_not_late(
    catalog: Catalog, work: Work, days: int, n: int
) -> None:
    asked = work.question("withdrawn")
    [gone, *_] = asked.image_ids
    moment = FIRST + days * DAY
    of_image = {"image_id": gone, "by": "ann", "reason": "asked for"}
    work.add(Removal(**of_image, versions=[], model_ids=[], requested_at=moment))
    work.add(WithdrawnQuestion(question_id=asked.id, image_id=gone, withdrawn_at=moment))
    found = figure(catalog, work, Metric.SLA_ATTAINMENT, records=AGREED)
    assert (found.value, found.n) == ((0.0, 1) if n else (None, 0))


def test_the_service_level_is_that_of_the_version_in_force_when_it_was_asked(
    catalog: Catalog, work: Work
) -> None:
    versions = (
        staff.vendor(),
        staff.contract(turnaround=[{"working_days": "1"}]),
        staff.contract(version=2, starts="2026-10-15", turnaround=[{"working_days": "5"}]),
    )
    for name, day in (("before", dt.date(2026, 10, 13)), ("after", dt.date(2026, 10, 20))):
        at = dt.datetime.combine(day, dt.time(9), dt.UTC)
        asked = work.question(name, at)
        work.decide(asked, at + 3 * DAY)
    found = figure(catalog, work, Metric.SLA_ATTAINMENT, records=versions)
    assert (found.value, found.n) == (1 / 2, 2)


def took(catalog: Catalog, work: Work, start: dt.datetime, end: dt.datetime) -> list[float | None]:
    asked = work.question("one", start)
    work.decide(asked, end)
    period = FiscalCalendar().year(end.date())
    known: dict[str, Any] = {"records": AGREED, "period": period, "as_of": end + DAY}
    hours = figure(catalog, work, Metric.TURNAROUND_HOURS_P50, **known)
    days = figure(catalog, Work(), Metric.TURNAROUND_P50, **known)
    return [hours.value, days.value]  # type: ignore[list-item]


def test_a_day_of_25_hours_is_one_working_day(catalog: Catalog, work: Work) -> None:
    # From Friday 09:00 to Monday 09:00 in Berlin, where clocks go back on Sunday.
    start = dt.datetime(2026, 10, 23, 7, tzinfo=dt.UTC)
    assert took(catalog, work, start, dt.datetime(2026, 10, 26, 8, tzinfo=dt.UTC)) == [73.0, 1.0]


def test_the_leap_day_is_worked(catalog: Catalog, work: Work) -> None:
    # 2028-02-28 is a Monday.
    start = dt.datetime(2028, 2, 28, 8, tzinfo=dt.UTC)
    assert took(catalog, work, start, start + 2 * DAY) == [48.0, 2.0]


def test_a_question_waits_for_the_vendor_from_when_it_stood_at_the_desk(
    catalog: Catalog, work: Work
) -> None:
    asked = work.question("pushed late")
    work.task(asked, FIRST + 5 * HOUR)
    work.decide(asked, FIRST + 7 * HOUR)
    assert figure(catalog, work, Metric.TURNAROUND_HOURS_P50).value == 2.0


def test_a_price_is_what_is_told_by_what_was_accepted(catalog: Catalog, work: Work) -> None:
    accepted(work, "well", labels=4)
    cell = Cell(QUARTER, "vendor-a")
    found = figure(catalog, work, Metric.COST_PER_LABEL, costs={cell: staff.euros("5.00")})
    assert (found.value, found.n) == (staff.euros("1.25"), 4)


def test_coverage_counts_what_stands_of_all_periods(catalog: Catalog, work: Work) -> None:
    accepted(work, "well", labels=4)
    later = FiscalCalendar().period("2027Q1")
    known: dict[str, Any] = {"planned": {"de-DE": 16}, "period": later}
    found = figure(catalog, work, Metric.COVERAGE, **known, as_of=later.begins + DAY)
    assert (found.value, found.n) == (0.25, 4)
