"""Every figure of a generated catalogue is what plain SQL, written apart from it, computes.

`sqlite3` opens the file itself. What SQL has no word for (a winsorised mean, Krippendorff's alpha,
working days) is made of the values that it selects.
"""

import datetime as dt
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats.mstats import winsorize

from catalog import Catalog
from catalog.performance import log_of
from tests.workforce import staff
from tests.workforce.performed import LOCALES, VENDORS, a_busy_quarter
from tests.workforce.plain_sql import (
    SAID_AND_DECIDED,
    SECONDS,
    SEVERAL_SAID,
    SHARES,
    STANDING,
    is_wrong,
    krippendorff,
    text,
)
from workforce import Money, WorkingCalendar
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import Circumstances, measure
from workforce.performance.trace import rows_behind
from workforce.periods import FiscalCalendar, Period

AS_OF = dt.datetime(2026, 11, 25, 6, tzinfo=dt.UTC)
QUARTER = FiscalCalendar().period("2026Q4")
WEEK = FiscalCalendar().period("2026-W44")
DAYS_AGREED = {"vendor-a": 2, "vendor-b": 3}
PLANNED = {"de-DE": 1000}
WORKFORCE = staff.workforce(
    *(
        staff.vendor(site, time_zone=zone, country=country, locales={each: {} for each in LOCALES})
        for site, zone, country in (
            ("vendor-a", "Europe/Berlin", "DE"),
            ("vendor-b", "Asia/Tokyo", "JP"),
        )
    ),
    *(
        staff.contract(site, turnaround=[{"working_days": str(days)}])
        for site, days in DAYS_AGREED.items()
    ),
)
COSTS = {
    Cell(period, vendor): Money(staff.euros("800").amount, "EUR")
    for period in (QUARTER, WEEK)
    for vendor in (None, *VENDORS)
}
KNOWN = Circumstances(WORKFORCE, AS_OF, 1, PLANNED, COSTS)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("busy") / "catalogue.sqlite"
    catalog = Catalog(f"sqlite:///{found}")
    a_busy_quarter(1).into(catalog)
    catalog.close()
    return found


@pytest.fixture(scope="module")
def sql(file: Path) -> Iterator[sqlite3.Connection]:
    """The file itself; views know the moment as `:now`."""
    with sqlite3.connect(file) as connection:
        connection.executescript(STANDING.replace(":now", f"'{text(AS_OF)}'"))
        yield connection


@pytest.fixture(scope="module")
def figures(file: Path) -> dict[tuple[Metric, Cell], Figure]:
    catalog = Catalog(f"sqlite:///{file}")
    with catalog.read() as transaction:
        found = measure(log_of(transaction), [QUARTER, WEEK], KNOWN)
    catalog.close()
    assert len({(each.metric, each.cell) for each in found}) == len(found)
    return {(each.metric, each.cell): each for each in found}


def select(sql: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    return sql.execute(query.replace(":now", f"'{text(AS_OF)}'")).fetchall()


def cells_of(row: tuple[Any, ...], periods: list[Period]) -> Iterator[Cell]:
    """The cells in which a row that begins with site, locale, kind and moment counts."""
    site, locale, kind, at = row[:4]
    for period in periods:
        if text(period.begins) <= at < text(period.over):
            for vendor in (None, site):
                for place in (None, locale):
                    yield from (Cell(period, vendor, place, each) for each in (None, kind))


def by_cell(rows: list[tuple[Any, ...]]) -> dict[Cell, list[Any]]:
    found = defaultdict(list)
    for row in rows:
        for cell in cells_of(row, [QUARTER, WEEK]):
            found[cell].append(row[4:] if len(row) > 5 else row[4])
    return found


def of(figures: dict[tuple[Metric, Cell], Figure], metric: Metric) -> dict[Cell, Figure]:
    return {cell: figure for (name, cell), figure in figures.items() if name == metric}


@pytest.mark.parametrize("metric", SHARES)
def test_shares_and_counts(
    metric: Metric, sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]
) -> None:
    expected = by_cell(select(sql, SHARES[metric]))
    assert sum(len(rows) for rows in expected.values()) > 50
    for cell, figure in of(figures, metric).items():
        hits, n = (sum(row[k] for row in expected[cell]) for k in (0, 1))
        assert figure.n == n
        if metric in (Metric.COST_PER_LABEL, Metric.COST_PER_CLUSTER):
            cost = COSTS[cell].amount / n if n and cell in COSTS else None
            assert figure.value == (None if cost is None else Money(cost, "EUR"))
        elif n:
            assert figure.value == pytest.approx(hits / n, abs=1e-12)
        else:
            assert figure.value is figure.low is None


def test_handling_seconds(
    sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]
) -> None:
    expected = by_cell(select(sql, SECONDS + " AND a.desk = 'crowd' AND a.seconds > 0"))
    for cell, figure in of(figures, Metric.HANDLING_SECONDS).items():
        assert figure.n == len(expected[cell])
        if figure.n:
            drawn_in = winsorize(np.array(expected[cell]), limits=(0.05, 0.05))
            assert figure.value == pytest.approx(float(drawn_in.mean()))


def test_throughput(sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]) -> None:
    seconds = by_cell(select(sql, SECONDS))
    labels = by_cell(select(sql, SHARES[Metric.COST_PER_LABEL]))
    for cell, figure in of(figures, Metric.THROUGHPUT).items():
        hours = sum(each or 0.0 for each in seconds[cell]) / 3600
        assert figure.n == len(labels[cell])
        assert figure.value == (pytest.approx(figure.n / hours) if hours else None)


