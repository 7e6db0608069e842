"""Rows divided into cells, so that a search compares each row with those around it only.

An inverted file that is read cell by cell, so that it runs at the speed of matrix products. It can
be built and searched on one machine (`CellIndex.build`) or in parts on many:

1. `find_centres` of a sample of the rows (`drawn_rows`), or, in turns, `centres_after` what was
   found before, and for each run of blocks of the sample `nearest_centres`;
2. for each run of blocks of rows, `nearest_centres`, and the exact neighbours of some rows within
   the run (`nearest_within`, `merge_nearest`), which say how many cells must be compared;
3. `Division.of` all of these;
4. for each run of cells, `CellIndex.search`, which reads the cells around (`Division.read_by`).

Cells that are near to each other have near numbers, so that a run of cells reads few others. Both
ways give the same bits (`clustering.blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.blocks import block_rows, n_blocks, side_by_side
from clustering.nearest import merge_nearest, nearest_rows, without_self

RECALL = 0.99
"""Share of the true neighbours that the search must find on sampled rows."""

HARDLY = 0.005
"""It finds fewer where twice the work would bring less than this share."""

ASKED = 256
ROWS_PER_CENTRE = 32
ROUNDS = 3
TURNS = 2 + ROUNDS
"""How often the sample is compared with centres before they are found."""

Float = NDArray[np.float32]
Int = NDArray[np.int64]
Compared = tuple[Int, Float]
"""The nearest centre of each row, and the cosine to it."""


def n_cells(n: int) -> int:
    """Return into how many cells n rows are divided: centres and cells cost about the same."""
    return int(4 * np.sqrt(n))


def n_drawn(n: int) -> int:
    """Return how many of n rows are in the sample."""
    return min(n, ROWS_PER_CENTRE * n_cells(n))


def drawn_rows(n: int) -> Int:
    """Return the rows whose features `find_centres` needs, in order."""
    return np.sort(np.random.default_rng(1).choice(n, n_drawn(n), replace=False, shuffle=False))


def asked_rows(n: int) -> Int:
    """Return the rows whose exact neighbours tell how many cells to compare, in order."""
    return np.sort(np.random.default_rng(0).choice(n, min(n, ASKED), replace=False, shuffle=False))


def find_centres(sample: Float, n_centres: int) -> Float:
    """Find centres of cells by spherical k-means, (C, D), near ones next to one another."""
    seeking = seek_centres(sample, n_centres)
    centres = next(seeking)
    for _ in range(TURNS):
        centres = seeking.send(nearest_centres(sample, centres))
    return centres


def centres_after(sample: Float, n_centres: int, compared: Iterable[Compared]) -> Float:
    """Return the centres to compare the sample with after so many turns; after all, the found."""
    seeking = seek_centres(sample, n_centres)
    centres = next(seeking)
    for found in compared:
        centres = seeking.send(found)
    return centres


def seek_centres(sample: Float, n_centres: int) -> Generator[Float, Compared, None]:
    """Yield centres, to be sent `nearest_centres` of the sample, over and over; last those found.

    Random first centres miss whole classes where there are about as many classes as cells, and the
    rows of these are then strewn over cells that have nothing in common. So half of the first
    centres are random, a quarter are drawn from the fifth of the rows that these serve worst, and
    the last quarter from the fifth that all of those do.
    """
    random = np.random.default_rng(2)
    chosen = random.permutation(len(sample))[: n_centres // 2]
    served: Float = np.full(len(sample), -1.0, dtype=np.float32)
    for n_more in (n_centres // 4, n_centres - n_centres // 2 - n_centres // 4):
        _, cosines = yield sample[chosen]
        served = np.maximum(served, cosines)
        worst = served.argsort(kind="stable")[: len(sample) // 5]
        chosen = np.append(chosen, random.choice(worst, n_more, replace=False))
    centres = sample[chosen]
    for _ in range(ROUNDS):
        cells, _ = yield centres
        centres = _means(sample, cells, centres)
    groups = centres[random.permutation(len(centres))[: max(1, round(np.sqrt(len(centres))))]]
    for _ in range(ROUNDS):
        groups = _means(centres, nearest_centres(centres, groups)[0], groups)
    order = np.argsort(nearest_centres(centres, _in_chain(groups))[0], kind="stable")
    yield centres[order]


def _means(rows: Float, cells: Int, centres: Float) -> Float:
    """Return the mean of the rows nearest to each centre; where there are none, the centre."""
    order = np.argsort(cells, kind="stable")
    taken, first = np.unique(cells[order], return_index=True)
    sums = np.add.reduceat(rows[order], first, axis=0)
    means = centres.copy()
    means[taken] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return means


def _in_chain(centres: Float) -> Float:
    """Order centres so that each follows the one it is nearest to of those that are left."""
    likeness = centres @ centres.T
    place, chain = 0, [0]
    for _ in range(len(centres) - 1):
        likeness[:, place] = -np.inf
        place = int(likeness[place].argmax())
        chain.append(place)
    return centres[chain]


def nearest_centres(features: Float, centres: Float) -> Compared:
    """Return the nearest centre of each row and the cosine to it, both (n,)."""
    cells = np.empty(len(features), dtype=np.int64)
    cosines = np.empty(len(features), dtype=np.float32)
    columns = torch.from_numpy(centres).T

    def compare(block: int) -> None:
        rows = block_rows(block, len(features))
        best, places = (torch.from_numpy(features[rows]) @ columns).max(dim=1)
        cells[rows], cosines[rows] = places.numpy(), best.numpy()

    side_by_side(compare, range(n_blocks(len(features))))
    return cells, cosines


def nearest_within(asked: Float, features: Float, first: int, k: int) -> tuple[Float, Int]:
    """Return cosines and numbers of the k rows nearest to each that is asked about, (q, k).

    Parameters
    ----------
    asked : float32 (q, D)
    features : float32 (n, D)
        A run of blocks of all rows.
    first : int
        Number of its first row.
    k : int
        Fewer are found where there are fewer.
    """
    found: list[tuple[Float, Int]] = [(np.empty((0, 0), np.float32), np.empty((0, 0), np.int64))]
    found *= n_blocks(len(features))
    queries = torch.from_numpy(asked)

    def compare(block: int) -> None:
        rows = block_rows(block, len(features))
        cosines, places = nearest_rows(queries, torch.from_numpy(features[rows]), k)
        found[block] = cosines.numpy(), places.numpy() + (first + rows[0])

    side_by_side(compare, range(len(found)))
    return merge_nearest(found, k)


@dataclass(frozen=True)
class Division:
    """How n rows are divided into C cells.

    Attributes
    ----------
    rows : int64 (n,)
        Rows ordered by cell, and within a cell by number.
    starts : int64 (C + 1,)
        Where each cell begins among them.
    around : int64 (C, P)
        Some cells as seen from each, the nearest (itself) first.
    n_probes : int
        How many of these are compared.
    recall : float
        Share of the true neighbours that are then found.
    """

    rows: Int
    starts: Int
    around: Int
    n_probes: int
    recall: float

    @classmethod
    def of(
        cls,
        cells: Int,
        centres: Float,
        true: Int,
        k: int,
        recall: float = RECALL,
        hardly: float = HARDLY,
    ) -> Self:
        """Divide rows whose cells are known, and find how many cells hold a row's neighbours.

        The exact neighbours of `asked_rows` say at once, for every number of cells, what share of
        them would be found. Cells are added until that is `recall`, or until twice as many would
        find less than `hardly` more: neighbours by chance may be in any cell.

        Parameters
        ----------
        cells : int (n,)
            Cell of each row, by `nearest_centres`.
        centres : float32 (C, D)
        true : int64 (q, k + 1)
            The nearest rows of each of the `asked_rows`, itself among them.
        k : int
            Neighbours that will be searched.
        """
        asked = asked_rows(len(cells))
        others = true != asked[:, None]
        seen_from, theirs = np.unique(cells[asked], return_inverse=True)
        nearest_first, _ = _nearest_cells(centres, seen_from, len(centres))
        distance = np.empty_like(nearest_first)
        np.put_along_axis(distance, nearest_first, np.arange(len(centres))[None], axis=1)
        away = distance[theirs[:, None], cells[true]][others]
        found_by = np.cumsum(np.bincount(away, minlength=len(centres))) / len(away)
        n_probes = enough_probes(found_by, recall, hardly)
        sizes = np.bincount(cells, minlength=len(centres))
        around = _cells_around(centres, sizes, n_probes, k + 1)
        return cls(
            rows=np.argsort(cells, kind="stable"),
            starts=np.concatenate([[0], np.cumsum(sizes)]),
            around=around,
            n_probes=n_probes,
            recall=float(found_by[n_probes - 1]),
        )

    @property
    def n_cells(self) -> int:
        return len(self.starts) - 1

    def compared_with(self, cell: int, k: int) -> Int:
        """Return the cells in which the k nearest others of a cell's rows are searched."""
        sizes = np.diff(self.starts)[self.around[cell]]
        enough = int(np.searchsorted(np.cumsum(sizes), k + 1)) + 1
        compared: Int = self.around[cell, : max(self.n_probes, enough)]
        return compared

    def read_by(self, cells: Sequence[int], k: int) -> Int:
        """Return all cells that a search of some reads, in order."""
        read: Int = np.unique(np.concatenate([self.compared_with(cell, k) for cell in cells]))
        return read

    def rows_of(self, cell: int) -> Int:
        """Return the rows of a cell, in order."""
        rows: Int = self.rows[self.starts[cell] : self.starts[cell + 1]]
        return rows


