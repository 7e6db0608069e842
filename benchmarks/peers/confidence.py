"""GCN-V/E: follow the likeliest edge to a more confident neighbour.

Yang et al., *Learning to Cluster Faces via Confidence and Connectivity Estimation*, CVPR 2020, in a
compact form. One graph network, on the absolute features of the whole neighbour graph, estimates
the confidence of an image,

    c_i = 1/k sum_j (+1 if y_j = y_i else -1) a_ij

A second one reads, for each image, the subgraph of its neighbours of higher confidence, their
features (those that the first has made) relative to the image's, and estimates which are of its
class. As in the authors' code only the most confident images ask it, and keep their likeliest edge;
the others keep the edge to the nearest neighbour of higher confidence, scored by cosine. Edges
whose score reaches tau make trees, which are clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers.convolution import Convolution, Graph, graph_of, same_class
from benchmarks.peers.tuning import Features, Labels, Trained

NEIGHBOURS = 20
CANDIDATES = 10
HIDDEN = 256
# More steps fit the training classes better and those held out of training worse.
CONFIDENCE_STEPS = 50
CONNECTIVITY_EPOCHS = 8
BATCH = 256
# The share of the images, from the most confident down, whose edges are estimated.
ESTIMATED = (0.0, 0.1, 0.2, 0.5, 1.0)
TAUS = tuple(np.round(np.arange(0.0, 1.0, 0.02), 2).tolist())


class ConfidenceNetwork(nn.Module):
    """Graph (n images) to confidence (n,)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.convolution = Convolution(dim, HIDDEN)
        self.head = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.PReLU(HIDDEN), nn.Linear(HIDDEN, 1))

    def forward(self, graph: Graph) -> Tensor:
        estimate: Tensor = self.head(self.convolution(graph, graph.features))
        return estimate.squeeze(1)

    @torch.no_grad()
    def read(self, graph: Graph) -> tuple[Tensor, Graph]:
        """Return the confidence, and the graph with features made by the convolution, units."""
        made = F.normalize(self.convolution(graph, graph.features))
        return self(graph), replace(graph, features=made)


class ConnectivityNetwork(nn.Module):
    """Subgraphs of m candidates: features (B, m, D), adjacency (B, m, m) to logits (B, m)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2 * dim, HIDDEN), nn.Linear(2 * HIDDEN, HIDDEN)])
        self.head = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.PReLU(1), nn.Linear(HIDDEN, 1))

    def forward(self, values: Tensor, adjacency: Tensor) -> Tensor:
        for layer in self.layers:
            values = F.relu(layer(torch.cat([values, adjacency @ values], dim=2)))
        estimate: Tensor = self.head(values)
        return estimate.squeeze(2)


@dataclass(frozen=True)
class Model:
    confidence: ConfidenceNetwork
    connectivity: ConnectivityNetwork


def gcn_ve() -> Trained[Model, tuple[float, float]]:
    """Return the peer; its settings are the share of estimated images and tau."""
    return Trained("GCN-V/E", list(product(ESTIMATED, TAUS)), train, sweep)


def train(features: Features, labels: Labels, groups: Labels) -> Model:
    torch.manual_seed(0)
    graph = graph_of(features, NEIGHBOURS, groups)
    same = same_class(graph, labels)
    truth = ((2 * same - 1) * graph.cosines).mean(dim=1)
    confidence = ConfidenceNetwork(features.shape[1])
    optimiser = torch.optim.Adam(confidence.parameters(), lr=1e-3, weight_decay=1e-5)
    for _ in range(CONFIDENCE_STEPS):
        optimiser.zero_grad()
        F.mse_loss(confidence(graph), truth).backward()
        optimiser.step()
    estimate, made = confidence.read(graph)
    connectivity = ConnectivityNetwork(HIDDEN)
    optimiser = torch.optim.Adam(connectivity.parameters(), lr=1e-3, weight_decay=1e-5)
    chosen = candidates(graph, estimate)
    wanted = torch.gather(same, 1, chosen.places)
    for _ in range(CONNECTIVITY_EPOCHS):
        for rows in torch.split(torch.randperm(len(features)), BATCH):
            present = chosen.present[rows]
            if not present.any():
                continue
            optimiser.zero_grad()
            logits = connectivity(*subgraphs(made, chosen, rows))
            F.binary_cross_entropy_with_logits(logits[present], wanted[rows][present]).backward()
            optimiser.step()
    return Model(confidence, connectivity)


@torch.no_grad()
def sweep(
    model: Model, features: Features, settings: Sequence[tuple[float, float]]
) -> Iterator[Labels]:
    graph = graph_of(features, NEIGHBOURS)
    confidence, made = model.confidence.read(graph)
    chosen = candidates(graph, confidence)
    likelihood = torch.cat(
        [
            model.connectivity(*subgraphs(made, chosen, rows)).sigmoid()
            for rows in torch.split(torch.arange(len(features)), BATCH)
        ]
    ).masked_fill(~chosen.present, -1.0)
    likeliest, place = likelihood.max(dim=1)
    likely = torch.gather(chosen.indices, 1, place[:, None]).squeeze(1)
    nearest_one = chosen.indices[:, 0]
    cosine = torch.gather(graph.cosines, 1, chosen.places[:, :1]).squeeze(1)
    has_parent = chosen.present[:, 0]
    rank = confidence.argsort(descending=True).argsort()
    for share, tau in settings:
        asks = rank < round(share * len(features))
        parents = torch.where(asks, likely, nearest_one)
        kept = (torch.where(asks, likeliest, cosine) >= tau) & has_parent
        yield _trees(parents.numpy(), kept.numpy())


@dataclass(frozen=True)
class Candidates:
    """The m nearest neighbours of higher confidence of each image.

    Attributes
    ----------
    indices, places : int64 (n, m)
        The images, and where they stand among the neighbours.
    present : bool (n, m)
        False where an image has fewer than m of them.
    """

    indices: Tensor
    places: Tensor
    present: Tensor


def candidates(graph: Graph, confidence: Tensor) -> Candidates:
    higher = confidence[graph.indices] > confidence[:, None]
    places = (~higher).to(torch.uint8).sort(dim=1, stable=True).indices[:, :CANDIDATES]
    return Candidates(
        torch.gather(graph.indices, 1, places), places, torch.gather(higher, 1, places)
    )


def subgraphs(graph: Graph, chosen: Candidates, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return features relative to the image, (B, m, D), and mean adjacency (B, m, m)."""
    absolute = graph.features[chosen.indices[rows]]
    present = chosen.present[rows].float()
    adjacency = (absolute @ absolute.transpose(1, 2)).clamp(min=0)
    adjacency = adjacency * present[:, :, None] * present[:, None, :]
    adjacency = adjacency / adjacency.sum(dim=2, keepdim=True).clamp(min=1e-6)
    return (absolute - graph.features[rows][:, None]) * present[:, :, None], adjacency


def _trees(parents: NDArray[np.int64], kept: NDArray[np.bool_]) -> Labels:
    i = np.flatnonzero(kept)
    joined = coo_matrix((np.ones(len(i)), (i, parents[i])), shape=(len(parents),) * 2)
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)
