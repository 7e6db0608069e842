"""How the linkage network learns: levels of pure super-nodes, a linkage loss and a density loss.

The training hierarchy looks at the labels: only nodes of one class are joined, so super-nodes are
pure and the network sees at every level what a good decision would have led to. Narrower graphs of
the same images join less at a time and give super-nodes of other sizes (Xing et al., 2021, train
on k = 10, 5 and 3 for the same reason).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from dgl import DGLGraph
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clustering.decode import decode
from clustering.evidence import SuperNodes, build_graph, find_context
from clustering.graph import edge_ends
from clustering.network import LinkageNetwork, density

NARROWER = (1, 2, 3)


@dataclass(frozen=True)
class TrainingGraph:
    """One level with its truth.

    Attributes
    ----------
    graph : DGLGraph
    same : float32 (E,)
        1 where the two ends are of one class.
    density : float32 (n,)
        Density that follows from `same`.
    denser : bool (E,)
        Whether neighbour j is denser than node i: the edges that decoding chooses from.
    classes : int64 (n,)
        Class of each node.
    full_width : bool
        Whether the graph is as wide as those it will be used on.
    """

    graph: DGLGraph
    same: Tensor
    density: Tensor
    denser: Tensor
    classes: Tensor
    full_width: bool


def training_graphs(
    nodes: SuperNodes, labels: NDArray[np.int64], n_neighbors: int, n_levels: int
) -> list[TrainingGraph]:
    """Build the levels of the training hierarchy for graphs of each width."""
    first_context = find_context(nodes, n_neighbors)
    widths = sorted({max(1, n_neighbors // share) for share in NARROWER}, reverse=True)
    graphs = []
    for width in widths:
        current, context = nodes, first_context
        for _ in range(n_levels):
            graph = build_graph(current, context, width)
            if not graph.num_edges():
                break
            level = _with_truth(graph, labels[current.peaks], full_width=width == n_neighbors)
            graphs.append(level)
            merged, _ = current.merge(_join_same(level))
            if len(merged.peaks) == len(current.peaks):
                break
            current, context = merged, find_context(merged, n_neighbors)
    return graphs


def _with_truth(graph: DGLGraph, classes: NDArray[np.int64], *, full_width: bool) -> TrainingGraph:
    j, i = edge_ends(graph)
    numbers = torch.from_numpy(classes)
    same = (numbers[i] == numbers[j]).to(torch.float32)
    dense = density(graph, same)
    return TrainingGraph(graph, same, dense, dense[j] >= dense[i], numbers, full_width)


def _join_same(level: TrainingGraph) -> NDArray[np.int64]:
    """Decode with the true density; among edges within a class the nearest neighbour is best."""
    j, i = (end.numpy() for end in edge_ends(level.graph))
    nearness = (level.same * (3.0 + level.graph.edata["cosine"])).numpy()
    return decode(i, j, nearness, level.density.numpy(), tau=1.0)


def train(
    network: LinkageNetwork,
    graphs: list[TrainingGraph],
    held_out: Tensor,
    *,
    epochs: int,
    learning_rate: float,
) -> list[float]:
    """Fit the network; nodes of classes in `held_out` take part in graphs but not in the loss.

    Returns the mean loss of each epoch.
    """
    trained = [~torch.isin(level.classes, held_out) for level in graphs]
    network.standardize.measure(torch.cat([level.graph.edata["evidence"] for level in graphs]))
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(graphs))
    losses = []
    network.train()
    for _ in range(epochs):
        total = 0.0
        for level, nodes in zip(graphs, trained, strict=True):
            loss = joint_loss(network(level.graph), level, nodes)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        losses.append(total / len(graphs))
    network.eval()
    return losses


def joint_loss(logits: Tensor, level: TrainingGraph, nodes: Tensor) -> Tensor:
    """Linkage loss on edges to denser neighbours plus the squared error of density.

    Both kinds of edges weigh half of the linkage loss, however rare one of them is.
    """
    _, i = edge_ends(level.graph)
    counted = (level.denser & nodes[i]).to(torch.float32)
    errors = F.binary_cross_entropy_with_logits(logits, level.same, reduction="none")
    linkage = _mean(errors, counted * level.same) + _mean(errors, counted * (1 - level.same))
    predicted = density(level.graph, torch.sigmoid(logits))
    return linkage / 2 + _mean((predicted - level.density) ** 2, nodes.to(torch.float32))


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1.0)
