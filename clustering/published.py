"""LANDER as published: a graph network on absolute features, to measure others against.

Xing et al., *Learning Hierarchical Graph Neural Networks for Image Clustering*, ICCV 2021: the
method of the official code, on this package's engine. `HiLander` is what to use; this is what the
paper says, and what reads the official checkpoints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from dgl import DGLGraph
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn import functional as F

from clustering.convolution import MAX_CONVOLUTIONS, PublishedNetwork
from clustering.decode import decode
from clustering.graph import density, edge_ends, neighbour_graph, sum_edges
from clustering.neighbours import Neighbours, find_neighbours
from clustering.storage import load_model, save_model
from clustering.supernodes import Level, SuperNodes
from clustering.validation import check_features, check_labels

MOMENTUM = 0.9
WEIGHT_DECAY = 1e-5
LAST_LEARNING_RATE = 1e-5


class Lander(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Hierarchical graph clustering by a network that reads the features themselves.

    The defaults are those of the official training script for faces; for species it used
    `convolution="attention"`, no cluster features and `tau=0.1`.

    Parameters
    ----------
    n_neighbors : int, default=10
        Neighbours k in `predict`, counted as published: the node itself is one of them, so it is
        linked to k - 1 others. Neighbours with a negative cosine are not linked.
    tau : float, default=0.8
        Least probability of an edge that joins two nodes.
    convolution : {"graph", "attention"}, default="graph"
        How a node gathers from its neighbours.
    cluster_features : bool, default=True
        Whether the network reads the mean of a super-node's members beside its peak.
    hidden : int, default=512
        Width of the network.
    n_convolutions : int, default=1
        Graph convolutions, one to four.
    heads : int, default=1
        Heads of the attention.
    graphs : sequence of (int, int), default=((10, 2), (5, 3), (3, 4))
        Neighbours k and number of levels of each training hierarchy.
    epochs : int, default=250
        Passes over the training graphs, one step for each graph.
    learning_rate : float, default=0.01
        Of stochastic gradient descent with momentum; falls to 1e-5 along a cosine.
    balanced : bool, default=True
        Whether linked and unlinked edges weigh the same in the loss. The official code draws as
        many of the commoner kind as there are of the rarer; this is the mean of what it draws.
    focusing : float, default=0.0
        Exponent gamma of the focal loss (Lin et al., 2017); 0 is cross-entropy, the official
        option has 2.
    early_stop : bool, default=False
        Whether `predict` stops as the official scripts do, after a level that kept more than
        1 / (k - 1) times as many edges as the one before; otherwise when no edge is kept.
    seed : int, default=0
        Fixes the initial weights.

    Attributes
    ----------
    losses_ : list of float
        Mean training loss of each epoch.
    labels_ : int64 (N,)
        Cluster 0..C-1 of each image of the last `predict`.
    peaks_ : int64 (C,)
        The densest image of each cluster.
    levels_ : tuple of Level
        Clusters, nodes and edges of each level.

    Examples
    --------
    >>> lander = Lander(tau=0.5).fit(features, labels)  # doctest: +SKIP
    >>> clusters = lander.predict(other_features)  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 2, None, closed="left")],
        "tau": [Interval(Real, 0, 1, closed="both")],
        "convolution": [StrOptions({"graph", "attention"})],
        "cluster_features": ["boolean"],
        "hidden": [Interval(Integral, 2, None, closed="left")],
        "n_convolutions": [Interval(Integral, 1, MAX_CONVOLUTIONS, closed="both")],
        "heads": [Interval(Integral, 1, None, closed="left")],
        "graphs": [list, tuple],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "balanced": ["boolean"],
        "focusing": [Interval(Real, 0, None, closed="left")],
        "early_stop": ["boolean"],
        "seed": [Interval(Integral, 0, 2**63 - 1, closed="both")],
    }

    def __init__(
        self,
        n_neighbors: int = 10,
        *,
        tau: float = 0.8,
        convolution: str = "graph",
        cluster_features: bool = True,
        hidden: int = 512,
        n_convolutions: int = 1,
        heads: int = 1,
        graphs: Sequence[tuple[int, int]] = ((10, 2), (5, 3), (3, 4)),
        epochs: int = 250,
        learning_rate: float = 0.01,
        balanced: bool = True,
        focusing: float = 0.0,
        early_stop: bool = False,
        seed: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.tau = tau
        self.convolution = convolution
        self.cluster_features = cluster_features
        self.hidden = hidden
        self.n_convolutions = n_convolutions
        self.heads = heads
        self.graphs = graphs
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.balanced = balanced
        self.focusing = focusing
        self.early_stop = early_stop
        self.seed = seed

    def fit(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        on_epoch: Callable[[int, float], None] | None = None,
    ) -> Self:
        """Learn from labelled images which edges join images of one class.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings; brought to length one here.
        labels : array-like of int (N,)
            Class of each image; at least two classes.
        on_epoch : callable, optional
            Called after each epoch with the number of epochs done and their last mean loss.

        Raises
        ------
        ValueError
            If features are not finite or all opposed, lengths differ, there is only one class or
            `graphs` are not pairs of two or more neighbours and one or more levels.
        FloatingPointError
            If the loss is no longer finite.
        """
        self._validate_params()
        self._check_graphs()
        units = check_features(features)
        classes = check_labels(labels, len(units), of="features")
        self.n_features_in_ = units.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network_ = self.build_network(self.n_features_in_)
        levels = self._training_levels(units, classes)
        self.losses_ = self._train(levels, on_epoch or (lambda epoch, loss: None))
        return self

    def _check_graphs(self) -> None:
        pairs = [tuple(pair) for pair in self.graphs]
        if not pairs or not all(len(pair) == 2 and pair[0] >= 2 and pair[1] >= 1 for pair in pairs):
            raise ValueError(
                f"graphs is {self.graphs}; give one or more pairs of at least 2 neighbours (a node "
                "counts as its own) and at least 1 level."
            )

    def build_network(self, n_features: int) -> PublishedNetwork:
        """Return a network of these parameters for features of that width."""
        return PublishedNetwork(
            n_features * (2 if self.cluster_features else 1),
            self.hidden,
            self.n_convolutions,
            convolution=self.convolution,
            heads=self.heads,
        ).eval()

    def _prepare(self, graph: DGLGraph, nodes: SuperNodes) -> Tensor:
        parts = [nodes.peak_features, *([nodes.means] if self.cluster_features else [])]
        features = torch.from_numpy(np.concatenate(parts, axis=1))
        return self.network_.prepare(graph, features)

    @torch.no_grad()
    def _training_levels(
        self, units: NDArray[np.float32], classes: NDArray[np.int64]
    ) -> list[TrainingLevel]:
        images = SuperNodes.of_images(units)
        widest = find_peers(images, max(k for k, _ in self.graphs))
        found = []
        for k, n_levels in self.graphs:
            nodes, neighbours = images, widest.nearest(k - 1)
            for _ in range(n_levels):
                graph = link_nodes(neighbours)
                if not graph.num_edges():
                    break
                level = read_truth(graph, self._prepare(graph, nodes), classes[nodes.peaks])
                found.append(level)
                merged, _ = nodes.merge(level.true_roots())
                if len(merged.peaks) == len(nodes.peaks):
                    break
                nodes, neighbours = merged, find_peers(merged, k)
        if not found:
            raise ValueError(
                "features has no two rows with a cosine of 0 or more, so there is no edge to learn "
                "from; give embeddings in which some images are alike."
            )
        return found

    def _train(
        self, levels: list[TrainingLevel], on_epoch: Callable[[int, float], None]
    ) -> list[float]:
        weights = [level.edge_weights(balanced=self.balanced) for level in levels]
        optimizer = torch.optim.SGD(
            self.network_.parameters(),
            self.learning_rate,
            momentum=MOMENTUM,
            weight_decay=WEIGHT_DECAY,
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            optimizer, self.epochs * len(levels), eta_min=LAST_LEARNING_RATE
        )
        losses = []
        for epoch in range(1, self.epochs + 1):
            total = 0.0
            for level, edges in zip(levels, weights, strict=True):
                logits = self.network_(level.graph, level.prepared)
                loss = joint_loss(logits, level, edges, focusing=self.focusing)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
                total += float(loss.detach())
            if not np.isfinite(total):
                raise FloatingPointError(
                    f"training diverged in epoch {epoch}: the loss is {total}. Give a "
                    f"lower learning_rate than {self.learning_rate}."
                )
            losses.append(total / len(levels))
            on_epoch(epoch, losses[-1])
        return losses

    @torch.no_grad()
    def predict(self, features: ArrayLike) -> NDArray[np.int64]:
        """Cluster images of any classes, all at once.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings of the encoder that was used in `fit`; may be empty.

        Returns
        -------
        ndarray of int64 (N,)
            Cluster of each image, 0..C-1.
        """
        check_is_fitted(self, "network_")
        units = check_features(features, fitted=self)
        nodes = SuperNodes.of_images(units)
        labels: NDArray[np.int64] = np.arange(len(units))
        least_odds = float(torch.logit(torch.tensor(self.tau)))
        levels: list[Level] = []
        while True:
            graph = link_nodes(find_peers(nodes, self.n_neighbors))
            odds = self.network_(graph, self._prepare(graph, nodes))
            dense = density(graph, torch.sigmoid(odds))
            j, i = (end.numpy() for end in edge_ends(graph))
            # Log-odds have the order of the probabilities, and no ties where those round to one.
            merged, parts = nodes.merge(decode(i, j, odds.numpy(), dense.numpy(), least_odds))
            labels = parts[labels]
            before, nodes = len(nodes.peaks), merged
            levels.append(Level(labels, n_nodes=before, n_edges=before - len(nodes.peaks)))
            if self._is_done(levels):
                break
        self.labels_, self.peaks_, self.levels_ = labels, nodes.peaks, tuple(levels)
        return self.labels_

    def _is_done(self, levels: list[Level]) -> bool:
        last = levels[-1].n_edges
        slowing = len(levels) > 1 and levels[-2].n_edges < (self.n_neighbors - 1) * last
        return last == 0 or (self.early_stop and slowing)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write the fitted model to a directory (safetensors and JSON)."""
        check_is_fitted(self, "network_")
        save_model(
            directory,
            kind=type(self).__name__,
            params=self.get_params(),
            state={"n_features_in": self.n_features_in_, "losses": self.losses_},
            tensors=self.network_.state_dict(),
        )

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Self:
        """Read a model that `save` wrote."""
        params, state, tensors = load_model(directory, kind=cls.__name__)
        return cls(**params).restore(tensors, state["n_features_in"], state["losses"])

    def restore(self, tensors: dict[str, Tensor], n_features: int, losses: list[float]) -> Self:
        """Take the weights of a network that was fitted to features of that width."""
        self.n_features_in_, self.losses_ = n_features, losses
        self.network_ = self.build_network(n_features)
        self.network_.load_state_dict(tensors)
        return self


