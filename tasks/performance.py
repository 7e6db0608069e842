"""What the catalogue says of the vendors' work: every metric of a few periods."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from catalog import Transaction, performance, performance_copies
from catalog.performance import Log
from catalog.schema import now
from tasks.settings import Settings, load_settings
from workforce import Money
from workforce.performance import trace
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import Circumstances, measure
from workforce.performance.trace import Rows
from workforce.periods import Period
from workforce.records import ledger
from workforce.statistics.watch import WeeklyCount

WEEKS_WATCHED = 52
"""Weeks of which control charts are made; the first ones are their baseline."""


def figures(
    periods: Sequence[Period],
    as_of: dt.datetime,
    *,
    costs: Mapping[Cell, Money] | None = None,
    metrics: Sequence[Metric] = tuple(Metric),
) -> list[Figure]:
    """Every figure of `periods` as it was known at a moment; prices where `costs` are known."""
    log, known = work_known(load_settings(), as_of, costs)
    return measure(log, periods, known, metrics)


def work_known(
    settings: Settings, as_of: dt.datetime, costs: Mapping[Cell, Money] | None = None
) -> tuple[Log, Circumstances]:
    """The log of the vendors' work, and what is measured on it depends on, at a moment."""
    with settings.catalog.read() as transaction:
        known = circumstances(transaction, settings, as_of, costs or {})
        return performance_copies.log_of(transaction, settings.blob_store, now()), known


def circumstances(
    transaction: Transaction, settings: Settings, as_of: dt.datetime, costs: Mapping[Cell, Money]
) -> Circumstances:
    """What figures depend on, from the settings and what is recorded of the workforce."""
    votes = settings.annotate.votes.first
    return Circumstances(ledger.standing(transaction), as_of, votes, settings.plan.images, costs)


def gold_counts(weeks: Iterable[Figure]) -> Iterator[WeeklyCount]:
    """The gold answers of each vendor and locale, week by week, as control charts take them."""
    for each in weeks:
        cell = each.cell
        of_vendor = cell.vendor is not None and cell.locale is not None and cell.kind is None
        if each.metric == Metric.GOLD_ACCURACY and each.n and of_vendor:
            assert isinstance(each.value, float)
            n_wrong = each.n - round(each.value * each.n)
            yield WeeklyCount(cell.vendor or "", cell.locale or "", cell.period, n_wrong, each.n)


def rows_behind(figure: Figure, as_of: dt.datetime) -> Rows:
    """The rows of the catalogue that a figure, as it was known at a moment, was computed from."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        known = circumstances(transaction, settings, as_of, {})
        return trace.rows_behind(transaction, performance.log_of(transaction), figure, known)
