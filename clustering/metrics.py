"""How well clusters agree with the truth: pairwise F, BCubed F and normalised mutual information.

All follow from the sparse contingency table of true classes and clusters, whose entry n_ct counts
the images of class t in cluster c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix


@dataclass(frozen=True)
class Agreement:
    """Precision and recall, both in [0, 1], and F, their harmonic mean."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """2 P R / (P + R); 0 where both are 0."""
        return self.weighted_f(1.0)

    def weighted_f(self, beta: float) -> float:
        """Return F_beta, in which recall counts beta times as much as precision."""
        weight = beta * beta
        total = weight * self.precision + self.recall
        return (1 + weight) * self.precision * self.recall / total if total > 0 else 0.0


@dataclass(frozen=True)
class _Contingency:
    counts: NDArray[np.int64]
    of_class: NDArray[np.int64]
    of_cluster: NDArray[np.int64]


def _contingency(truth: ArrayLike, predicted: ArrayLike) -> _Contingency:
    """Nonzero entries of the table, each with the size of its class and of its cluster."""
    true, found = np.asarray(truth), np.asarray(predicted)
    if true.ndim != 1 or true.shape != found.shape:
        raise ValueError(
            f"truth has shape {true.shape} and predicted {found.shape}; give one class and one "
            "cluster for each image."
        )
    if not len(true):
        raise ValueError("truth is empty; agreement needs at least one image.")
    _, t = np.unique(true, return_inverse=True)
    _, c = np.unique(found, return_inverse=True)
    table = coo_matrix((np.ones(len(t), dtype=np.int64), (t, c))).tocsr().tocoo()
    return _Contingency(table.data, np.bincount(t)[table.row], np.bincount(c)[table.col])


def pairwise(truth: ArrayLike, predicted: ArrayLike) -> Agreement:
    """Agreement over pairs of images.

    Precision is the share of the pairs in one cluster that are of one class, recall the share of
    the pairs of one class that are in one cluster. Where there is no such pair, the share is 1.
    """
    table = _contingency(truth, predicted)
    both = float((table.counts * (table.counts - 1)).sum())
    found = float((table.counts * (table.of_cluster - 1)).sum())
    true = float((table.counts * (table.of_class - 1)).sum())
    return Agreement(both / found if found else 1.0, both / true if true else 1.0)


def bcubed(truth: ArrayLike, predicted: ArrayLike) -> Agreement:
    """Agreement over images (Bagga and Baldwin, 1998).

    Precision is the mean, over images, of the share of its cluster that is of its class; recall
    of the share of its class that is in its cluster.
    """
    table = _contingency(truth, predicted)
    n = table.counts.sum()
    squares = table.counts.astype(np.float64) ** 2
    return Agreement(
        float((squares / table.of_cluster).sum() / n), float((squares / table.of_class).sum() / n)
    )


def pairwise_f(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Pairwise F-score; see `pairwise` for precision and recall."""
    return pairwise(truth, predicted).f


def bcubed_f(truth: ArrayLike, predicted: ArrayLike) -> float:
    """BCubed F-score; see `bcubed` for precision and recall."""
    return bcubed(truth, predicted).f


def nmi(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mutual information over the mean of the two entropies, in [0, 1].

    Two partitions of a single block each agree wholly: 1.
    """
    table = _contingency(truth, predicted)
    n = table.counts.sum()
    joint = table.counts / n
    class_share, cluster_share = table.of_class / n, table.of_cluster / n
    information = (joint * np.log(joint / (class_share * cluster_share))).sum()
    entropies = -(joint * np.log(class_share * cluster_share)).sum()
    return float(np.clip(2 * information / entropies, 0.0, 1.0)) if entropies > 0 else 1.0
