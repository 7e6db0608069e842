"""The pool of images that wait for a label, as the policy for pictures routes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from catalog import Transaction, images, measures
from expectations.pictures import PicturePolicy, Routed, route
from tasks.artifacts import table
from tasks.settings import load_settings

MOST_LISTED = 50


def routed(transaction: Transaction, locale: str, policy: PicturePolicy) -> Routed:
    """Which images of `locale` are left out and which are doubtful, labelled or not."""
    return route(measures.of_locale(transaction, locale), policy)


@dataclass(frozen=True)
class Pool:
    """The images of a locale that wait for a label, each kind sorted.

    Doubtful ones are asked about one by one, those that are left out are not, each for its reasons.
    """

    clustered: Sequence[str]
    doubtful: Mapping[str, str]
    left_out: Mapping[str, str]

    def without(self, image_ids: Collection[str]) -> "Pool":
        """The same, but for images that are not to be asked about."""
        return Pool(
            [each for each in self.clustered if each not in image_ids],
            {each: why for each, why in self.doubtful.items() if each not in image_ids},
            {each: why for each, why in self.left_out.items() if each not in image_ids},
        )


def pool(transaction: Transaction, locale: str, policy: PicturePolicy) -> Pool:
    """What waits in `locale`, and what becomes of it."""
    found = routed(transaction, locale, policy)
    waiting = images.waiting(transaction, locale)
    return Pool(
        [each for each in waiting if each not in found.left_out and each not in found.doubtful],
        {each: found.doubtful[each] for each in waiting if each in found.doubtful},
        {each: found.left_out[each] for each in waiting if each in found.left_out},
    )


def not_clustered() -> list[tuple[str, str, str, str]]:
    """Locale, image, what becomes of it and why, of all that waits and is not clustered."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        pools = {
            locale: pool(transaction, locale, settings.pictures)
            for locale in images.locales(transaction)
        }
    return [
        (locale, image_id, fate, why)
        for locale, of_locale in pools.items()
        for fate, reasons in (
            ("left out", of_locale.left_out),
            ("asked about", of_locale.doubtful),
        )
        for image_id, why in reasons.items()
    ]


def pool_page() -> tuple[str, ...]:
    """The same as sections of a page."""
    found = not_clustered()
    if not found:
        return ("Every picture that waits for a label is clustered.",)
    more = f" The first {MOST_LISTED}; `groundtruth survey --left-out` lists all."
    return (
        f"{len(found)} pictures that wait for a label are not clustered: a doubtful one is asked"
        " about by itself, one that is left out waits until `[pictures]` in groundtruth.toml"
        f" changes.{more if len(found) > MOST_LISTED else ''}",
        table(("locale", "image", "what becomes of it", "why"), found[:MOST_LISTED]),
    )