def _nearest_cells(centres: Float, cells: Int, count: int) -> tuple[Int, Float]:
    """Return the `count` cells nearest to each of some, themselves first, and the cosines."""
    nearest = np.empty((len(cells), count), dtype=np.int64)
    cosines = np.empty((len(cells), count), dtype=np.float32)
    columns = torch.from_numpy(centres).T

    def compare(block: int) -> None:
        rows = block_rows(block, len(cells))
        likeness = torch.from_numpy(centres[cells[rows]]) @ columns
        likeness[np.arange(len(rows)), cells[rows]] = 2.0
        best, places = likeness.topk(count, dim=1)
        nearest[rows], cosines[rows] = places.numpy(), best.numpy()

    side_by_side(compare, range(n_blocks(len(cells))))
    return nearest, cosines


def _cells_around(centres: Float, sizes: Int, n_probes: int, n_rows: int) -> Int:
    """Return the nearest cells of each, (C, P): at least `n_probes`, and `n_rows` rows in them."""
    count = n_probes
    while True:
        around, _ = _nearest_cells(centres, np.arange(len(centres)), count)
        if count == len(centres) or sizes[around].sum(axis=1).min() >= n_rows:
            return around
        count = min(2 * count, len(centres))


def enough_probes(found_by: NDArray[np.float64], recall: float, hardly: float) -> int:
    """Return how many cells to compare where the first p + 1 find a share `found_by[p]` (C,)."""
    twice = np.minimum(2 * np.arange(1, len(found_by) + 1), len(found_by)) - 1
    enough = (found_by >= recall) | (found_by[twice] - found_by < hardly)
    return int(enough.argmax()) + 1


