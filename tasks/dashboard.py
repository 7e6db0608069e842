"""The dashboard as it is now: made of counts and records, and kept as a page in the blob store."""

import datetime as dt
from collections import defaultdict

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog import Transaction, content_digest, training_sets
from catalog.waiting import waiting
from tasks.artifacts import publish
from tasks.settings import Settings, load_settings
from tasks.spending import spent
from workforce import ledger
from workforce.dashboard import Asked, Dashboard, Standing, coming, costs, late
from workforce.review_page import dashboard_page
from workforce.wording import Wording

DASHBOARDS = "dashboards"


@task(cache_policy=NO_CACHE)
def refresh_dashboard() -> str:
    """Make the dashboard anew and publish where its page lies; the key of the page."""
    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    with settings.catalog.read() as transaction:
        found = dashboard(transaction, settings, now)
    page = dashboard_page(found, Wording.load(settings.review.language)).encode()
    key = f"{DASHBOARDS}/{content_digest(page)}.html"
    settings.blob_store.put(key, page)
    publish("dashboard", "Where the annotation stands", f"One page without network: `{key}`.")
    return key


def dashboard(transaction: Transaction, settings: Settings, now: dt.datetime) -> Dashboard:
    """Where the locales stand, who is late, what it costs and what comes next, at a moment."""
    workforce = ledger.standing(transaction)
    days: dict[tuple[str, str, str], dict[dt.date, int]] = defaultdict(dict)
    for each in waiting(transaction):
        days[each.site, each.locale, each.kind][each.on] = each.n
    behind = late(workforce, [Asked(*place, on) for place, on in days.items()], now)
    newest = training_sets.newest(transaction)
    accepted = newest.per_locale if newest is not None else {}
    today = now.date()
    return Dashboard(
        now,
        tuple(
            Standing(
                locale,
                wanted.images if (wanted := settings.plan.locales.get(locale)) else None,
                accepted.get(locale, 0),
                sum(each.n_open for each in behind if each.locale == locale),
                sum(each.n_overdue for each in behind if each.locale == locale),
            )
            for locale in settings.locales
        ),
        tuple(behind),
        tuple(costs(workforce, spent(transaction, workforce, today), today)),
        tuple(coming(workforce, today)),
    )
