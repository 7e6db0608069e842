"""From probabilities to clusters: every node follows its best edge to a denser node.

The best edge is a maximum per node and the walk up each tree is pointer jumping, so there is
neither a sort of edges nor a loop over nodes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decode(
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    linkage: NDArray[np.float32],
    density: NDArray[np.float32],
    tau: float,
) -> NDArray[np.int64]:
    """Return the root (the peak) of every node's tree, int64 (n,).

    Node i keeps its most probable edge among {j : d_j > d_i, r_ij >= tau}; a node with none is a
    peak (Xing et al., 2021, section 3.4). Equal densities are ordered by index, the lower counting
    as denser, so identical points do link; equal probabilities go to the denser, then lower, j.

    Parameters
    ----------
    i, j : int64 (E,)
        Node and neighbour of each edge, in any order.
    linkage : float32 (E,)
        Probability r_ij, not negative.
    density : float32 (n,)
        d_i.
    tau : float
        Least probability of an edge.
    """
    n = len(density)
    densest_first = np.argsort(-density, kind="stable")
    rank = np.empty(n, dtype=np.int64)
    rank[densest_first] = np.arange(n)
    usable = np.flatnonzero((rank[j] < rank[i]) & (linkage >= tau))
    best = np.full(n, -1, dtype=np.int64)
    np.maximum.at(best, i[usable], _ordered_keys(linkage[usable], rank[j[usable]]))
    parents = np.arange(n)
    linked = np.flatnonzero(best >= 0)
    parents[linked] = densest_first[_RANKS - (best[linked] & _RANKS)]
    return find_roots(parents)


_RANKS = 2**32 - 1


def _ordered_keys(linkage: NDArray[np.float32], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers that order edges by linkage, then by rank, the lowest last.

    Floats that are not negative are ordered as their bits are; adding 0 turns -0 into 0.
    """
    bits = (linkage.astype(np.float32) + np.float32(0)).view(np.int32).astype(np.int64)
    keys: NDArray[np.int64] = (bits << 32) | (_RANKS - rank)
    return keys


def find_roots(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow a forest's parents to the roots by pointer jumping: log2(depth) steps."""
    roots = parents
    while True:
        further = roots[roots]
        if np.array_equal(further, roots):
            return roots
        roots = further
