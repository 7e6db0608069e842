"""The growing meta-training set: immutable versions that never touch the holdout."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.holdout import holdout
from catalog.labels import LabelRow
from catalog.schema import TrainingSet


def newest(session: Session) -> TrainingSet | None:
    return session.scalar(select(TrainingSet).order_by(TrainingSet.version.desc()).limit(1))


def commit(session: Session, blobs: BlobStore, labels: Iterable[LabelRow]) -> TrainingSet:
    """Commit `labels`, less the holdout's products and images, as the next version.

    The version that is already newest is returned when nothing in it would differ.
    """
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
