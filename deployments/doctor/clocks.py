"""Clocks: schedules, presigned addresses and tokens all go wrong where they differ."""

import datetime as dt
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
from prefect.client.orchestration import get_client

from catalog.checkup import NoCatalogue, checkup
from deployments.doctor.examination import Finding, error, warning, well
from deployments.observability.of_sites import PATIENCE_SECONDS
from tasks.errors import NoSite
from tasks.settings import Settings
from tasks.sites import load_site

UNNOTICED = 30.0
"""Seconds: an HTTP date is of whole seconds, and an answer takes time."""
HARMFUL = 300.0
"""Seconds from which on S3 and tokens are refused."""


def clocks(settings: Settings) -> Iterator[Finding]:
    """How far each server's clock is from this machine's."""
    for name, ahead in _ahead(settings):
        says = f"{name} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine"
        mend = "let both take their time from the same NTP servers (`timedatectl` shows it)"
        if abs(ahead) > HARMFUL:
            yield error(f"the clock of {says}: tokens and presigned addresses are refused", mend)
        elif abs(ahead) > UNNOTICED:
            yield warning(f"the clock of {says}", mend)
        else:
            yield well(f"{name} has the time of this machine")


def _ahead(settings: Settings) -> Iterator[tuple[str, float]]:
    """Each server that tells its time, and the seconds that it is ahead; others tell nothing."""
    with get_client(sync_client=True) as prefect:
        addresses = {"Prefect": f"{str(prefect.api_url).rstrip('/')}/health"}
    for name in settings.annotate.sites:
        try:
            addresses[f"the site {name}"] = f"{str(load_site(name).url).rstrip('/')}/health"
        except NoSite:
            continue
    for name, address in addresses.items():
        try:
            told = httpx.get(address, timeout=PATIENCE_SECONDS).headers.get("Date")
        except httpx.HTTPError:
            continue
        if told is not None:
            now = dt.datetime.now(dt.UTC)
            yield name, (parsedate_to_datetime(told) - now).total_seconds()
    try:
        database = checkup(settings.catalogue_url)
    except NoCatalogue:
        return
    if database.kind == "postgresql":
        yield "PostgreSQL", (database.clock - database.asked_at).total_seconds()
