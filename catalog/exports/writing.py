"""A version written to a folder that appears whole or not at all."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog.blobs import BlobStore
from catalog.database import Catalog
from catalog.exports import card, croissant
from catalog.exports.about import About
from catalog.exports.contents import LabelledImage, described, with_bytes
from catalog.exports.errors import ExportError, require
from catalog.exports.layouts import LAYOUTS
from catalog.exports.reading import REMOVED
from catalog.exports.stamp import Stamp
from catalog.exports.tally import Tally
from catalog.removals import removed
from catalog.schema import TrainingSet
from catalog.training_sets import verify


def export(
    catalog: Catalog,
    blobs: BlobStore,
    version: TrainingSet,
    folder: Path,
    layout: str,
    about: About,
    on_image: Callable[[], object],
) -> Stamp:
    """Write `version` to `folder`, which must not exist or be empty; what was written.

    Images that were removed are left out and named. Calls `on_image` after each of the others. A
    version gives the same bytes each time, apart from what libraries write of themselves and from
    images that were removed in between. An export that was killed leaves a hidden folder beside
    `folder`, which the next one to the same place clears away.

    Raises `ExportError` where the folder is not empty, the layout is unknown, a library is missing,
    or an image's bytes are not what they were, and what `training_sets.verify` does.
    """
    if layout not in LAYOUTS:
        raise ExportError(f"{layout!r} is no layout: choose one of {', '.join(LAYOUTS)}")
    require("mlcroissant", *LAYOUTS[layout].libraries)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is there already and not empty: name a folder that is not")
    verify(blobs, version)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with catalog.begin() as session:
        gone = removed(session)
    tally = Tally()

    def kept() -> Iterator[LabelledImage]:
        with (partial / REMOVED).open("w", encoding="utf-8", newline="\n") as left_out:
            for label, image in described(catalog, blobs, version):
                if image.image_id in gone:
                    left_out.write(json.dumps(image.row(), ensure_ascii=False) + "\n")
                    tally.removed.append(image.image_id)
                else:
                    tally.add(label, image)
                    yield image

    def reported() -> Iterator[tuple[LabelledImage, bytes]]:
        for each in with_bytes(blobs, kept()):
            yield each
            on_image()

    LAYOUTS[layout].write(partial, reported())
    stamp = Stamp.of(version, layout, len(tally.removed))
    stamp.write(partial)
    with catalog.begin() as session:
        written = card.card(session, about, stamp, tally, LAYOUTS[layout])
    (partial / "README.md").write_text(written, encoding="utf-8", newline="\n")
    croissant.write(partial, about, stamp, LAYOUTS[layout], tally.media_types)
    if folder.exists():
        folder.rmdir()
    partial.rename(folder)
    return stamp
