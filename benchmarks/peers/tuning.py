"""What every peer is: something fitted on labelled training classes that clusters images of others.

A peer has settings (thresholds, neighbourhood sizes). The one whose partitions of training classes
agree best with their labels is kept: agreement is the mean of pairwise F and BCubed F.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from clustering import bcubed_f, pairwise_f

Features = NDArray[np.float32]
Labels = NDArray[np.int64]
Kind = Literal["unsupervised", "gnn"]
Setting = TypeVar("Setting")
Model = TypeVar("Model")


class Peer(Protocol):
    """One row of the benchmark.

    `fit` takes unit features float32 (N, D), the class of each (N,), and, where features come from
    several encoders, the encoder of each as `groups` (N,): rows of different groups are never
    compared. `predict` returns a cluster for each row, int64 (M,); `n_classes` is read only by
    peers whose name ends in "(true k)".
    """

    name: str
    kind: Kind

    def fit(self, features: Features, labels: Labels, groups: Labels | None = None) -> Self: ...

    def predict(self, features: Features, n_classes: int | None = None) -> Labels: ...


@dataclass
class Tuned(Generic[Setting]):
    """A method without a network: `fit` only chooses its setting.

    `sweep` yields one partition for each setting that it is given, in order, so that settings can
    share their work. With groups, a setting's agreement is its mean over the groups.
    """

    name: str
    settings: Sequence[Setting]
    sweep: Callable[[Features, Sequence[Setting]], Iterable[Labels]]
    kind: Kind = field(default="unsupervised", init=False)

    def fit(self, features: Features, labels: Labels, groups: Labels | None = None) -> Self:
        parts = [slice(None)] if groups is None else [groups == name for name in np.unique(groups)]
        scores = [
            agreements(labels[part], self.sweep(features[part], self.settings)) for part in parts
        ]
        self.setting_ = self.settings[int(np.mean(scores, axis=0).argmax())]
        return self

    def predict(self, features: Features, n_classes: int | None = None) -> Labels:
        [found] = self.sweep(features, [self.setting_])
        return found


@dataclass
class Trained(Generic[Model, Setting]):
    """A method with a network, whose setting is chosen on classes that did not train it.

    The training classes fall into parts: the groups, or two random halves. A network is trained
    without each part and every setting tried on that part; the best on average is kept for the
    network that is then trained on all classes. So a network that knows its training classes by
    heart does not choose its threshold by them.
    """

    name: str
    settings: Sequence[Setting]
    train: Callable[[Features, Labels, Labels], Model]
    sweep: Callable[[Model, Features, Sequence[Setting]], Iterable[Labels]]
    kind: Kind = field(default="gnn", init=False)

    def fit(self, features: Features, labels: Labels, groups: Labels | None = None) -> Self:
        encoders = np.zeros_like(labels) if groups is None else groups
        parts = encoders if len(np.unique(encoders)) > 1 else halves(labels)
        scores = []
        for part in np.unique(parts):
            rest, held = parts != part, parts == part
            model = self.train(features[rest], labels[rest], encoders[rest])
            found = self.sweep(model, features[held], self.settings)
            scores.append(agreements(labels[held], found))
        self.setting_ = self.settings[int(np.mean(scores, axis=0).argmax())]
        self.model_ = self.train(features, labels, encoders)
        return self

    def predict(self, features: Features, n_classes: int | None = None) -> Labels:
        [found] = self.sweep(self.model_, features, [self.setting_])
        return found


def agreements(truth: Labels, partitions: Iterable[Labels]) -> list[float]:
    """Return the mean of pairwise F and BCubed F of each partition."""
    return [(pairwise_f(truth, found) + bcubed_f(truth, found)) / 2 for found in partitions]


def halves(labels: Labels, seed: int = 0) -> Labels:
    """Return 0 or 1 for each image: the classes, in random order, dealt out in turn."""
    classes, of_image = np.unique(labels, return_inverse=True)
    side = np.empty(len(classes), dtype=np.int64)
    side[np.random.default_rng(seed).permutation(len(classes))] = np.arange(len(classes)) % 2
    return side[of_image]


def noise_alone(clusters: NDArray[Any]) -> Labels:
    """Give every image that a method calls noise (-1) a cluster of its own."""
    found = clusters.astype(np.int64)
    noise = found < 0
    found[noise] = found.max(initial=-1) + 1 + np.arange(noise.sum())
    return found
