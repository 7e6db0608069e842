"""Which labels do not look like their product, and which images look like none.

An image's neighbours vote for their products, each with a weight that falls with its distance.
Neither the image nor any other of its sheet votes, for one answer labelled them all: what is said
of a label is out of the sample that it comes from. cleanlab turns the votes into the label's
quality: the normalised margin of confident learning (Northcutt, Jiang and Chuang, JAIR
70, 2021). How typical an image is follows from the distance of its neighbours (Kuan and Mueller,
Back to the basics: revisiting out-of-distribution detection baselines, 2022).
"""

from dataclasses import dataclass

import numpy as np
from cleanlab.internal.outlier import transform_distances_to_scores
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

NEIGHBOURS = 20
COMPANY = 3
"""Images of other sheets that a product needs before anything is said of its labels."""

TEMPERATURE = 0.1
"""Cosine by which a neighbour must be nearer to have e times the weight."""

BLOCK = 65_536


@dataclass(frozen=True)
class Suspicion:
    """What the neighbours of N images say of their labels; missing where they say nothing.

    Attributes
    ----------
    quality : float64 (N,)
        0 where all neighbours show one other product, 1 where all show the same as the image.
    typicality : float64 (N,)
        exp(-distance of the neighbours / median of all such distances), in [0, 1].
    """

    quality: NDArray[np.float64]
    typicality: NDArray[np.float64]


def suspicion(
    products: NDArray[np.int64],
    sheets: NDArray[np.int64],
    neighbours: NDArray[np.integer],
    cosines: NDArray[np.float32],
) -> Suspicion:
    """What the neighbours of each image say of its label.

    Parameters
    ----------
    products : int64 (N,)
        The product of each image by its label, numbered from 0.
    sheets : int64 (N,)
        What labelled each image, numbered from 0: images of one decision share a number.
    neighbours : int (N, K)
        Rows of the nearest other images; -1 in an empty place.
    cosines : float32 (N, K)
        How alike they are; K may be 0.
    """
    n, k = neighbours.shape
    if k == 0:
        return Suspicion(np.full(n, np.nan), np.full(n, np.nan))
    present = neighbours >= 0
    votes = present & (sheets[neighbours] != sheets[:, None])
    quality = np.empty(n)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        voted = np.where(votes[rows], products[neighbours[rows]], -1)
        quality[rows] = _quality(products[rows], voted, cosines[rows])
    company = np.bincount(products)[products] - _n_of_sheet(products, sheets)
    distance = np.where(present, 1 - cosines, 0.0).sum(1) / np.maximum(present.sum(1), 1)
    typicality = transform_distances_to_scores(distance, 1, float(np.median(distance)))
    return Suspicion(
        np.where(votes.any(1) & (company >= COMPANY), quality, np.nan),
        np.where(present.any(1), typicality, np.nan),
    )


def _n_of_sheet(products: NDArray[np.int64], sheets: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many images of its own product and sheet each image has, itself among them."""
    pairs = products.astype(np.int64) * (int(sheets.max()) + 1) + sheets
    _, pair, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    return np.asarray(counts[pair], dtype=np.int64)


def _quality(
    products: NDArray[np.int64], voted: NDArray[np.int64], cosines: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The quality of each label by votes for products (b, K), -1 for none.

    A row's own product is its class 0 and the likeliest other one its class 1: the margin between
    the two is all that counts, so the many other products need no column.
    """
    nearest = cosines.max(1, keepdims=True)
    weights = np.where(voted >= 0, np.exp((cosines - nearest) / TEMPERATURE), 0.0)
    own = np.where(voted == products[:, None], weights, 0.0).sum(1)
    others = np.where(voted == products[:, None], 0.0, weights)
    same_vote = voted[:, :, None] == voted[:, None, :]
    likeliest = np.einsum("bjk,bk->bj", same_vote, others).max(1)
    shares = np.stack([own, likeliest], axis=1)
    shares /= np.maximum(weights.sum(1, keepdims=True), np.finfo(float).tiny)
    quality: NDArray[np.float64] = get_label_quality_scores(
        np.zeros(len(products), dtype=np.int64), shares.clip(0.0, 1.0), method="normalized_margin"
    )
    return quality
