"""Density-based clustering on cosine distances: DBSCAN (Ester et al., 1996) and HDBSCAN (Campello
et al., 2013). What they call noise stays alone: every image must be in a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN

from benchmarks.peers.neighbours import cosine_distances
from benchmarks.peers.tuning import Features, Labels, Tuned, noise_alone

RADII = np.round(np.geomspace(0.01, 0.8, 30), 4).tolist()
CORE_SIZES = (2, 3, 5, 8, 12, 20, 30)
CLUSTER_SIZES = (3, 5, 8, 12, 18, 27, 40)
SMOOTHINGS = (1, 2, 4, 8)


def dbscan() -> Tuned[tuple[float, int]]:
    """Settings: the radius, and how many images within it (itself included) make a core."""

    def sweep(features: Features, settings: Sequence[tuple[float, int]]) -> Iterator[Labels]:
        distances = cosine_distances(features)
        for radius, core_size in settings:
            model = DBSCAN(eps=radius, min_samples=core_size, metric="precomputed")
            yield noise_alone(model.fit_predict(distances))

    return Tuned("DBSCAN", list(product(RADII, CORE_SIZES)), sweep)


def hdbscan() -> Tuned[tuple[int, int, str]]:
    """Settings: the least size of a cluster, min_samples, and how clusters are selected."""

    def sweep(features: Features, settings: Sequence[tuple[int, int, str]]) -> Iterator[Labels]:
        distances = cosine_distances(features)
        for cluster_size, smoothing, selection in settings:
            model = HDBSCAN(
                min_cluster_size=cluster_size,
                min_samples=min(smoothing, len(features)),
                cluster_selection_method=selection,
                metric="precomputed",
                copy=True,
            )
            yield noise_alone(model.fit_predict(distances))

    return Tuned("HDBSCAN", list(product(CLUSTER_SIZES, SMOOTHINGS, ("eom", "leaf"))), sweep)