@dataclass(frozen=True)
class CellIndex:
    """A division, and what reads the features of a cell: float32 (m, D), in the order of rows."""

    division: Division
    read: Callable[[int], Tensor]

    @classmethod
    def build(cls, features: Float, k: int, recall: float = RECALL, hardly: float = HARDLY) -> Self:
        """Divide features (n, D) on this machine, for a search of k neighbours."""
        n = len(features)
        centres = find_centres(features[drawn_rows(n)], n_cells(n))
        cells, _ = nearest_centres(features, centres)
        _, true = nearest_within(features[asked_rows(n)], features, 0, k + 1)
        division = Division.of(cells, centres, true, k, recall, hardly)
        ordered = torch.from_numpy(features[division.rows])
        starts = division.starts
        return cls(division, lambda cell: ordered[starts[cell] : starts[cell + 1]])

    @property
    def n_blocks(self) -> int:
        return self.division.n_cells

    @property
    def recall(self) -> float:
        return self.division.recall

    def search(self, block: int, k: int) -> tuple[Int, Int, Float]:
        rows = self.division.rows_of(block)
        cells = self.division.compared_with(block, k)
        candidates = torch.cat([self.read(cell) for cell in cells])
        names = np.concatenate([self.division.rows_of(cell) for cell in cells])
        cosines, found = nearest_rows(self.read(block), candidates, k + 1)
        return rows, *without_self(rows, names[found.numpy()], cosines.numpy())
