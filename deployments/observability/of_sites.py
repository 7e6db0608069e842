"""The metrics of the sites: each is asked, so they are scraped apart from the rest, and less often.

`/metrics` costs a site nothing and does not wait for one; this does.
"""

import contextvars
import datetime as dt
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from prometheus_client.core import Metric

from annotation import SiteError
from catalog import Catalog, decisions
from deployments.doctor.catalogue import opened
from deployments.observability import families
from tasks.errors import NoSite
from tasks.settings import Settings
from tasks.sites import load_site

PATIENCE_SECONDS = 10.0
"""Shorter than a scrape may take: a site that hangs is a site that is down."""


@dataclass(frozen=True)
class Probe:
    """What a site said; `lag` is None where it did not answer."""

    site: str
    seconds: float
    lag: float | None


def of_sites(settings: Settings) -> Iterator[Metric]:
    """Ask all sites side by side.

    Raises `CannotTell` where there is no catalogue of this program's schema: none is made.
    """
    catalog = opened(settings)
    with ThreadPoolExecutor(len(settings.annotate.sites)) as pool:
        asked = [
            pool.submit(contextvars.copy_context().run, probe, catalog, name)
            for name in settings.annotate.sites
        ]
        probes = [each.result() for each in asked]
    yield families.SITE_UP.of({(each.site,): float(each.lag is not None) for each in probes})
    yield families.SITE_SECONDS.of({(each.site,): each.seconds for each in probes})
    yield families.SITE_LAG.of({(each.site,): each.lag for each in probes if each.lag is not None})


def probe(catalog: Catalog, name: str) -> Probe:
    """Sign in to a site, and see how long its oldest uncollected answer has waited."""
    began = time.monotonic()
    try:
        lag: float | None = _lag(catalog, name)
    except (SiteError, NoSite):
        lag = None
    return Probe(name, time.monotonic() - began, lag)


def _lag(catalog: Catalog, name: str) -> float:
    site = load_site(name).open(name, PATIENCE_SECONDS)
    with catalog.read() as transaction:
        read = {
            each.project_id: decisions.pulled_through(transaction, name, each.project_id)
            for each in decisions.projects(transaction, name)
        }
    waiting = [
        change
        for project_id, through in read.items()
        if (change := site.uncollected_since(project_id, through)) is not None
    ]
    now = dt.datetime.now(dt.UTC)
    return max(((now - change).total_seconds() for change in waiting), default=0.0)
