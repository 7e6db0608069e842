"""Verify every cluster of a clustering, name what is left, and plan nothing.

The largest clusters come first, on sheets of even size. What a sheet shows for the most part is
kept and one of its pictures picked from the list of products, as in image by image; what was
ticked, what lay on a mixed sheet and what was alone is picked image by image. How finely images are
clustered, and how many people see a sheet and a name, is chosen on training products, by cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from annotation.questions import verify_questions
from benchmarks.asking.one_by_one import VOTES
from benchmarks.asking.people import People, name_of
from benchmarks.asking.worlds import World

Labels = NDArray[np.int64]

SHEET = 60
DISTANCES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
TAUS = (0.2, 0.4, 0.6, 0.8, 0.9)
VOTES_ON_SHEET = (1, 2)


@dataclass(frozen=True)
class EveryCluster:
    """Verify every cluster of `clusters(world, fineness)`, then name every piece."""

    name: str
    clusters: Callable[[World, float], Labels]
    finenesses: tuple[float, ...]
    fineness: float = 0.0
    agreeing_on_sheet: int = 1
    agreeing_on_name: int = 1

    def settings(self) -> Sequence[EveryCluster]:
        return [
            replace(self, fineness=fineness, agreeing_on_sheet=sheet, agreeing_on_name=name)
            for fineness, sheet, name in product(self.finenesses, VOTES_ON_SHEET, VOTES)
        ]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        found = self.clusters(world, self.fineness)
        labels = np.full(len(world), -1)
        left: list[int] = []
        sizes = np.bincount(found)
        for cluster in np.argsort(-sizes, kind="stable").tolist():
            members = np.flatnonzero(found == cluster)
            if len(members) < 2:
                left += members.tolist()
                continue
            for sheet in np.array_split(members, -(-len(members) // SHEET)):
                kept = self._kept(sheet.tolist(), people)
                left += [image for image in sheet.tolist() if image not in set(kept)]
                if kept:
                    labels[kept] = people.pick(kept[len(kept) // 2], self.agreeing_on_name)
                    yield labels
        for image in left:
            labels[image] = people.pick(image, self.agreeing_on_name)
            yield labels

    def _kept(self, images: list[int], people: People) -> list[int]:
        [sheet] = verify_questions(
            [name_of(image) for image in images], locale="", cluster_id=None, per_sheet=SHEET
        )
        return people.keep(sheet, self.agreeing_on_sheet) or []


def average_linkage(world: World, distance: float) -> Labels:
    """Average-linkage clustering, cut at a cosine distance."""
    found: Labels = fcluster(_dendrogram(world), distance, "distance").astype(np.int64) - 1
    return found


@lru_cache(maxsize=2)
def _dendrogram(world: World) -> NDArray[np.float64]:
    distances = 1 - world.cosines.astype(np.float64)
    np.fill_diagonal(distances, 0)
    condensed = squareform(np.maximum(distances, 0), checks=False)
    return linkage(condensed, "average")


@lru_cache(maxsize=2 * len(TAUS))
def hi_lander(world: World, tau: float) -> Labels:
    """Hi-LANDER's clusters of links of at least this probability."""
    return copy(world.known.lander).set_params(tau=tau).predict(world.features)


EVERY_HAC_CLUSTER = EveryCluster("every cluster of average linkage", average_linkage, DISTANCES)
EVERY_LANDER_CLUSTER = EveryCluster("every cluster of Hi-LANDER", hi_lander, TAUS)
