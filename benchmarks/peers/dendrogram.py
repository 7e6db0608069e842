"""Agglomerative clustering by average and complete linkage, cut at a cosine distance.

One dendrogram serves every threshold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from benchmarks.peers.neighbours import cosine_distances
from benchmarks.peers.tuning import Features, Labels, Tuned

DISTANCES = tuple(np.round(np.arange(0.01, 1.6, 0.01), 2).tolist())


def agglomerative(method: Literal["average", "complete"]) -> Tuned[float]:
    """Return the peer of this linkage; its setting is the distance at which it is cut."""

    def sweep(features: Features, distances: Sequence[float]) -> Iterator[Labels]:
        if len(features) == 1:
            yield from (np.zeros(1, dtype=np.int64) for _ in distances)
            return
        tree = linkage(squareform(cosine_distances(features), checks=False), method)
        for distance in distances:
            yield fcluster(tree, distance, "distance").astype(np.int64)

    return Tuned(f"HAC, {method}", DISTANCES, sweep)
