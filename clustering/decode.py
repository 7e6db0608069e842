"""From probabilities to clusters: every node follows its best edge to a denser node.

Sorting replaces the search for the best edge and pointer jumping the walk up each tree, so there
is no loop over nodes.
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
        Node and neighbour of each edge.
    linkage : float32 (E,)
        Probability r_ij.
    density : float32 (n,)
        d_i.
    tau : float
        Least probability of an edge.
    """
    n = len(density)
    rank = np.empty(n, dtype=np.int64)
    rank[np.lexsort((np.arange(n), -density))] = np.arange(n)
    usable = (rank[j] < rank[i]) & (linkage >= tau)
    i, j, linkage = i[usable], j[usable], linkage[usable]
    best_last = np.lexsort((-rank[j], linkage, i))
    parents = np.arange(n)
    parents[i[best_last]] = j[best_last]
    return find_roots(parents)


def find_roots(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow a forest's parents to the roots by pointer jumping: log2(depth) steps."""
    roots = parents
    while True:
        further = roots[roots]
        if np.array_equal(further, roots):
            return roots
        roots = further
