"""Evidence that two nodes belong together: how far their neighbourhoods overlap.

Cosines mean one thing among the classes an encoder was trained on and another among new ones, and
one thing in a dense region and another in a sparse one. Who is among whose nearest neighbours, and
in which order, means the same everywhere. So the linkage network reads ranks and nothing else, and
what it learns on some classes holds for others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Int = NDArray[np.int64]

WIDTHS = (1 / 6, 1 / 3, 1 / 2, 1, 2)
"""Neighbourhoods are compared at these multiples of the number of links of a node."""

CONTEXT = 2
"""The widest of them: what has to be searched."""

EVIDENCE = (
    *(f"overlap of the {width:.2g} k nearest" for width in WIDTHS),
    "log rank of j for i",
    "log rank of i for j",
)

BLOCK = 2048
"""Nodes that one thread compares at a time."""


def overlap_evidence(
    hoods: NDArray[np.integer[Any]], k: int, rows: range | None = None
) -> NDArray[np.float32]:
    """Describe the link of every node i to each of its k nearest j.

    The overlap of the two neighbourhoods of m nodes is (c - e) / (m - e): c nodes are common and
    e = m m / n would be by chance, so that it is 0 for strangers and 1 for twins in a set of any
    size n. (In a set hardly larger than m, where m - e < 1, it is c - e.) Each node is the first
    of its own neighbourhood. A node that is not among the other's neighbours has the rank after
    the last.

    Parameters
    ----------
    hoods : int (n, K)
        The nearest neighbours of each of n nodes, `CONTEXT * k` where there are so many; -1 where
        there is none.
    k : int
    rows : range, optional
        Nodes i to describe, next to one another; default all. The result is the same in blocks.

    Returns
    -------
    ndarray of float32 (len(rows), min(k, K), 7)
        The columns of `EVIDENCE`; 0 where there is no neighbour.
    """
    n, width = hoods.shape
    rows = range(n) if rows is None else rows
    widths = np.minimum([max(1, round(share * k)) for share in WIDTHS], width)
    evidence = np.zeros((len(rows), min(k, width), len(EVIDENCE)), dtype=np.float32)
    _compare(hoods.astype(np.int32, copy=False), widths, rows.start, evidence)
    return evidence


@njit(parallel=True, cache=True)
def _compare(
    hoods: NDArray[np.int32], widths: Int, start: int, evidence: NDArray[np.float32]
) -> None:
    """Mark the ranks of i's neighbours, then look up the neighbours of each of them."""
    n, width = hoods.shape
    n_rows, k, n_widths = evidence.shape[0], evidence.shape[1], len(widths)
    for block in prange((n_rows + BLOCK - 1) // BLOCK):
        rank = np.full(n, width + 1, dtype=np.int16)
        common = np.empty(width + 2, dtype=np.int64)
        for row in range(block * BLOCK, min((block + 1) * BLOCK, n_rows)):
            i = start + row
            rank[i] = 0
            for place in range(width):
                if hoods[i, place] >= 0:
                    rank[hoods[i, place]] = place + 1
            for link in range(k):
                j = hoods[i, link]
                if j < 0:
                    continue
                common[:] = 0
                common[rank[j]] += 1
                back = width + 1
                for place in range(width):
                    other = hoods[j, place]
                    if other >= 0:
                        common[max(rank[other], place + 1)] += 1
                        if other == i:
                            back = place + 1
                shared, reached = 0, 0
                for w in range(n_widths):
                    while reached <= widths[w]:
                        shared += common[reached]
                        reached += 1
                    size = widths[w] + 1.0
                    chance = size * size / n
                    evidence[row, link, w] = (shared - chance) / max(size - chance, 1.0)
                evidence[row, link, n_widths] = np.log(link + 1.0)
                evidence[row, link, n_widths + 1] = np.log(back)
            rank[i] = width + 1
            for place in range(width):
                if hoods[i, place] >= 0:
                    rank[hoods[i, place]] = width + 1
