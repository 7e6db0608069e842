"""Arrays in the blob store, of which some rows can be read without the others."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.blobs import BlobStore

HEADER = 128
"""Bytes before the first row: what numpy writes for arrays of numbers of any shape that occurs."""

GAP = 1 << 18
"""Bytes between two rows up to which it is cheaper to read them than to ask twice."""


def put(blobs: BlobStore, key: str, array: NDArray[Any]) -> None:
    """Keep an array of numbers under `key`, as an `.npy` file."""
    buffer = BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    blobs.put(key, buffer.getvalue())


def get(blobs: BlobStore, key: str) -> NDArray[Any]:
    """The array under `key`; raises `FileNotFoundError` where there is none."""
    found: NDArray[Any] = np.load(BytesIO(blobs.get(key)), allow_pickle=False)
    return found


def rows(blobs: BlobStore, key: str, which: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Some rows of the array (n, D) under `key`, by ascending numbers."""
    head = BytesIO(blobs.get_ranges(key, [(0, HEADER)])[0])
    np.lib.format.read_magic(head)  # type: ignore[no-untyped-call]
    (_, width), _, dtype = np.lib.format.read_array_header_1_0(head)  # type: ignore[no-untyped-call]
    if not len(which):
        return np.empty((0, width), dtype)
    n_bytes = width * dtype.itemsize
    seams = np.flatnonzero(np.diff(which) * n_bytes > GAP) + 1
    runs = np.split(which, seams)
    spans = [
        (head.tell() + int(run[0]) * n_bytes, head.tell() + (int(run[-1]) + 1) * n_bytes)
        for run in runs
    ]
    parts = blobs.get_ranges(key, spans)
    found = [
        np.frombuffer(part, dtype).reshape(-1, width)[run - run[0]]
        for part, run in zip(parts, runs, strict=True)
    ]
    return np.concatenate(found)
