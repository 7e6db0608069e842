"""The nodes of one level of the published hierarchy; at the first, every image is a node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Float = NDArray[np.float32]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """What one level of the hierarchy did.

    Attributes
    ----------
    labels : int64 (N,)
        Cluster of every image after this level.
    n_nodes : int
        Super-nodes before it.
    n_edges : int
        Edges it kept, each of which joined two of them.
    """

    labels: Int
    n_nodes: int
    n_edges: int


@dataclass(frozen=True)
class SuperNodes:
    """Sets of images.

    Attributes
    ----------
    peaks : int64 (n,)
        The image that stands for the node.
    peak_features : float32 (n, D)
        Its feature, of length one.
    means : float32 (n, D)
        Mean feature of the members, *not* of length one.
    sizes : int64 (n,)
        How many images it holds.
    """

    peaks: Int
    peak_features: Float
    means: Float
    sizes: Int

    @classmethod
    def of_images(cls, features: Float) -> SuperNodes:
        """Make one node of each image."""
        n = len(features)
        return cls(np.arange(n), features, features, np.ones(n, dtype=np.int64))

    def merge(self, roots: Int) -> tuple[SuperNodes, Int]:
        """Join the nodes that have the same root; also return the new node of each old one."""
        peaks, parts = np.unique(roots, return_inverse=True)
        sizes = np.bincount(parts, weights=self.sizes, minlength=len(peaks)).astype(np.int64)
        members = csr_matrix(
            (self.sizes.astype(np.float32), (parts, np.arange(len(parts)))),
            (len(peaks), len(parts)),
        )
        means = ((members @ self.means) / sizes[:, None]).astype(np.float32)
        return SuperNodes(self.peaks[peaks], self.peak_features[peaks], means, sizes), parts
