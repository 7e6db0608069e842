"""The nearest neighbours of every node by cosine: one search, used for everything after.

Exact up to a size; above it, rows are compared with those of the cells around them only, as many
cells as sampled rows need for the recall that is asked for, and the recall is reported.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, Self

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

Float = NDArray[np.float32]
Int = NDArray[np.int64]

EXACT_UP_TO = 20_000
"""Rows up to which comparing all pairs takes about a second on two cores."""

RECALL = 0.99
"""Share of the true neighbours that an approximate search must find on sampled rows."""

HARDLY = 0.005
"""It finds fewer where twice the work would bring less than this share."""

SAMPLE = 256
ROWS_PER_CENTRE = 32
BLOCK = 1024
TILE = 16_384


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

    side_by_side(search, range(index.n_blocks), verbose=verbose)
    return Neighbours(indices, cosines, index.recall)


def side_by_side(
    work: Callable[[int], None], blocks: Sequence[int], *, verbose: bool = False
) -> None:
    """Do the work on every block, as many at a time as torch has threads, each with one.

    Threads that share one small operation spend their time waiting for each other at its end, the
    more so on a busy machine; these wait once.
    """
    n_threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(n_threads, initializer=_work_alone) as pool:
            done = pool.map(work, blocks)
            for _ in tqdm(done, "neighbours", len(blocks), disable=not verbose, unit="block"):
                pass
    finally:
        torch.set_num_threads(n_threads)


def _work_alone() -> None:
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)


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
        return _n_blocks(self._n_rows)

    def search(self, block: int, k: int) -> tuple[Int, Int, Float]:
        rows = _block_rows(block, self._n_rows)
        width = min(k, self._n_rows - 1)
        return rows, *_without_self(rows, *self._nearest(slice(rows[0], rows[-1] + 1), width + 1))

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


@dataclass(frozen=True)
class CellIndex:
    """An inverted file that is read cell by cell, so that it runs at the speed of matrix products.

    Attributes
    ----------
    features : float32 (n, D)
        Rows ordered by cell.
    rows : int64 (n,)
        Their numbers.
    starts : int64 (C + 1,)
        Where each cell begins.
    around : int64 (C, C)
        All cells as seen from each, itself first, then by cosine of the centres.
    n_probes : int
        How many of them are compared.
    recall : float
    """

    features: Tensor
    rows: Int
    starts: Int
    around: Int
    n_probes: int
    recall: float

    @classmethod
    def build(cls, features: Float, k: int, recall: float = RECALL, hardly: float = HARDLY) -> Self:
        """Divide the rows into 4 sqrt(n) cells and find how many cells hold a row's neighbours.

        The exact neighbours of sampled rows say at once, for every number of cells, what share of
        them would be found. Cells are added until that is `recall`, or until twice as many would
        find less than `hardly` more: neighbours by chance may be in any cell.
        """
        n = len(features)
        n_cells = int(4 * np.sqrt(n))
        centres = _find_centres(features, n_cells)
        cells = np.empty(n, dtype=np.int64)

        def assign(block: int) -> None:
            rows = _block_rows(block, n)
            cells[rows] = (torch.from_numpy(features[rows]) @ centres.T).numpy().argmax(axis=1)

        side_by_side(assign, range(_n_blocks(n)))
        rows = np.argsort(cells, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=n_cells))])
        likeness = (centres @ centres.T).fill_diagonal_(2.0)
        around = likeness.argsort(dim=1, descending=True, stable=True).numpy()
        ordered = torch.from_numpy(features[rows])

        sample = np.random.default_rng(0).choice(n, min(n, SAMPLE), replace=False)
        _, found = nearest_rows(torch.from_numpy(features[sample]), ordered, k + 1)
        distance = np.empty_like(around)
        np.put_along_axis(distance, around, np.arange(n_cells)[None], axis=1)
        true = rows[found.numpy()]
        away = distance[cells[sample][:, None], cells[true]][true != sample[:, None]]
        found_by = np.cumsum(np.bincount(away, minlength=n_cells)) / len(away)
        n_probes = enough_probes(found_by, recall, hardly)
        return cls(ordered, rows, starts, around, n_probes, float(found_by[n_probes - 1]))

    @property
    def n_blocks(self) -> int:
        return len(self.starts) - 1

    def search(self, block: int, k: int) -> tuple[Int, Int, Float]:
        begin, end = self.starts[block : block + 2]
        rows = self.rows[begin:end]
        sizes = np.diff(self.starts)[self.around[block]]
        enough = int(np.searchsorted(np.cumsum(sizes), k + 1)) + 1
        cells = self.around[block, : max(self.n_probes, enough)]
        parts = [slice(self.starts[cell], self.starts[cell + 1]) for cell in cells]
        candidates = torch.cat([self.features[part] for part in parts])
        names = np.concatenate([self.rows[part] for part in parts])
        cosines, found = nearest_rows(self.features[begin:end], candidates, k + 1)
        return rows, *_without_self(rows, names[found.numpy()], cosines.numpy())


def enough_probes(found_by: NDArray[np.float64], recall: float, hardly: float) -> int:
    """Return how many cells to compare where the first p + 1 find a share `found_by[p]` (C,)."""
    twice = np.minimum(2 * np.arange(1, len(found_by) + 1), len(found_by)) - 1
    enough = (found_by >= recall) | (found_by[twice] - found_by < hardly)
    return int(enough.argmax()) + 1


def _find_centres(features: Float, n_cells: int) -> Tensor:
    """Return centres of cells by k-means on some rows, (n_cells, D).

    Random first centres miss whole classes where there are about as many classes as cells, and the
    rows of these are then strewn over cells that have nothing in common. So half of the first
    centres are random, a quarter are drawn from the fifth of the rows that these serve worst, and
    the last quarter from the fifth that all of those do.
    """
    random = np.random.default_rng(1)
    rows = random.permutation(len(features))[: ROWS_PER_CENTRE * n_cells]
    sample = torch.from_numpy(features[np.sort(rows)])
    chosen = random.permutation(len(sample))[: n_cells // 2]
    served = torch.full((len(sample),), -1.0)
    for n_more in (n_cells // 4, n_cells - n_cells // 2 - n_cells // 4):
        likeness, _ = nearest_rows(sample, sample[chosen], 1)
        served = torch.maximum(served, likeness[:, 0])
        worst = served.argsort()[: len(sample) // 5].numpy()
        chosen = np.append(chosen, random.choice(worst, n_more, replace=False))
    kmeans = faiss.Kmeans(
        features.shape[1],
        n_cells,
        niter=3,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=ROWS_PER_CENTRE,
    )
    kmeans.train(sample.numpy(), init_centroids=sample[chosen].numpy())
    return torch.from_numpy(kmeans.centroids)


def nearest_rows(queries: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return cosines and indices of the k nearest candidates of each query, both (q, k).

    Tiles of the product of queries (q, D) and candidates (m, D) are reduced as they come, so
    memory does not grow with q or m; runs on the device of its arguments.
    """
    blocks = [_nearest_in_tiles(block, candidates, k) for block in torch.split(queries, BLOCK)]
    cosines, indices = zip(*blocks, strict=True)
    return torch.cat(cosines), torch.cat(indices)


