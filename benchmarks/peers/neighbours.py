"""Exact nearest neighbours by cosine, for the peers that work on a graph of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.tuning import Features


@dataclass(frozen=True)
class Nearest:
    """The k others nearest to each of n images, the nearest first.

    Attributes
    ----------
    indices : int64 (n, k)
    cosines : float32 (n, k)
    """

    indices: NDArray[np.int64]
    cosines: NDArray[np.float32]


def nearest(features: Features, k: int) -> Nearest:
    """Search the min(k, n - 1) nearest others of each image; `features` are unit rows (n, D)."""
    cosines = features @ features.T
    np.fill_diagonal(cosines, -np.inf)
    k = min(k, len(features) - 1)
    indices = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return Nearest(indices, np.take_along_axis(cosines, indices, axis=1))


def cosine_distances(features: Features) -> NDArray[np.float64]:
    """Return 1 - cosine of every pair, (n, n), in [0, 2] with an exact zero diagonal."""
    distances = 1.0 - (features @ features.T).astype(np.float64)
    np.fill_diagonal(distances, 0.0)
    return ((distances + distances.T) / 2).clip(0.0, 2.0)
