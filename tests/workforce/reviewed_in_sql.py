"""What a review says of a vendor's work, by plain SQL and decimals on a catalogue's file.

Nothing of the code that is checked is used but its calendar of working days, the names of metrics
and cells, and periods.
"""

import datetime as dt
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats.mstats import winsorize

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
from workforce import WorkingCalendar
from workforce.performance.figures import Cell, Metric
from workforce.periods import Period

Row = tuple[Any, ...]
Known = tuple[int, float | Decimal | None]
"""What a figure was measured on, and its value."""

HOUR = dt.timedelta(hours=1)
UNITS = {
    "question": """SELECT date(a.answered_at), q.locale, q.kind, count(*) FROM answer a
        JOIN question q ON q.id = a.question_id
        WHERE a.state = 'given' AND a.revision = 0 AND q.site = ? GROUP BY 1, 2, 3""",
    "hour": """SELECT date(a.answered_at), q.locale, q.kind, sum(a.seconds) / 3600 FROM answer a
        JOIN question q ON q.id = a.question_id
        WHERE a.state = 'given' AND a.revision = 0 AND q.site = ? GROUP BY 1, 2, 3""",
    "label": """SELECT date(d.decided_at), q.locale, q.kind, count(*) FROM verified_label l
        JOIN decision d ON d.id = l.decision_id JOIN question q ON q.id = d.question_id
        WHERE d.model_id IS NULL AND q.site = ? AND NOT l.withdrawn
          AND EXISTS (SELECT 1 FROM judgement j WHERE j.label_id = l.id AND j.accepted)
          AND NOT EXISTS (SELECT 1 FROM verified_label n WHERE n.supersedes_id = l.id)
        GROUP BY 1, 2, 3""",
}
"""What each unit of a rate card counts of a day (UTC), locale and kind."""


class Charged(NamedTuple):
    """Units that have one price, of a day, locale and kind."""

    on: str
    locale: str
    kind: str
    contract: str
    price: Decimal
    units: Decimal

    @property
    def amount(self) -> Decimal:
        return self.price * self.units


