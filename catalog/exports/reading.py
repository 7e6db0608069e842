"""An export read back, byte for byte: it must give the digest of the version that it is of."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from catalog.exports.contents import LabelledImage
from catalog.exports.errors import DamagedExport, ExportError
from catalog.exports.layouts import LAYOUTS
from catalog.exports.stamp import FILE, Stamp
from catalog.identity import content_digest
from catalog.training_sets import manifest_digest

REMOVED = "removed.jsonl"


class _Label(NamedTuple):
    image_id: str
    label_id: str
    product_id: str | None
    name: str | None
    locale: str


@dataclass(frozen=True)
class ReadBack:
    """What an export was found to hold: every image's bytes and every label are as exported."""

    stamp: Stamp
    digest: str
    n_images: int
    n_bytes: int


def read_back(folder: Path) -> ReadBack:
    """Read every image and label of an export.

    Raises `ExportError` where `folder` is none, and `DamagedExport` where an image's bytes are not
    those that name it, or the labels do not have the digest of their version.
    """
    stamp = Stamp.read(folder)
    if stamp.layout not in LAYOUTS:
        raise ExportError(
            f"{folder / FILE} names the layout {stamp.layout!r}, which this version of groundtruth"
            f" does not know ({', '.join(LAYOUTS)}): read it with a newer one"
        )
    labels: list[_Label] = []
    n_bytes = 0
    try:
        for image, content in LAYOUTS[stamp.layout].read(folder):
            if content_digest(content) != image.image_id:
                raise DamagedExport(
                    f"{folder}: the bytes of image {image.image_id} are not those that it is named"
                    " by: copy or export it again"
                )
            labels.append(_label(image))
            n_bytes += len(content)
        n_images = len(labels)
        labels += map(_label, read_removed(folder))
    except (OSError, ValueError, pa.ArrowException) as error:
        if isinstance(error, ExportError):
            raise
        raise DamagedExport(
            f"{folder} cannot be read ({error}): copy or export it again"
        ) from error
    labels.sort(key=lambda label: label[:2])
    found = manifest_digest(labels)
    if found != stamp.digest:
        raise DamagedExport(
            f"{folder} has the digest {found}, but {FILE} says {stamp.digest}: labels were changed,"
            " lost or added; copy or export it again"
        )
    return ReadBack(stamp, found, n_images, n_bytes)


def read_removed(folder: Path) -> Iterator[LabelledImage]:
    """The labels of images that were removed before the export."""
    with (folder / REMOVED).open(encoding="utf-8") as lines:
        for line in lines:
            yield LabelledImage.from_row(json.loads(line))


def _label(image: LabelledImage) -> _Label:
    return _Label(image.image_id, image.label_id, image.product_id, image.name, image.locale)
