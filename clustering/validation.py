"""What the estimators accept, and what they say when they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse

ROUNDING = 1e-6
"""What the squared length of a row of length one may be off."""


def check_labels(labels: ArrayLike, length: int, *, of: str) -> NDArray[np.int64]:
    """Return class numbers 0..C-1 for training labels of any whole numbers.

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
    if not (np.issubdtype(given.dtype, np.integer) or _is_whole(given)):
        raise ValueError(
            f"Unknown label type: labels must be integers, not {given.dtype}; number the classes "
            "first."
        )
    names, numbers = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"labels has {len(names)} class(es); training needs at least 2. Add images of other "
            "classes."
        )
    classes: NDArray[np.int64] = numbers.astype(np.int64)
    return classes


def _is_whole(given: NDArray[Any]) -> bool:
    if not np.issubdtype(given.dtype, np.floating) or not np.isfinite(given).all():
        return False
    return bool((given == np.floor(given)).all())


def check_features(
    features: ArrayLike, *, fitted: Any = None, name: str = "features"
) -> NDArray[np.float32]:
    """Return features as float32 (N, D) rows of length one; a row of zeros stays zero.

    Rows that have that length already are not copied, so they may be memory-mapped.

    Raises
    ------
    ValueError
        If features are not a dense matrix of finite real numbers, or not as wide as those of the
        estimator that is `fitted`. It calls them by their `name`.
    """
    if issparse(features):
        raise ValueError(f"{name} is a sparse matrix, which is not supported; give a dense one.")
    given = np.asarray(features)
    if np.iscomplexobj(given):
        raise ValueError(f"{name}: Complex data not supported; give real numbers.")
    matrix = np.ascontiguousarray(given, dtype=np.float32)
    if matrix.ndim != 2:
        raise ValueError(
            f"{name} must be a matrix (N, D), not an array of shape {given.shape}. Reshape your "
            "data: one row for each image."
        )
    if matrix.shape[1] == 0:
        raise ValueError(
            f"{name} has 0 feature(s) (shape={matrix.shape}) while a minimum of 1 is required."
        )
    if fitted is not None and matrix.shape[1] != fitted.n_features_in_:
        raise ValueError(
            f"{name}: X has {matrix.shape[1]} features, but {type(fitted).__name__} is expecting "
            f"{fitted.n_features_in_} features as input; embed with the encoder that was used in "
            "fit."
        )
    squares = np.einsum("nd,nd->n", matrix, matrix, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(squares))
    if len(bad):
        raise ValueError(
            f"{name} has NaN or infinite values in {len(bad)} row(s), the first is row {bad[0]}; "
            "drop these images or embed them again."
        )
    other = np.flatnonzero((np.abs(squares - 1.0) >= ROUNDING) & (squares > 0))
    if not len(other):
        return matrix
    units: NDArray[np.float32] = np.array(matrix)
    units[other] /= np.sqrt(squares[other]).astype(np.float32)[:, None]
    return units


def check_products(products: ArrayLike, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the products in order, and the place of each image's among them.

    Raises
    ------
    ValueError
        If products are not one integer per row, or one is negative.
    """
    given = np.asarray(products)
    if given.shape != (length,) or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"products must be {length} integers, one per row of known, not an array of shape "
            f"{given.shape} and type {given.dtype}."
        )
    if (given < 0).any():
        raise ValueError(
            f"products[{np.flatnonzero(given < 0)[0]}] is negative; leave out images whose product "
            "is not known."
        )
    names, numbers = np.unique(given, return_inverse=True)
    return names.astype(np.int64), numbers.astype(np.int64)
