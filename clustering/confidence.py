"""How sure we are of each image's place: the probability that it belongs with its cluster.

A few signs of belonging are weighed by a logistic regression on training images, where it is
known who belongs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.linkage import Linkage

Float = NDArray[np.float64]
Int = NDArray[np.int64]

STRANGER = -4.0
"""Log-odds of an image without a link into its cluster."""


def signs_of_belonging(linkage: Linkage, labels: Int) -> Float:
    """Describe each image's place in its cluster, float64 (N, 2).

    Mean log-odds of its links into the cluster, and the share of its linkage that they have.
    """
    inside = linkage.within(labels)
    likely = np.clip(linkage.probability, 1e-3, 1 - 1e-3)
    odds = np.log(likely / (1 - likely)).sum(axis=1, where=inside, dtype=np.float64)
    n_links = inside.sum(axis=1)
    odds = np.where(n_links > 0, odds / np.maximum(n_links, 1), STRANGER)
    total = linkage.probability.sum(axis=1, dtype=np.float64)
    share = likely.sum(axis=1, where=inside, dtype=np.float64) / np.maximum(total, 1e-9)
    return np.column_stack([odds, np.minimum(share, 1.0)])


def belongs(labels: Int, truth: Int) -> NDArray[np.bool_]:
    """Whether each image is of the class that most of its cluster is of (ties: the lowest)."""
    pairs, counts = np.unique(np.stack([labels, truth], axis=1), axis=0, return_counts=True)
    best_last = np.lexsort((-pairs[:, 1], counts, pairs[:, 0]))
    majority = np.empty(int(labels.max(initial=-1)) + 1, dtype=np.int64)
    majority[pairs[best_last, 0]] = pairs[best_last, 1]
    same: NDArray[np.bool_] = majority[labels] == truth
    return same
