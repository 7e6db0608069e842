"""The layouts that an export may have, each written and read as a stream.

| layout | images | labels | for |
|---|---|---|---|
| `parquet` | `images/ab/<image>.jpg` | `labels.parquet` | any tool |
| `imagefolder` | `train/<product>/<image>.jpg` | `train/metadata.jsonl` | torchvision, `datasets` |
| `webdataset` | `<image>.jpg` in `train-000000.tar` | `<image>.json` beside it | WebDataset |
| `huggingface` | in `data/train-00000.parquet` | in the same rows | `datasets`, the Hub |

File names are digests and numbers, so that they are safe on every file system; what people typed
stands only inside the files.
"""

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.exports.contents import COLUMNS, LabelledImage, in_batches
from catalog.exports.errors import DamagedExport

Images = Iterable[tuple[LabelledImage, bytes]]

ROWS_AT_ONCE = 1024
ROWS_WITH_BYTES_AT_ONCE = 64
ROWS_PER_FILE = 4096
SHARD_IMAGES = 10_000
SHARD_BYTES = 1_000_000_000
PARQUET = "application/x-parquet"
TAR = "application/x-tar"


@dataclass(frozen=True)
class Layout:
    """How images and labels are written to a folder, and read back from it.

    `files` is the glob of the files that hold the labels, `encoding` their media type, and
    `pictures` the glob of the images, where these are files of their own; otherwise they are in the
    same files. `data` is the glob of what `datasets` reads.
    """

    write: Callable[[Path, Images], None]
    read: Callable[[Path], Iterator[tuple[LabelledImage, bytes]]]
    files: str
    encoding: str
    data: str
    pictures: str | None = None
    libraries: tuple[str, ...] = ()


def _write_parquet(folder: Path, images: Images) -> None:
    schema = pa.schema([("file_name", pa.string()), *COLUMNS.items()])
    with pq.ParquetWriter(folder / "labels.parquet", schema) as table:
        for few in in_batches(_as_files(folder, "images", _by_digest, images), ROWS_AT_ONCE):
            table.write_batch(pa.RecordBatch.from_pylist(few, schema=schema))


def _read_parquet(folder: Path) -> Iterator[tuple[LabelledImage, bytes]]:
    with pq.ParquetFile(folder / "labels.parquet") as table:
        rows = (row for batch in table.iter_batches(ROWS_AT_ONCE) for row in batch.to_pylist())
        yield from _from_files(folder, "images/*/*", rows)


def _write_imagefolder(folder: Path, images: Images) -> None:
    train = folder / "train"
    train.mkdir()
    with (train / "metadata.jsonl").open("w", encoding="utf-8", newline="\n") as table:
        for row in _as_files(train, "", _by_product, images):
            table.write(json.dumps(row, ensure_ascii=False) + "\n")


def _read_imagefolder(folder: Path) -> Iterator[tuple[LabelledImage, bytes]]:
    with (folder / "train" / "metadata.jsonl").open(encoding="utf-8") as table:
        yield from _from_files(folder / "train", "*/*", map(json.loads, table))


def _write_webdataset(folder: Path, images: Images) -> None:
    from webdataset import ShardWriter

    with ExitStack() as files:
        shards = ShardWriter(
            "train-%06d.tar",
            maxcount=SHARD_IMAGES,
            maxsize=SHARD_BYTES,
            verbose=0,
            opener=lambda name: files.enter_context((folder / name).open("wb")),
            encoder=False,
            mtime=0,
        )
        with shards:
            for image, content in images:
                label = json.dumps(image.row(), ensure_ascii=False).encode()
                shards.write({"__key__": image.image_id, image.suffix: content, "json": label})


def _read_webdataset(folder: Path) -> Iterator[tuple[LabelledImage, bytes]]:
    for shard in sorted(folder.glob("train-*.tar")):
        sample: dict[str, tuple[str, bytes]] = {}
        with tarfile.open(shard) as members:
            for member in members:
                key, _, suffix = member.name.partition(".")
                file = members.extractfile(member)
                sample["json" if suffix == "json" else "image"] = key, file.read() if file else b""
                if len(sample) == 2:
                    (label_key, label), (image_key, content) = sample["json"], sample["image"]
                    if label_key != image_key:
                        raise DamagedExport(
                            f"{shard}: {label_key}.json stands beside the image {image_key}: export"
                            " the version again"
                        )
                    yield LabelledImage.from_row(json.loads(label)), content
                    sample = {}
        if sample:
            raise DamagedExport(f"{shard} ends within a sample: export the version again")