def find_peers(nodes: SuperNodes, k: int) -> Neighbours:
    """Search the k - 1 nearest others of each node, by the features of their peaks."""
    return find_neighbours(nodes.peak_features, k - 1)


def link_nodes(neighbours: Neighbours) -> DGLGraph:
    """Link every node to its neighbours, but to none with a negative cosine.

    Edge data: `cosine` (E,) and `share` (E,), the cosines of a node as shares of one.
    """
    near = neighbours.cosines >= 0
    graph = neighbour_graph(
        Neighbours(np.where(near, neighbours.indices, -1), np.where(near, neighbours.cosines, 0))
    )
    cosine = graph.edata["cosine"]
    totals = sum_edges(graph, cosine)
    graph.edata["share"] = cosine / torch.where(totals > 0, totals, 1.0)[edge_ends(graph)[1]]
    return graph


@dataclass(frozen=True)
class TrainingLevel:
    """One level of a training hierarchy with its truth.

    Attributes
    ----------
    graph : DGLGraph
    prepared : float32 (n, C)
        What the first convolution needs.
    same : float32 (E,)
        1 where the two ends are of one class.
    density : float32 (n,)
        Density that follows from `same`.
    denser : bool (E,)
        Whether neighbour j is denser than node i: the edges whose linkage is learnt.
    """

    graph: DGLGraph
    prepared: Tensor
    same: Tensor
    density: Tensor
    denser: Tensor

    def true_roots(self) -> NDArray[np.int64]:
        """Join each node with its nearest denser neighbour, as the official code does.

        Labels enter through the density alone, so a super-node may be of several classes; its
        peak's class is its truth.
        """
        j, i = (end.numpy() for end in edge_ends(self.graph))
        return decode(i, j, self.graph.edata["cosine"].numpy(), self.density.numpy(), 0.0)

    def edge_weights(self, *, balanced: bool) -> Tensor:
        """Return what each edge counts in the linkage loss, (E,); the sum is 1 or 0."""
        counted = self.denser.to(torch.float32)
        if not balanced:
            return counted / counted.sum().clamp_min(1.0)
        linked, apart = counted * self.same, counted * (1.0 - self.same)
        if not linked.any() or not apart.any():
            return torch.zeros_like(counted)
        return (linked / linked.sum() + apart / apart.sum()) / 2.0


def read_truth(graph: DGLGraph, prepared: Tensor, classes: NDArray[np.int64]) -> TrainingLevel:
    """Compare the classes (n,) of the two ends of every edge."""
    j, i = edge_ends(graph)
    numbers = torch.from_numpy(classes)
    same = (numbers[j] == numbers[i]).to(torch.float32)
    dense = density(graph, same)
    return TrainingLevel(graph, prepared, same, dense, dense[j] > dense[i])


def joint_loss(logits: Tensor, level: TrainingLevel, edges: Tensor, *, focusing: float) -> Tensor:
    """Linkage loss, by weight of the edges (E,), plus the mean squared error of density."""
    errors = F.binary_cross_entropy_with_logits(logits, level.same, reduction="none")
    linkage = torch.sigmoid(logits)
    if focusing:
        errors = errors * (linkage - level.same).abs() ** focusing
    return (edges * errors).sum() + F.mse_loss(density(level.graph, linkage), level.density)
