"""Features for training the linkage model that are as hard as those of new classes.

An encoder separates the classes it was trained on far better than new ones; a linkage model
trained on such features is overconfident. Here the classes are embedded by an encoder that never
saw them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from clustering.encoder import Encoder
from clustering.validation import check_labels


def embed_unseen(
    encoder: Encoder,
    images: Sequence[NDArray[np.uint8]],
    labels: ArrayLike,
    *,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
    processes: int = 1,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed half of the classes by an encoder trained on the other half.

    Parameters
    ----------
    encoder : Encoder
        Its parameters are used; it is not changed.
    images : sequence of uint8 arrays (H, W, 3)
    labels : array-like of int (N,)
        Class of each image; at least four classes.
    seed : int, default=0
        Fixes the halves.
    checkpoint, on_epoch, processes : optional
        Passed on to `Encoder.fit`. There is no `start`: what begins with the weights of an encoder
        that has seen these classes separates the unseen half too well.

    Returns
    -------
    features : float32 (M, dim)
        Of the images of one half.
    rows : int64 (M,)
        Their places among `images`.

    Raises
    ------
    ValueError
        If there are fewer than four classes.
    """
    classes = check_labels(labels, len(images), of="images")
    n_classes = int(classes.max()) + 1
    if n_classes < 4:
        raise ValueError(
            f"labels has {n_classes} classes; two halves need at least 4. Add images of other "
            "classes."
        )
    shuffled = np.random.default_rng(seed).permutation(n_classes)
    unseen = np.isin(classes, shuffled[: n_classes // 2])
    seen, rows = np.flatnonzero(~unseen), np.flatnonzero(unseen)
    other = clone(encoder).fit(
        _Part(images, seen),
        classes[seen],
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        processes=processes,
    )
    return other.transform(_Part(images, rows)), rows


class _Part(Sequence[NDArray[np.uint8]]):
    """Some of the images, still read only when asked for."""

    def __init__(self, images: Sequence[NDArray[np.uint8]], rows: NDArray[np.int64]) -> None:
        self._images = images
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> NDArray[np.uint8]:  # type: ignore[override]
        return self._images[int(self._rows[place])]
