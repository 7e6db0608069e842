"""Warn early of what is about to go wrong with vendors, contracts and money; each once."""

import datetime as dt

from prefect import flow, get_run_logger

from catalog import warned
from tasks.artifacts import publish
from tasks.dashboard import count_costs, refresh_dashboard
from tasks.foresight import forecast_page
from tasks.settings import load_settings
from tasks.summary import Figures, summarised
from tasks.trying import HOUR
from tasks.watch import contacts, digest_page, expected, tell, watched, weekly
from workforce.records import ledger


def figures(n_standing: int) -> Figures:
    return {"warnings": n_standing}


@summarised(figures)
@flow(name="watch", timeout_seconds=6 * HOUR)
def watch(today: dt.date | None = None) -> int:
    """Tell what is new since the last time, and publish the digest of the day and the forecast.

    Args:
        today: The day that it is; none: this one, in UTC.

    Returns:
        How many warnings stand.
    """
    settings = load_settings()
    day = today or dt.datetime.now(dt.UTC).date()
    with settings.catalog.read() as transaction:
        workforce = ledger.standing(transaction)
        ahead = expected(transaction, settings, workforce, day)
    found = watched(settings, workforce, weekly(day), day, ahead)
    told = tell(settings, found)
    for row in told:
        get_run_logger().warning("%s", row.what)
    with settings.catalog.read() as transaction:
        standing = warned.standing(transaction)
    publish(
        "digest",
        "What to look into",
        *digest_page(found, told, standing),
        *contacts(settings, standing),
    )
    if ahead is not None:
        known, forecast = ahead
        publish("forecast", "What is expected", *forecast_page(forecast, known.backtest()))
    count_costs()
    refresh_dashboard()
    return len(standing)
