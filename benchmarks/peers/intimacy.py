"""STAR-FC style: a graph network scores edges, and node intimacy prunes what it lets through.

Shen et al., *Structure-Aware Face Clustering on a Large-Scale Graph with 10^7 Nodes*, CVPR 2021, on
the whole graph (its sampling of subgraphs serves memory, which is no matter here). Edges whose
score reaches tau remain; then an edge stays only if its ends share enough of their remaining
neighbours,

    NI(i, j) = max(s_ij / n_i, s_ij / n_j)

with n the numbers of neighbours and s the number of common ones. Components are clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.convolution import Convolution, Graph, graph_of, same_class
from benchmarks.peers.tuning import Features, Labels, Trained

NEIGHBOURS = 20
HIDDEN = 128
# On classes held out of training, ten times less or half the steps leave the network near chance.
RATE = 1e-2
STEPS = 160
TAUS = tuple(np.round([*np.arange(0.1, 0.9, 0.1), 0.9, 0.95, 0.98, 0.99, 0.995, 0.999], 3).tolist())
TINY = 1e-9
INTIMACIES = tuple(np.round(np.arange(0.0, 1.0, 0.1), 1).tolist())


class EdgeNetwork(nn.Module):
    """Graph to a logit for each edge, (n, k): its two ends are of one class."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.convolution = Convolution(dim, HIDDEN)
        self.head = nn.Sequential(nn.PReLU(HIDDEN), nn.Linear(HIDDEN, 1))
        self.ends = nn.ModuleList([nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)])

    def forward(self, graph: Graph) -> Tensor:
        values = self.convolution(graph, graph.features)
        own, others = self.ends[0](values), self.ends[1](values)
        pairs = own[:, None] + F.embedding(graph.indices, others)
        logits: Tensor = self.head(pairs.flatten(0, 1))
        return logits.view(graph.indices.shape)


def star_fc() -> Trained[EdgeNetwork, tuple[float, float]]:
    """Return the peer; its settings are tau and the least intimacy."""
    return Trained("STAR-FC", list(product(TAUS, INTIMACIES)), train, sweep)


def train(features: Features, labels: Labels, groups: Labels) -> EdgeNetwork:
    torch.manual_seed(0)
    graph = graph_of(features, NEIGHBOURS, groups)
    same = same_class(graph, labels)
    network = EdgeNetwork(features.shape[1])
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=1e-5)
    for _ in range(STEPS):
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(network(graph), same).backward()
        optimiser.step()
    return network


@torch.no_grad()
def sweep(
    network: EdgeNetwork, features: Features, settings: Sequence[tuple[float, float]]
) -> Iterator[Labels]:
    graph = graph_of(features, NEIGHBOURS)
    scores = network(graph).sigmoid().numpy()
    indices = graph.indices.numpy()
    intimacies = {tau: intimacy(indices, scores >= tau) for tau in {tau for tau, _ in settings}}
    for tau, least in settings:
        joined = intimacies[tau] >= max(least, TINY)
        yield connected_components(joined, directed=False)[1].astype(np.int64)


def intimacy(indices: NDArray[np.int64], kept: NDArray[np.bool_]) -> csr_matrix:
    """Return NI for both directions of each kept edge, sparse (n, n); each is its own neighbour.

    Parameters
    ----------
    indices : int64 (n, k)
        Neighbours of each image.
    kept : bool (n, k)
    """
    n = len(indices)
    i, place = np.nonzero(kept)
    directed = csr_matrix((np.ones(len(i)), (i, indices[i, place])), shape=(n, n))
    adjacent = ((directed + directed.T + identity(n)) > 0).astype(np.float64).tocsr()
    common = (adjacent @ adjacent).multiply(adjacent).tocoo()
    sizes = np.diff(adjacent.indptr)
    common.data /= np.minimum(sizes[common.row], sizes[common.col])
    return common.tocsr()
