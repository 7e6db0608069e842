"""What a model makes of images that wait for a product, in the light of those that have one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.lander import HiLander
from clustering.relevance import RelevantComponents
from clustering.validation import check_features, check_products

TAUS = (0.5, 0.65, 0.8, 0.9)
"""Thresholds by which clusters are cut, from the largest to the purest."""

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Prospects:
    """What may become of N images.

    Attributes
    ----------
    cuts
        By each threshold, the cluster of each image, int64 (N,), and the probability that it
        belongs there, float64 (N,).
    products : int64 (N,)
        The known product that each image most likely shows, -1 where there is none.
    probability : float64 (N,)
        That it does.
    """

    cuts: tuple[tuple[Int, Float], ...]
    products: Int
    probability: Float


def foresee(
    lander: HiLander,
    features: ArrayLike,
    known: ArrayLike,
    products: ArrayLike,
    *,
    teaches: NDArray[np.bool_],
    cannot_link: ArrayLike | None = None,
    taus: Sequence[float] = TAUS,
) -> Prospects:
    """Cluster the images that wait, and compare them with known products.

    Parameters
    ----------
    lander
        Fitted; it is left as it is.
    features : array-like of float (N, D)
        The images that wait.
    known, products : array-like of float (M, D), of int (M,)
        Images that have a product, and which.
    teaches : bool (M,)
        Which of these the encoder never saw, so that they say how products spread
        (`RelevantComponents`).
    cannot_link : array-like of int (K, 2), optional
        Pairs of the N that show two products.
    """
    waiting = check_features(features)
    old = check_features(known) if len(np.asarray(known)) else waiting[:0]
    _, numbers = check_products(products, len(old))
    if teaches.any():
        relevant = RelevantComponents().fit(old[teaches], numbers[teaches])
        waiting, old = relevant.transform(waiting), relevant.transform(old)
    seeing = copy(lander)
    found: Int = np.full(len(waiting), -1, dtype=np.int64)
    likely: Float = np.zeros(len(waiting))
    if len(old) and len(waiting):
        attached = seeing.attach(waiting, old, products)
        found, likely = attached.products, attached.probability
    cuts: list[tuple[Int, Float]] = []
    if len(waiting):
        seeing.predict(waiting)
        cuts = [seeing.cut(tau, cannot_link=cannot_link) for tau in taus]
    return Prospects(tuple(cuts), found, likely)
