"""A sample year: its rows hold together, its counts are theirs, its faults are found."""

import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from catalog import Catalog
from catalog import performance as logs
from catalog.fingerprint import fingerprint
from tasks.spending import done as done_in_rows
from workforce import WorkingCalendar
from workforce.billing.charges import Done, charges
from workforce.billing.matching import matched
from workforce.foresight import warnings
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import Circumstances, measure
from workforce.periods import FiscalCalendar, Period
from workforce.records import ledger
from workforce.records.vendors import Vendor
from workforce.reviews.review import InvoiceLine
from workforce.sample_year import VENDORS, SampleYear, written
from workforce.sample_year.billing import Fault, done, sent
from workforce.sample_year.counts import Right, due, figures, gold
from workforce.sample_year.course import Shifts
from workforce.statistics.watch import WeeklyCount, quality_watch

Measured = dict[tuple[Metric, Cell], Figure]

SMALL = SampleYear(year=2028, seed=3, answers=2_000, degrades="vendor-b", overbills="vendor-a")
OVER = dt.datetime(2029, 2, 1, tzinfo=dt.UTC)
WHOLE = FiscalCalendar(first_month=1).period("2028")


def weeks_of(year: int) -> list[Period]:
    whole = FiscalCalendar(first_month=1).period(f"{year}")
    return [week for week in whole.weeks() if week.ends <= whole.ends]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue that holds the small year, and what became known until February."""
    file = tmp_path_factory.mktemp("year") / "catalogue.sqlite"
    catalog = Catalog(f"sqlite:///{file}")
    with catalog.begin() as transaction:
        written(transaction, SMALL, SMALL.before, OVER)
    catalog.close()
    return file


@pytest.fixture(scope="module")
def written_year(file: Path) -> Iterator[Catalog]:
    catalog = Catalog(f"sqlite:///{file}")
    yield catalog
    catalog.close()


@pytest.fixture(scope="module")
def measured(written_year: Catalog) -> Measured:
    """Every figure of the weeks of the year, and of the whole, as the reports make them."""
    with written_year.read() as transaction:
        known = Circumstances(ledger.standing(transaction), OVER)
        log = logs.log_of(transaction)
    found = measure(
        log, [WHOLE, *weeks_of(2028)], known, (Metric.GOLD_ACCURACY, Metric.SLA_ATTAINMENT)
    )
    return {(each.metric, each.cell): each for each in found}


# --- the rows -------------------------------------------------------------------------------------


def test_a_year_is_the_same_each_time_it_is_drawn() -> None:
    again = SampleYear(year=2028, seed=3, answers=2_000, degrades="vendor-b", overbills="vendor-a")
    assert again.asked == SMALL.asked
    assert sent(again) == sent(SMALL)


def test_a_vendor_that_degrades_changes_nothing_before_nor_of_others() -> None:
    healthy = SampleYear(year=2028, seed=3, answers=2_000)

    def untouched(year: SampleYear) -> list[object]:
        return [
            each
            for each in year.asked
            if each.site != "vendor-b" or each.at.date() < year.degrades_from
        ]

    assert untouched(healthy) == untouched(SMALL)
    assert healthy.asked != SMALL.asked


def test_written_bit_by_bit_it_is_the_year_written_at_once(
    written_year: Catalog, tmp_path: Path
) -> None:
    """As a killed run that goes on, and with what was written already given once more."""
    other = Catalog(f"sqlite:///{tmp_path / 'other.sqlite'}")
    middle = dt.datetime(2028, 7, 1, tzinfo=dt.UTC)
    for after, until in ((SMALL.before, middle), (SMALL.before, middle), (middle, OVER)):
        with other.begin() as transaction:
            written(transaction, SMALL, after, until)
    with other.read() as transaction, written_year.read() as whole:
        assert fingerprint(transaction) == fingerprint(whole)
    other.close()


def test_what_came_later_is_not_there_yet(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    until = dt.datetime(2028, 2, 29, 23, tzinfo=dt.UTC)
    with catalog.begin() as transaction:
        written(transaction, SMALL, SMALL.before, until)
    catalog.close()
    raw = sqlite3.connect(tmp_path / "catalogue.sqlite")
    for table, column in (
        ("question", "asked_at"),
        ("answer", "pulled_at"),
        ("decision", "decided_at"),
        ("verified_label", "labelled_at"),
        ("gate_run", "judged_at"),
        ("workforce_record", "said_at"),
    ):
        (newest,) = raw.execute(f"SELECT max({column}) FROM {table}").fetchone()
        assert newest is not None
        assert newest <= "2028-02-29 23:00"
    raw.close()


def test_answers_are_given_in_the_vendors_working_hours_only() -> None:
    calendars = {each.site: WorkingCalendar(each) for each in SMALL.agreed.vendors}
    zones = {each.site: each.zone for each in SMALL.agreed.vendors}
    days = set()
    for asked in SMALL.asked:
        for answer in asked.answers:
            local = answer.at.astimezone(zones[asked.site])
            assert calendars[asked.site].works_on(local.date())
            starts, ends = calendars[asked.site].shift(local.date())
            assert starts <= answer.at <= ends
            days.add(local.date())
    assert dt.date(2028, 2, 29) in days
    christmas = {dt.date(2028, 12, day) for day in (24, 25, 26, 31)}
    alpha = [x for asked in SMALL.asked if asked.site == "vendor-a" for x in asked.answers]
    assert not christmas & {each.at.date() for each in alpha}


@pytest.mark.parametrize("vendor", SMALL.agreed.vendors, ids=lambda each: each.site)
def test_shifts_count_working_days_as_the_calendar_does(vendor: Vendor) -> None:
    shifts, calendar = Shifts(vendor, 2028), WorkingCalendar(vendor)
    first = shifts.moment(0)
    for quarters in range(1, 1_000, 7):
        expected = calendar.after(first, Fraction(quarters, 4))
        moment = (
            shifts.ends(quarters // 4 - 1) if quarters % 4 == 0 else shifts.moment(quarters / 4)
        )
        assert abs(moment - expected) < dt.timedelta(seconds=1)


# --- counts and figures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "counted"), [(Metric.GOLD_ACCURACY, gold), (Metric.SLA_ATTAINMENT, due)]
)
def test_weekly_counts_are_those_that_the_reports_measure_on_the_rows(
    measured: Measured,
    metric: Metric,
    counted: Callable[[SampleYear], dict[Cell, Right]],
) -> None:
    expected = figures(metric, counted(SMALL), weeks_of(2028))
    assert len(expected) > 200
    for each in expected:
        found = measured[metric, each.cell]
        assert (found.n, found.value) == (each.n, pytest.approx(each.value))


def test_what_was_done_is_what_spending_reads_from_the_rows(written_year: Catalog) -> None:
    with written_year.read() as transaction:
        found = done_in_rows(transaction)
    assert _units(found) == _units(done(SMALL, lambda _day: OVER))


def _units(every: list[Done]) -> dict[tuple[object, ...], tuple[float, ...]]:
    sums: dict[tuple[object, ...], list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for each in every:
        work = each.work
        of_cell = sums[each.vendor, each.on, work.locale, work.kind]
        parts = (work.n_questions, work.n_pictures, work.seconds, work.n_labels)
        sums[each.vendor, each.on, work.locale, work.kind] = [
            before + more for before, more in zip(of_cell, parts, strict=True)
        ]
    return {key: tuple(round(value, 3) for value in values) for key, values in sums.items()}


@pytest.mark.parametrize("vendor", VENDORS)
def test_gold_accuracy_of_a_year_is_what_plain_sql_finds(
    file: Path, measured: Measured, vendor: str
) -> None:
    raw = sqlite3.connect(file)
    right, n = raw.execute(
        """
        SELECT sum(a.verdict = json_extract(q.expected, '$.verdict')
                   AND a.intruder_ids = json_extract(q.expected, '$.intruder_ids')), count(*)
        FROM (SELECT question_id, verdict, json(intruder_ids) AS intruder_ids, answered_at
              FROM answer WHERE state = 'given') a
        JOIN question q ON q.id = a.question_id
        WHERE q.expected IS NOT NULL AND q.site = ? AND a.answered_at < '2029-01-01'
        """,
        (vendor,),
    ).fetchone()
    raw.close()
    figure = measured[Metric.GOLD_ACCURACY, Cell(WHOLE, vendor)]
    assert (figure.n, figure.value) == (n, pytest.approx(right / n))


# --- money ----------------------------------------------------------------------------------------


def test_a_right_invoice_bills_what_the_versions_of_the_contract_charge() -> None:
    """July's as well, in which Alpha's prices change on the 16th, with each tier reached anew."""
    year = SampleYear(seed=5, answers=2_000)
    work = done(year, lambda _day: OVER)
    for each in sent(year):
        if each.invoice.vendor != "vendor-a":
            continue
        month = [x for x in work if x.vendor == "vendor-a" and each.invoice.in_force(x.on)]
        agreed = sum((x.money.amount for x in charges(year.agreed, month)), Decimal(0))
        assert abs(each.invoice.money.amount - agreed) < Decimal("0.14") * len(each.invoice.items)


def test_each_fault_is_found_with_its_amount_and_no_right_invoice_is_accused() -> None:
    year = SampleYear(seed=1, answers=6_000, overbills="vendor-b")
    bills = sent(year)
    workforce = year.agreed.model_copy(update={"invoices": tuple(x.invoice for x in bills)})
    found = matched(workforce, done(year, lambda _day: OVER), dt.date(2026, 12, 31))
    lines: dict[str, list[InvoiceLine]] = defaultdict(list)
    for each in bills:
        lines[each.invoice.vendor] += found.lines[each.invoice.key]
    warned = {
        each.about: each.what.values["variance"]
        for each in warnings.invoices(lines, dt.date(2027, 1, 31))
    }
    at_fault = {each.invoice.key: each.excess for each in bills if each.fault}
    assert {each.fault for each in bills if each.fault} == set(Fault)
    assert warned == at_fault


# --- quality and service levels -------------------------------------------------------------------


def test_a_degrading_vendor_is_found_within_the_fall_and_nobody_else_accused() -> None:
    year = SampleYear(seed=1, degrades="vendor-b")
    weeks = weeks_of(2026)
    alarms = quality_watch(
        WeeklyCount(str(cell.vendor), str(cell.locale), cell.period, n - right, n)
        for cell, (right, n) in gold(year).items()
        if cell.period in set(weeks)
    )
    assert {each.vendor for each in alarms} == {"vendor-b"}
    assert all(year.degrades_from <= each.week.starts for each in alarms)
    assert min(each.week.starts for each in alarms) < dt.date(2026, 11, 1)
    levels = warnings.levels(
        figures(Metric.SLA_ATTAINMENT, due(year), weeks), lambda _vendor, _locale: 0.95
    )
    assert {each.vendor for each in levels} == {"vendor-b"}
