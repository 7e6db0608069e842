"""Evidence that two nodes belong together: how far their neighbourhoods overlap.

Cosines mean one thing among the classes an encoder was trained on and another among new ones, and
one thing in a dense region and another in a sparse one. Who is among whose nearest neighbours, and
in which order, means the same everywhere. So the linkage network reads ranks and nothing else, and
what it learns on some classes holds for others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int = NDArray[np.int64]

WIDTHS = (1 / 6, 1 / 3, 1 / 2, 1)
"""Neighbourhoods are compared at these shares of their size: classes may be small or large."""

EVIDENCE = (
    *(f"overlap of the {width:.2g} k nearest" for width in WIDTHS),
    "log rank of j for i",
    "log rank of i for j",
)

FIELD = 64 // len(WIDTHS)
"""Bits of one width's count of common nodes: all counts are packed into 64."""


def overlap_evidence(
    hoods: NDArray[np.integer[Any]], rows: Int | None = None, *, n: int | None = None
) -> NDArray[np.float32]:
    """Describe the link of every node i to each of its k nearest j.

    The overlap of the two neighbourhoods of m nodes is (c - e) / (m - e): c nodes are common and
    e = m m / n would be by chance, so that it is 0 for strangers and 1 for twins in a set of any
    size n. (In a set hardly larger than m, where m - e < 1, it is c - e.) No m is more than half
    of all, beyond which neighbourhoods overlap whatever they are. Each node is the first of its own
    neighbourhood. A node that is not among the other's neighbours has the rank after the last.

    Parameters
    ----------
    hoods : int (n, k)
        The nearest neighbours of each of n nodes, -1 where there is none; k is at most 65,534.
    rows : int64 (R,), optional
        Nodes i to describe, in any order; default all. It is fastest where nodes next to one
        another have neighbours in common (`by_locality`).
    n : int, optional
        How many nodes there are in all, where `hoods` holds only some of them, numbered anew (-1:
        none of these): it tells all of a link whose two ends and their shared neighbours it holds.

    Returns
    -------
    ndarray of float32 (R, k, 6)
        The columns of `EVIDENCE`; 0 where there is no neighbour.
    """
    held, k = hoods.shape
    n = held if n is None else n
    rows = np.arange(held) if rows is None else rows
    widths = np.minimum([max(1, round(share * k)) for share in WIDTHS], min(k, max(n // 2, 1)))
    evidence = np.zeros((len(rows), k, len(EVIDENCE)), dtype=np.float32)
    _compare(hoods.astype(np.int32, copy=False), n, widths, rows, evidence)
    return evidence


def by_locality(hoods: NDArray[np.integer[Any]]) -> Int:
    """Return all nodes, those with neighbours in common next to one another, int64 (n,).

    Nodes are sorted by the least number in their neighbourhood: a min-wise hash, which two sets
    share as often as they overlap (Broder, 1997).
    """
    if hoods.shape[1] == 0:
        return np.arange(len(hoods))
    return np.argsort(hoods.min(axis=1), kind="stable")


@njit(cache=True)
def _counters(
    widths: Int, k: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8]]:
    """Prepare counting at all widths at once.

    Returns for each step s = 0..S what a node counts that is within the widths from s on, the bits
    of these widths, and for each rank 0..k the step from which on it is within.
    """
    n_widths = len(widths)
    ones = np.zeros(n_widths + 1, dtype=np.uint64)
    masks = np.zeros(n_widths + 1, dtype=np.uint64)
    for step in range(n_widths):
        for w in range(step, n_widths):
            ones[step] |= np.uint64(1) << np.uint64(FIELD * w)
            masks[step] |= np.uint64(2**FIELD - 1) << np.uint64(FIELD * w)
    steps = np.empty(k + 1, dtype=np.uint8)
    step = 0
    for rank in range(k + 1):
        while step < n_widths and rank > widths[step]:
            step += 1
        steps[rank] = step
    return ones, masks, steps


@njit(nogil=True, cache=True)
def _compare(
    hoods: NDArray[np.int32], n_nodes: int, widths: Int, rows: Int, evidence: NDArray[np.float32]
) -> None:
    """Mark the neighbours of i with their steps, then look up the neighbours of each of them.

    The last mark stands for -1, where there is no neighbour, and is never set.
    """
    n, k = hoods.shape
    n_widths = len(widths)
    ones, masks, steps = _counters(widths, k)
    logs = np.log(np.arange(1, k + 2))
    sizes = widths + 1.0
    chance = sizes * sizes / n_nodes
    scale = 1.0 / np.maximum(sizes - chance, 1.0)
    marks = np.full(n + 1, n_widths, dtype=np.uint8)
    for row in range(len(rows)):
        i = rows[row]
        for place in range(k):
            marks[hoods[i, place]] = steps[place + 1]
        marks[n] = n_widths
        marks[i] = 0
        for link in range(k):
            j = hoods[i, link]
            if j < 0:
                continue
            theirs = hoods[j]
            back = k
            common = ones[marks[j]]
            first = 0
            for step in range(n_widths):
                within = np.uint64(0)
                for place in range(first, widths[step]):
                    other = theirs[place]
                    within += ones[marks[other]]
                    if other == i:
                        back = place
                common += within & masks[step]
                first = widths[step]
            for place in range(first, k):
                if theirs[place] == i:
                    back = place
            for w in range(n_widths):
                shared = np.int64(common >> np.uint64(FIELD * w)) & (2**FIELD - 1)
                evidence[row, link, w] = (shared - chance[w]) * scale[w]
            evidence[row, link, n_widths] = logs[link]
            evidence[row, link, n_widths + 1] = logs[back]
        marks[i] = n_widths
        for place in range(k):
            marks[hoods[i, place]] = n_widths
