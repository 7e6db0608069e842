"""The growing meta-training set: immutable versions, and the holdout that it never touches."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.database import add_new, one_at_a_time
from catalog.identity import digest
from catalog.labels import LabelRow
from catalog.schema import HoldoutImage, TrainingSet

# What reads the newest version or the holdout, and adds to them.
GROWTH = "training set"
FEWEST_PRODUCTS = 8
FEWEST_IMAGES = 2


class TooFewLabels(ValueError):
    """There is not enough labelled to start from; the message says what is needed."""


def holdout(session: Session) -> dict[str, str]:
    """The frozen holdout: the product of each of its images."""
    rows = session.scalars(select(HoldoutImage).order_by(HoldoutImage.image_id))
    return {row.image_id: row.product_id for row in rows}


def freeze_holdout(session: Session, labels: Sequence[LabelRow], share: float) -> dict[str, str]:
    """Set `share` of the first labelled products of each locale apart, once and for ever.

    Products are drawn by the digest of their identity. Raises `TooFewLabels` when there are not
    enough products, with enough images each, to train on some and compare models on others.
    """
    one_at_a_time(session, GROWTH)
    frozen = holdout(session)
    if frozen:
        return frozen
    images = defaultdict(list)
    locale_of: dict[str, str] = {}
    for label in labels:
        if label.product_id is not None:
            images[label.product_id].append(label.image_id)
            locale_of.setdefault(label.product_id, label.locale)
    usable = [product for product in images if len(images[product]) >= FEWEST_IMAGES]
    if len(usable) < FEWEST_PRODUCTS:
        raise TooFewLabels(
            f"the first training set needs at least {FEWEST_PRODUCTS} labelled products with"
            f" {FEWEST_IMAGES} images each, and there are {len(usable)}: ingest a manifest (CSV,"
            " JSON Lines or Parquet) with the columns uri, locale and product, for example"
            " `groundtruth ingest labelled.csv`"
        )
    for locale in sorted(set(locale_of.values())):
        local = sorted(
            (product for product in usable if locale_of[product] == locale),
            key=lambda product: digest("holdout", product),
        )
        for product in local[: math.floor(share * len(local) + 0.5)]:
            frozen |= dict.fromkeys(images[product], product)
    if len(set(frozen.values())) < 2:
        drawn = sorted(usable, key=lambda product: digest("holdout", product))[:2]
        frozen = {image_id: product for product in drawn for image_id in images[product]}
    add_new(
        session,
        [HoldoutImage(image_id=image, product_id=product) for image, product in frozen.items()],
    )
    return frozen


def newest(session: Session) -> TrainingSet | None:
    return session.scalar(select(TrainingSet).order_by(TrainingSet.version.desc()).limit(1))


def commit(session: Session, blobs: BlobStore, labels: Iterable[LabelRow]) -> TrainingSet:
    """Commit `labels`, less the holdout's products and images, as the next version.

    The version that is already newest is returned when nothing in it would differ.
    """
    one_at_a_time(session, GROWTH)
    frozen = holdout(session)
    products = set(frozen.values())
    rows = sorted(
        (
            label
            for label in labels
            if label.image_id not in frozen and label.product_id not in products
        ),
        key=lambda label: label.image_id,
    )
    identity = _manifest_digest(rows)
    parent = newest(session)
    if parent is not None and parent.digest == identity:
        return parent
    location = f"training-sets/{identity}.parquet"
    blobs.put(location, _parquet(rows))
    version = TrainingSet(
        version=parent.version + 1 if parent else 1,
        digest=identity,
        parent=parent.version if parent else None,
        location=location,
        n_images=len(rows),
        n_products=len({label.product_id for label in rows}),
        per_locale=dict(sorted(Counter(label.locale for label in rows).items())),
    )
    session.add(version)
    return version


def read(blobs: BlobStore, training_set: TrainingSet) -> list[LabelRow]:
    """The labels of a version, sorted by image."""
    table = pq.read_table(BytesIO(blobs.get(training_set.location)))
    return [
        LabelRow(**{**row, "annotators": tuple(row["annotators"])}) for row in table.to_pylist()
    ]


def _manifest_digest(rows: Sequence[LabelRow]) -> str:
    lines = (f"{row.image_id} {row.product_id} {row.label_id}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _parquet(rows: Sequence[LabelRow]) -> bytes:
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("label_id", "image_id", "product_id", "name")),
            *((name, pa.string()) for name in ("locale", "origin", "decision_id")),
            ("annotators", pa.list_(pa.string())),
            ("agreement", pa.float64()),
            ("seconds", pa.float64()),
        ]
    )
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows], schema=schema), buffer)
    return buffer.getvalue()
