"""Warn early of what is about to go wrong with vendors, contracts and money; each once."""

import datetime as dt

from prefect import flow, get_run_logger

from catalog import warned
from tasks.artifacts import publish
from tasks.dashboard import refresh_dashboard
from tasks.settings import load_settings
from tasks.watch import digest_page, tell, watched


@flow(name="watch")
def watch(today: dt.date | None = None) -> int:
    """Tell what is new since the last time, and publish the digest of the day.

    Args:
        today: The day that it is; none: this one, in UTC.

    Returns:
        How many warnings stand.
    """
    settings = load_settings()
    with settings.catalog.read() as transaction:
        found = watched(transaction, settings, today or dt.datetime.now(dt.UTC).date())
    told = tell(settings, found)
    for row in told:
        get_run_logger().warning("%s", row.what)
    with settings.catalog.read() as transaction:
        standing = warned.standing(transaction)
    publish("digest", "What to look into", *digest_page(found, told, standing))
    refresh_dashboard()
    return len(standing)
