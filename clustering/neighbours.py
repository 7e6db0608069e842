"""The nearest neighbours of every node by cosine: one exact search, used for everything after."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

BLOCK = 65_536


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of n nodes, the nearest first; no node is its own neighbour.

    A node with fewer than K candidates has empty places at the end: index -1, cosine 0.

    Attributes
    ----------
    indices : int64 (n, K)
    cosines : float32 (n, K)
    """

    indices: NDArray[np.int64]
    cosines: NDArray[np.float32]

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which places are filled, (n, K)."""
        return self.indices >= 0

    def nearest(self, k: int) -> Neighbours:
        """Return the k nearest of each."""
        return Neighbours(self.indices[:, :k], self.cosines[:, :k])


def find_neighbours(features: NDArray[np.float32], k: int, groups: NDArray[np.int64]) -> Neighbours:
    """Search the `k` nearest rows of each row among those of its own group.

    Parameters
    ----------
    features : float32 (n, D)
        Rows of length one.
    k : int
        Any number; a row of a group of m has min(k, m - 1) neighbours.
    groups : int64 (n,)
        Rows of different groups never meet.
    """
    n = len(features)
    names, sizes = np.unique(groups, return_counts=True)
    width = min(k, int(sizes.max(initial=1)) - 1)
    indices = np.full((n, width), -1, dtype=np.int64)
    cosines = np.zeros((n, width), dtype=np.float32)
    for name in names:
        rows = np.flatnonzero(groups == name)
        found, likeness = _search(features[rows], width)
        indices[rows, : found.shape[1]] = rows[found]
        cosines[rows, : found.shape[1]] = likeness
    return Neighbours(indices, cosines)


def _search(features: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Exact inner-product search without self; equal cosines are ordered by index."""
    n, dim = features.shape
    width = min(k, n - 1)
    index = faiss.IndexFlatIP(dim)
    index.add(features)
    indices = np.empty((n, width), dtype=np.int64)
    cosines = np.empty((n, width), dtype=np.float32)
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        likeness, found = index.search(features[rows], width + 1)
        others_first = np.lexsort((found, -likeness, found == rows[:, None]))[:, :width]
        indices[rows] = np.take_along_axis(found, others_first, axis=1)
        cosines[rows] = np.take_along_axis(likeness, others_first, axis=1).clip(-1.0, 1.0)
    return indices, cosines
