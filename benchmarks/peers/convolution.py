"""What the graph-network peers share: the neighbour graph as tensors, and a convolution on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.neighbours import nearest
from benchmarks.peers.tuning import Features, Labels


@dataclass(frozen=True)
class Graph:
    """The k nearest neighbours of n images; images of different groups are not neighbours.

    Attributes
    ----------
    features : float32 (n, D)
    indices : int64 (n, k)
    cosines : float32 (n, k)
        Where a group is too small the image itself fills the row, with cosine 0.
    """

    features: Tensor
    indices: Tensor
    cosines: Tensor


def graph_of(features: Features, k: int, groups: Labels | None = None) -> Graph:
    """Find the k nearest neighbours of every image, within its group."""
    n = len(features)
    indices = np.repeat(np.arange(n)[:, None], k, axis=1)
    cosines = np.zeros((n, k), dtype=np.float32)
    of_group = np.zeros(n, dtype=np.int64) if groups is None else groups
    for name in np.unique(of_group):
        rows = np.flatnonzero(of_group == name)
        found = nearest(features[rows], k)
        width = found.indices.shape[1]
        indices[rows, :width] = rows[found.indices]
        cosines[rows, :width] = found.cosines.clip(0.0, 1.0)
    return Graph(*map(torch.from_numpy, (features, indices, cosines)))


class Convolution(nn.Module):
    """relu(W [x_i, m_i]), m_i the mean of x over i and its neighbours, weighed by cosine."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * n_in, n_out)

    def forward(self, graph: Graph, values: Tensor) -> Tensor:
        """Map values (n, in) to (n, out)."""
        total = F.embedding_bag(graph.indices, values, mode="sum", per_sample_weights=graph.cosines)
        mean = (values + total) / (1.0 + graph.cosines.sum(dim=1, keepdim=True))
        return F.relu(self.linear(torch.cat([values, mean], dim=1)))


def same_class(graph: Graph, labels: Labels) -> Tensor:
    """Return 1 where an image and its neighbour are of one class, float32 (n, k)."""
    of_class = torch.from_numpy(labels)
    return (of_class[graph.indices] == of_class[:, None]).float()
