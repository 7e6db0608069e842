"""Features for training the linkage model that are as hard as those of new classes.

An encoder separates its own training classes far better than new ones; a linkage model trained on
such features is overconfident. Here every class is embedded by an encoder that never saw it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from clustering.encoder import Encoder
from clustering.validation import check_labels


def cross_fit(
    encoder: Encoder,
    images: Sequence[NDArray[np.uint8]],
    labels: ArrayLike,
    n_folds: int = 2,
    *,
    seed: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed each fold of the classes by an encoder trained on the other folds.

    Parameters
    ----------
    encoder : Encoder
        Its parameters are used; it is not changed.
    images : sequence of uint8 arrays (H, W, 3)
    labels : array-like of int (N,)
        Class of each image.
    n_folds : int, default=2
        Parts into which the classes are divided: with more folds each encoder is better, but
        each part has fewer classes and so is easier than what the model will meet.
    seed : int, default=0
        Fixes the division.

    Returns
    -------
    features : float32 (N, dim)
    groups : int64 (N,)
        Fold of each image: features of different folds come from different encoders and must not
        be compared. Both are what `HiLander.fit` takes.

    Raises
    ------
    ValueError
        If there are too few classes for so many folds.
    """
    classes = check_labels(labels, len(images), of="images")
    n_classes = int(classes.max()) + 1
    if not 2 <= n_folds <= n_classes or n_classes - -(-n_classes // n_folds) < 2:
        raise ValueError(
            f"n_folds={n_folds} does not divide {n_classes} classes so that every encoder sees at "
            "least 2; choose n_folds between 2 and the number of classes, or add classes."
        )
    order = np.random.default_rng(seed).permutation(n_classes)
    fold_of_class = np.empty(n_classes, dtype=np.int64)
    fold_of_class[order] = np.arange(n_classes) % n_folds
    groups = fold_of_class[classes]
    features = np.empty((len(images), encoder.dim), dtype=np.float32)
    for fold in range(n_folds):
        seen, unseen = np.flatnonzero(groups != fold), np.flatnonzero(groups == fold)
        trained = clone(encoder).fit(_Part(images, seen), classes[seen])
        features[unseen] = trained.transform(_Part(images, unseen))
    return features, groups


class _Part(Sequence[NDArray[np.uint8]]):
    """Some of the images, still read only when asked for."""

    def __init__(self, images: Sequence[NDArray[np.uint8]], rows: NDArray[np.int64]) -> None:
        self._images = images
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> NDArray[np.uint8]:  # type: ignore[override]
        return self._images[int(self._rows[place])]
