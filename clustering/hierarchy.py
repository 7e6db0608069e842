"""The hierarchy: cluster the nodes, make a super-node of each cluster, repeat until none is left.

The same network reads every level. The first graph holds the images, the last one the clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from dgl import DGLGraph
from numpy.typing import NDArray

from clustering.decode import decode
from clustering.evidence import SuperNodes, build_graph, find_context
from clustering.graph import edge_ends

Link = Callable[[DGLGraph], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Reads a graph and returns linkage probabilities (E,) and densities (n,)."""


@dataclass(frozen=True)
class Level:
    """What one level of the hierarchy did.

    Attributes
    ----------
    labels : int64 (N,)
        Cluster of every image after this level.
    n_nodes : int
        Super-nodes before it.
    n_edges : int
        Edges it kept, each of which joined two of them.
    """

    labels: NDArray[np.int64]
    n_nodes: int
    n_edges: int


@dataclass(frozen=True)
class Hierarchy:
    """The levels so far, and the clusters of the last of them."""

    levels: tuple[Level, ...]
    clusters: SuperNodes

    @property
    def labels(self) -> NDArray[np.int64]:
        """Cluster of every image, 0..C-1."""
        return self.levels[-1].labels


@dataclass(frozen=True)
class Base:
    """The first level, which does not depend on the threshold: its graph is read only once."""

    nodes: SuperNodes
    graph: DGLGraph
    i: NDArray[np.int64]
    j: NDArray[np.int64]
    linkage: NDArray[np.float32]
    density: NDArray[np.float32]


def read_base(nodes: SuperNodes, n_neighbors: int, link: Link) -> Base:
    """Build the graph of these nodes and predict its linkage and density."""
    graph = build_graph(nodes, find_context(nodes, n_neighbors), n_neighbors)
    j, i = (end.numpy() for end in edge_ends(graph))
    linkage, density = link(graph)
    return Base(nodes, graph, i, j, linkage, density)


def grow(base: Base, n_neighbors: int, link: Link, tau: float) -> Iterator[Hierarchy]:
    """Join nodes level by level until a level keeps no edge; yield the hierarchy after each."""
    levels: tuple[Level, ...] = ()
    labels = np.arange(len(base.nodes.peaks))
    while True:
        roots = decode(base.i, base.j, base.linkage, base.density, tau)
        merged, parts = base.nodes.merge(roots)
        labels = parts[labels]
        before, after = len(parts), len(merged.peaks)
        levels = (*levels, Level(labels, n_nodes=before, n_edges=before - after))
        yield Hierarchy(levels, merged)
        if before == after:
            return
        base = read_base(merged, n_neighbors, link)
