"""All pairs of a locale's images, sorted by how doubtful they are, and drawn with known chances.

A partition joins some pairs, those of one piece (a product, or one undecided image), and leaves
the others apart. Both are sorted into strata by what the model makes of them, without ever listing
them: for n images there are n (n - 1) / 2.

* A joined pair is as sure as the less sure of its images, and an image as sure as its links into
  its own piece are on average (0 where it has none).
* A pair apart is as likely one product as the likelier of two links: the strongest between the
  first image and the piece of the second, and the other way round. Where a probable link leads from
  piece to piece, but none from either of these images, it is *beside* a link; any other is *far*.

Within a stratum every pair has the same chance and none is drawn twice, so that the number found is
hypergeometric: nothing is assumed of the model, which only says where to look. Neyman's allocation
(JRSS 97, 1934) of the draws to the strata needs the rates that it is to find; those of earlier
audits stand for them, as in Marchant and Rubinstein, *In Search of an Entity Resolution OASIS*
(VLDB 2017).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Pair = tuple[int, int]

FAR = "far"
REACH = 0.1
"""Pieces are within reach of each other when a link between them is as probable."""

SHARES = {"joined": 0.4, "apart": 0.5, "far": 0.1}
"""Of the draws: for precision, for recall, and to find what the model never saw."""

FEWEST = 5
"""Draws of a stratum, however little its rate seems to matter."""

RARE = 0.02
"""The least rate, and the least of the opposite, that draws are shared out by."""

FRESH = 10.0
"""As many audits as what is expected of a stratum before any is worth."""

# The upper ends of the strata, and the rate of one product that is expected before any audit.
JOINED = ((0.3, 0.8), (0.7, 0.95), (1.0, 0.99))
APART = ((0.0, 0.002), (0.1, 0.01), (0.4, 0.1), (0.7, 0.3), (1.0, 0.6))
EXPECTED_FAR = 1e-4


@dataclass(frozen=True)
class Stratum:
    """Pairs of which nothing is known that would tell one from another.

    `joined` is whether the partition joins them, `size` how many there are, `expected` the share
    that is expected to show one product before anybody is asked.
    """

    name: str
    joined: bool
    size: int
    expected: float


@dataclass(frozen=True)
class Drawn:
    """A pair of images, by their places, with the probability `chance` that it was drawn.

    `score` is what the model's links make of the pair.
    """

    first: int
    second: int
    stratum: str
    score: float
    chance: float


class _Source(Protocol):
    """Where the pairs of one stratum are taken from."""

    def take(self, n: int, chance: Random) -> list[tuple[Pair, float]]:
        """`n` different pairs at random, each with its score."""
        ...


@dataclass(frozen=True)
class Frame:
    """Every pair of a partition's images in one stratum; those without a pair are left out."""

    strata: tuple[Stratum, ...]
    _sources: Mapping[str, _Source]
    _apart: "_Apart"

    @classmethod
    def of(
        cls, pieces: ArrayLike, first: ArrayLike, second: ArrayLike, probability: ArrayLike
    ) -> "Frame":
        """Sort the pairs of n images.

        Parameters
        ----------
        pieces : int (n,)
            The piece of each image, by number.
        first, second : int (E,)
            Places of the ends of each link, such as those of an image and its nearest neighbours; a
            link may stand in both directions.
        probability : float (E,)
            That both ends show one product, in [0, 1].

        Raises
        ------
        ValueError
            If lengths differ, or a link has an end or a probability that cannot be.
        """
        numbers = np.unique(np.asarray(pieces, dtype=np.int64), return_inverse=True)[1]
        ends = np.asarray(first, np.int64), np.asarray(second, np.int64)
        said = np.asarray(probability, dtype=np.float64)
        _check(len(numbers), *ends, said)
        joined = _Joined.of(numbers, *ends, said)
        apart = _Apart.of(numbers, *ends, said)
        n = len(numbers)
        n_far = n * (n - 1) // 2 - sum(joined.sizes) - sum(apart.sizes)
        strata: list[Stratum] = []
        sources: dict[str, _Source] = {}
        for number, (size, (upper, rate)) in enumerate(zip(joined.sizes, JOINED, strict=True)):
            stratum = Stratum(f"joined, links up to {upper:g}", True, size, rate)
            strata.append(stratum)
            sources[stratum.name] = _Part(joined, number)
        for number, (size, (upper, rate)) in enumerate(zip(apart.sizes, APART, strict=True)):
            name = f"apart, links up to {upper:g}" if upper else "apart, beside a link"
            strata.append(Stratum(name, False, size, rate))
            sources[name] = _Part(apart, number)
        strata.append(Stratum(FAR, False, n_far, EXPECTED_FAR))
        sources[FAR] = _Far(apart, n_far)
        return cls(tuple(stratum for stratum in strata if stratum.size), sources, apart)

    @property
    def n_joined(self) -> int:
        return sum(stratum.size for stratum in self.strata if stratum.joined)

    def within_reach(self, first: int, second: int) -> bool:
        """Whether a link that counts leads from the piece of one image to that of the other."""
        row = self._apart.row_of(first, second)
        return row is not None and bool(self._apart.near[row])

    def is_far(self, first: int, second: int) -> bool:
        """Whether two images are a far pair."""
        return self._apart.is_far(first, second)

    def draw(self, n: int, *, seed: str, found: Mapping[str, tuple[int, int]]) -> list[Drawn]:
        """Draw `n` pairs, or all where there are fewer; the same again for the same `seed`.

        Parameters
        ----------
        found
            Of the pairs of each stratum that were audited before, how many showed one product, and
            how many there were: empty before the first round.
        """
        drawn = []
        for stratum, n_drawn in zip(self.strata, allocate(self.strata, n, found), strict=True):
            chance = Random(f"{seed} {stratum.name}")
            drawn += [
                Drawn(*pair, stratum.name, score, n_drawn / stratum.size)
                for pair, score in self._sources[stratum.name].take(n_drawn, chance)
            ]
        return drawn


