"""The growing meta-training set: immutable versions that never touch the holdout.

A version is a Parquet file of labels, sorted by image, named by their digest. The digest is the
SHA-256 of one line for each label: the JSON list of its image, product, name, locale and label
identity. An image is named by the SHA-256 of its bytes, so the digest covers them as well; a label
leads on to its decision and answers in the catalogue. Neither changes when an image must go.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from io import BytesIO
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.database import one_at_a_time
from catalog.holdout import holdout
from catalog.labels import LabelRow
from catalog.schema import TrainingSet

BATCH = 16_384  # labels that are read or skipped together
# What reads the newest version or the holdout, and adds to them.
GROWTH = "training set"


class NoSuchVersion(LookupError):
    """There is no such training set version."""


class VersionDamaged(RuntimeError):
    """What is kept of a version is not what was committed."""


class EarlierDigest(RuntimeError):
    """A version is as it was committed, before digests covered names and locales."""


class Labelled(Protocol):
    """What the digest of a version covers of a label."""

    @property
    def image_id(self) -> str: ...
    @property
    def product_id(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def locale(self) -> str: ...
    @property
    def label_id(self) -> str: ...


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
        key=lambda label: (label.image_id, label.label_id),
    )
    identity = manifest_digest(rows)
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


def versions(session: Session) -> list[TrainingSet]:
    """Every version, oldest first."""
    return list(session.scalars(select(TrainingSet).order_by(TrainingSet.version)))


def version(session: Session, number: int | None) -> TrainingSet:
    """The version of that number, or the newest; raises `NoSuchVersion` where there is none."""
    found = newest(session) if number is None else session.get(TrainingSet, number)
    if found is None:
        last = newest(session)
        raise NoSuchVersion(
            f"there is no training set version {number}: the newest is {last.version}, and"
            " `groundtruth dataset list` lists all"
            if last is not None
            else "there is no training set yet: `groundtruth collect` commits the first version"
        )
    return found


def rows(blobs: BlobStore, training_set: TrainingSet) -> Iterator[LabelRow]:
    """The labels of a version, sorted by image, a part of them in memory at a time."""
    with _opened(blobs, training_set) as file:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=BATCH):
            yield from map(_label, batch.to_pylist())


def read(blobs: BlobStore, training_set: TrainingSet) -> list[LabelRow]:
    """The labels of a version, sorted by image."""
    return list(rows(blobs, training_set))


def labels_of(
    blobs: BlobStore, training_set: TrainingSet, image_ids: Collection[str]
) -> list[LabelRow]:
    """The labels that a version holds of `image_ids`; only parts that may hold them are read."""
    with _opened(blobs, training_set) as file:
        wanted = [("image_id", "in", sorted(image_ids))]
        return list(map(_label, pq.read_table(file, filters=wanted).to_pylist()))


def verify(blobs: BlobStore, training_set: TrainingSet) -> None:
    """Compute a version's digest again; raises `VersionDamaged` where it is not what it was.

    Raises `EarlierDigest` for a version whose digest says less than those of today.
    """
    found = manifest_digest(rows(blobs, training_set))
    if found != training_set.digest:
        if _earlier_digest(rows(blobs, training_set)) == training_set.digest:
            raise EarlierDigest(
                f"training set version {training_set.version} is as it was committed, by an earlier"
                " groundtruth whose digests covered no names and locales: `groundtruth collect`"
                " commits what the gate has accepted as a new version; export and verify that one"
            )
        raise VersionDamaged(
            f"training set version {training_set.version} has the digest {found}, and was committed"
            f" with {training_set.digest}: restore {training_set.location} of the blob store from a"
            " backup"
        )


def manifest_digest(labels: Iterable[Labelled]) -> str:
    """The digest of labels, given in the order of their images."""
    found = hashlib.sha256()
    for label in labels:
        said = (label.image_id, label.product_id, label.name, label.locale, label.label_id)
        found.update(json.dumps(said, ensure_ascii=False).encode() + b"\n")
    return found.hexdigest()


def _earlier_digest(labels: Iterable[Labelled]) -> str:
    """The digest under which versions were committed before names and locales were in it."""
    found = hashlib.sha256()
    for label in labels:
        found.update(f"{label.image_id} {label.product_id} {label.label_id}\n".encode())
    return found.hexdigest()


@contextmanager
def _opened(blobs: BlobStore, training_set: TrainingSet) -> Iterator[BinaryIO]:
    try:
        with blobs.open(training_set.location) as file:
            yield file
    except (FileNotFoundError, pa.ArrowException) as error:
        raise VersionDamaged(
            f"training set version {training_set.version} cannot be read at"
            f" {training_set.location} of the blob store: {error}. Restore this file from a backup"
        ) from error


def _label(row: dict[str, Any]) -> LabelRow:
    return LabelRow(**{**row, "annotators": tuple(row["annotators"])})


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
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    pq.write_table(table, buffer, row_group_size=BATCH)
    return buffer.getvalue()
