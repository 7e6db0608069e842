"""What a way of asking makes of a world, second by second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking.people import People
from benchmarks.asking.times import Times
from benchmarks.asking.worlds import World

Labels = NDArray[np.int64]

PRECISION, RECALL = 0.99, 0.95
"""The target: of pairs of images, as in the issue of a training set of stated quality."""

LONGEST = 60.0
"""Seconds per image after which a way of asking is stopped."""

STEP = 1.02
"""The next point is measured when so many times the seconds have passed."""
TRIALS = (101, 102, 103, 104, 105)
"""Seeds of the people by whom a setting is chosen."""


class Method(Protocol):
    """One way of asking.

    `ask` asks people and yields, after every question or few of them, the product of each image of
    the world as far as it is known, -1 where it is not. `settings` are ways to go about it, each a
    method itself; the cheapest on training products is used.
    """

    @property
    def name(self) -> str: ...

    def settings(self) -> Sequence[Method]: ...

    def ask(self, world: World, people: People) -> Iterator[Labels]: ...


@dataclass(frozen=True)
class Point:
    """How good the partition is after some seconds; an image not decided is a product of its own.

    `seconds` are per image of the world, `verified` is the share of images with a product.
    """

    seconds: float
    questions: int
    precision: float
    recall: float
    bcubed_precision: float
    bcubed_recall: float
    verified: float

    @property
    def good(self) -> bool:
        """Whether the target is reached."""
        return self.precision >= PRECISION and self.recall >= RECALL


@dataclass(frozen=True)
class Curve:
    """All points of one way of asking in one world."""

    method: str
    n_images: int
    points: tuple[Point, ...]

    @property
    def reached(self) -> Point | None:
        """The first point at which the target is reached, None if none is."""
        return next((point for point in self.points if point.good), None)

    @property
    def best(self) -> Point:
        """Where the target is reached, or else where least is missing."""
        return self.reached or min(self.points, key=_missing)


def draw_curve(method: Method, world: World, people: People) -> Curve:
    """Ask until the target is reached, everything is asked or people have had enough."""
    points = [measure(np.full(len(world), -1), world.truth, people)]
    for labels in method.ask(world, people):
        spent = people.seconds / len(world)
        if spent >= max(points[-1].seconds * STEP, points[-1].seconds + 0.01):
            points.append(measure(labels, world.truth, people))
            if points[-1].good or spent > LONGEST:
                break
    else:
        if people.questions:
            points.append(measure(labels, world.truth, people))
    return Curve(method.name, len(world), tuple(points))


def measure(labels: Labels, truth: Labels, people: People) -> Point:
    """Compare a partition with the truth; -1 is an image on its own.

    As `clustering.pairwise` and `clustering.bcubed`, but fast enough for every step of every curve:
    `truth` must be 0..K-1.
    """
    decided = labels >= 0
    _, found = np.unique(labels[decided], return_inverse=True)
    n_found = int(found.max(initial=-1)) + 1
    sizes = np.bincount(truth)
    cells = np.bincount(truth[decided] * n_found + found, minlength=len(sizes) * n_found)
    shared = cells.reshape(len(sizes), n_found).astype(np.float64)
    groups = shared.sum(axis=0)
    alone = np.bincount(truth[~decided], minlength=len(sizes))
    right = _pairs(shared)
    return Point(
        people.seconds / len(truth),
        people.questions,
        right / max(_pairs(groups), 1.0) if _pairs(groups) else 1.0,
        right / max(_pairs(sizes), 1.0),
        float(((shared**2 / groups).sum() + alone.sum()) / len(truth)),
        float((((shared**2).sum(axis=1) + alone) / sizes).sum() / len(truth)),
        float(decided.mean()),
    )


def _pairs(sizes: NDArray[np.int64] | NDArray[np.float64]) -> float:
    return float((sizes * (sizes - 1)).sum() / 2)


def cheapest(method: Method, world: World, error: float, times: Times) -> Method:
    """The setting that costs least, by `world`, whose products are not those of any figure.

    That is the one that reaches the target whoever answers, in the fewest seconds; or else the one
    that comes nearest to it.
    """

    settings = method.settings()
    chosen, least = settings[0], (math.inf, math.inf)
    for setting in settings if len(settings) > 1 else ():
        missing = seconds = 0.0
        for seed in TRIALS:
            best = draw_curve(setting, world, People(world.truth, error, times, seed)).best
            missing = max(missing, _missing(best))
            seconds += best.seconds / len(TRIALS)
            if (missing, seconds) >= least:
                break
        else:
            chosen, least = setting, (missing, seconds)
    return chosen


def _missing(point: Point) -> float:
    return max(PRECISION - point.precision, 0.0) + max(RECALL - point.recall, 0.0)
