"""The labelled images of a version, described from the catalogue, a few in memory at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from itertools import islice
from typing import Any, TypeVar

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.database import Catalog
from catalog.exports.errors import DamagedExport, ExportError
from catalog.identity import content_digest
from catalog.images import image_key
from catalog.labels import LabelRow
from catalog.schema import Image, ImageSource, TrainingSet
from catalog.training_sets import rows

DESCRIBED_AT_ONCE = 4096
READ_AT_ONCE = 16
LICENCE_COLUMNS = ("licence", "license")
SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
}

Item = TypeVar("Item")


@dataclass(frozen=True)
class LabelledImage:
    """One image of an export with its label; the annotators' names stay in the catalogue.

    `source` and `licence` are what the manifests say of the image, None where they say nothing.
    """

    image_id: str
    product_id: str | None
    name: str | None
    locale: str
    label_id: str
    origin: str
    decision_id: str | None
    n_annotators: int
    agreement: float
    seconds: float | None
    media_type: str
    width: int
    height: int
    n_bytes: int
    source: str | None
    licence: str | None

    @property
    def suffix(self) -> str:
        return SUFFIXES.get(self.media_type, "bin")

    def row(self) -> dict[str, Any]:
        """The fields by name, as every layout keeps them."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "LabelledImage":
        """The opposite of `row`, whatever else stands in it; raises `DamagedExport`."""
        try:
            return cls(**{name: row[name] for name in COLUMNS})
        except KeyError as missing:
            raise DamagedExport(
                f"a row of the export has no {missing}: export the version again"
            ) from missing


TYPES: Mapping[Any, pa.DataType] = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    float | None: pa.float64(),
}
COLUMNS: Mapping[str, pa.DataType] = {each.name: TYPES[each.type] for each in fields(LabelledImage)}


def described(
    catalog: Catalog, blobs: BlobStore, version: TrainingSet
) -> Iterator[tuple[LabelRow, LabelledImage]]:
    """Each label of a version with its image, in the order of the images."""
    for labels in in_batches(rows(blobs, version), DESCRIBED_AT_ONCE):
        ids = [label.image_id for label in labels]
        with catalog.begin() as session:
            images = {
                image.id: image for image in session.scalars(select(Image).where(Image.id.in_(ids)))
            }
            sources = _sources(session, ids)
        for label in labels:
            yield label, _labelled(label, images[label.image_id], sources[label.image_id])


def with_bytes(
    blobs: BlobStore, images: Iterable[LabelledImage]
) -> Iterator[tuple[LabelledImage, bytes]]:
    """Each image with its original bytes; raises `ExportError` where these were changed or lost."""

    def content(image: LabelledImage) -> bytes:
        try:
            found = blobs.get(image_key(image.image_id))
        except FileNotFoundError as error:
            raise ExportError(
                f"the blob store has lost image {image.image_id}: restore"
                f" {image_key(image.image_id)} from a backup, or remove the image"
            ) from error
        if content_digest(found) != image.image_id:
            raise ExportError(
                f"the bytes of image {image.image_id} were changed in the blob store: restore"
                f" {image_key(image.image_id)} from a backup, or remove the image"
            )
        return found

    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        for few in in_batches(images, READ_AT_ONCE):
            yield from zip(few, pool.map(content, few), strict=True)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`items` in lists of `size`, the last one shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _sources(session: Session, ids: Sequence[str]) -> Mapping[str, list[ImageSource]]:
    found: dict[str, list[ImageSource]] = defaultdict(list)
    query = select(ImageSource).where(ImageSource.image_id.in_(ids))
    for source in session.scalars(query.order_by(ImageSource.seen_at, ImageSource.id)):
        found[source.image_id].append(source)
    return found


def _labelled(label: LabelRow, image: Image, sources: Sequence[ImageSource]) -> LabelledImage:
    licences = [
        str(each.extra[column])
        for each in sources
        for column in LICENCE_COLUMNS
        if each.extra.get(column)
    ]
    return LabelledImage(
        image_id=label.image_id,
        product_id=label.product_id,
        name=label.name,
        locale=label.locale,
        label_id=label.label_id,
        origin=label.origin,
        decision_id=label.decision_id,
        n_annotators=len(label.annotators) if label.decision_id else 0,
        agreement=label.agreement,
        seconds=label.seconds,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        n_bytes=image.n_bytes,
        source="; ".join(sorted({each.source for each in sources if each.source})) or None,
        licence="; ".join(sorted(set(licences))) or None,
    )
