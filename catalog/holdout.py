"""The holdout: products of customers' manifests that models are compared on and never trained on.

A share of each locale's labelled products is set apart, first of all from the first manifest, and
as later manifests name products that nobody has trained on or asked about, from these too. What is
set apart stays apart. The loop adds nothing: what people decide never joins.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.database import add_new
from catalog.decisions import showing
from catalog.identity import digest, set_digest
from catalog.labels import LabelRow, is_current
from catalog.removals import is_removed
from catalog.schema import HoldoutImage, Origin, TrainingSet, VerifiedLabel

FEWEST_PRODUCTS = 8
FEWEST_IMAGES = 2


class TooFewLabels(ValueError):
    """There is not enough labelled to start from; the message says what is needed."""


def holdout(session: Session) -> dict[str, str]:
    """Everything that was ever set apart: the product of each image."""
    rows = session.scalars(select(HoldoutImage).order_by(HoldoutImage.image_id))
    return {row.image_id: row.product_id for row in rows}


def measured(session: Session, blobs: BlobStore) -> dict[str, str]:
    """What models are compared on: the product of each image of the holdout that still counts.

    An image that was removed, or whose label was corrected or withdrawn since, does not, nor does
    any of a product that turned out to be one that was trained on.
    """
    set_apart = holdout(session)
    current = select(VerifiedLabel.image_id, VerifiedLabel.product_id).where(
        is_current(VerifiedLabel),
        VerifiedLabel.product_id.in_(select(HoldoutImage.product_id)),
        ~is_removed(VerifiedLabel.image_id),
    )
    product_of = {image: product or "" for image, product in session.execute(current).tuples()}
    joined = {image: product for image, product in product_of.items() if image not in set_apart}
    known = {joined[image] for image in _trained_on(session, blobs, "image_id", joined)}
    return {
        image: product
        for image, product in set_apart.items()
        if product_of.get(image) == product and product not in known
    }


def state(images: Mapping[str, str]) -> str:
    """The name of one state of the holdout, given as the product of each image."""
    return digest("holdout", set_digest(f"{image} {images[image]}" for image in images))


def set_apart(
    session: Session, blobs: BlobStore, labels: Sequence[LabelRow], share: float
) -> dict[str, str]:
    """See that `share` of each locale's products in manifests are in the holdout, and return it.

    Products are drawn by the digest of their identity from those that nobody has trained on or
    asked about; doing it again draws nothing. Raises `TooFewLabels` when there are not enough
    products, with enough images each, to train on some and compare models on others.
    """
    frozen = holdout(session)
    images, locale_of = _manifest_products(labels)
    first = not frozen
    if first and len(images) < FEWEST_PRODUCTS:
        raise TooFewLabels(
            f"the first training set needs at least {FEWEST_PRODUCTS} labelled products with"
            f" {FEWEST_IMAGES} images each, and there are {len(images)}: ingest a manifest (CSV,"
            " JSON Lines or Parquet) with the columns uri, locale and product, for example"
            " `groundtruth ingest labelled.csv`"
        )
    apart = set(frozen.values())
    wanted: dict[str, int] = {}
    for locale in sorted(set(locale_of.values())):
        local = [product for product in images if locale_of[product] == locale]
        n_apart = sum(product in apart for product in local)
        wanted[locale] = max(math.floor(share * len(local) + 0.5) - n_apart, 0)
    fresh = [product for product in images if wanted[locale_of[product]] and product not in apart]
    if fresh and not first:
        fresh = _untouched(session, blobs, fresh, images)
    drawn = [
        product
        for locale, n_wanted in wanted.items()
        for product in _by_lot(each for each in fresh if locale_of[each] == locale)[:n_wanted]
    ]
    if first and len(drawn) < 2:
        drawn = _by_lot(images)[:2]
    added = {image: product for product in drawn for image in images[product]}
    add_new(
        session,
        [HoldoutImage(image_id=image, product_id=product) for image, product in added.items()],
    )
    return frozen | added


def _manifest_products(
    labels: Sequence[LabelRow],
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The images and the locale of each product that manifests show in images enough."""
    images: dict[str, list[str]] = defaultdict(list)
    locale_of: dict[str, str] = {}
    for label in labels:
        if label.product_id is not None and label.origin == Origin.MANIFEST:
            images[label.product_id].append(label.image_id)
            locale_of.setdefault(label.product_id, label.locale)
    usable = {
        product: images[product] for product in images if len(images[product]) >= FEWEST_IMAGES
    }
    return usable, locale_of


def _untouched(
    session: Session, blobs: BlobStore, products: Sequence[str], images: Mapping[str, Sequence[str]]
) -> list[str]:
    """Those of `products` that no training set version and no question has held."""
    trained = _trained_on(session, blobs, "product_id", products)
    untrained = [product for product in products if product not in trained]
    if not untrained:
        return []
    shown = [image for product in untrained for image in images[product]]
    asked = {image for _, image in showing(session, shown)}
    return [product for product in untrained if asked.isdisjoint(images[product])]


def _trained_on(session: Session, blobs: BlobStore, column: str, values: Iterable[str]) -> set[str]:
    """Those of `values` that a column of any training set version has held.

    The newest version holds nearly all that ever was, so that seldom another is read.
    """
    wanted, found = set(values), set[str]()
    locations = select(TrainingSet.location).order_by(TrainingSet.version.desc())
    for location in session.scalars(locations).all():
        if wanted <= found:
            break
        held = pq.read_table(BytesIO(blobs.get(location)), columns=[column])[0]
        found |= wanted.intersection(held.to_pylist())
    return found


def _by_lot(products: Iterable[str]) -> list[str]:
    return sorted(products, key=lambda product: digest("holdout", product))
