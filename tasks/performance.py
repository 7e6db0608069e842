"""What the catalogue says of the vendors' work: every metric of a few periods."""

import datetime as dt
from collections.abc import Mapping, Sequence

from catalog import Transaction, performance, performance_copies
from catalog.schema import now
from tasks.settings import Settings, load_settings
from workforce import Money
from workforce.performance import trace
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import Circumstances, measure
from workforce.performance.trace import Rows
from workforce.periods import Period
from workforce.records import ledger


def figures(
    periods: Sequence[Period],
    as_of: dt.datetime,
    *,
    costs: Mapping[Cell, Money] | None = None,
    metrics: Sequence[Metric] = tuple(Metric),
) -> list[Figure]:
    """Every figure of `periods` as it was known at a moment; prices where `costs` are known."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        known = circumstances(transaction, settings, as_of, costs or {})
        log = performance_copies.log_of(transaction, settings.blob_store, now())
    return measure(log, periods, known, metrics)


def circumstances(
    transaction: Transaction, settings: Settings, as_of: dt.datetime, costs: Mapping[Cell, Money]
) -> Circumstances:
    """What figures depend on, from the settings and what is recorded of the workforce."""
    planned = {
        locale: wanted.images
        for locale, wanted in settings.plan.locales.items()
        if wanted.images is not None
    }
    votes = settings.annotate.votes.first
    return Circumstances(ledger.standing(transaction), as_of, votes, planned, costs)


def rows_behind(figure: Figure, as_of: dt.datetime) -> Rows:
    """The rows of the catalogue that a figure, as it was known at a moment, was computed from."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        known = circumstances(transaction, settings, as_of, {})
        return trace.rows_behind(transaction, performance.log_of(transaction), figure, known)
