"""Hi-LANDER as an estimator: learn from labelled classes how images cluster, cluster others."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from clustering.attachment import Attachment, learn_attachment, signs_of_attachment
from clustering.calibration import fit_logistic, logistic
from clustering.communities import find_communities
from clustering.confidence import belongs, signs_of_belonging
from clustering.constraints import check_apart, check_together
from clustering.linkage import Linkage, link
from clustering.neighbours import Neighbours, find_neighbours
from clustering.network import LinkageNetwork
from clustering.overlap import EVIDENCE, overlap_evidence
from clustering.storage import load_model, save_model
from clustering.training import imagine, same_class, thin, train
from clustering.validation import check_features, check_labels, check_products

N_THINNED = 4
"""Training graphs beside that of all images, in which classes are smaller."""

N_IMAGINED = 12
"""Small training graphs of imagined classes: all that teaches where there are few labels."""

TAUS = (0.2, 0.4, 0.6)
"""The thresholds from which `predict` chooses."""

CHOOSING = 10_000
"""Images on which it chooses; in a larger set, random ones and their neighbours."""

CONFIDENCE_TAUS = (0.3, 0.5, 0.7)
"""Memberships are learnt on clusters that are too large, right and too small."""


class HiLander(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Graph clustering, trained on some classes and used on others.

    After Xing et al., *Learning Hierarchical Graph Neural Networks for Image Clustering*, ICCV
    2021: a network that learnt on labelled classes predicts which neighbours belong together, and
    clusters follow from its probabilities. What differs, and why, is told in docs/clustering.md.

    Parameters
    ----------
    n_neighbors : int, default=30
        Neighbours k that every image is linked to. Fewer images than that are no error.
    tau : float or None, default=None
        Least probability of a link; more makes clusters purer and more of them. None lets
        `predict` choose it by the F-score that the probabilities promise, which needs no label.
    hidden : int, default=16
        Width of the network.
    epochs : int, default=30
        Passes over the training links.
    learning_rate : float, default=0.003
    seed : int, default=0
        Fixes initial weights and the order in which links and images are visited.
    verbose : bool, default=False
        Whether to show progress bars.

    Attributes
    ----------
    losses_ : list of float
        Training loss of each epoch.
    labels_ : int64 (N,)
        Cluster 0..C-1 of each image of the last `predict`.
    membership_ : float64 (N,)
        Probability that the image is of the class that most of its cluster is of.
    purity_ : float64 (C,)
        Expected share of the cluster that is of one class: the mean of its memberships.
    peaks_ : int64 (C,)
        The densest image of each cluster, which stands for it.
    tau_ : float
        Threshold of the last `predict`.
    linkage_ : Linkage
        Neighbours and probabilities that the clusters follow from.

    Examples
    --------
    >>> lander = HiLander().fit(features, labels)  # doctest: +SKIP
    >>> clusters = lander.predict(other_features)  # doctest: +SKIP
    >>> doubtful = lander.purity_ < 0.8  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, 10_000, closed="both")],
        "tau": [Interval(Real, 0, 1, closed="both"), None],
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "seed": [Interval(Integral, 0, 2**63 - 1, closed="both")],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        n_neighbors: int = 30,
        *,
        tau: float | None = None,
        hidden: int = 16,
        epochs: int = 30,
        learning_rate: float = 0.003,
        seed: int = 0,
        verbose: bool = False,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.tau = tau
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.seed = seed
        self.verbose = verbose

    def fit(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        on_epoch: Callable[[int, float], None] | None = None,
    ) -> Self:
        """Learn from labelled images how images of one class hang together.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings; brought to length one here. They should be as hard as those that will be
            clustered: of classes that the encoder never saw (`embed_unseen`).
        labels : array-like of int (N,)
            Class of each image; at least two classes.
        on_epoch : callable, optional
            Called after each epoch with its number (from 1) and its mean loss.

        Raises
        ------
        ValueError
            If features are not finite, lengths differ or there is only one class.
        """
        self._validate_params()
        units = check_features(features)
        classes = check_labels(labels, len(units), of="features")
        self.n_features_in_ = units.shape[1]
        random = np.random.default_rng(self.seed)
        thinned = [thin(classes, random) for _ in range(N_THINNED)]
        worlds = [
            (units, classes),
            *((units[rows], classes[rows]) for rows in thinned),
            *(imagine(random) for _ in range(N_IMAGINED)),
        ]
        truths = [truth for _, truth in worlds]
        graphs = [self._search(rows) for rows, _ in worlds]
        evidence = [overlap_evidence(graph.indices) for graph in graphs]
        same = [same_class(g.indices, truth) for g, truth in zip(graphs, truths, strict=True)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network_ = LinkageNetwork(self.hidden)
        self.losses_ = train(
            self.network_,
            torch.from_numpy(
                np.concatenate([part.reshape(-1, len(EVIDENCE)) for part in evidence])
            ),
            torch.from_numpy(np.concatenate([part.ravel() for part in same])),
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            generator=torch.Generator().manual_seed(self.seed),
            on_epoch=on_epoch,
            verbose=self.verbose,
        )
        linkages = [link(self.network_, graph, _device()) for graph in graphs]
        self.belonging_ = self._learn_belonging(linkages, truths)
        self.attaching_ = learn_attachment(linkages[0], classes, random)
        return self

    def _search(self, units: NDArray[np.float32]) -> Neighbours:
        return find_neighbours(units, self.n_neighbors, verbose=self.verbose)

    def _learn_belonging(
        self, linkages: list[Linkage], truths: list[NDArray[np.int64]]
    ) -> NDArray[np.float64]:
        signs, outcomes = [], []
        for linkage, classes in zip(linkages, truths, strict=True):
            for tau in CONFIDENCE_TAUS:
                labels = self._decode(linkage, tau)
                shared = np.bincount(labels)[labels] > 1
                signs.append(signs_of_belonging(linkage, labels)[shared])
                outcomes.append(belongs(labels, classes)[shared])
        return fit_logistic(np.concatenate(signs), np.concatenate(outcomes))

    def predict(
        self,
        features: ArrayLike,
        *,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
    ) -> NDArray[np.int64]:
        """Cluster images of any classes, all at once.

        Parameters
        ----------
        features : array-like of float (N, D)
            Embeddings of one encoder; may be empty, may be memory-mapped.
        must_link : array-like of int (N,), optional
            Known group of each image, negative where it is not known. Images of one group are one
            super-node and end in one cluster.
        cannot_link : array-like of int (M, 2), optional
            Pairs of rows that never end in one cluster.

        Returns
        -------
        ndarray of int64 (N,)
            Cluster of each image, 0..C-1. `purity_`, `membership_`, `peaks_` and `linkage_` then
            describe these clusters.

        Raises
        ------
        ValueError
            If features are not finite or not as wide as in `fit`, or the knowledge contradicts
            itself.
        """
        check_is_fitted(self, "network_")
        units = check_features(features, fitted=self)
        check_apart(cannot_link, check_together(must_link, len(units)))
        return self.partition(self._link(units), must_link=must_link, cannot_link=cannot_link)

    def partition(
        self,
        linkage: Linkage,
        *,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
    ) -> NDArray[np.int64]:
        """Cluster images whose linkage is known, as `predict` does when it has found it.

        Parameters
        ----------
        linkage : Linkage
            Of N images, by the network of this model.
        must_link, cannot_link
            As `predict` takes them.

        Returns
        -------
        ndarray of int64 (N,)
            Cluster of each image, 0..C-1.
        """
        together = check_together(must_link, len(linkage.neighbours))
        apart = check_apart(cannot_link, together)
        self.linkage_ = linkage
        self.tau_ = self._choose_tau(self.linkage_) if self.tau is None else self.tau
        self.labels_ = self._decode(self.linkage_, self.tau_, together=together, apart=apart)
        self.membership_ = self._membership(self.linkage_, self.labels_)
        sizes = np.bincount(self.labels_)
        self.purity_ = np.bincount(self.labels_, weights=self.membership_) / sizes
        densest_first = np.lexsort((-self.linkage_.density(), self.labels_))
        self.peaks_ = densest_first[np.cumsum(sizes) - sizes]
        return self.labels_

    def cut(
        self,
        tau: float,
        *,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Cluster the images of the last `predict` anew, at another threshold.

        Parameters
        ----------
        tau : float
            Least probability of a link.
        must_link, cannot_link
            As `predict` takes them.

        Returns
        -------
        labels : int64 (N,)
            Cluster of each image, 0..C-1.
        membership : float64 (N,)
            Probability that the image is of the class that most of its cluster is of.
        """
        check_is_fitted(self, "linkage_")
        together = check_together(must_link, len(self.linkage_.neighbours))
        apart = check_apart(cannot_link, together)
        labels = self._decode(self.linkage_, tau, together=together, apart=apart)
        return labels, self._membership(self.linkage_, labels)

    def _choose_tau(self, linkage: Linkage) -> float:
        if (n := len(linkage.neighbours)) > CHOOSING:
            random = np.random.default_rng(self.seed)
            linkage = linkage.around(random.choice(n, CHOOSING // self.n_neighbors, replace=False))
        return max(TAUS, key=lambda tau: linkage.expected_f(self._decode(linkage, tau)))

    def _decode(self, linkage: Linkage, tau: float, **known: Any) -> NDArray[np.int64]:
        return find_communities(linkage.links(tau), seed=self.seed, **known)

    def attach(self, features: ArrayLike, known: ArrayLike, products: ArrayLike) -> Attachment:
        """Find the known product that each new image belongs to, without clustering anew.

        Parameters
        ----------
        features : array-like of float (M, D)
            The new images.
        known : array-like of float (N, D)
            Verified images, of the same encoder.
        products : array-like of int (N,)
            Product of each of these, not negative.

        Returns
        -------
        Attachment
            One product and its probability for each new image.
        """
        check_is_fitted(self, "network_")
        old = check_features(known, fitted=self, name="known")
        names, numbers = check_products(products, len(old))
        units = np.concatenate([old, check_features(features, fitted=self)])
        unknown = np.full(len(units) - len(old), -1, dtype=np.int64)
        found = self._attachment(units, names, np.concatenate([numbers, unknown]))
        return Attachment(found.products[len(old) :], found.probability[len(old) :])

    def place(self, features: ArrayLike, products: ArrayLike) -> Attachment:
        """Find the product that each verified image would belong to were it not verified itself.

        Parameters
        ----------
        features : array-like of float (N, D)
            Verified images, of the same encoder.
        products : array-like of int (N,)
            Product of each of these, not negative.

        Returns
        -------
        Attachment
            One for each image: by its neighbours, the product that it most likely shows.
        """
        check_is_fitted(self, "network_")
        units = check_features(features, fitted=self)
        names, own = check_products(products, len(units))
        return self._attachment(units, names, own)

    def resemble(self, features: ArrayLike, products: ArrayLike) -> Attachment:
        """Find, for each known product, the other one that may be the same.

        Parameters
        ----------
        features : array-like of float (N, D)
            Verified images, of the same encoder.
        products : array-like of int (N,)
            Product of each of these, not negative.

        Returns
        -------
        Attachment
            One for each product, sorted: the product that most of its images would belong to were
            their own not known, and the mean probability that they do.
        """
        check_is_fitted(self, "network_")
        units = check_features(features, fitted=self)
        names, own = check_products(products, len(units))
        best, signs = signs_of_attachment(self._link(units), own, own)
        likely = np.where(best >= 0, logistic(signs, self.attaching_), 0.0)
        linked = best >= 0
        width = max(len(names), 1)
        mass = coo_matrix(
            (likely[linked], (own[linked], best[linked])), (len(names), width)
        ).tocsr()
        other = np.asarray(mass.argmax(axis=1)).ravel()
        largest = np.asarray(mass.max(axis=1).todense()).ravel()
        found = np.where(largest > 0, np.append(names, -1)[other], -1)
        return Attachment(found, largest / np.bincount(own, minlength=len(names)))

    def _attachment(
        self, units: NDArray[np.float32], names: NDArray[np.int64], known: NDArray[np.int64]
    ) -> Attachment:
        """Where each image belongs by its links to those whose place in `names` is `known`."""
        best, signs = signs_of_attachment(self._link(units), known)
        likely = np.where(best >= 0, logistic(signs, self.attaching_), 0.0)
        return Attachment(np.append(names, -1)[best], likely)

    def _link(self, units: NDArray[np.float32]) -> Linkage:
        graph = self._search(units)
        return link(self.network_, graph, _device(), verbose=self.verbose)

    def _membership(self, linkage: Linkage, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        likely = logistic(signs_of_belonging(linkage, labels), self.belonging_)
        return np.where(np.bincount(labels)[labels] > 1, likely, 1.0)

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
                "belonging": self.belonging_.tolist(),
                "attaching": self.attaching_.tolist(),
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
        lander.belonging_ = np.array(state["belonging"])
        lander.attaching_ = np.array(state["attaching"])
        lander.network_ = LinkageNetwork(lander.hidden).eval()
        lander.network_.load_state_dict(tensors)
        return lander


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
