"""Embeddings on disk: Parquet files of unit vectors, found again through the catalogue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.blobs import BlobStore
from catalog.identity import digest
from catalog.schema import FeatureFile


def write(
    blobs: BlobStore, model_id: str, image_ids: Sequence[str], features: NDArray[np.float32]
) -> FeatureFile:
    """Keep `features`, float32 (N, D), of `image_ids` by one model."""
    identity = digest("features", model_id, *image_ids)
    location = f"features/{model_id}/{identity}.parquet"
    blobs.put(location, _parquet(list(image_ids), features))
    return FeatureFile(id=identity, model_id=model_id, location=location)


def read(
    blobs: BlobStore, image_ids: Sequence[str], places: Mapping[str, tuple[str, int]]
) -> NDArray[np.float32]:
    """The features of `image_ids`, float32 (N, D), from where `clusters.features_of` found them."""
    rows_of_file: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for target, image_id in enumerate(image_ids):
        location, row = places[image_id]
        rows_of_file[location].append((target, row))
    features: NDArray[np.float32] | None = None
    for location, rows in rows_of_file.items():
        column = pq.read_table(BytesIO(blobs.get(location)), columns=["features"])["features"]
        vectors = column.combine_chunks()
        table = vectors.flatten().to_numpy().reshape(len(vectors), -1)
        if features is None:
            features = np.empty((len(image_ids), table.shape[1]), dtype=np.float32)
        targets, sources = np.array(rows).T
        features[targets] = table[sources]
    return np.empty((0, 0), dtype=np.float32) if features is None else features


def write_places(
    blobs: BlobStore, key: str, image_ids: Sequence[str], places: Mapping[str, tuple[str, int]]
) -> None:
    """Keep under `key` where the features of some images are, for whoever is to read them."""
    locations, rows = zip(*(places[image_id] for image_id in image_ids), strict=True)
    columns = {"image_id": list(image_ids), "location": list(locations), "row": list(rows)}
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer)
    blobs.put(key, buffer.getvalue())


def read_places(blobs: BlobStore, key: str) -> dict[str, tuple[str, int]]:
    """What `write_places` kept, in the order of its images."""
    table = pq.read_table(BytesIO(blobs.get(key))).to_pydict()
    places = zip(table["location"], table["row"], strict=True)
    return dict(zip(table["image_id"], places, strict=True))


def forget(blobs: BlobStore, location: str, rows: Sequence[int]) -> None:
    """Write zeros in place of the vectors in `rows` of a file; every other row keeps its place."""
    table = pq.read_table(BytesIO(blobs.get(location)))
    vectors = table["features"].combine_chunks()
    kept = vectors.flatten().to_numpy().reshape(len(vectors), -1).copy()
    kept[list(rows)] = 0
    blobs.replace(location, _parquet(table["image_id"], kept))


def _parquet(image_ids: Any, features: NDArray[np.float32]) -> bytes:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), features.shape[1])
    buffer = BytesIO()
    pq.write_table(pa.table({"image_id": image_ids, "features": vectors}), buffer)
    return buffer.getvalue()
