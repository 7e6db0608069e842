"""Croissant metadata of an export: `croissant.json`, which Croissant's own library validates.

Croissant 1.1, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. Layouts that keep
labels in a table have a record set of it. Croissant's library reads no JSON out of shards, so those
are only listed.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.exports.about import About
from catalog.exports.contents import COLUMNS
from catalog.exports.layouts import TAR, Layout
from catalog.exports.stamp import Stamp

FILE = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
RECORDS = "labels"
TABLES = "tables"


def write(
    folder: Path, about: About, stamp: Stamp, layout: Layout, media_types: Iterable[str]
) -> None:
    """Describe the export in `folder` for Croissant; `media_types` are those of its images."""
    import mlcroissant as mlc

    distribution: list[Any] = [
        mlc.FileObject(
            id=name,
            name=name,
            content_url=name,
            encoding_formats=[layout.encoding],
            sha256=_sha256(folder / name),
        )
        for name in sorted(
            file.relative_to(folder).as_posix() for file in folder.glob(layout.files)
        )
    ]
    if layout.pictures is not None:
        distribution.append(
            mlc.FileSet(
                id="images",
                name="images",
                includes=[layout.pictures],
                encoding_formats=sorted(media_types),
            )
        )
    records = []
    if layout.encoding != TAR:
        distribution.append(
            mlc.FileSet(
                id=TABLES, name=TABLES, includes=[layout.files], encoding_formats=[layout.encoding]
            )
        )
        records.append(_records(mlc, layout))
    metadata = mlc.Metadata(
        ctx=mlc.Context(conforms_to=CONFORMS_TO),
        name=about.name,
        description=about.description,
        version=f"{stamp.version}.0.0",
        url=about.url,
        license=[about.licence] if about.licence else None,
        creators=[mlc.Organization(name=about.creator)] if about.creator else None,
        cite_as=about.citation,
        date_published=dt.datetime.combine(stamp.committed_at.date(), dt.time()),
        distribution=distribution,
        record_sets=records,
    )
    content = json.dumps(metadata.to_json(), indent=2, ensure_ascii=False, default=str)
    (folder / FILE).write_text(content + "\n", encoding="utf-8", newline="\n")


def _records(mlc: Any, layout: Layout) -> Any:
    kinds = {
        pa.string(): mlc.DataType.TEXT,
        pa.int64(): mlc.DataType.INTEGER,
        pa.float64(): mlc.DataType.FLOAT,
    }
    fields = [
        mlc.Field(
            id=f"{RECORDS}/{column}",
            name=column,
            data_types=kinds[kind],
            source=mlc.Source(file_set=TABLES, extract=mlc.Extract(column=column)),
        )
        for column, kind in COLUMNS.items()
    ]
    if layout.pictures is None:
        inside = mlc.Source(
            file_set=TABLES,
            extract=mlc.Extract(column="image"),
            transforms=[mlc.Transform(json_path="bytes")],
        )
        fields.append(
            mlc.Field(
                id=f"{RECORDS}/image",
                name="image",
                data_types=mlc.DataType.IMAGE_OBJECT,
                source=inside,
            )
        )
    return mlc.RecordSet(
        id=RECORDS,
        name=RECORDS,
        key=f"{RECORDS}/image_id",
        description="One row for each image, with the product that it shows.",
        fields=fields,
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
