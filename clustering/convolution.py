"""The network as published: graph convolutions over features, then a verdict on every edge.

Xing et al., *Learning Hierarchical Graph Neural Networks for Image Clustering*, ICCV 2021. Whatever
can be computed once per node is not computed once per edge, and what does not depend on weights is
computed once per graph: `prepare` does that part of a convolution.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from dgl import DGLGraph
from torch import Tensor, nn
from torch.nn import functional as F

from clustering.graph import edge_ends, sum_neighbours

MAX_CONVOLUTIONS = 4
EDGE_BLOCK = 32_768
"""Edges that are read at a time; their hidden values are all that grows with the graph's edges."""


class GraphConvolution(nn.Module):
    """Joins each node with the mean of its neighbours: relu(W [x_i ; sum_j w_ij x_j] + b).

    w_ij are the graph's edge data `share`: the cosines of i as shares of one.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * inputs, outputs)

    def prepare(self, graph: DGLGraph, features: Tensor) -> Tensor:
        """Put the neighbours' mean beside each node: (n, inputs) to (n, 2 inputs)."""
        around = sum_neighbours(graph, features, graph.edata["share"])
        return torch.cat([features, around], dim=1)

    def forward(self, graph: DGLGraph, prepared: Tensor) -> Tensor:
        """Map what `prepare` returned to (n, outputs)."""
        return F.relu(self.linear(prepared))


class GraphAttention(nn.Module):
    """Rectified mean over heads of sum_j alpha_ij W x_j + b (Velickovic et al., 2018).

    alpha_ij = softmax_j leaky_relu(s . W x_j + t . W x_i). A node does not attend to itself, and
    cosines play no part. `dgl.nn.GATConv` projects every node and then sums what is projected;
    here, what is summed is as wide as the input, and no projection is made for the scores.
    """

    def __init__(self, inputs: int, outputs: int, heads: int) -> None:
        super().__init__()
        self.project = nn.Parameter(torch.empty(heads, outputs, inputs))
        self.source = nn.Parameter(torch.empty(heads, outputs))
        self.target = nn.Parameter(torch.empty(heads, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        gain = nn.init.calculate_gain("relu")
        for weights in (self.project.view(-1, inputs), self.source, self.target):
            nn.init.xavier_normal_(weights.data, gain)

    def prepare(self, graph: DGLGraph, features: Tensor) -> Tensor:
        """Return features (n, inputs): what is summed depends on weights."""
        return features

    def forward(self, graph: DGLGraph, prepared: Tensor) -> Tensor:
        """Map (n, inputs) to (n, outputs)."""
        j, i = edge_ends(graph)
        from_j = torch.einsum("ni,hoi,ho->nh", prepared, self.project, self.source)
        from_i = torch.einsum("ni,hoi,ho->nh", prepared, self.project, self.target)
        scores = F.leaky_relu(from_j[j] + from_i[i], negative_slope=0.2)
        attention = edge_softmax(scores, i, graph.num_nodes())
        heads = zip(attention.unbind(1), self.project, strict=True)
        total = sum(sum_neighbours(graph, prepared, alpha) @ w.T for alpha, w in heads)
        return F.relu(total / len(self.project) + self.bias)


def edge_softmax(scores: Tensor, i: Tensor, n: int) -> Tensor:
    """Turn scores (E, H) into shares of one over the edges that end at the same node i (E,)."""
    place = i[:, None].expand_as(scores)
    highest = scores.new_zeros(n, scores.shape[1]).scatter_reduce(
        0, place, scores.detach(), "amax", include_self=False
    )
    weights = torch.exp(scores - highest[i])
    totals = scores.new_zeros(n, scores.shape[1]).index_add(0, i, weights)
    return weights / totals[i]


class PublishedNetwork(nn.Module):
    """Predicts from features, for every edge j -> i, the log-odds that its ends belong together.

    Convolutions of widths hidden, hidden, hidden / 2, hidden / 2 (the first `n_convolutions` of
    them); then a perceptron on the sum of a projection of x_j and another one of x_i.
    """

    def __init__(
        self, inputs: int, hidden: int, n_convolutions: int, *, convolution: str, heads: int
    ) -> None:
        super().__init__()
        half = hidden // 2
        widths = (inputs, hidden, hidden, half, half)[: n_convolutions + 1]
        self.convolutions = nn.ModuleList(
            GraphConvolution(before, after)
            if convolution == "graph"
            else GraphAttention(before, after, heads)
            for before, after in pairwise(widths)
        )
        self.source = nn.Linear(widths[-1], half)
        self.target = nn.Linear(widths[-1], half)
        self.classifier = nn.Sequential(
            nn.PReLU(half), nn.Linear(half, half), nn.PReLU(half), nn.Linear(half, 2)
        )

    def prepare(self, graph: DGLGraph, features: Tensor) -> Tensor:
        """Compute once per graph what the first convolution needs of features (n, inputs)."""
        first: Any = self.convolutions[0]
        prepared: Tensor = first.prepare(graph, features)
        return prepared

    def forward(self, graph: DGLGraph, prepared: Tensor) -> Tensor:
        """Return log-odds (E,) for what `prepare` returned."""
        convolutions: list[Any] = list(self.convolutions)
        nodes = convolutions[0](graph, prepared)
        for convolution in convolutions[1:]:
            nodes = convolution(graph, convolution.prepare(graph, nodes))
        source, target = self.source(nodes), self.target(nodes)
        odds = [
            self.classifier(source[j] + target[i])
            for j, i in zip(*(torch.split(e, EDGE_BLOCK) for e in edge_ends(graph)), strict=True)
        ]
        apart, together = torch.cat(odds).unbind(1)
        return together - apart
