"""Methods that must be told how many clusters to find: k-means, Ward's linkage and FINCH.

Each is run twice. With the true number, which nobody has in practice; and with an estimate, the
number of images over the mean number of images in a training class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans

from benchmarks.peers.tuning import Features, Kind, Labels


@dataclass
class Counted:
    """`cluster` divides features into a number of clusters; here that number is estimated."""

    name: str
    cluster: Callable[[Features, int], Labels]
    kind: Kind = field(default="unsupervised", init=False)

    def fit(self, features: Features, labels: Labels, groups: Labels | None = None) -> Self:
        self.images_per_class_ = len(labels) / len(np.unique(labels))
        return self

    def predict(self, features: Features, n_classes: int | None = None) -> Labels:
        estimate = round(len(features) / self.images_per_class_)
        return self.cluster(features, min(max(estimate, 1), len(features)))


@dataclass
class TrulyCounted:
    """`cluster` divides features into as many clusters as there are classes."""

    name: str
    cluster: Callable[[Features, int], Labels]
    kind: Kind = field(default="unsupervised", init=False)

    def fit(self, features: Features, labels: Labels, groups: Labels | None = None) -> Self:
        return self

    def predict(self, features: Features, n_classes: int | None = None) -> Labels:
        if n_classes is None:
            raise ValueError(f"{self.name} needs n_classes, the true number of classes.")
        return self.cluster(features, n_classes)


def k_means(features: Features, n_clusters: int) -> Labels:
    """Best of ten starts; on unit rows, Euclidean distance orders pairs as cosine does."""
    model = KMeans(n_clusters, n_init=10, random_state=0)
    return np.asarray(model.fit_predict(features), dtype=np.int64)


def ward(features: Features, n_clusters: int) -> Labels:
    """Joins the two clusters whose union adds least to the variance within (Ward, 1963)."""
    found = AgglomerativeClustering(n_clusters).fit_predict(features)
    return np.asarray(found, dtype=np.int64)