def _nearest_in_tiles(queries: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    cosines = queries.new_empty((len(queries), 0))
    indices = torch.empty((len(queries), 0), dtype=torch.int64, device=queries.device)
    for start in range(0, len(candidates), TILE):
        tile = candidates[start : start + TILE]
        products = queries @ tile.T
        best, places = products.topk(min(k, len(tile)), dim=1)
        cosines, indices = torch.cat([cosines, best], 1), torch.cat([indices, places + start], 1)
        cosines, kept = cosines.topk(min(k, cosines.shape[1]), dim=1)
        indices = indices.gather(1, kept)
    return cosines, indices


def _n_blocks(n: int) -> int:
    return -(-n // BLOCK)


def _block_rows(block: int, n: int) -> Int:
    return np.arange(block * BLOCK, min((block + 1) * BLOCK, n))


def _without_self(rows: Int, found: Int, cosines: Float) -> tuple[Int, Float]:
    """Drop each row itself, or the farthest where copies crowded it out; order ties by index."""
    others = found != rows[:, None]
    others[others.all(axis=1), -1] = False
    shape = (len(rows), found.shape[1] - 1)
    found, cosines = found[others].reshape(shape), cosines[others].reshape(shape)
    tied = np.flatnonzero((cosines[:, 1:] == cosines[:, :-1]).any(axis=1))
    order = np.lexsort((found[tied], -cosines[tied]))
    found[tied] = np.take_along_axis(found[tied], order, axis=1)
    return found, cosines.clip(-1.0, 1.0)