def allocate(strata: Sequence[Stratum], n: int, found: Mapping[str, tuple[int, int]]) -> list[int]:
    """How many of `n` draws each stratum gets, so that precision and recall are surest.

    Joined pairs, pairs apart and far ones have fixed shares; within these, a stratum gets draws in
    proportion to its size and to the standard deviation that is expected of it.
    """
    sizes = np.array([stratum.size for stratum in strata], dtype=np.float64)
    if n >= sizes.sum():
        return [stratum.size for stratum in strata]
    spread = [_spread(stratum, found.get(stratum.name, (0, 0))) for stratum in strata]
    wanted = sizes * np.array(spread)
    parts = np.array([_part_of(stratum) for stratum in strata])
    for part in np.unique(parts):
        wanted[parts == part] *= SHARES[part] / wanted[parts == part].sum()
    return _share_out(n, wanted, sizes)


def _part_of(stratum: Stratum) -> str:
    if stratum.name == FAR:
        return "far"
    return "joined" if stratum.joined else "apart"


def _spread(stratum: Stratum, found: tuple[int, int]) -> float:
    """The standard deviation of a pair's outcome, by earlier audits and what is expected."""
    n_same, n = found
    rate = (n_same + FRESH * stratum.expected) / (n + FRESH)
    rate = min(max(rate, RARE), 1 - RARE)
    return math.sqrt(rate * (1 - rate))


