"""Image by image: each is picked from a list, or its name is typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking.people import People
from benchmarks.asking.worlds import World

VOTES = (1, 2, 3)


@dataclass(frozen=True)
class OneByOne:
    """Name every image, in random order."""

    how: Literal["pick", "type"]
    agreeing: int = 1

    @property
    def name(self) -> str:
        return f"image by image, {self.how}"

    def settings(self) -> Sequence[OneByOne]:
        return [replace(self, agreeing=votes) for votes in VOTES]

    def ask(self, world: World, people: People) -> Iterator[NDArray[np.int64]]:
        say = people.pick if self.how == "pick" else people.type
        labels = np.full(len(world), -1)
        for image in np.random.default_rng(world.seed).permutation(len(world)).tolist():
            labels[image] = say(image, self.agreeing)
            yield labels