@dataclass(frozen=True)
class Raw:
    """A catalogue's file, opened by `sqlite3`, as all is known at a moment."""

    sql: sqlite3.Connection
    as_of: dt.datetime
    calendars: Mapping[str, WorkingCalendar]
    planned: Mapping[str, int]

    @classmethod
    def of(
        cls,
        file: Path,
        as_of: dt.datetime,
        calendars: Mapping[str, WorkingCalendar],
        planned: Mapping[str, int],
    ) -> "Raw":
        sql = sqlite3.connect(file)
        sql.executescript(STANDING.replace(":now", f"'{text(as_of)}'"))
        return cls(sql, as_of, calendars, planned)

    def select(self, query: str, *values: str) -> list[Row]:
        return self.sql.execute(query.replace(":now", f"'{text(self.as_of)}'"), values).fetchall()

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The newest version of each record of a kind."""
        rows = self.select(
            """SELECT content FROM workforce_record r WHERE kind = ? AND NOT EXISTS (
                 SELECT 1 FROM workforce_record s
                  WHERE s.kind = r.kind AND s.key = r.key AND s.version > r.version)""",
            kind,
        )
        return [json.loads(content) for (content,) in rows]

    # --- money ------------------------------------------------------------------------------------

    def contracts(self, vendor: str) -> list[dict[str, Any]]:
        found = [each for each in self.records("contract") if each["vendor"] == vendor]
        return sorted(found, key=lambda each: int(each["version"]))

    def contract(self, vendor: str, day: str) -> dict[str, Any]:
        """The newest version that has begun."""
        return [each for each in self.contracts(vendor) if each["starts"] <= day][-1]

    def units(self, vendor: str, unit: str) -> dict[tuple[str, str, str], Decimal]:
        """How much was done by day, locale and kind."""
        rows = self.select(UNITS[unit], vendor)
        return {row[:3]: Decimal(str(row[3])) for row in sorted(rows)}

    def charged(self, vendor: str) -> list[Charged]:
        """What all work costs; a tier is reached anew in each month and under each version."""
        found = []
        for contract in self.contracts(vendor):
            for rate in contract["rates"]:
                [tier] = rate["tiers"] or [{"above": 10**9, "price": "0"}]
                so_far: dict[str, Decimal] = defaultdict(Decimal)
                for (on, locale, kind), n in self.units(vendor, rate["unit"]).items():
                    if rate["kinds"] and kind not in rate["kinds"]:
                        continue
                    if self.contract(vendor, on) != contract:
                        continue
                    left = max(Decimal(tier["above"]) - so_far[on[:7]], Decimal(0))
                    so_far[on[:7]] += n
                    named = f"{vendor}/{contract['version']}"
                    for price, part in ((rate["price"], min(n, left)), (tier["price"], n - left)):
                        if part > 0:
                            found.append(Charged(on, locale, kind, named, Decimal(price), part))
        return found

    def invoices(self, vendor: str) -> list[dict[str, Any]]:
        found = [each for each in self.records("invoice") if each["vendor"] == vendor]
        return sorted(found, key=lambda each: str(each["issued"]))

    def agreed_lines(self, vendor: str, month: str) -> list[Decimal]:
        """What the lines of a month's invoice may bill: one for each locale and price."""
        lines: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
        for each in sorted(self.charged(vendor), key=lambda each: each.on):
            if each.on.startswith(month):
                lines[each.locale, each.price] += each.amount
        return list(lines.values())

    def cost(self, cell: Cell) -> Decimal:
        """What a vendor's cell cost: as agreed, and what invoices bill beyond that."""
        first, last = cell.period.starts.isoformat(), cell.period.ends.isoformat()
        vendor = str(cell.vendor)
        total = sum(
            (
                each.amount
                for each in self.charged(vendor)
                if first <= each.on <= last
                and cell.locale in (None, each.locale)
                and cell.kind in (None, each.kind)
            ),
            Decimal(0),
        )
        for invoice in self.invoices(vendor):
            if first <= invoice["ends"] <= last:
                agreed = [*self.agreed_lines(vendor, invoice["starts"][:7]), Decimal(0)]
                for item, right in zip(invoice["items"], agreed, strict=False):
                    if cell.locale in (None, item["locale"]) and cell.kind in (None, item["kind"]):
                        total += Decimal(item["amount"]) - right
        return total

    def credit(self, vendor: str, month: Period) -> Decimal:
        """What is owed for a month that misses its level: begun steps, of each version's bill."""
        hits = [row[4] for row in self.due() if row[0] == vendor and _inside(row[3], month)]
        owed = Decimal(0)
        for contract in self.contracts(vendor):
            [level] = contract["levels"]
            share = Decimal(sum(hits)) / len(hits)
            missed = Decimal(level["at_least"]) - share.quantize(Decimal("0.000001"))
            if len(hits) >= level["judged_from"] and missed > 0:
                steps = (missed / Decimal(level["step"])).to_integral_value(ROUND_CEILING)
                bill = sum(
                    each.amount
                    for each in self.charged(vendor)
                    if each.contract == f"{vendor}/{contract['version']}"
                    and month.starts.isoformat() <= each.on <= month.ends.isoformat()
                )
                most = Decimal(level["credit_at_most"])
                owed += bill * min(steps * Decimal(level["credit"]), most)
        return owed.quantize(Decimal(1), ROUND_HALF_UP)

    def worth(self, amount: Decimal, currency: str, on: str) -> Decimal:
        """An amount in euros, by the newest rate of a day."""
        if currency == "EUR":
            return amount
        rates = [
            each
            for each in self.records("exchange_rate")
            if (each["of"], each["into"]) == ("EUR", currency) and each["on"] <= on
        ]
        return amount / Decimal(max(rates, key=lambda each: str(each["on"]))["rate"])

    # --- figures ----------------------------------------------------------------------------------

    def due(self) -> list[Row]:
        """Each question at the moment when it was due, and whether it was decided by then."""
        rows = self.select(
            """SELECT q.site, q.locale, q.kind, q.released, q.decided, q.asked_at FROM asked q"""
        )
        found = []
        for site, locale, kind, released, decided, asked in rows:
            agreed = self.contract(site, asked[:10])["turnaround"]
            [days] = [
                each["working_days"]
                for each in agreed
                if not each["kinds"] or kind in each["kinds"]
            ]
            by = text(self.calendars[site].after(_moment(released), Fraction(days)))
            if by < text(self.as_of):
                found.append((site, locale, kind, by, decided is not None and decided <= by, 1))
        return found

    def figures(self, metric: Metric, cells: Sequence[Cell]) -> dict[Cell, Known]:
        """What a metric is in cells."""
        return dict(MEASURED[metric](self, metric, cells))


def _moment(said: str) -> dt.datetime:
    return dt.datetime.fromisoformat(said).replace(tzinfo=dt.UTC)


def _inside(at: str, period: Period) -> bool:
    return text(period.begins) <= at < text(period.over)