def _share_out(n: int, wanted: Float, sizes: Float) -> list[int]:
    """`n` in proportion to `wanted`, none above its size and each `FEWEST` where that is enough."""
    shares = np.minimum(sizes, min(FEWEST, n // len(sizes)))
    while (left := n - shares.sum()) >= 1:
        weights = np.where(shares < sizes, wanted, 0.0)
        lacking = np.minimum(np.maximum(n * weights / weights.sum() - shares, 0.0), sizes - shares)
        if lacking.sum() < 1:
            lacking = np.where(shares < sizes, weights / weights.sum(), 0.0) * left
        added = np.floor(lacking * min(left / lacking.sum(), 1.0))
        if not added.any():
            added[np.argsort(-lacking, kind="stable")[:1]] = 1.0
        shares = np.minimum(shares + added, sizes)
    return [int(share) for share in shares]


class _Ranked(Protocol):
    """Pairs in strata whose pairs are numbered."""

    @property
    def sizes(self) -> Sequence[int]: ...

    def pair(self, stratum: int, number: int) -> tuple[Pair, float]: ...


@dataclass(frozen=True)
class _Part:
    """One stratum of some whose pairs are numbered."""

    pairs: _Ranked
    stratum: int

    def take(self, n: int, chance: Random) -> list[tuple[Pair, float]]:
        numbers = chance.sample(range(self.pairs.sizes[self.stratum]), n)
        return [self.pairs.pair(self.stratum, number) for number in numbers]


@dataclass(frozen=True)
class _Joined:
    """Pairs of one piece: each image with those of its piece that are surer than it.

    `order` holds the images piece by piece, the surest first, and `rank` the place of each within
    its piece; `rows` are the places in `order` of the images of each stratum, `ends` how many pairs
    there are up to each of them.
    """

    order: Int
    rank: Int
    sureness: Float
    rows: Sequence[Int]
    ends: Sequence[Int]

    @classmethod
    def of(cls, pieces: Int, first: Int, second: Int, probability: Float) -> "_Joined":
        inside = pieces[first] == pieces[second]
        n = len(pieces)
        total = np.bincount(first[inside], probability[inside], n)
        sureness = total / np.maximum(np.bincount(first[inside], minlength=n), 1)
        order = np.lexsort((np.arange(n), -sureness, pieces))
        starts = np.flatnonzero(np.diff(pieces[order], prepend=-1))
        rank = np.arange(n) - np.repeat(starts, np.diff(np.append(starts, n)))
        stratum = _strata_of(sureness[order], JOINED)
        rows = [np.flatnonzero(stratum == number) for number in range(len(JOINED))]
        return cls(order, rank, sureness, rows, [np.cumsum(rank[each]) for each in rows])

    @property
    def sizes(self) -> list[int]:
        return [int(ends[-1]) if len(ends) else 0 for ends in self.ends]

    def pair(self, stratum: int, number: int) -> tuple[Pair, float]:
        place = int(np.searchsorted(self.ends[stratum], number, side="right"))
        row = int(self.rows[stratum][place])
        above = int(self.ends[stratum][place]) - number
        image = int(self.order[row])
        return (int(self.order[row - above]), image), float(self.sureness[image])


@dataclass(frozen=True)
class _Apart:
    """Pairs of two pieces that are linked.

    Row by row, `left` and `right` are two pieces, numbered `keys` together, `near` whether they are
    within reach, and `above` how many images of either have a link to the other that is stronger
    than the upper end of each stratum: of the pairs of a row, (n_left - above_left) (n_right -
    above_right) are no likelier than that.

    Links are kept as `strength` of `image` with the piece on the other side, by row and side, the
    strongest first: those of side s of row r lie between `bounds[2 r + s]` and the next.
    """

    pieces: Int
    members: Sequence[Int]
    keys: Int
    left: Int
    right: Int
    near: NDArray[np.bool_]
    above: Int
    image: Int
    strength: Float
    bounds: Int
    ends: Sequence[Int]

    @classmethod
    def of(cls, pieces: Int, first: Int, second: Int, probability: Float) -> "_Apart":
        crossing = (pieces[first] != pieces[second]) & (probability > 0)
        i = np.concatenate([first[crossing], second[crossing]])
        j = np.concatenate([second[crossing], first[crossing]])
        said = np.tile(probability[crossing], 2)
        n_pieces = int(pieces.max(initial=-1)) + 1
        low, high = np.minimum(pieces[i], pieces[j]), np.maximum(pieces[i], pieces[j])
        keys, row = np.unique(low * n_pieces + high, return_inverse=True)
        side = 2 * row + (pieces[i] == high)
        order = np.lexsort((-said, i, side))
        new = np.diff(side[order] * len(pieces) + i[order], prepend=-1) != 0
        strongest = order[new]
        strongest = strongest[np.lexsort((i[strongest], -said[strongest], side[strongest]))]
        sides, image, strength = side[strongest], i[strongest], said[strongest]
        bounds = np.searchsorted(sides, np.arange(2 * len(keys) + 1))
        lower = [0.0, *(upper for upper, _ in APART)]
        above = np.stack(
            [
                np.bincount(sides[strength > end], minlength=2 * len(keys)).reshape(-1, 2)
                for end in lower[1:]
            ],
            axis=1,
        )
        sizes = np.bincount(pieces, minlength=n_pieces)
        by_piece = np.argsort(pieces, kind="stable")
        members = np.split(by_piece, np.cumsum(sizes)[:-1])
        left, right = keys // max(n_pieces, 1), keys % max(n_pieces, 1)
        likely = (sizes[left][:, None] - above[:, :, 0]) * (sizes[right][:, None] - above[:, :, 1])
        counts = np.diff(likely, axis=1, prepend=0)
        strongest_of = np.zeros(2 * len(keys))
        np.maximum.at(strongest_of, sides, strength)
        near = strongest_of.reshape(-1, 2).max(axis=1) >= REACH
        counts[~near, 0] = 0
        ends = list(np.cumsum(counts, axis=0).T)
        return cls(
            *(pieces, members, keys, left, right, near, above, image, strength, bounds, ends)
        )

    @property
    def sizes(self) -> list[int]:
        return [int(ends[-1]) if len(ends) else 0 for ends in self.ends]

    def row_of(self, first: int, second: int) -> int | None:
        """The row of the pieces of two images; None where no link leads from one to the other."""
        low, high = sorted((int(self.pieces[first]), int(self.pieces[second])))
        key = low * len(self.members) + high
        row = int(np.searchsorted(self.keys, key))
        return row if row < len(self.keys) and self.keys[row] == key else None

    def is_far(self, first: int, second: int) -> bool:
        """Whether a pair is of two pieces, and in none of these strata."""
        if self.pieces[first] == self.pieces[second]:
            return False
        row = self.row_of(first, second)
        if row is None:
            return True
        low, high = sorted((first, second), key=lambda image: int(self.pieces[image]))
        return not self.near[row] and not any(
            image in self.image[self.bounds[side] : self.bounds[side + 1]]
            for image, side in ((low, 2 * row), (high, 2 * row + 1))
        )

    def pair(self, stratum: int, number: int) -> tuple[Pair, float]:
        row = int(np.searchsorted(self.ends[stratum], number, side="right"))
        left, right = self._by_strength(row, 0), self._by_strength(row, 1)
        # The images with stronger links than this stratum's are skipped; of the others, those that
        # have a link of this stratum come first.
        skipped = self.above[row, stratum]
        if stratum == 0:
            own = (len(left[0]), len(right[0])) - skipped
            width = int(own[1])
            place = number - (int(self.ends[0][row - 1]) if row else 0)
            a, b = divmod(place, width)
        else:
            own = self.above[row, stratum - 1] - skipped
            width = len(right[0]) - int(skipped[1])
            place = number - (int(self.ends[stratum][row - 1]) if row else 0)
            first_part = int(own[0]) * width
            if place < first_part:
                a, b = divmod(place, width)
            else:
                a, b = divmod(place - first_part, int(own[1]))
                a += int(own[0])
        at = int(skipped[0]) + a, int(skipped[1]) + b
        score = max(left[1][at[0]], right[1][at[1]])
        return (int(left[0][at[0]]), int(right[0][at[1]])), float(score)

    def _by_strength(self, row: int, side: int) -> tuple[Int, Float]:
        """The images of one side, those with the strongest links first, and their strengths."""
        among = slice(self.bounds[2 * row + side], self.bounds[2 * row + side + 1])
        linked = self.image[among]
        piece = (self.left, self.right)[side][row]
        others = np.setdiff1d(self.members[piece], linked)
        strength = np.concatenate([self.strength[among], np.zeros(len(others))])
        return np.concatenate([linked, others]), strength


@dataclass(frozen=True)
class _Far:
    """Pairs of two pieces without a link: almost all pairs, found by trying."""

    apart: _Apart
    size: int

    def take(self, n: int, chance: Random) -> list[tuple[Pair, float]]:
        n_images = len(self.apart.pieces)
        if 2 * n > self.size:
            every = [pair for pair in combinations(range(n_images), 2) if self.apart.is_far(*pair)]
            return [(pair, 0.0) for pair in chance.sample(every, n)]
        taken: dict[Pair, float] = {}
        while len(taken) < n:
            first, second = sorted((chance.randrange(n_images), chance.randrange(n_images)))
            if first != second and self.apart.is_far(first, second):
                taken[first, second] = 0.0
        return list(taken.items())


def _strata_of(scores: Float, ends: Sequence[tuple[float, float]]) -> Int:
    """The stratum of each score, by the upper ends of the strata."""
    return np.searchsorted([upper for upper, _ in ends[:-1]], scores, side="left")


def _check(n: int, first: Int, second: Int, probability: Float) -> None:
    if not first.shape == second.shape == probability.shape:
        raise ValueError(
            f"first, second and probability have shapes {first.shape}, {second.shape} and"
            f" {probability.shape}: give two ends and one probability for each link"
        )
    for ends in (first, second):
        if len(ends) and not 0 <= ends.min() <= ends.max() < n:
            raise ValueError(f"a link has an end that is none of the {n} images: 0 to {n - 1}")
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("a link has a probability outside [0, 1]")
