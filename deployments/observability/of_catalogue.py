"""The metrics that the catalogue knows: questions, answers, gate, model, training set, money."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from prometheus_client.core import Metric

from catalog import Transaction, clusters, images, training_sets, vital_signs, warned
from catalog.waiting import waiting
from deployments.doctor.catalogue import opened
from deployments.observability import families
from deployments.observability.families import Labels
from tasks.dashboard import last_counted
from tasks.settings import Settings
from workforce.records import ledger
from workforce.reviews.dashboard import Asked, late

Place: TypeAlias = tuple[str, str, str]
"""Site, locale and kind of question."""

DELAYS = tuple(
    60.0 * minutes for minutes in (1.0, 5.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 360.0, 1440.0)
)
"""Bounds in seconds: answers are collected every hour, and sooner where a webhook says so."""


def of_catalogue(settings: Settings, now: dt.datetime) -> Iterator[Metric]:
    """What there is now, and what was counted since midnight.

    Raises `CannotTell` where there is no catalogue of this program's schema: none is made.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with opened(settings).read() as transaction:
        asked = _asked(transaction)
        yield from _questions(transaction, asked, now)
        yield from _answers(transaction, asked, midnight)
        yield from _gate(transaction, midnight)
        yield from _model(transaction)
        yield from _training_set(transaction)
        yield from _images(transaction)
        yield from _warnings(transaction)
    yield from _money(settings)


def _asked(transaction: Transaction) -> dict[Place, dict[dt.date, int]]:
    """The open questions of each site, locale and kind, by the day on which they were asked."""
    days: dict[Place, dict[dt.date, int]] = defaultdict(dict)
    for each in waiting(transaction):
        days[each.site, each.locale, each.kind][each.on] = each.n
    return days


def _questions(
    transaction: Transaction, asked: Mapping[Place, Mapping[dt.date, int]], now: dt.datetime
) -> Iterator[Metric]:
    workforce = ledger.standing(transaction)
    overdue = {
        place: sum(found.n_overdue for found in late(workforce, [Asked(*place, on)], now))
        for place, on in asked.items()
    }
    yield families.QUESTIONS_OPEN.of({place: sum(on.values()) for place, on in asked.items()})
    yield families.QUESTIONS_OVERDUE.of(overdue)
    yield families.OLDEST_QUESTION.of(
        {
            place: dt.datetime.combine(min(on), dt.time(), dt.UTC).timestamp()
            for place, on in asked.items()
        }
    )


def _answers(
    transaction: Transaction, asked: Iterable[Place], midnight: dt.datetime
) -> Iterator[Metric]:
    """Of places where nobody has answered yet as well: a counter is seen to grow from 0 only."""
    since = midnight.timestamp()
    found = vital_signs.collected(transaction, midnight, DELAYS)
    places = sorted({*asked, *((each.site, each.locale, each.kind) for each in found)})
    counts = {(each.site, each.locale, each.kind): each.n for each in found}
    yield families.ANSWERS.counted({place: counts.get(place, 0) for place in places}, since)
    yield families.COLLECTION_DELAY.spread(
        (
            (
                (site,),
                {
                    bound: sum(each.within[place] for each in found if each.site == site)
                    for place, bound in enumerate(DELAYS)
                },
                sum(each.n for each in found if each.site == site),
                sum(each.seconds for each in found if each.site == site),
            )
            for site in sorted({site for site, _, _ in places})
        ),
        since,
    )


def _gate(transaction: Transaction, midnight: dt.datetime) -> Iterator[Metric]:
    since, found = midnight.timestamp(), vital_signs.judged(transaction, midnight)
    yield families.GATE_FAILURES.counted(dict(found.failures), since)
    yield families.GATE_HELD.counted({(): found.n_held}, since)
    yield families.LABELS_JUDGED.counted(
        {("accepted",): found.n_accepted, ("quarantined",): found.n_quarantined}, since
    )
    yield families.LABELS_IN_QUARANTINE.of(
        {(locale,): n for locale, n in vital_signs.in_quarantine(transaction).items()}
    )


def _model(transaction: Transaction) -> Iterator[Metric]:
    found = vital_signs.champion_now(transaction)
    if found is None:
        return
    name = found.model.id[:12]
    yield families.CHAMPION_TRAINED.of({(name,): found.model.trained_at.timestamp()})
    yield families.CHAMPION_SINCE.of({(name,): found.since.timestamp()})
    yield families.CHAMPION_FIGURE.of(
        {
            (name, figure): value
            for figure, value in found.model.metrics.items()
            if isinstance(value, float)
        }
    )


def _training_set(transaction: Transaction) -> Iterator[Metric]:
    newest = training_sets.newest(transaction)
    if newest is None:
        return
    yield families.TRAINING_SET_VERSION.of({(): newest.version})
    yield families.TRAINING_SET_IMAGES.of({(locale,): n for locale, n in newest.per_locale.items()})
    yield families.TRAINING_SET_PRODUCTS.of({(): newest.n_products})
    yield families.TRAINING_SET_COMMITTED.of({(): newest.committed_at.timestamp()})


def _images(transaction: Transaction) -> Iterator[Metric]:
    yield families.IMAGES.of({(locale,): n for locale, n in images.counts(transaction).items()})
    clustered = clusters.last_times(transaction)
    yield families.IMAGES_WAITING.of({(locale,): n for locale, (_, n) in clustered.items()})
    yield families.CLUSTERED.of(
        {(locale,): at.timestamp() for locale, (at, _) in clustered.items()}
    )


def _warnings(transaction: Transaction) -> Iterator[Metric]:
    counts: dict[Labels, int] = defaultdict(int)
    for each in warned.standing(transaction):
        counts[each.kind, each.light] += 1
    yield families.WARNINGS.of(counts)


def _money(settings: Settings) -> Iterator[Metric]:
    counted = last_counted(settings.blob_store)
    if counted is None:
        return
    for family, of_vendor in (
        (families.SPENT_THIS_MONTH, {each.vendor_name: each.month for each in counted.vendors}),
        (families.ORDERED, {each.vendor_name: each.ordered for each in counted.vendors}),
        (families.ORDERS_LEFT, {each.vendor_name: each.left for each in counted.vendors}),
    ):
        yield family.of(
            {
                (vendor, money.currency): money.amount
                for vendor, money in of_vendor.items()
                if money is not None
            }
        )
    yield families.COSTS_COUNTED.of({(): counted.as_of.timestamp()})