def _by_cell(rows: Sequence[Row], cells: Sequence[Cell]) -> dict[Cell, list[Row]]:
    """What rows say after site, locale, kind and moment, by the cells that hold them."""
    found: dict[Cell, list[Row]] = {cell: [] for cell in cells}
    periods = {cell.period for cell in cells}
    for site, locale, kind, at, *said in rows:
        for period in periods:
            if _inside(at, period):
                for vendor in (None, site):
                    for place in (None, locale):
                        for sort in (None, kind):
                            cell = Cell(period, vendor, place, sort)
                            if cell in found:
                                found[cell].append(tuple(said))
    return found


def _share(rows: Sequence[Row]) -> Known:
    hits, n = (sum(float(row[k]) for row in rows) for k in (0, 1))
    return int(n), hits / n if n else None


def _shares(raw: Raw, metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    for cell, rows in _by_cell(raw.select(SHARES[metric]), cells).items():
        yield cell, _share(rows)


def _on_time(raw: Raw, _metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    for cell, rows in _by_cell(raw.due(), cells).items():
        yield cell, _share(rows)


def _defects(raw: Raw, _metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    rows = [(*row[:4], is_wrong(row[2], *row[4:]), 1) for row in raw.select(SAID_AND_DECIDED)]
    for cell, of_cell in _by_cell(rows, cells).items():
        yield cell, _share(of_cell)


def _price(raw: Raw, metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    for cell, rows in _by_cell(raw.select(SHARES[metric]), cells).items():
        yield cell, (len(rows), raw.cost(cell) / len(rows) if rows else None)


def _handling(raw: Raw, _metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    rows = raw.select(SECONDS + " AND a.desk = 'crowd' AND a.seconds > 0")
    for cell, seconds in _by_cell(rows, cells).items():
        drawn_in = winsorize(np.array([each for (each,) in seconds]), limits=(0.05, 0.05))
        yield cell, (len(seconds), float(drawn_in.mean()) if seconds else None)


def _throughput(raw: Raw, _metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    labels = _by_cell(raw.select(SHARES[Metric.COST_PER_LABEL]), cells)
    for cell, seconds in _by_cell(raw.select(SECONDS), cells).items():
        hours = sum(each or 0.0 for (each,) in seconds) / 3600
        n = len(labels[cell])
        yield cell, (n, n / hours if hours else None)


def _agreement(raw: Raw, _metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    for cell, rows in _by_cell(raw.select(SEVERAL_SAID), cells).items():
        items = [json.loads(verdicts) for verdicts, _ in rows]
        yield cell, (len(items), krippendorff(items) if items else None)


def _turnaround(raw: Raw, metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    share = Fraction(95 if metric.endswith("p95") else 50, 100)

    def took(site: str, released: str, decided: str) -> float:
        start, end = _moment(released), _moment(decided)
        if "hours" in metric:
            return (end - start) / HOUR
        return float(raw.calendars[site].working_days(start, end))

    rows = raw.select(
        "SELECT site, locale, kind, decided, released FROM asked WHERE decided IS NOT NULL"
    )
    taken = [(*row[:4], took(row[0], row[4], row[3])) for row in rows]
    for cell, of_cell in _by_cell(taken, cells).items():
        values = sorted(value for (value,) in of_cell)
        yield cell, (len(values), values[ceil(share * len(values)) - 1] if values else None)


def _coverage(raw: Raw, _metric: Metric, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Known]]:
    rows = raw.select("SELECT id, site, locale, kind, judged_at FROM accepted")
    lost = dict(raw.select("SELECT id, labelled_at FROM escaped"))
    for cell in cells:
        over = text(cell.period.over)
        n = sum(
            judged < over
            and not lost.get(key, over) < over
            and cell.vendor in (None, site)
            and cell.locale in (None, locale)
            and cell.kind in (None, kind)
            for key, site, locale, kind, judged in rows
        )
        wanted = raw.planned[cell.locale] if cell.locale else sum(raw.planned.values())
        yield cell, (n, n / wanted)


MEASURED = {
    **dict.fromkeys(SHARES, _shares),
    Metric.COST_PER_LABEL: _price,
    Metric.COST_PER_CLUSTER: _price,
    Metric.SLA_ATTAINMENT: _on_time,
    Metric.DEFECT_RATE: _defects,
    Metric.HANDLING_SECONDS: _handling,
    Metric.THROUGHPUT: _throughput,
    Metric.AGREEMENT: _agreement,
    Metric.TURNAROUND_P50: _turnaround,
    Metric.TURNAROUND_P95: _turnaround,
    Metric.TURNAROUND_HOURS_P50: _turnaround,
    Metric.TURNAROUND_HOURS_P95: _turnaround,
    Metric.COVERAGE: _coverage,
}
