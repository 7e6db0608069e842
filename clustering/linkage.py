"""Linkage: the probability that a node and each of its nearest neighbours are of one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch.nn import functional as F

from clustering.blocks import side_by_side
from clustering.metrics import Agreement
from clustering.neighbours import Neighbours
from clustering.network import LinkageNetwork
from clustering.overlap import by_locality, overlap_evidence

NODES = 8192
"""Nodes whose evidence is gathered at a time."""

LINKS = 8192
"""Links that the network reads at a time, so that they stay in the cache; never fewer, so that a
link's probability has the same bits whatever else is read with it."""

COINCIDENT = 1.0 - 1e-6
"""Cosine from which two images are the same point, and so belong together."""

Float = NDArray[np.float32]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Linkage:
    """Linkage probabilities r_ij of n nodes to their k nearest.

    Attributes
    ----------
    neighbours : int (n, k)
    probability : float32 (n, k)
        0 where there is no neighbour.
    """

    neighbours: NDArray[np.int32]
    probability: Float

    def edges(self) -> tuple[Int, Int, Float]:
        """Return node i, neighbour j and probability of every link, each (E,)."""
        i, place = np.nonzero(self.neighbours >= 0)
        return i, self.neighbours[i, place].astype(np.int64), self.probability[i, place]

    def links(self, tau: float) -> csr_matrix:
        """Return the symmetric matrix (n, n) of r_ij + r_ji, each where it is at least tau."""
        n = len(self.neighbours)
        kept = (self.neighbours >= 0) & (self.probability >= max(tau, 1e-6))
        offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        found = csr_matrix((self.probability[kept], self.neighbours[kept], offsets), (n, n))
        return (found + found.T).tocsr()

    def around(self, nodes: Int) -> Linkage:
        """Return the linkage among some nodes and their neighbours, numbered anew."""
        rows = np.unique(np.append(self.neighbours[nodes], nodes))
        rows = rows[rows >= 0]
        number = np.full(len(self.neighbours) + 1, -1, dtype=np.int32)
        number[rows] = np.arange(len(rows))
        neighbours = number[self.neighbours[rows]]
        probability = np.where(neighbours >= 0, self.probability[rows], np.float32(0))
        return Linkage(neighbours, probability)

    def within(self, labels: Int) -> NDArray[np.bool_]:
        """Whether both ends of each link are in one cluster of labels (n,), bool (n, k)."""
        mates: NDArray[np.bool_] = labels[self.neighbours] == labels[:, None]
        return mates & (self.neighbours >= 0)

    def expected_f(self, labels: Int) -> float:
        """Return the F-score over links that the probabilities promise for clusters (n,).

        Precision is the mean probability of the links within clusters, recall the share of all
        probability that they hold. No label is needed.
        """
        inside = self.within(labels)
        kept = float(self.probability[inside].sum(dtype=np.float64))
        total = float(self.probability.sum(dtype=np.float64))
        return Agreement(kept / max(int(inside.sum()), 1), kept / max(total, 1e-9)).f

    def density(self) -> Float:
        """Return the expected number of images of each node's class that it is linked with, (n,).

        Links count from both ends: an image that many others are near to is denser than one that
        is near to many others.
        """
        n = len(self.neighbours)
        ends = np.where(self.neighbours >= 0, self.neighbours, 0).ravel()
        incoming = np.bincount(ends, self.probability.ravel(), n)
        dense: Float = (incoming + self.probability.sum(axis=1)).astype(np.float32)
        return dense


def link(
    network: LinkageNetwork,
    neighbours: Neighbours,
    device: torch.device,
    *,
    verbose: bool = False,
) -> Linkage:
    """Predict the linkage of every node to its neighbours, block by block."""
    network.to(device)
    probability = np.zeros(neighbours.indices.shape, dtype=np.float32)
    order = by_locality(neighbours.indices)

    def score(block: int) -> None:
        rows = order[block * NODES : (block + 1) * NODES]
        probability[rows] = link_some(network, neighbours.indices, rows, device)

    n_parts = -(-len(order) // NODES) if neighbours.indices.shape[1] else 0
    side_by_side(score, range(n_parts), showing="linkage" if verbose else None)
    return settle_links(neighbours.indices, neighbours.cosines, probability)


@torch.inference_mode()
def link_some(
    network: LinkageNetwork,
    hoods: NDArray[np.integer[Any]],
    rows: Int,
    device: torch.device,
    *,
    n: int | None = None,
) -> Float:
    """Predict the linkage of some nodes to their neighbours, (R, k), as the network sees it.

    Parameters
    ----------
    network : LinkageNetwork
        On `device`.
    hoods, rows, n
        As `overlap_evidence` takes them.
    """
    evidence = torch.from_numpy(overlap_evidence(hoods, rows, n=n)).flatten(0, 1)
    found = torch.empty(len(evidence))
    for start in range(0, len(evidence), LINKS):
        part = evidence[start : start + LINKS]
        padded = F.pad(part, (0, 0, 0, LINKS - len(part)))
        found[start : start + LINKS] = torch.sigmoid(network(padded.to(device)))[: len(part)].cpu()
    return found.view(len(rows), hoods.shape[1]).numpy()


def settle_links(
    neighbours: NDArray[np.integer[Any]], cosines: Float, probability: Float
) -> Linkage:
    """Return the linkage that follows from what the network says, all (n, k).

    Images at the same point belong together, and neighbours on the other side of the origin (cosine
    not above 0) are no neighbours.
    """
    nearest = neighbours.astype(np.int32, copy=False)
    present = (nearest >= 0) & (cosines > 0)
    likely = np.where(cosines >= COINCIDENT, np.float32(1), probability)
    return Linkage(np.where(present, nearest, -1), np.where(present, likely, np.float32(0)))
