"""Approximate rank-order clustering: two images are near if they agree on who is near.

Otto, Wang and Jain, *Clustering Millions of Faces by Identity*, TPAMI 2018. Every image a lists
itself, f_a(0), and its k nearest, f_a(1) to f_a(k). With O_a(b) the rank of b in the list of a, and
k where it is not there,

    d(a, b) = sum over i = 0 ... O_a(b) of [f_a(i) is not in the list of b]
    D(a, b) = (d(a, b) + d(b, a)) / min(O_a(b), O_b(a))

and all pairs of which one lists the other and D is below a threshold are joined, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.peers.neighbours import nearest
from benchmarks.peers.tuning import Features, Labels, Tuned

LIST_LENGTHS = (5, 10, 20, 40, 80)
THRESHOLDS = tuple(np.round(np.arange(0.04, 4.0, 0.04), 2).tolist())


def rank_order() -> Tuned[tuple[int, float]]:
    """Settings: the length k of the lists and the threshold on D."""

    def sweep(features: Features, settings: Sequence[tuple[int, float]]) -> Iterator[Labels]:
        lists = nearest(features, max(k for k, _ in settings)).indices
        distances = {k: rank_order_distances(lists[:, :k]) for k in {k for k, _ in settings}}
        for k, threshold in settings:
            a, rank = np.nonzero(distances[k] < threshold)
            joined = coo_matrix((np.ones(len(a)), (a, lists[a, rank])), shape=(len(lists),) * 2)
            yield connected_components(joined, directed=False)[1].astype(np.int64)

    return Tuned("ARO", list(product(LIST_LENGTHS, THRESHOLDS)), sweep)


def rank_order_distances(lists: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return D between each image and those of its list; both are (n, k), the nearest first."""
    n, k = lists.shape
    ranks, itself = np.arange(k + 1), np.arange(n)
    ordered = np.column_stack([itself, lists])
    listed = np.zeros((n, n), dtype=bool)
    np.put_along_axis(listed, ordered, True, axis=1)
    distances = np.empty((n, k))
    for there in ranks[1:]:
        b = ordered[:, there]
        of_b = ordered[b]
        back = np.where(of_b == itself[:, None], ranks, k).min(axis=1)
        missing_there = ~listed[b[:, None], ordered] & (ranks <= there)
        missing_here = ~np.take_along_axis(listed, of_b, axis=1) & (ranks <= back[:, None])
        missing = missing_there.sum(axis=1) + missing_here.sum(axis=1)
        distances[:, there - 1] = missing / np.minimum(there, back)
    return distances
