"""The pool of images that wait for a label, as the policy for pictures routes them."""

from catalog import Transaction, images, measures
from expectations.pictures import PicturePolicy, Routed, route
from tasks.artifacts import table
from tasks.settings import load_settings

MOST_LISTED = 50


def routed(transaction: Transaction, locale: str, policy: PicturePolicy) -> Routed:
    """Which images of `locale` are left out and which are doubtful, labelled or not."""
    return route(measures.of_locale(transaction, locale), policy)


def clustered(transaction: Transaction, locale: str, policy: PicturePolicy) -> list[str]:
    """The images of `locale` that wait for a label and are clustered, sorted."""
    found = routed(transaction, locale, policy)
    return [
        image_id
        for image_id in images.waiting(transaction, locale)
        if image_id not in found.left_out and image_id not in found.doubtful
    ]


def doubtful(transaction: Transaction, locale: str, policy: PicturePolicy) -> list[str]:
    """The images of `locale` that wait for a label and are asked about one by one, sorted."""
    found = routed(transaction, locale, policy).doubtful
    return [image_id for image_id in images.waiting(transaction, locale) if image_id in found]


def not_clustered() -> list[tuple[str, str, str, str]]:
    """Locale, image, what becomes of it and why, of all that waits and is not clustered."""
    settings = load_settings()
    found = []
    with settings.catalog.begin() as transaction:
        for locale in images.locales(transaction):
            routes = routed(transaction, locale, settings.pictures)
            for image_id in images.waiting(transaction, locale):
                for fate, reasons in (
                    ("left out", routes.left_out),
                    ("asked about", routes.doubtful),
                ):
                    if image_id in reasons:
                        found.append((locale, image_id, fate, reasons[image_id]))
    return found


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
