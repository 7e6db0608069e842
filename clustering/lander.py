"""Hi-LANDER as an estimator: learn from labelled classes how images cluster, cluster others."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from dgl import DGLGraph
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from clustering.calibration import fit_logistic, logistic
from clustering.confidence import belongs, signs_of_belonging
from clustering.evidence import SuperNodes
from clustering.graph import edge_ends
from clustering.hierarchy import Base, Hierarchy, grow, read_base
from clustering.metrics import Agreement
from clustering.network import LinkageNetwork, density
from clustering.storage import load_model, save_model
from clustering.training import TrainingGraph, train, training_graphs
from clustering.validation import check_features, check_groups, check_labels

TAUS = np.round(np.arange(0.1, 0.95, 0.1), 2)

COINCIDENT = 1.0 - 1e-6
"""Cosine from which two nodes are the same point, and so belong together."""


class HiLander(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Hierarchical graph clustering, trained on some classes and used on others.

    Xing et al., *Learning Hierarchical Graph Neural Networks for Image Clustering*, ICCV 2021.

    Parameters
    ----------
    n_neighbors : int, default=10
        Neighbours k that every node is linked to. Fewer images than that are no error.
    tau : float or None, default=None
        Least probability of an edge that joins two nodes. None lets `predict` choose it,
        and the level to stop at, by the F-score that its own probabilities promise; that needs no
        label. A given one is followed until no edge is added.
    precision_weight : float, default=1.0
        How much more precision counts than recall where `predict` chooses: above 1, clusters are
        purer and more of them.
    n_levels : int, default=4
        Levels of the training hierarchy; there are no such limits in `predict`.
    hidden : int, default=32
        Width of the network.
    epochs : int, default=40
        Passes over the training graphs.
    learning_rate : float, default=0.003
    held_out : float, default=0.3
        Share of the classes that calibrate the probabilities instead of training the network.
    seed : int, default=0
        Fixes the held-out classes and initial weights.

    Attributes
    ----------
    losses_ : list of float
        Training loss of each epoch.
    tau_ : float
        Threshold of the last `predict`.
    labels_ : int64 (N,)
        Cluster 0..C-1 of each image of the last `predict`.
    membership_ : float64 (N,)
        Probability that the image is of the class that most of its cluster is of.
    purity_ : float64 (C,)
        Expected share of the cluster that is of one class: the mean of its memberships.
    peaks_ : int64 (C,)
        The densest image of each cluster, which stands for it.
    levels_ : tuple of Level
        Clusters, nodes and edges of each level.

    Examples
    --------
    >>> lander = HiLander().fit(features, labels)  # doctest: +SKIP
    >>> clusters = lander.predict(other_features)  # doctest: +SKIP
    >>> doubtful = lander.purity_ < 0.8  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "tau": [Interval(Real, 0, 1, closed="both"), None],
        "precision_weight": [Interval(Real, 0, None, closed="neither")],
        "n_levels": [Interval(Integral, 1, None, closed="left")],
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "held_out": [Interval(Real, 0, 1, closed="neither")],
        "seed": [Interval(Integral, 0, 2**63 - 1, closed="both")],
    }

    def __init__(
        self,
        n_neighbors: int = 10,
        *,
        tau: float | None = None,
        precision_weight: float = 1.0,
        n_levels: int = 4,
        hidden: int = 32,
        epochs: int = 40,
        learning_rate: float = 0.003,
        held_out: float = 0.3,
        seed: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.tau = tau
        self.precision_weight = precision_weight
        self.n_levels = n_levels
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.held_out = held_out
        self.seed = seed

    def fit(self, features: ArrayLike, labels: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn from labelled images how images of one class hang together.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings; brought to length one here.
        labels : array-like of int (N,)
            Class of each image; at least two classes.
        groups : array-like of int (N,), optional
            Rows of different groups were embedded by different encoders and are never linked; see
            `cross_fit`.

        Raises
        ------
        ValueError
            If features are not finite, lengths differ or there is only one class.
        """
        self._validate_params()
        units = check_features(features)
        classes = check_labels(labels, len(units), of="features")
        nodes = SuperNodes.of_images(units, check_groups(groups, len(units)))
        self.n_features_in_ = units.shape[1]

        graphs = training_graphs(nodes, classes, self.n_neighbors, self.n_levels)
        held_out = self._hold_out(int(classes.max()) + 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network_ = LinkageNetwork(self.hidden)
            self.losses_ = train(
                self.network_,
                graphs,
                held_out,
                epochs=self.epochs,
                learning_rate=self.learning_rate,
            )
        self.scaling_ = self._calibrate(graphs, held_out)
        base = read_base(nodes, self.n_neighbors, self._link)
        self.belonging_ = self._learn_belonging(base, classes)
        return self

    def _hold_out(self, n_classes: int) -> torch.Tensor:
        """Choose classes that calibrate instead of train; one class at least does each."""
        count = min(max(1, round(self.held_out * n_classes)), n_classes - 1)
        order = np.random.default_rng(self.seed).permutation(n_classes)
        return torch.from_numpy(order[:count])

    @torch.no_grad()
    def _calibrate(
        self, graphs: list[TrainingGraph], held_out: torch.Tensor
    ) -> NDArray[np.float64]:
        """Platt-scale the logits on edges of classes that did not train the network."""
        logits, outcomes = [], []
        for level in graphs:
            if level.full_width:
                _, i = edge_ends(level.graph)
                counted = level.denser & torch.isin(level.classes[i], held_out)
                logits.append(self.network_(level.graph)[counted])
                outcomes.append(level.same[counted] > 0)
        scores = torch.cat(logits)[:, None].to(torch.float64).numpy()
        return fit_logistic(scores, torch.cat(outcomes).numpy())

    @torch.no_grad()
    def _link(self, graph: DGLGraph) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits = self.network_(graph)[:, None].to(torch.float64).numpy()
        linkage = logistic(logits, self.scaling_).astype(np.float32)
        linkage[graph.edata["cosine"].numpy() >= COINCIDENT] = 1.0
        return linkage, density(graph, torch.from_numpy(linkage)).numpy()

    def _learn_belonging(self, base: Base, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weigh the signs of belonging on clusters of every threshold and level, good and bad."""
        signs, outcomes = [], []
        for tau in TAUS:
            for hierarchy in grow(base, self.n_neighbors, self._link, tau):
                shared = hierarchy.clusters.sizes[hierarchy.labels] > 1
                signs.append(signs_of_belonging(base, hierarchy)[shared])
                outcomes.append(belongs(hierarchy.labels, labels)[shared])
        return fit_logistic(np.concatenate(signs), np.concatenate(outcomes))

    def _membership(self, base: Base, hierarchy: Hierarchy) -> NDArray[np.float64]:
        likely = logistic(signs_of_belonging(base, hierarchy), self.belonging_)
        return np.where(hierarchy.clusters.sizes[hierarchy.labels] > 1, likely, 1.0)

    def _expected_f(self, base: Base, hierarchy: Hierarchy) -> float:
        """Return the F-score that the probabilities promise, no label being known.

        Precision is the mean membership, recall the share of the links expected between images
        of one class that lie within clusters.
        """
        inside = hierarchy.labels[base.i] == hierarchy.labels[base.j]
        recall = base.linkage[inside].sum() / max(float(base.linkage.sum()), 1e-9)
        precision = self._membership(base, hierarchy).sum() / max(len(hierarchy.labels), 1)
        return Agreement(float(precision), float(recall)).weighted_f(1.0 / self.precision_weight)

    def _best(self, base: Base) -> tuple[float, Hierarchy]:
        """Return the threshold and the levels with the best expected F.

        A given threshold is kept, with all levels.
        """
        if self.tau is not None:
            *_, whole = grow(base, self.n_neighbors, self._link, self.tau)
            return float(self.tau), whole
        candidates = [
            (float(tau), hierarchy)
            for tau in TAUS
            for hierarchy in grow(base, self.n_neighbors, self._link, tau)
        ]
        return max(candidates, key=lambda found: self._expected_f(base, found[1]))

    def predict(self, features: ArrayLike) -> NDArray[np.int64]:
        """Cluster images of any classes, all at once.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings of one encoder; may be empty.

        Returns
        -------
        ndarray of int64 (N,)
            Cluster of each image, 0..C-1. `purity_`, `membership_`, `peaks_` and `levels_` then
            describe these clusters.
        """
        check_is_fitted(self, "network_")
        units = check_features(features, dim=self.n_features_in_)
        nodes = SuperNodes.of_images(units, np.zeros(len(units), dtype=np.int64))
        base = read_base(nodes, self.n_neighbors, self._link)
        self.tau_, hierarchy = self._best(base)
        self.labels_, self.levels_ = hierarchy.labels, hierarchy.levels
        self.peaks_ = hierarchy.clusters.peaks
        self.membership_ = self._membership(base, hierarchy)
        totals = np.bincount(self.labels_, weights=self.membership_)
        self.purity_ = totals / hierarchy.clusters.sizes
        return self.labels_

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write the fitted model to a directory (safetensors and JSON)."""
        check_is_fitted(self, "network_")
        save_model(
            directory,
            kind=type(self).__name__,
            params=self.get_params(),
            state={
                "n_features_in": self.n_features_in_,
                "losses": self.losses_,
                "scaling": self.scaling_.tolist(),
                "belonging": self.belonging_.tolist(),
            },
            tensors=self.network_.state_dict(),
        )

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Self:
        """Read a model that `save` wrote."""
        params, state, tensors = load_model(directory, kind=cls.__name__)
        lander = cls(**params)
        lander.n_features_in_ = state["n_features_in"]
        lander.losses_ = state["losses"]
        lander.scaling_ = np.array(state["scaling"])
        lander.belonging_ = np.array(state["belonging"])
        lander.network_ = LinkageNetwork(lander.hidden).eval()
        lander.network_.load_state_dict(tensors)
        return lander
