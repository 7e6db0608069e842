"""How well nearest neighbours find images of the same class: the figures of an encoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROWS = 1024
"""Rows of the cosine matrix that are held at a time."""


def recall_at_1(features: ArrayLike, classes: ArrayLike) -> float:
    """Return the share of images whose nearest other image is of their class.

    Parameters
    ----------
    features : array-like of float (N, D)
        Unit vectors.
    classes : array-like of int (N,)
        Images that are alone in their class are searched among, but not for.
    """
    return float(np.mean([ranked[0] for ranked in _ranked(features, classes)]))


def map_at_r(features: ArrayLike, classes: ArrayLike) -> float:
    """Return the mean average precision at R (Musgrave et al., 2020, section 3.2).

    For an image with R others of its class: the mean over the R nearest of the precision up to
    each that is of the class, with 0 for each that is not. Unlike recall at 1 it asks where *all*
    images of a class are. Parameters as in `recall_at_1`.
    """
    figures = []
    for ranked in _ranked(features, classes):
        precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
        figures.append(np.mean(precision * ranked))
    return float(np.mean(figures))


def _ranked(features: ArrayLike, classes: ArrayLike) -> list[NDArray[np.bool_]]:
    """Say of each image's R nearest others, nearest first, whether they are of its class."""
    rows = np.asarray(features, dtype=np.float32)
    _, numbers, sizes = np.unique(np.asarray(classes), return_inverse=True, return_counts=True)
    others = sizes[numbers] - 1
    most = int(others.max())
    ranked = []
    for start in range(0, len(rows), ROWS):
        block = np.arange(start, min(start + ROWS, len(rows)))
        distances = -(rows[block] @ rows.T)
        distances[np.arange(len(block)), block] = np.inf
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :most]
        same = numbers[nearest] == numbers[block, None]
        ranked += [row[:count] for row, count in zip(same, others[block], strict=True) if count > 0]
    if not ranked:
        raise ValueError("no class has two images: there is nothing to find.")
    return ranked
