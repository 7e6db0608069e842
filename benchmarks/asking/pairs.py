"""Pairs of images, with what follows from the answers not asked again.

Who says that a and b show one product, and b and c, has said that a and c do (Wang et al.,
Leveraging Transitive Relations for Crowdsourced Joins, SIGMOD 2013); who says that a and b do not,
and b and c do, has said that a and c do not (negative transitivity). Vesdapunt et al.,
Crowdsourcing Algorithms for Entity Resolution, PVLDB 2014, ask image by image rather than pair by
pair: each against the groups that there are, the likeliest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking.one_by_one import VOTES
from benchmarks.asking.people import People
from benchmarks.asking.worlds import World

Labels = NDArray[np.int64]


class Groups:
    """Images that were said to show one product, and groups that were said to differ."""

    def __init__(self, n: int) -> None:
        self.of = np.arange(n)
        self.members = [[i] for i in range(n)]
        self.apart: list[set[int]] = [set() for _ in range(n)]

    def join(self, first: int, second: int) -> None:
        """The groups of two images become one, which differs from what either differed from."""
        kept, gone = int(self.of[first]), int(self.of[second])
        if len(self.members[kept]) < len(self.members[gone]):
            kept, gone = gone, kept
        self.of[self.members[gone]] = kept
        self.members[kept] += self.members[gone]
        for other in self.apart[gone] - {kept}:
            self.apart[other].discard(gone)
            self.apart[other].add(kept)
        self.apart[kept] = (self.apart[kept] | self.apart[gone]) - {kept, gone}
        self.members[gone], self.apart[gone] = [], set()

    def part(self, first: int, second: int) -> None:
        """The groups of two images differ."""
        a, b = int(self.of[first]), int(self.of[second])
        self.apart[a].add(b)
        self.apart[b].add(a)

    def labels(self) -> Labels:
        """The group of each image, -1 for an image alone."""
        sizes = np.bincount(self.of, minlength=len(self.of))
        return np.where(sizes[self.of] > 1, self.of, -1)


@dataclass(frozen=True)
class PairsInOrder:
    """All pairs, the most alike first, but for those whose answer follows."""

    negative: bool
    agreeing: int = 1

    @property
    def name(self) -> str:
        extent = "and negative transitivity" if self.negative else "and transitivity"
        return f"pairs by similarity {extent} (Wang 2013)"

    def settings(self) -> Sequence[PairsInOrder]:
        return [replace(self, agreeing=votes) for votes in VOTES]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        i, j = np.triu_indices(len(world), 1)
        order = np.argsort(-world.cosines[i, j], kind="stable")
        groups = Groups(len(world))
        for first, second in zip(i[order].tolist(), j[order].tolist(), strict=True):
            a, b = int(groups.of[first]), int(groups.of[second])
            if a == b or (self.negative and b in groups.apart[a]):
                continue
            if people.same(first, second, self.agreeing):
                groups.join(first, second)
            elif self.negative:
                groups.part(first, second)
            yield groups.labels()


@dataclass(frozen=True)
class ImageAgainstGroups:
    """Each image against the groups, the most alike first; the largest expected groups begin."""

    agreeing: int = 1
    name: str = "images against groups (Vesdapunt 2014)"

    def settings(self) -> Sequence[ImageAgainstGroups]:
        return [replace(self, agreeing=votes) for votes in VOTES]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        labels = np.full(len(world), -1)
        groups: list[list[int]] = []
        likely = 1 / (1 + np.exp(-world.evidence))
        for image in np.argsort(-likely.sum(axis=1), kind="stable").tolist():
            closeness = [float(likely[image, group].mean()) for group in groups]
            for group in np.argsort(-np.array(closeness), kind="stable").tolist():
                nearest = max(groups[group], key=lambda other: world.cosines[image, other])
                is_same = people.same(image, nearest, self.agreeing)
                yield labels
                if is_same:
                    break
            else:
                group = len(groups)
                groups.append([])
            groups[group].append(image)
            labels[image] = group
            yield labels
