"""Relational edge evidence: what two nodes and their neighbourhoods say about belonging together.

A network that reads the features themselves learns the training classes by heart. Evidence about
the *relation* of two nodes means the same for classes never seen, so a small network on it
transfers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from dgl import DGLGraph
from numpy.typing import NDArray

from clustering.graph import edge_ends, neighbour_graph, sum_edges, sum_neighbours
from clustering.neighbours import Neighbours, find_neighbours

CONTEXT = 3
"""The neighbourhoods that are compared are this many times as wide as the graph's."""

EDGE_EVIDENCE = (
    "cosine of the peaks",
    "cosine of the means",
    "mean cosine of all pairs of members",
    "cosine of the surroundings",
    "shared neighbours (Jaccard)",
    "cosine above i's mean",
    "cosine above j's mean",
    "cosine below i's best",
    "cosine below j's best",
    "log rank of j for i",
    "log rank of i for j",
    "pairs against the cohesion of i",
    "pairs against the cohesion of j",
    "log size of i",
    "log size of j",
)

Float = NDArray[np.float32]


@dataclass(frozen=True)
class SuperNodes:
    """The nodes of one level; at the first, every image is a node of its own.

    Attributes
    ----------
    peaks : int64 (n,)
        The image that stands for the node.
    peak_features : float32 (n, D)
        Its feature, of length one.
    means : float32 (n, D)
        Mean feature of the members, *not* of length one: the inner product of two means is the
        mean cosine over all pairs of their members.
    sizes : int64 (n,)
        How many images it holds.
    groups : int64 (n,)
    """

    peaks: NDArray[np.int64]
    peak_features: Float
    means: Float
    sizes: NDArray[np.int64]
    groups: NDArray[np.int64]

    @classmethod
    def of_images(cls, features: Float, groups: NDArray[np.int64]) -> SuperNodes:
        """Make one node of each image."""
        n = len(features)
        return cls(np.arange(n), features, features, np.ones(n, dtype=np.int64), groups)

    def merge(self, roots: NDArray[np.int64]) -> tuple[SuperNodes, NDArray[np.int64]]:
        """Join the nodes that have the same root; also return the new node of each old one."""
        peaks, parts = np.unique(roots, return_inverse=True)
        sizes = np.bincount(parts, weights=self.sizes).astype(np.int64)
        totals = np.zeros((len(peaks), self.means.shape[1]), dtype=np.float64)
        np.add.at(totals, parts, self.means * self.sizes[:, None])
        means = (totals / sizes[:, None]).astype(np.float32)
        merged = SuperNodes(
            self.peaks[peaks], self.peak_features[peaks], means, sizes, self.groups[peaks]
        )
        return merged, parts


def find_context(nodes: SuperNodes, n_neighbors: int) -> Neighbours:
    """Search the neighbourhoods in which the nodes are compared."""
    return find_neighbours(_unit(nodes.means), CONTEXT * n_neighbors, nodes.groups)


def build_graph(nodes: SuperNodes, context: Neighbours, width: int) -> DGLGraph:
    """Link every node to its `width` nearest and attach the evidence.

    Edge data: `evidence` (E, 15), `cosine` (E,) and `share` (E,), the weight of the neighbour
    among all those of a node.
    """
    graph = neighbour_graph(context.nearest(width))
    weights = graph.edata["cosine"].clamp_min(1e-6)
    graph.edata["share"] = weights / sum_edges(graph, weights)[edge_ends(graph)[1]]
    graph.edata["evidence"] = torch.from_numpy(edge_evidence(graph, nodes, context))
    return graph


def edge_evidence(graph: DGLGraph, nodes: SuperNodes, context: Neighbours) -> Float:
    """Return what is known of the two ends (i, j) of every edge, float32 (E, 15)."""
    j, i = (end.numpy() for end in edge_ends(graph))
    units = _unit(nodes.means)
    cosine = _dots(units, i, j)
    pairs = _dots(nodes.means, i, j)
    cohesion = np.einsum("nd,nd->n", nodes.means, nodes.means)
    mean, best = _mean_and_best(context)
    shared, rank_of_j, rank_of_i = _overlap(context, i, j)
    columns = [
        _dots(nodes.peak_features, i, j),
        cosine,
        pairs,
        _dots(surroundings(graph, units), i, j),
        shared,
        cosine - mean[i],
        cosine - mean[j],
        cosine - best[i],
        cosine - best[j],
        np.log1p(rank_of_j),
        np.log1p(rank_of_i),
        pairs - cohesion[i],
        pairs - cohesion[j],
        np.log(nodes.sizes[i]),
        np.log(nodes.sizes[j]),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def surroundings(graph: DGLGraph, units: Float) -> Float:
    """One graph convolution without weights to learn: each node's feature and its neighbours'.

    Where a node lies matters less than what lies around it; noise of single images averages out.
    """
    features = torch.from_numpy(units)
    around = sum_neighbours(graph, features, graph.edata["share"])
    return _unit((features + around).numpy())


def _unit(rows: Float) -> Float:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units: Float = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return units


def _dots(rows: Float, i: NDArray[np.int64], j: NDArray[np.int64]) -> Float:
    dots = np.empty(len(i), dtype=np.float32)
    for part in np.array_split(np.arange(len(i)), 1 + len(i) // 200_000):
        dots[part] = np.einsum("ed,ed->e", rows[i[part]], rows[j[part]])
    return dots


def _mean_and_best(context: Neighbours) -> tuple[Float, Float]:
    """Mean and best of the cosines of each node to its neighbours, 0 where it has none."""
    count = np.maximum(context.present.sum(axis=1), 1)
    return context.cosines.sum(axis=1) / count, context.cosines[:, :1].sum(axis=1)


def _overlap(
    context: Neighbours, i: NDArray[np.int64], j: NDArray[np.int64]
) -> tuple[Float, NDArray[np.int64], NDArray[np.int64]]:
    """Jaccard of the two neighbourhoods (each with its own node), rank of j for i, of i for j.

    A node that is not among the neighbours has the rank after the last.
    """
    n, width = context.indices.shape
    hoods = np.concatenate([np.arange(n)[:, None], context.indices], axis=1)
    filled = hoods >= 0
    keys = (np.arange(n)[:, None] * n + hoods)[filled]
    places = np.broadcast_to(np.arange(width + 1), hoods.shape)[filled]
    order = np.argsort(keys)
    keys, places = keys[order], places[order]
    sizes = filled.sum(axis=1)

    def rank(owner: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
        wanted = owner * n + other
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, places[at], width + 1)

    common = np.empty(len(i), dtype=np.int64)
    for part in np.array_split(np.arange(len(i)), 1 + len(i) // 100_000):
        members = hoods[i[part]]
        ranks = rank(np.repeat(j[part], width + 1), members.ravel()).reshape(members.shape)
        common[part] = ((ranks <= width) & (members >= 0)).sum(axis=1)
    jaccard = common / np.maximum(sizes[i] + sizes[j] - common, 1)
    return jaccard.astype(np.float32), rank(i, j), rank(j, i)
