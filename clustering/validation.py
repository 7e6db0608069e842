"""What the estimators accept, and what they say when they do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_labels(labels: ArrayLike, length: int, *, of: str) -> NDArray[np.int64]:
    """Return class numbers 0..C-1 for training labels of any integers.

    Raises
    ------
    ValueError
        If labels are not one integer per row of `of`, or are all of one class.
    """
    given = np.asarray(labels)
    if given.ndim != 1 or len(given) != length:
        raise ValueError(
            f"labels has shape {given.shape} but {of} has {length} rows; give one label for "
            "each row."
        )
    if not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"labels must be integers, not {given.dtype}; number the classes first.")
    names, numbers = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"labels has {len(names)} class(es); training needs at least 2. Add images of other "
            "classes."
        )
    classes: NDArray[np.int64] = numbers.astype(np.int64)
    return classes


def check_features(features: ArrayLike, *, dim: int | None = None) -> NDArray[np.float32]:
    """Return features as float32 (N, D) rows of length one; a row of zeros stays zero.

    Raises
    ------
    ValueError
        If features are not a matrix of finite numbers, or not `dim` wide.
    """
    matrix = np.ascontiguousarray(features, dtype=np.float32)
    if matrix.ndim != 2:
        raise ValueError(f"features must be a matrix (N, D), not an array of shape {matrix.shape}.")
    if dim is not None and matrix.shape[1] != dim:
        raise ValueError(
            f"features has {matrix.shape[1]} columns but fit saw {dim}; embed with the encoder "
            "that was used in fit."
        )
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise ValueError(
            f"features has NaN or infinite values in {len(bad)} row(s), the first is row "
            f"{bad[0]}; drop these images or embed them again."
        )
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    units: NDArray[np.float32] = matrix / np.where(lengths > 0, lengths, 1.0)
    return units


def check_groups(groups: ArrayLike | None, length: int) -> NDArray[np.int64]:
    """Return the group of each row; None puts all rows in one.

    Raises
    ------
    ValueError
        If groups are not one integer per row.
    """
    if groups is None:
        return np.zeros(length, dtype=np.int64)
    given = np.asarray(groups)
    if given.shape != (length,) or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"groups must be {length} integers, one per row of features, not an array of shape "
            f"{given.shape} and type {given.dtype}."
        )
    return given.astype(np.int64)
