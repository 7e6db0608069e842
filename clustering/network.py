"""The network that reads a graph and predicts, for every edge, whether its ends belong together.

A perceptron on the evidence between the two ends of an edge gives the linkage probability r_ij.
Density follows from linkage, d_i = (1/k) sum_j (2 r_ij - 1) a_ij (Xing et al., 2021, eq. 4), so one
model serves two losses.
"""

from __future__ import annotations

import torch
from dgl import DGLGraph
from torch import Tensor, nn

from clustering.evidence import EDGE_EVIDENCE
from clustering.graph import sum_edges


class Standardize(nn.Module):
    """Brings each column to mean 0 and spread 1, as measured on the training graphs."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))

    def measure(self, rows: Tensor) -> None:
        """Take mean and spread from rows (n, width)."""
        self.mean = rows.mean(dim=0)
        self.spread = rows.std(dim=0, correction=0).clamp_min(1e-3)

    def forward(self, rows: Tensor) -> Tensor:
        """Standardize rows (n, width); what lies far outside the training range is clipped."""
        return ((rows - self.mean) / self.spread).clamp(-4.0, 4.0)


class LinkageNetwork(nn.Module):
    """Predicts the linkage logit of every edge of a graph made by `evidence.build_graph`."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.standardize = Standardize(len(EDGE_EVIDENCE))
        self.perceptron = nn.Sequential(
            nn.Linear(len(EDGE_EVIDENCE), hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, graph: DGLGraph) -> Tensor:
        """Return linkage logits (E,)."""
        evidence = self.standardize(graph.edata["evidence"])
        logits: Tensor = self.perceptron(evidence)
        return logits.squeeze(1)


def density(graph: DGLGraph, linkage: Tensor) -> Tensor:
    """Return d_i = (1/k) sum_j (2 r_ij - 1) a_ij, (n,), for linkage probabilities r (E,)."""
    total = sum_edges(graph, (2.0 * linkage - 1.0) * graph.edata["cosine"])
    degrees: Tensor = graph.in_degrees().clamp_min(1)
    return total / degrees
