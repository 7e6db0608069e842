"""Active correlation clustering: the partition that agrees best with noisy answers to pairs.

`Jeig` asks where the joint expected information gain is largest (Aronsson and Haghir Chehreghani,
Information-Theoretic Active Correlation Clustering, arXiv 2402.03587), `Pivots` asks one image
against all others (García-Soriano, Kutzkov, Bonchi and Tsourakakis, Query-Efficient Correlation
Clustering, WWW 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, softmax

from benchmarks.asking.one_by_one import VOTES
from benchmarks.asking.people import People
from benchmarks.asking.worlds import World

Labels = NDArray[np.int64]
Float = NDArray[np.float32]

LARGEST = 250
"""Images that JEIG is given: its information gain takes every pair of them at every step."""

BATCH = 0.5
"""Pairs asked at a time, per image."""

SUBSETS, OUTCOMES = 3, 3
"""Sets of pairs that JEIG conditions on, and answers imagined of each."""

SHARE_OF_PAIRS = 0.02
SHARPNESS = 3.0
"""Inverse temperature of the mean field."""

PRIOR = 0.3
"""How much the evidence of the features weighs beside one answer, at most."""

MOST_ANSWERS = 3
"""How often a pair is asked, at most."""


@dataclass(frozen=True)
class Jeig:
    """The pairs whose answers are expected to be told most by those to other pairs.

    The posterior of partitions is a Gibbs distribution of the agreement with the weights S, in
    mean-field approximation q (N, K). The gain of a pair is H(E_ij) - E[H(E_ij | E_F)], where F is
    a random set of pairs, drawn where entropy is large, and its answers are imagined by q. S begins
    with what the features promise, and holds the mean of the answers where there are
    some. It takes whole products of the world with at most `LARGEST` images. Its constants were
    chosen by what it costs on the generated catalogue, which favours it.
    """

    name: str = "JEIG (arXiv 2402.03587)"

    def settings(self) -> Sequence[Jeig]:
        return [self]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        random = np.random.default_rng(world.seed)
        n = len(world)
        weights = PRIOR * np.tanh(world.evidence / 2)
        np.fill_diagonal(weights, 0)
        asked = np.zeros((n, n), dtype=np.int64)
        total = np.zeros((n, n), dtype=np.float32)
        i, j = np.triu_indices(n, 1)
        labels = np.arange(n)
        while True:
            labels = max(
                (local_search(weights, start, random) for start in (labels, np.arange(n))),
                key=lambda found: float(weights[found[:, None] == found].sum()),
            )
            yield labels
            field = mean_field(weights, np.eye(labels.max() + 1, dtype=np.float32)[labels])
            gain = joint_gain(weights, field, random)[i, j]
            gain[asked[i, j] >= MOST_ANSWERS] = -np.inf
            tied = random.random(len(gain))
            best = np.lexsort((tied, -gain))[: max(1, int(BATCH * n))]
            best = best[np.isfinite(gain[best])]
            if not len(best):
                return
            for a, b in zip(i[best].tolist(), j[best].tolist(), strict=True):
                said = 1.0 if people.same(a, b, 1) else -1.0
                for x, y in ((a, b), (b, a)):
                    asked[x, y] += 1
                    total[x, y] += said
                    weights[x, y] = total[x, y] / asked[x, y]


def mean_field(weights: Float, field: Float, *, steps: int = 15) -> Float:
    """The mean-field approximation (N, K) of the partition's posterior, from a first one."""
    for _ in range(steps):
        field = softmax(SHARPNESS * (weights @ field), axis=1).astype(np.float32)
    return field


def pair_entropy(field: Float) -> Float:
    """Entropy (N, N) of whether two images show one product."""
    same = np.clip(field @ field.T, 1e-7, 1 - 1e-7)
    return np.asarray(entr(same) + entr(1 - same), dtype=np.float32)


def joint_gain(weights: Float, field: Float, random: np.random.Generator) -> Float:
    """Joint expected information gain (N, N) of every pair."""
    n = len(weights)
    i, j = np.triu_indices(n, 1)
    entropy = pair_entropy(field)
    same = field @ field.T
    left = np.zeros((n, n), dtype=np.float32)
    for _ in range(SUBSETS):
        shaken = np.log(np.maximum(entropy[i, j], 1e-16)) + random.gumbel(size=len(i))
        size = max(1, int(SHARE_OF_PAIRS * len(i)))
        chosen = np.argpartition(-shaken, size - 1)[:size]
        a, b = i[chosen], j[chosen]
        for _ in range(OUTCOMES):
            imagined = weights.copy()
            said = np.where(random.random(size) < same[a, b], 1.0, -1.0).astype(np.float32)
            imagined[a, b] = imagined[b, a] = said
            left += pair_entropy(mean_field(imagined, field, steps=5))
    return np.asarray(entropy - left / (SUBSETS * OUTCOMES), dtype=np.float32)


def local_search(
    weights: Float, labels: Labels, random: np.random.Generator, *, sweeps: int = 10
) -> Labels:
    """A partition in which no image is better off in another group or alone.

    Returns
    -------
    int64 (N,)
        Groups 0..K-1.
    """
    _, labels = np.unique(labels, return_inverse=True)
    labels = labels.astype(np.int64)
    n = len(labels)
    for _ in range(sweeps):
        pull = np.zeros((n, n), dtype=np.float32)
        for group in range(labels.max() + 1):
            pull[:, group] = weights[:, labels == group].sum(axis=1)
        sizes = np.bincount(labels, minlength=n)
        moved = False
        for image in random.permutation(n).tolist():
            best = int(np.where(sizes > 0, pull[image], -np.inf).argmax())
            if pull[image, best] < 0:
                best = int(np.argmin(sizes)) if sizes[labels[image]] > 1 else int(labels[image])
            old = int(labels[image])
            if best == old or (sizes[best] and pull[image, best] <= pull[image, old]):
                continue
            pull[:, old] -= weights[:, image]
            pull[:, best] += weights[:, image]
            sizes[old] -= 1
            sizes[best] += 1
            labels[image] = best
            moved = True
        _, labels = np.unique(labels, return_inverse=True)
        if not moved:
            break
    return labels


@dataclass(frozen=True)
class Pivots:
    """A random image against all that are left; those that show the same leave with it."""

    agreeing: int = 1
    name: str = "pivots, QECC (García-Soriano 2020)"

    def settings(self) -> Sequence[Pivots]:
        return [replace(self, agreeing=votes) for votes in VOTES]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        labels = np.full(len(world), -1)
        left = np.random.default_rng(world.seed).permutation(len(world)).tolist()
        while left:
            pivot, *others = left
            labels[pivot] = pivot
            left = []
            for other in others:
                if people.same(pivot, other, self.agreeing):
                    labels[other] = pivot
                else:
                    left.append(other)
            yield labels
