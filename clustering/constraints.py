"""What people have said about pairs of images: these belong together, those do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix

Int = NDArray[np.int64]


def check_together(must_link: ArrayLike | None, n: int) -> Int:
    """Return a number 0..G-1 for each image; only images of one known group share theirs.

    Parameters
    ----------
    must_link : array-like of int (n,) or None
        Known group of each image, negative where it is not known.

    Raises
    ------
    ValueError
        If it is not one integer per image.
    """
    if must_link is None:
        return np.arange(n)
    given = np.asarray(must_link)
    if given.shape != (n,) or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"must_link must be {n} integers, one per row of features (negative where the group "
            f"is not known), not an array of shape {given.shape} and type {given.dtype}."
        )
    _, known = np.unique(given, return_inverse=True)
    _, numbers = np.unique(np.where(given >= 0, known, n + np.arange(n)), return_inverse=True)
    groups: Int = numbers.astype(np.int64)
    return groups


def check_apart(cannot_link: ArrayLike | None, together: Int) -> csr_matrix:
    """Return the symmetric matrix (n, n) of the pairs that are not to be joined.

    Parameters
    ----------
    cannot_link : array-like of int (M, 2) or None
        Pairs of rows.
    together : int64 (n,)
        From `check_together`.

    Raises
    ------
    ValueError
        If a pair names no row, one row twice, or two rows that `together` joins.
    """
    n = len(together)
    pairs = np.empty((0, 2), np.int64) if cannot_link is None else np.asarray(cannot_link)
    if pairs.size == 0:
        return csr_matrix((n, n), dtype=np.int8)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.issubdtype(pairs.dtype, np.integer):
        raise ValueError(
            f"cannot_link must be pairs of rows, integers (M, 2), not an array of shape "
            f"{pairs.shape} and type {pairs.dtype}."
        )
    outside = np.flatnonzero(((pairs < 0) | (pairs >= n)).any(axis=1))
    if len(outside):
        raise ValueError(
            f"cannot_link[{outside[0]}] is {pairs[outside[0]].tolist()}, but features has {n} "
            "rows; number them from 0."
        )
    joined = np.flatnonzero(together[pairs[:, 0]] == together[pairs[:, 1]])
    if len(joined):
        raise ValueError(
            f"cannot_link[{joined[0]}] separates rows {pairs[joined[0]].tolist()}, which are one "
            "row or are joined by must_link; one of the two is wrong."
        )
    ends = np.concatenate([pairs, pairs[:, ::-1]]).T
    return csr_matrix((np.ones(ends.shape[1], dtype=np.int8), (ends[0], ends[1])), (n, n))
