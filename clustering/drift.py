"""Whether new images differ in kind from known ones, and which of them are the strangest.

A classifier two-sample test (Lopez-Paz and Oquab, *Revisiting classifier two-sample tests*, ICLR
2017): where a classifier tells new images from known ones, they differ. It holds in many
dimensions, and its strength, the area under the ROC curve (AUC), says how far they differ: .5 not
at all, 1 wholly. New products always differ from known ones as products, which is no drift. So all
images of one product are on one side of each fold: what tells the new from the known must do so on
products that the classifier has not seen. Whole products are relabelled for the p-value, too.

The classifier is a ridge regression on -1 and 1 (Fisher's discriminant, shrunk): it is linear in
the labels, so that one factorisation of a fold serves every permutation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from clustering.validation import check_features

N_FOLDS = 5
N_PERMUTATIONS = 199
RIDGE = 0.1
"""Penalty, as a share of the mean variance of a feature times the number of images."""

MOST_PRODUCTS = 400
MOST_IMAGES = 8
"""Images of one product; more tell little that is new."""

FEWEST_PRODUCTS = 5
NEAREST = 5

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Drift:
    """How well new images can be told from known ones, on products that were held back.

    `p_value` is the probability of an `auc` as high were there no difference. `n_known` and `n_new`
    count the products that were compared.
    """

    auc: float
    p_value: float
    n_known: int
    n_new: int


def drift(
    known: ArrayLike,
    known_products: ArrayLike,
    new: ArrayLike,
    new_products: ArrayLike,
    *,
    seed: int = 0,
) -> Drift | None:
    """Test whether new images differ in kind from known ones.

    Parameters
    ----------
    known, new : array-like of float (N, D), (M, D)
        Embeddings of one encoder. At most 400 products a side, with 8 images each, are drawn.
    known_products, new_products : array-like (N,), (M,)
        What must not be on two sides of a fold: the product of each image, or, where that is not
        known, its candidate cluster.
    seed : int, default=0
        Fixes what is drawn, the folds and the permutations.

    Returns
    -------
    Drift or None
        None where either side has fewer than five products.

    Raises
    ------
    ValueError
        If features are not finite, or not of one width.
    """
    random = np.random.default_rng(seed)
    sides = []
    for features, products in ((known, known_products), (new, new_products)):
        units = check_features(features)
        drawn, groups = _draw(np.unique(np.asarray(products), return_inverse=True)[1], random)
        sides.append((units[drawn], groups))
    (old, old_groups), (fresh, fresh_groups) = sides
    n_known, n_new = (len(np.unique(groups)) for groups in (old_groups, fresh_groups))
    if min(n_known, n_new) < FEWEST_PRODUCTS:
        return None
    rows = np.concatenate([old, fresh]).astype(np.float64)
    group = np.concatenate([old_groups, fresh_groups + n_known])
    is_new = np.arange(n_known + n_new) >= n_known
    permuted = [is_new, *(random.permutation(is_new) for _ in range(N_PERMUTATIONS))]
    auc = _cross_validated_auc(rows, group, np.stack(permuted, axis=1), random)
    p_value = float((auc >= auc[0]).mean())
    return Drift(float(auc[0]), p_value, n_known, n_new)


def strangeness(known: ArrayLike, new: ArrayLike) -> NDArray[np.float32]:
    """How far each new image is from everything known: 1 - cosine of the fifth nearest, (M,)."""
    old, fresh = check_features(known), check_features(new)
    nearest = min(NEAREST, len(old))
    if not nearest:
        return np.ones(len(fresh), dtype=np.float32)
    cosine = np.empty(len(fresh), dtype=np.float32)
    step = max(1, 20_000_000 // len(old))
    for start in range(0, len(fresh), step):
        near = fresh[start : start + step] @ old.T
        cosine[start : start + step] = np.partition(near, -nearest, axis=1)[:, -nearest]
    return np.float32(1) - cosine


def _draw(products: Int, random: np.random.Generator) -> tuple[Int, Int]:
    """Rows of at most so many products with so many images each, and their products anew."""
    chosen = random.permutation(int(products.max(initial=-1)) + 1)[:MOST_PRODUCTS]
    order = random.permutation(len(products))
    order = order[np.argsort(products[order], kind="stable")]
    sizes = np.bincount(products)
    place = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[products[order]]
    rows = np.sort(order[(place < MOST_IMAGES) & np.isin(products[order], chosen)])
    return rows, np.unique(products[rows], return_inverse=True)[1]


def _cross_validated_auc(
    rows: Float, group: Int, is_new: NDArray[np.bool_], random: np.random.Generator
) -> Float:
    """The AUC for each labelling of the groups, bool (G, L): float64 (L,).

    The mean over folds, each weighed by its pairs of a new and a known image.
    """
    fold_of = random.permutation(len(is_new)) % N_FOLDS
    total = weight = np.zeros(is_new.shape[1])
    for fold in range(N_FOLDS):
        held = fold_of[group] == fold
        learnt, told = rows[~held], rows[held]
        centre = learnt.mean(axis=0)
        spread = (learnt - centre).T @ (learnt - centre)
        spread += RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
        labels = np.where(is_new[group], 1.0, -1.0)
        slope = np.linalg.solve(
            spread, (learnt - centre).T @ (labels[~held] - labels[~held].mean(axis=0))
        )
        ranks = rankdata((told - centre) @ slope, axis=0)
        positive = is_new[group][held]
        n_new = positive.sum(axis=0)
        n_pairs = n_new * (len(positive) - n_new)
        wins = (ranks * positive).sum(axis=0) - n_new * (n_new + 1) / 2
        total, weight = total + wins, weight + n_pairs
    auc: Float = np.divide(total, weight, out=np.full(len(total), 0.5), where=weight > 0)
    return auc
