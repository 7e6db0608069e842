"""The dashboard as it is now: made of counts and records, and kept as a page in the blob store."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import TypeAdapter

from catalog import BlobStore, Transaction, training_sets
from catalog.blobs import PAGES
from catalog.waiting import waiting
from tasks.artifacts import bullets, publish, table
from tasks.settings import Settings, load_settings
from tasks.spending import spent
from workforce.records import ledger
from workforce.reviews.dashboard import Asked, Costs, Dashboard, Standing, coming, costs, late
from workforce.reviews.review_page import dashboard_page
from workforce.reviews.wording import Wording

PAGE = f"{PAGES}/dashboard.html"
COSTS = "dashboards/costs"
LOCALES = ("locale", "accepted", "planned", "open", "overdue")
LATE = ("vendor", "locale", "kind", "open", "overdue", "waiting since")
SPENT = ("vendor", "this month", "purchase orders in force", "left")


@task(cache_policy=NO_CACHE)
def count_costs() -> None:
    """Count from all answers what the work comes to, and keep it for dashboards to come."""
    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    with settings.catalog.read() as transaction:
        workforce = ledger.standing(transaction)
        so_far = spent(transaction, workforce, now.date())
    counted = Costs(now, costs(workforce, so_far, now.date()))
    settings.blob_store.put(
        f"{COSTS}/{now:%Y%m%dT%H%M%S.%f}.json", TypeAdapter(Costs).dump_json(counted)
    )


@task(cache_policy=NO_CACHE)
def refresh_dashboard() -> str:
    """Make the dashboard anew, with the costs last counted, and publish it; the key of its page."""
    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    with settings.catalog.read() as transaction:
        found = dashboard(transaction, settings, now)
    wording = Wording.load(settings.review.language)
    page = dashboard_page(found, wording).encode()
    settings.blob_store.replace(PAGE, page)
    address = f"{settings.blob_store.address}/{PAGE}"
    publish(
        "dashboard",
        "Where the annotation stands",
        f"As a page without network: [{PAGE}]({address})",
        *_sections(found, wording),
    )
    return PAGE


def dashboard(transaction: Transaction, settings: Settings, now: dt.datetime) -> Dashboard:
    """Where the locales stand, who is late, what it costs and what comes next, at a moment."""
    workforce = ledger.standing(transaction)
    days: dict[tuple[str, str, str], dict[dt.date, int]] = defaultdict(dict)
    for each in waiting(transaction):
        days[each.site, each.locale, each.kind][each.on] = each.n
    behind = late(workforce, [Asked(*place, on) for place, on in days.items()], now)
    newest = training_sets.newest(transaction)
    accepted = newest.per_locale if newest is not None else {}
    return Dashboard(
        now,
        tuple(
            Standing(
                locale,
                settings.plan.images.get(locale),
                accepted.get(locale, 0),
                sum(each.n_open for each in behind if each.locale == locale),
                sum(each.n_overdue for each in behind if each.locale == locale),
            )
            for locale in settings.locales
        ),
        tuple(behind),
        last_counted(settings.blob_store),
        tuple(coming(workforce, now.date())),
    )


def last_counted(blobs: BlobStore) -> Costs | None:
    """What the work comes to, as `count_costs` kept it last; None until it did."""
    newest = max(blobs.every_key(COSTS), default=None)
    return TypeAdapter(Costs).validate_json(blobs.get(newest)) if newest is not None else None


def _sections(found: Dashboard, wording: Wording) -> Iterator[str]:
    """The same as the page says, for Prefect."""
    yield table(
        LOCALES,
        (
            (each.locale, each.accepted, each.planned or "no plan", each.n_open, each.n_overdue)
            for each in found.locales
        ),
    )
    if found.late:
        yield "## Who is late"
        yield table(
            LATE,
            (
                (
                    *(each.vendor_name, each.locale, each.kind),
                    each.n_open,
                    each.n_overdue,
                    each.oldest,
                )
                for each in found.late
            ),
        )
    if found.costs is not None:
        yield f"## What it costs, as of {found.costs.as_of:%Y-%m-%d %H:%M} UTC"
        yield table(
            SPENT,
            (
                (
                    each.vendor_name,
                    *(money or "" for money in (each.month, each.ordered, each.left)),
                )
                for each in found.costs.vendors
            ),
        )
    if found.coming:
        yield "## What comes next"
        yield bullets(f"{each.day}: {wording.said(each.what)}" for each in found.coming)