def _write_huggingface(folder: Path, images: Images) -> None:
    data = folder / "data"
    data.mkdir()
    for number, some in enumerate(_rows_of_files(images)):
        with pq.ParquetWriter(data / f"train-{number:05}.parquet", _WITH_BYTES) as table:
            for few in in_batches(some, ROWS_WITH_BYTES_AT_ONCE):
                table.write_batch(pa.RecordBatch.from_pylist(few, schema=_WITH_BYTES))


def _read_huggingface(folder: Path) -> Iterator[tuple[LabelledImage, bytes]]:
    for file in sorted((folder / "data").glob("train-*.parquet")):
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(ROWS_WITH_BYTES_AT_ONCE):
                for row in batch.to_pylist():
                    yield LabelledImage.from_row(row), row["image"]["bytes"]


_FEATURES = {"image": {"_type": "Image"}} | {
    name: {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
    for name, kind in COLUMNS.items()
}
_BYTES = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_WITH_BYTES = pa.schema(
    [("image", _BYTES), *COLUMNS.items()],
    metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
)


def _rows_of_files(images: Images) -> Iterator[Iterator[dict[str, Any]]]:
    """The rows of one Parquet file after another."""
    rows = (
        {"image": {"bytes": content, "path": f"{image.image_id}.{image.suffix}"}, **image.row()}
        for image, content in images
    )
    for first in rows:
        yield _begin_with(first, rows)


def _begin_with(first: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    for _, row in zip(range(ROWS_PER_FILE - 1), rows, strict=False):
        yield row


def _by_digest(image: LabelledImage) -> str:
    return image.image_id[:2]


def _by_product(image: LabelledImage) -> str:
    return image.product_id or "without-product"


def _as_files(
    folder: Path, below: str, folder_of: Callable[[LabelledImage], str], images: Images
) -> Iterator[dict[str, Any]]:
    """Write each image to a file of its own; the row of each, with its `file_name`."""
    for image, content in images:
        file = folder / below / folder_of(image) / f"{image.image_id}.{image.suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        yield {"file_name": file.relative_to(folder).as_posix(), **image.row()}


def _from_files(
    folder: Path, files: str, rows: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[LabelledImage, bytes]]:
    n_listed = 0
    for n_listed, row in enumerate(rows, start=1):  # noqa: B007
        image, file = LabelledImage.from_row(row), folder / str(row.get("file_name"))
        if not file.resolve().is_relative_to(folder.resolve()):
            raise DamagedExport(f"{file} lies outside of the export: do not trust this export")
        try:
            yield image, file.read_bytes()
        except OSError as error:
            raise DamagedExport(
                f"{file} cannot be read ({error.strerror}): copy or export it again"
            ) from error
    n_files = sum(1 for _ in folder.glob(files))
    if n_files != n_listed:
        raise DamagedExport(
            f"{folder} holds {n_files} pictures, but {n_listed} are listed: take out what does not"
            " belong there, or export the version again"
        )


LAYOUTS: Mapping[str, Layout] = {
    "parquet": Layout(
        _write_parquet,
        _read_parquet,
        files="labels.parquet",
        encoding=PARQUET,
        data="labels.parquet",
        pictures="images/*/*",
    ),
    "imagefolder": Layout(
        _write_imagefolder,
        _read_imagefolder,
        files="train/metadata.jsonl",
        encoding="application/jsonlines",
        data="train/**",
        pictures="train/*/*",
    ),
    "webdataset": Layout(
        _write_webdataset,
        _read_webdataset,
        files="train-*.tar",
        encoding=TAR,
        data="train-*.tar",
        libraries=("webdataset",),
    ),
    "huggingface": Layout(
        _write_huggingface,
        _read_huggingface,
        files="data/train-*.parquet",
        encoding=PARQUET,
        data="data/train-*.parquet",
    ),
}
