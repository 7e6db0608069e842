"""The nearest of some rows by cosine, found in tiles and put together from parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.blocks import BLOCK

TILE = 16_384

Float = NDArray[np.float32]
Int = NDArray[np.int64]


def nearest_rows(queries: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return cosines and indices of the k nearest candidates of each query, both (q, k).

    Tiles of the product of queries (q, D) and candidates (m, D) are reduced as they come, so
    memory does not grow with q or m; runs on the device of its arguments.
    """
    blocks = [_nearest_in_tiles(block, candidates, k) for block in torch.split(queries, BLOCK)]
    cosines, indices = zip(*blocks, strict=True)
    return torch.cat(cosines), torch.cat(indices)


def _nearest_in_tiles(queries: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    cosines = queries.new_empty((len(queries), 0))
    indices = torch.empty((len(queries), 0), dtype=torch.int64, device=queries.device)
    for start in range(0, len(candidates), TILE):
        tile = candidates[start : start + TILE]
        products = queries @ tile.T
        best, places = products.topk(min(k, len(tile)), dim=1)
        cosines, indices = torch.cat([cosines, best], 1), torch.cat([indices, places + start], 1)
        cosines, kept = cosines.topk(min(k, cosines.shape[1]), dim=1)
        indices = indices.gather(1, kept)
    return cosines, indices


def merge_nearest(parts: Sequence[tuple[Float, Int]], k: int) -> tuple[Float, Int]:
    """Return the k nearest of all from the k nearest of each part: cosines and rows, (q, k).

    Exact, in whatever parts the rows were searched; equal cosines are ordered by row.
    """
    cosines, rows = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
    order = np.lexsort((rows, -cosines), axis=1)[:, :k]
    return np.take_along_axis(cosines, order, axis=1), np.take_along_axis(rows, order, axis=1)


def without_self(rows: Int, found: Int, cosines: Float) -> tuple[Int, Float]:
    """Drop each row itself, or the farthest where copies crowded it out; order ties by index."""
    others = found != rows[:, None]
    others[others.all(axis=1), -1] = False
    shape = (len(rows), found.shape[1] - 1)
    found, cosines = found[others].reshape(shape), cosines[others].reshape(shape)
    tied = np.flatnonzero((cosines[:, 1:] == cosines[:, :-1]).any(axis=1))
    order = np.lexsort((found[tied], -cosines[tied]))
    found[tied] = np.take_along_axis(found[tied], order, axis=1)
    return found, cosines.clip(-1.0, 1.0)
