"""How sure we are of each image's place: the probability that it belongs with its cluster.

A few signs of belonging (how probable its links within the cluster are, how many of its neighbours
are there, how near it is to the rest) are weighed by a logistic regression on training images,
where it is known who belongs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.hierarchy import Base, Hierarchy

Float = NDArray[np.float64]


def signs_of_belonging(base: Base, hierarchy: Hierarchy) -> Float:
    """Describe each image's place in its cluster, float64 (N, 5).

    Mean log-odds of its links into the cluster, share of its neighbours there, its mean cosine to
    the other members, that cosine against the cluster's mean of it, and the log size.
    """
    labels, sizes = hierarchy.labels, hierarchy.clusters.sizes
    n = len(labels)
    inside = labels[base.i] == labels[base.j]
    own = base.i[inside]
    probable = np.clip(base.linkage[inside].astype(np.float64), 1e-3, 1 - 1e-3)
    links = np.bincount(own, minlength=n)
    odds = np.bincount(own, weights=np.log(probable / (1 - probable)), minlength=n)
    degree = np.maximum(np.bincount(base.i, minlength=n), 1)
    others = np.maximum(sizes[labels] - 1, 1)
    features, means = base.nodes.means, hierarchy.clusters.means
    to_all = np.einsum("nd,nd->n", features, means[labels]) * sizes[labels]
    near = (to_all - np.einsum("nd,nd->n", features, features)) / others
    usual = np.bincount(labels, weights=near) / sizes
    return np.column_stack(
        [
            np.where(links > 0, odds / np.maximum(links, 1), -4.0),
            links / degree,
            near,
            near - usual[labels],
            np.log(sizes[labels]),
        ]
    )


def belongs(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each image is of the class that most of its cluster is of (ties: the lowest)."""
    pairs, counts = np.unique(np.stack([labels, truth], axis=1), axis=0, return_counts=True)
    best_last = np.lexsort((-pairs[:, 1], counts, pairs[:, 0]))
    majority = np.empty(int(labels.max()) + 1, dtype=np.int64)
    majority[pairs[best_last, 0]] = pairs[best_last, 1]
    same: NDArray[np.bool_] = majority[labels] == truth
    return same
