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
from workforce import Money, WorkingCalendar
from workforce.figures import Cell, Figure, Metric
from workforce.metrics import Circumstances, measure
from workforce.periods import FiscalCalendar, Period
from workforce.trace import rows_behind

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
    rows = select(
        sql,
        """SELECT a.site, a.locale, a.kind, a.answered_at, a.verdict, a.intruder_ids, a.groups,
                  d.kind, d.removed_ids, d.groups
             FROM standing a JOIN decision d ON d.question_id = a.question_id
            WHERE a.expected IS NULL AND d.model_id IS NULL AND d.kind <> 'undone'
              AND d.decided_at < :now AND NOT EXISTS (SELECT 1 FROM decision e
                   WHERE e.supersedes_id = d.id AND e.decided_at < :now)
              AND ((SELECT count(DISTINCT b.annotator) FROM standing b
                     WHERE b.question_id = a.question_id) > 1
                OR EXISTS (SELECT 1 FROM answer b WHERE b.question_id = a.question_id
                            AND b.desk = 'lead' AND b.answered_at < :now))""",
    )
    expected = by_cell([(*row[:4], is_wrong(row[2], *row[4:]), 1) for row in rows])
    assert len(rows) > 50
    for cell, figure in of(figures, Metric.DEFECT_RATE).items():
        assert figure.n == len(expected[cell])
        if figure.n:
            assert figure.value == pytest.approx(sum(hit for hit, _ in expected[cell]) / figure.n)


def is_wrong(
    kind: str, verdict: str, ticked: str, groups: str, decided: str, removed: str, sorted_as: str
) -> bool:
    said = {"confirm": "same", "unsure": "unsure"}[verdict]
    if kind == "split" and said == "same":
        mine = {frozenset(each) for each in json.loads(groups) if len(each) > 1}
        return mine != {frozenset(each) for each in json.loads(sorted_as)}
    if said != decided:
        return True
    sheets = kind in ("verify", "attach") and said == "same"
    return sheets and set(json.loads(ticked)) != set(json.loads(removed))


def test_agreement(sql: sqlite3.Connection, figures: dict[tuple[Metric, Cell], Figure]) -> None:
    rows = select(
        sql,
        """SELECT site, locale, kind, min(answered_at), json_group_array(verdict), 1 FROM standing
            WHERE expected IS NULL GROUP BY question_id HAVING count(*) > 1""",
    )
    expected = by_cell(rows)
    for cell, figure in of(figures, Metric.AGREEMENT).items():
        items = [json.loads(verdicts) for verdicts, _ in expected[cell]]
        assert figure.n == len(items)
        if items:
            assert figure.value == pytest.approx(krippendorff(items))


def krippendorff(items: list[list[str]]) -> float:
    """By its definition: observed over expected disagreement of pairs."""
    labels = [label for item in items for label in item]
    observed = sum(
        sum(one != other for one in item for other in item) / (len(item) - 1) for item in items
    )
    expected = sum(one != other for one in labels for other in labels) / (len(labels) - 1)
    return 1 - observed / expected if expected else 1.0


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
