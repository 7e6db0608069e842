"""Every figure of a generated catalogue is what plain SQL, written apart from it, computes.

`sqlite3` opens the file itself. Shares, counts and quantiles are SQL's own; what SQL has no word for
(a winsorised mean, Krippendorff's alpha, working days) is made of the values that it selects.
"""

import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog
from catalog.performance import log_of
from tests.workforce import staff
from tests.workforce.performed import LOCALES, VENDORS, a_busy_quarter
from workforce import Money
from workforce.figures import Cell, Figure, Metric
from workforce.metrics import Circumstances, measure
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

STANDING = """
    CREATE TEMP VIEW newest AS SELECT a.* FROM answer a
     WHERE a.answered_at < :now AND a.desk = 'crowd' AND NOT EXISTS (
       SELECT 1 FROM answer b WHERE b.question_id = a.question_id AND b.annotation = a.annotation
        AND b.answered_at < :now AND b.revision > a.revision);
    CREATE TEMP VIEW standing AS SELECT a.*, q.site, q.locale, q.kind, q.expected, q.image_ids
      FROM newest a JOIN question q ON q.id = a.question_id
     WHERE a.state = 'given' AND q.site <> '';
    CREATE TEMP VIEW asked AS SELECT q.*,
       coalesce((SELECT min(t.pushed_at) FROM site_task t WHERE t.question_id = q.id
                  AND t.desk = 'crowd' AND t.pushed_at < :now), q.asked_at) AS released,
       (SELECT min(a.answered_at) FROM answer a WHERE a.question_id = q.id AND a.desk = 'crowd'
         AND a.state = 'given' AND a.answered_at < :now) AS submitted,
       (SELECT d.id FROM decision d WHERE d.question_id = q.id AND d.model_id IS NULL
         AND d.kind <> 'undone' AND d.decided_at < :now ORDER BY d.decided_at LIMIT 1) AS first,
       (SELECT min(d.decided_at) FROM decision d WHERE d.question_id = q.id AND d.model_id IS NULL
         AND d.kind <> 'undone' AND d.decided_at < :now) AS decided
      FROM question q WHERE q.site <> '' AND q.expected IS NULL AND q.asked_at < :now
       AND NOT (EXISTS (SELECT 1 FROM decision d WHERE d.question_id = q.id
                         AND d.model_id IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.question_id = q.id));
    CREATE TEMP VIEW reworked AS SELECT q.id FROM asked q
     WHERE EXISTS (SELECT 1 FROM site_task t WHERE t.question_id = q.id AND t.desk = 'lead'
                    AND t.pushed_at < :now)
        OR EXISTS (SELECT 1 FROM answer a WHERE a.question_id = q.id AND a.desk = 'lead'
                    AND a.state = 'given' AND a.answered_at < :now)
        OR (SELECT count(DISTINCT a.annotator) FROM answer a WHERE a.question_id = q.id
             AND a.state = 'given' AND a.desk = 'crowd' AND a.answered_at < :now) > 1
        OR EXISTS (SELECT 1 FROM decision d WHERE d.question_id = q.id AND d.model_id IS NULL
                    AND d.supersedes_id IS NOT NULL AND d.decided_at < :now)
        OR EXISTS (SELECT 1 FROM decision d JOIN verified_label l ON l.decision_id = d.id
                     JOIN judgement j ON j.label_id = l.id JOIN gate_run g ON g.id = j.gate_run_id
                    WHERE d.question_id = q.id AND NOT j.accepted AND g.judged_at < :now);
    CREATE TEMP VIEW accepted AS SELECT l.id, q.site, q.locale, q.kind, g.judged_at, l.decision_id
      FROM judgement j JOIN gate_run g ON g.id = j.gate_run_id
      JOIN verified_label l ON l.id = j.label_id JOIN decision d ON d.id = l.decision_id
      JOIN question q ON q.id = d.question_id
     WHERE j.accepted AND d.model_id IS NULL AND q.site <> '' AND g.judged_at < :now
       AND NOT EXISTS (SELECT 1 FROM verified_label e JOIN decision f ON f.id = e.decision_id
                         JOIN judgement k ON k.label_id = e.id
                        WHERE e.id = l.supersedes_id AND f.question_id = q.id AND k.accepted);
    CREATE TEMP VIEW escaped AS SELECT e.id, l.labelled_at FROM verified_label l
      JOIN verified_label e ON e.id = l.supersedes_id
     WHERE l.labelled_at < :now AND NOT EXISTS (SELECT 1 FROM removal r
            WHERE r.image_id = l.image_id AND r.requested_at <= l.labelled_at)
       AND (l.withdrawn OR (l.decision_id IS NOT e.decision_id
                            AND l.product_id IS NOT e.product_id));
"""
TICKED = "json_array_length(a.intruder_ids)"
INTRUDERS = "json_array_length(json_extract(a.expected, '$.intruder_ids'))"
FOUND = """(SELECT count(*) FROM json_each(a.intruder_ids) i WHERE i.value IN
            (SELECT value FROM json_each(json_extract(a.expected, '$.intruder_ids'))))"""
GOLD = """SELECT a.site, a.locale, a.kind, a.answered_at, {0}, {1} FROM standing a
            WHERE a.expected IS NOT NULL"""
SHARES = {
    Metric.GOLD_ACCURACY: GOLD.format(
        f"""a.verdict = json_extract(a.expected, '$.verdict') AND {TICKED} = {INTRUDERS}
            AND {FOUND} = {INTRUDERS}""",
        "1",
    ),
    Metric.SENSITIVITY: GOLD.format(FOUND, INTRUDERS) + " AND a.verdict = 'confirm'",
    Metric.SPECIFICITY: GOLD.format(
        f"json_array_length(a.image_ids) - {INTRUDERS} - ({TICKED} - {FOUND})",
        f"json_array_length(a.image_ids) - {INTRUDERS}",
    )
    + " AND a.verdict = 'confirm'",
    Metric.FIRST_PASS_YIELD: """SELECT q.site, q.locale, q.kind, q.submitted, d.kind IS NOT NULL
        AND d.kind <> 'unsure' AND q.id NOT IN (SELECT id FROM reworked), 1
        FROM asked q LEFT JOIN decision d ON d.id = q.first WHERE q.submitted IS NOT NULL""",
    Metric.REWORK_RATE: """SELECT q.site, q.locale, q.kind, q.submitted,
        q.id IN (SELECT id FROM reworked), 1 FROM asked q WHERE q.submitted IS NOT NULL""",
    Metric.ESCAPE_RATE: """SELECT a.site, a.locale, a.kind, a.judged_at,
        a.id IN (SELECT id FROM escaped), 1 FROM accepted a""",
    Metric.COST_PER_LABEL: "SELECT site, locale, kind, judged_at, 1, 1 FROM accepted",
    Metric.COST_PER_CLUSTER: """SELECT q.site, q.locale, q.kind, q.decided, 1, 1 FROM asked q
        JOIN decision d ON d.id = q.first WHERE q.kind = 'verify' AND d.kind = 'same'""",
}
SECONDS = """SELECT q.site, q.locale, q.kind, a.answered_at, a.seconds FROM answer a
    JOIN question q ON q.id = a.question_id WHERE a.revision = 0 AND a.state = 'given'
     AND q.site <> '' AND a.answered_at < :now"""


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


def text(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


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