def test_defects(sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]) -> None:
    rows = select(sql, SAID_AND_DECIDED)
    expected = by_cell([(*row[:4], is_wrong(row[2], *row[4:]), 1) for row in rows])
    assert len(rows) > 50
    for cell, figure in of(figures, Metric.DEFECT_RATE).items():
        assert figure.n == len(expected[cell])
        if figure.n:
            assert figure.value == pytest.approx(sum(hit for hit, _ in expected[cell]) / figure.n)


def test_agreement(sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]) -> None:
    rows = select(sql, SEVERAL_SAID)
    expected = by_cell(rows)
    for cell, figure in of(figures, Metric.AGREEMENT).items():
        items = [json.loads(verdicts) for verdicts, _ in expected[cell]]
        assert figure.n == len(items)
        if items:
            assert figure.value == pytest.approx(krippendorff(items))


@pytest.mark.parametrize(
    ("metric", "share"),
    [
        (Metric.TURNAROUND_P50, 0.5),
        (Metric.TURNAROUND_P95, 0.95),
        (Metric.TURNAROUND_HOURS_P50, 0.5),
        (Metric.TURNAROUND_HOURS_P95, 0.95),
    ],
)
def test_turnaround(
    metric: Metric,
    share: float,
    sql: sqlite3.Connection,
    figures: dict[tuple[Metric, Cell], Figure],
) -> None:
    rows = select(
        sql,
        """SELECT site, locale, kind, decided, released FROM asked WHERE decided IS NOT NULL""",
    )
    took = by_cell([(*row[:4], taken(metric, row[0], row[4], row[3])) for row in rows])
    for cell, figure in of(figures, metric).items():
        values = sorted(took[cell])
        assert figure.n == len(values)
        if values:
            assert figure.value == pytest.approx(values[ceil(share * len(values)) - 1], abs=1e-9)


def taken(metric: Metric, site: str, released: str, decided: str) -> float:
    start, end = moment(released), moment(decided)
    if metric in (Metric.TURNAROUND_HOURS_P50, Metric.TURNAROUND_HOURS_P95):
        return (end - start) / dt.timedelta(hours=1)
    return float(calendar(site).working_days(start, end))


def test_service_levels(
    sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]
) -> None:
    rows = select(
        sql,
        """SELECT q.site, q.locale, q.kind, q.released, q.decided, w.withdrawn_at FROM asked q
             LEFT JOIN withdrawn_question w ON w.question_id = q.id AND w.withdrawn_at < :now""",
    )
    due = [
        (*row[:3], text(by), done is not None and moment(done) <= by, 1)
        for row in rows
        for released, done, withdrawn in [row[3:]]
        for by in [calendar(row[0]).after(moment(released), Fraction(DAYS_AGREED[row[0]]))]
        if by < AS_OF and (withdrawn is None or moment(withdrawn) > by)
    ]
    expected = by_cell(due)
    for cell, figure in of(figures, Metric.SLA_ATTAINMENT).items():
        assert figure.n == len(expected[cell])
        if figure.n:
            assert figure.value == pytest.approx(sum(hit for hit, _ in expected[cell]) / figure.n)


def test_coverage(sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]) -> None:
    rows = select(sql, "SELECT id, site, locale, kind, judged_at FROM accepted")
    lost = dict(select(sql, "SELECT id, labelled_at FROM escaped"))
    for cell, figure in of(figures, Metric.COVERAGE).items():
        over = text(cell.period.over)
        n = sum(
            judged < over
            and not lost.get(key, over) < over
            and locale in PLANNED
            and all(
                want in (None, got)
                for want, got in ((cell.vendor, site), (cell.locale, locale), (cell.kind, kind))
            )
            for key, site, locale, kind, judged in rows
        )
        wanted = PLANNED.get(cell.locale, 0) if cell.locale else sum(PLANNED.values())
        assert (figure.n, figure.value) == (n, n / wanted if wanted else None)


def moment(said: str) -> dt.datetime:
    return dt.datetime.fromisoformat(said).replace(tzinfo=dt.UTC)


def calendar(site: str) -> WorkingCalendar:
    [vendor] = [each for each in WORKFORCE.vendors if each.site == site]
    return WorkingCalendar(vendor)


A_ROW_EACH = {
    Metric.GOLD_ACCURACY: "answer",
    Metric.HANDLING_SECONDS: "answer",
    Metric.DEFECT_RATE: "answer",
    Metric.AGREEMENT: "question",
    Metric.REWORK_RATE: "question",
    Metric.TURNAROUND_P95: "question",
    Metric.SLA_ATTAINMENT: "question",
}


@pytest.mark.parametrize("metric", Metric)
def test_every_figure_leads_to_rows_of_its_cell(
    metric: Metric,
    file: Path,
    sql: sqlite3.Connection,
    figures: dict[tuple[Metric, Cell], Figure],
) -> None:
    figure = figures[metric, Cell(QUARTER, "vendor-a", "de-DE")]
    catalog = Catalog(f"sqlite:///{file}")
    with catalog.read() as transaction:
        rows = rows_behind(transaction, log_of(transaction), figure, KNOWN)
    catalog.close()
    assert figure.n
    assert rows["question"]
    of_cell = {
        key
        for (key,) in select(
            sql, "SELECT id FROM question WHERE site = 'vendor-a' AND locale = 'de-DE'"
        )
    }
    assert of_cell.issuperset(rows["question"])
    for table in ("answer", "decision"):
        asked = dict(select(sql, f"SELECT id, question_id FROM {table}"))
        assert {asked[key] for key in rows.get(table, ())} <= set(rows["question"])
    if metric in A_ROW_EACH:
        assert len(rows[A_ROW_EACH[metric]]) == figure.n
