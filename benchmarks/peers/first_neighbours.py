"""FINCH: clusters are the components of the graph of first neighbours, level upon level.

Sarfraz et al., *Efficient Parameter-free Clustering Using First Neighbor Relations*, CVPR 2019, by
the authors' own package. It returns a few partitions, from fine to coarse, and leaves the choice to
the reader: here the number of the partition is chosen on training classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.tuning import Features, Labels, Tuned

LEVELS = (0, 1, 2, 3, 4, 5)


def finch() -> Tuned[int]:
    """Setting: the partition, 0 the finest; where there are fewer, the coarsest is taken."""

    def sweep(features: Features, levels: Sequence[int]) -> Iterator[Labels]:
        partitions = _run(features, None)[0]
        for level in levels:
            yield partitions[:, min(level, partitions.shape[1] - 1)].astype(np.int64)

    return Tuned("FINCH", LEVELS, sweep)


def finch_into(features: Features, n_clusters: int) -> Labels:
    """Refine the next finer partition, joining two clusters at a time, to this many clusters."""
    return _run(features, n_clusters)[2].astype(np.int64)


def _run(
    features: Features, n_clusters: int | None
) -> tuple[NDArray[np.int32], list[int], NDArray[np.int32]]:
    with warnings.catch_warnings():
        # It says on import that an approximate search is not installed; ours is exact.
        warnings.filterwarnings("ignore", message="pynndescent is not installed")
        from finch import FINCH
    partitions, sizes, requested = FINCH(features, req_clust=n_clusters, distance="cosine")
    return partitions.reshape(len(features), -1), sizes, requested
