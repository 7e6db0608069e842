"""Whether the intervals of a certificate hold the truth, and how wide they are.

    python -m benchmarks.certificate_coverage FEATURES

FEATURES is written by `python -m benchmarks.domains DATA FEATURES`. Each row is 200 rounds: a
partition with mistakes in it, audits drawn and answered, a certificate made. In generated worlds
every round has a world of its own; of real features Hi-LANDER makes the links and the clusters, of
which a random share was verified by people in each round. Truth is counted over all pairs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.stats import beta, norm

from annotation.certificate import TAKEN_AT_THEIR_WORD, Accuracy, Certificate, Interval, certify
from annotation.pairs import FAR, Drawn, Frame
from benchmarks.domains import load
from clustering import HiLander

PAGE = Path(__file__).with_name("results") / "certificate_coverage.md"
REAL = ("fruit", "packages", "three alphabets", "other three")
GOLD = 200
"""Gold pairs of one product, and as many of two, that say how far annotators err."""

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Links = tuple[Int, Int, Float]


@dataclass(frozen=True)
class World:
    """What is true, what the partition says, and what the model makes of it."""

    products: Int
    pieces: Int
    links: Links

    def frame(self) -> Frame:
        return Frame.of(self.pieces, *self.links)

    def precision_and_recall(self) -> tuple[float, float]:
        """Over all pairs."""
        n_pieces = int(self.pieces.max()) + 1
        both = np.unique(self.products * n_pieces + self.pieces, return_counts=True)[1]
        right, joined, same = (
            float((sizes * (sizes - 1) // 2).sum())
            for sizes in (both, np.bincount(self.pieces), np.bincount(self.products))
        )
        return right / joined, right / same


@dataclass(frozen=True)
class Mistakes:
    """How a generated partition differs from the truth: shares of products, and of images."""

    split: float = 0.25
    merged: float = 0.03
    strays: float = 0.01
    unlinked: float = 0.02


Calibration = Callable[[Float, np.random.Generator], Float]
CALIBRATIONS: dict[str, Calibration] = {
    "calibrated": lambda p, _: p,
    "far too sure": lambda p, _: p**0.15,
    "far too unsure": lambda p, _: p**5,
    "of no use": lambda p, random: random.random(len(p)),
}


def generated(
    seed: int, calibration: Calibration, *, n_products: int = 150, mistakes: Mistakes = Mistakes()
) -> World:
    """Products of long-tailed sizes, with links to their like and to strangers.

    A share `unlinked` of the split products has no link between its parts.
    """
    random = np.random.default_rng(seed)
    sizes = np.minimum(1 + random.zipf(1.7, n_products), 150)
    products = np.repeat(np.arange(n_products), sizes)
    n = len(products)
    pieces = products.copy()
    cut = random.random(n_products) < mistakes.split
    parts = random.uniform(0.1, 0.5, n_products)
    away = cut[products] & (random.random(n) < parts[products])
    pieces[away] += n_products
    for one in np.flatnonzero(random.random(n_products) < mistakes.merged):
        pieces[pieces == one] = random.integers(n_products)
    strays = random.random(n) < mistakes.strays
    pieces[strays] = pieces[random.integers(n, size=strays.sum())]
    pieces = np.unique(pieces, return_inverse=True)[1]
    first, second = _neighbours(products, random)
    hidden = (random.random(n_products) < mistakes.unlinked)[products[first]]
    kept = ~(hidden & (products[first] == products[second]) & (away[first] != away[second]))
    first, second = first[kept], second[kept]
    same = products[first] == products[second]
    evidence = random.normal(np.where(same, 1.5, -1.5), 1.2)
    odds = norm.pdf(evidence, 1.5, 1.2) * same.mean() / norm.pdf(evidence, -1.5, 1.2)
    posterior = odds / (odds + 1 - same.mean())
    return World(products, pieces, (first, second, calibration(posterior, random)))


def _neighbours(products: Int, random: np.random.Generator, k: int = 20) -> tuple[Int, Int]:
    """Links of each image with up to k / 2 of its product, and as many others."""
    n = len(products)
    start = np.searchsorted(products, products)
    size = np.bincount(products)[products]
    own = start[:, None] + (random.random((n, k // 2)) * size[:, None]).astype(np.int64)
    # Strangers look like a few products: those numbered next.
    others = (np.arange(n)[:, None] + size[:, None] + random.integers(40, size=(n, k // 2))) % n
    first, second = np.repeat(np.arange(n), k), np.concatenate([own, others], axis=1).ravel()
    return first[first != second], second[first != second]


def real(folder: Path) -> Iterator[tuple[str, World]]:
    """The clusters and links of Hi-LANDER on classes that it has not seen."""
    for split in REAL:
        if not (folder / f"{split}.npz").exists():
            continue
        features = load(folder, split)
        lander = HiLander().fit(features.unseen, features.unseen_classes)
        for name, (rows, classes) in features.tests.items():
            pieces = lander.predict(rows)
            yield f"{name} (learnt on {split})", World(classes, pieces, lander.linkage_.edges())


def verified(world: World, random: np.random.Generator, share: float) -> World:
    """The same after people verified a share of the clusters: intruders are on their own."""
    seen = random.random(int(world.pieces.max()) + 1) < share
    pieces = world.pieces.copy()
    for piece in np.flatnonzero(seen):
        members = np.flatnonzero(world.pieces == piece)
        values, counts = np.unique(world.products[members], return_counts=True)
        out = members[world.products[members] != values[counts.argmax()]]
        pieces[out] = pieces.max() + 1 + np.arange(len(out))
    return replace(world, pieces=np.unique(pieces, return_inverse=True)[1])


def answers(
    world: World, drawn: list[Drawn], error: float, random: np.random.Generator
) -> dict[str, tuple[int, int]]:
    """Of each stratum, how many pairs annotators call one product, and how many there were."""
    found: dict[str, tuple[int, int]] = {}
    for each in drawn:
        same = world.products[each.first] == world.products[each.second]
        said = same != (random.random() < error)
        n_same, n = found.get(each.stratum, (0, 0))
        found[each.stratum] = n_same + int(said), n + 1
    return found


def gold(error: float, random: np.random.Generator) -> Accuracy:
    if error == 0:
        return TAKEN_AT_THEIR_WORD
    right = random.binomial(GOLD, 1 - error, 2)
    return Accuracy(int(right[0]), GOLD, int(right[1]), GOLD)


def plain(frame: Frame, found: dict[str, tuple[int, int]]) -> tuple[Interval, Interval]:
    """Peer: the same draws with a linearised normal interval, precision and recall within reach."""
    rows = [
        (stratum.joined, stratum.size, *found.get(stratum.name, (0, 0)))
        for stratum in frame.strata
        if stratum.name != FAR
    ]
    joined, size, n_same, n = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    share = n_same / np.maximum(n, 1)
    hits = size * share
    variance = size**2 * share * (1 - share) / np.maximum(n, 1) * (1 - n / size)
    right, missed = (hits * joined).sum(), (hits * (1 - joined)).sum()
    true = max(right + missed, 1e-9)
    slope = np.where(joined > 0, missed / true**2, -right / true**2)
    precision = right / (size * joined).sum()
    spread = np.sqrt((variance * joined).sum()) / (size * joined).sum()
    return (
        _normal(precision, spread),
        _normal(right / true, float(np.sqrt((variance * slope**2).sum()))),
    )


def _normal(value: float, spread: float) -> Interval:
    return Interval(value, value - 1.96 * spread, value + 1.96 * spread)


def simple(world: World, n: int, random: np.random.Generator) -> tuple[Interval, Interval]:
    """Peer: pairs drawn at random, half of the joined ones, half of all; Clopper-Pearson.

    Of the random pairs of one product, the share that is joined is recall.
    """
    order = np.argsort(world.pieces, kind="stable")
    sizes = np.bincount(world.pieces)
    starts = np.cumsum(sizes) - sizes
    weights = sizes * (sizes - 1.0)
    chosen = random.choice(len(sizes), n // 2, p=weights / weights.sum())
    first = random.integers(sizes[chosen])
    second = (first + random.integers(1, sizes[chosen])) % sizes[chosen]
    a, b = order[starts[chosen] + first], order[starts[chosen] + second]
    same = world.products[a] == world.products[b]
    precision = _clopper_pearson(int(same.sum()), len(same))
    a, b = random.integers(len(world.products), size=(2, n // 2))
    hits = (world.products[a] == world.products[b]) & (a != b)
    found = hits & (world.pieces[a] == world.pieces[b])
    return precision, _clopper_pearson(int(found.sum()), int(hits.sum()))


def _clopper_pearson(k: int, n: int) -> Interval:
    low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return Interval(k / n if n else 0.5, low, high)


@dataclass
class Tally:
    """Rounds in which an interval held the truth, and how wide it was."""

    n: int = 0
    held: int = 0
    widths: float = 0.0

    def add(self, interval: Interval, truth: float) -> None:
        self.n += 1
        self.held += interval.low - 1e-9 <= truth <= interval.high + 1e-9
        self.widths += interval.half_width

    @property
    def cells(self) -> str:
        return f"{self.held / self.n:.1%} | {100 * self.widths / self.n:.1f}"


def reach_recall(world: World, frame: Frame, n_far_same: int) -> float:
    """Recall within reach, where `n_far_same` far pairs show one product."""
    precision, recall = world.precision_and_recall()
    right = precision * frame.n_joined
    return right / max(right / recall - n_far_same, right, 1e-9) if right else 1.0


def far_same(world: World, frame: Frame) -> int:
    """How many far pairs show one product."""
    n_pieces = int(world.pieces.max()) + 1
    images = np.argsort(world.products * n_pieces + world.pieces, kind="stable")
    parts = np.split(
        images, np.flatnonzero(np.diff((world.products * n_pieces + world.pieces)[images])) + 1
    )
    of_product: dict[int, list[Int]] = {}
    for part in parts:
        of_product.setdefault(int(world.products[part[0]]), []).append(part)
    return sum(
        frame.is_far(int(a), int(b))
        for several in of_product.values()
        for one, other in combinations(several, 2)
        if not frame.within_reach(int(one[0]), int(other[0]))
        for a, b in product(one, other)
    )


@dataclass(frozen=True)
class Setting:
    """One row: the worlds of its rounds, audits of each and how far annotators err."""

    name: str
    world: Callable[[int], World]
    audits: int
    error: float


def measure(setting: Setting, rounds: int) -> list[str]:
    """The lines of one setting: ours, and its peers."""
    tallies = {
        name: Tally()
        for name in (
            *("precision", "recall", "all", "plain precision", "plain recall"),
            *("simple precision", "simple recall", "reach as all"),
        )
    }
    far_share, misses = 0.0, 0.0
    for number in range(rounds):
        world = setting.world(number)
        frame = world.frame()
        random = np.random.default_rng([number, 7])
        earlier = answers(
            world, frame.draw(setting.audits, seed=f"earlier {number}", found={}), 0.0, random
        )
        drawn = frame.draw(setting.audits, seed=str(number), found=earlier)
        found = answers(world, drawn, setting.error, random)
        made: Certificate = certify(frame.strata, found, gold(setting.error, random), seed=number)
        precision, recall = world.precision_and_recall()
        n_far_same = far_same(world, frame)
        within = reach_recall(world, frame, n_far_same)
        far_share += made.far_share / rounds
        misses += (1 - recall / within) / rounds
        tallies["precision"].add(made.precision, precision)
        tallies["recall"].add(made.recall, within)
        tallies["all"].add(made.recall_of_all, recall)
        tallies["reach as all"].add(made.recall, recall)
        for peer, (one, other) in (
            ("plain", plain(frame, found)),
            ("simple", simple(world, setting.audits, random)),
        ):
            tallies[f"{peer} precision"].add(one, precision)
            tallies[f"{peer} recall"].add(other, within if peer == "plain" else recall)
    cells = " | ".join(
        tallies[name].cells
        for name in (
            *("precision", "recall", "all"),
            *("plain precision", "plain recall", "simple precision", "simple recall"),
        )
    )
    line = (
        f"| {setting.name} | {setting.audits} | {setting.error:.0%} | {cells} | {far_share:.0%} |"
        f" {misses:.2%} | {tallies['reach as all'].held / rounds:.1%} |"
    )
    print(line, flush=True)
    return [line]


def main(
    features: Annotated[Path, typer.Argument(help="Written by benchmarks.domains.")],
    rounds: int = 200,
    only: Annotated[str, typer.Option(help="Settings whose name holds this.")] = "",
    page: Path = PAGE,
) -> None:
    """Measure every setting and write the page."""
    settings = [
        Setting(f"generated, links {name}", _world(calibration), 400, 0.02)
        for name, calibration in CALIBRATIONS.items()
    ]
    settings += [
        Setting("generated, links calibrated", _world(CALIBRATIONS["calibrated"]), audits, error)
        for audits, error in ((400, 0.0), (400, 0.05), (200, 0.0), (800, 0.0))
    ]
    settings += [
        Setting(name, _partly_verified(world), 400, error)
        for name, world in real(features)
        for error in (0.0, 0.05)
    ]
    lines = [
        line for setting in settings if only in setting.name for line in measure(setting, rounds)
    ]
    page.write_text(PREFACE + "\n".join(lines) + "\n")


def _world(calibration: Calibration) -> Callable[[int], World]:
    return lambda seed: generated(seed, calibration)


def _partly_verified(world: World) -> Callable[[int], World]:
    return lambda seed: verified(world, np.random.default_rng(seed), 0.7)


COLUMNS = (
    *("rounds", "audits", "errors", "precision", "±", "recall", "±", "all", "±"),
    *("plain precision", "±", "plain recall", "±", "simple precision", "±", "simple recall", "±"),
    *("far", "out of reach", "reach for all"),
)
PREFACE = f"""# Whether a certificate holds what it says

`python -m benchmarks.certificate_coverage FEATURES`; each row is 200 rounds. Cells say in what
share of the rounds the 95 % interval held the truth, and its mean half-width in points (1 is 1 %).

* **precision**, **recall** within reach and recall of **all** pairs are ours.
* *plain* is a linearised normal interval from the same audits, *simple* one from as many random
  pairs, half of the joined ones and half of all.
* *far* is the share of the width of the recall of all pairs that goes back to far pairs, *out of
  reach* the share of recall that is lost in far pairs, and *reach for all* how often the interval
  of recall within reach held the recall of all pairs.

Annotators' errors are corrected by 200 gold pairs of one product and 200 of two, but not in *plain*
and *simple*, and *simple* has no errors at all.

| {" | ".join(COLUMNS)} |
|{"---|" * len(COLUMNS)}
"""

if __name__ == "__main__":
    typer.run(main)
