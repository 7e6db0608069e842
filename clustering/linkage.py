"""Linkage: the probability that a node and each of its nearest neighbours are of one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from tqdm import tqdm

from clustering.metrics import Agreement
from clustering.neighbours import Neighbours
from clustering.network import LinkageNetwork
from clustering.overlap import by_locality, overlap_evidence

BLOCK = 16_384
"""Nodes whose evidence is gathered at a time."""

LINKS = 8192
"""Links that the network reads at a time, so that they stay in the cache."""

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


@torch.inference_mode()
def link(
    network: LinkageNetwork,
    neighbours: Neighbours,
    device: torch.device,
    *,
    verbose: bool = False,
) -> Linkage:
    """Predict the linkage of every node to its neighbours, block by block.

    Neighbours on the other side of the origin (cosine not above 0) are no neighbours.
    """
    n, k = neighbours.indices.shape
    network.to(device)
    probability = np.zeros((n, k), dtype=np.float32)
    order = by_locality(neighbours.indices)
    blocks = range(0, n if k else 0, BLOCK)
    for start in tqdm(blocks, "linkage", disable=not verbose, unit="block"):
        rows = order[start : start + BLOCK]
        evidence = torch.from_numpy(overlap_evidence(neighbours.indices, rows))
        logits = [network(part.to(device)) for part in torch.split(evidence.flatten(0, 1), LINKS)]
        found = torch.sigmoid(torch.cat(logits)).view(len(rows), k)
        probability[rows] = found.cpu().numpy()
    probability[neighbours.cosines >= COINCIDENT] = 1.0
    nearest = neighbours.indices.astype(np.int32, copy=False)
    present = (nearest >= 0) & (neighbours.cosines > 0)
    return Linkage(np.where(present, nearest, -1), np.where(present, probability, np.float32(0)))
