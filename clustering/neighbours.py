"""The nearest neighbours of every node by cosine: one search, used for everything after.

Exact up to a size; above it, rows are compared with those of the cells around them only, as many
cells as sampled rows need for the recall that is asked for, and the recall is reported.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.blocks import block_rows, n_blocks, side_by_side
from clustering.cells import CellIndex
from clustering.nearest import nearest_rows, without_self

Float = NDArray[np.float32]
Int = NDArray[np.int64]

EXACT_UP_TO = 20_000
"""Rows up to which comparing all pairs takes about a second on two cores."""


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of n nodes, the nearest first; no node is its own neighbour.

    A place may be empty: index -1.

    Attributes
    ----------
    indices : int32 or int64 (n, K)
    cosines : float32 (n, K)
    recall : float
        Share of the true neighbours that were found, measured on sampled rows; 1 if exact.
    """

    indices: NDArray[np.integer[Any]]
    cosines: Float
    recall: float = 1.0

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which places are filled, (n, K)."""
        return self.indices >= 0

    def nearest(self, k: int) -> Neighbours:
        """Return the k nearest of each."""
        return Neighbours(self.indices[:, :k], self.cosines[:, :k], self.recall)


def find_neighbours(features: Float, k: int, *, verbose: bool = False) -> Neighbours:
    """Search the `k` nearest other rows of each row.

    Parameters
    ----------
    features : float32 (n, D)
        Rows of length one; may be memory-mapped.
    k : int
        Any number; n rows have min(k, n - 1) neighbours each.
    verbose : bool, default=False
        Whether to show a progress bar.
    """
    n = len(features)
    width = max(min(k, n - 1), 0)
    indices = np.empty((n, width), dtype=np.int32)
    cosines = np.empty((n, width), dtype=np.float32)
    if not width:
        return Neighbours(indices, cosines)
    index = build_index(features, width)

    def search(block: int) -> None:
        rows, indices_of_rows, cosines_of_rows = index.search(block, width)
        indices[rows], cosines[rows] = indices_of_rows, cosines_of_rows

    side_by_side(search, range(index.n_blocks), showing="neighbours" if verbose else None)
    return Neighbours(indices, cosines, index.recall)


class Index(Protocol):
    """Rows in blocks, each of which can be searched by itself, anywhere, with the same result."""

    @property
    def n_blocks(self) -> int: ...

    @property
    def recall(self) -> float: ...

    def search(self, block: int, k: int) -> tuple[Int, Int, Float]:
        """Return the rows (b,) of a block, their k nearest others and those cosines, (b, k).

        Equal cosines are ordered by index; k is at most the number of other rows.
        """
        ...


def build_index(features: Float, k: int) -> Index:
    """Choose how to search the k nearest of these rows on this machine."""
    if torch.cuda.is_available():
        return TiledIndex(torch.tensor(features, device="cuda"))
    if len(features) <= EXACT_UP_TO:
        return ExactIndex(features)
    return CellIndex.build(features, k)


class AllPairs(ABC):
    """Every row compared with every other; blocks are runs of rows."""

    recall = 1.0

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows

    @property
    def n_blocks(self) -> int:
        return n_blocks(self._n_rows)

    def search(self, block: int, k: int) -> tuple[Int, Int, Float]:
        rows = block_rows(block, self._n_rows)
        width = min(k, self._n_rows - 1)
        return rows, *without_self(rows, *self._nearest(slice(rows[0], rows[-1] + 1), width + 1))

    @abstractmethod
    def _nearest(self, rows: slice, k: int) -> tuple[Int, Float]:
        """Return the k nearest rows of these, themselves among them, and those cosines."""


class ExactIndex(AllPairs):
    """All pairs, by faiss."""

    def __init__(self, features: Float) -> None:
        super().__init__(len(features))
        self._features = features
        self._index = faiss.IndexFlatIP(features.shape[1])
        self._index.add(features)

    def _nearest(self, rows: slice, k: int) -> tuple[Int, Float]:
        cosines, found = self._index.search(self._features[rows], k)
        return found, cosines


class TiledIndex(AllPairs):
    """All pairs, tile by tile of a matrix product on the features' own device."""

    def __init__(self, features: Tensor) -> None:
        super().__init__(len(features))
        self._features = features

    def _nearest(self, rows: slice, k: int) -> tuple[Int, Float]:
        cosines, found = nearest_rows(self._features[rows], self._features, k)
        return found.cpu().numpy(), cosines.cpu().numpy()
