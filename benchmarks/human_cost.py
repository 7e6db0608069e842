"""What it costs people to verify images of new products: seconds per image, ours beside peers.

    python -m benchmarks.human_cost DATA FEATURES

DATA is as for `benchmarks.domains`; FEATURES gets one .npz file a split, made where it is missing.
Simulated people answer. In each world every way of asking chooses its settings on products that are
in no figure, and is then asked about the products that each seed draws. What has been run is kept
in the folder `--work` and not run again while it lies there: delete a way's folder there when its
code changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import TypeAdapter
from scipy.stats import t as student

from benchmarks.asking.clusters import EVERY_HAC_CLUSTER, EVERY_LANDER_CLUSTER
from benchmarks.asking.correlation import LARGEST, Jeig, Pivots
from benchmarks.asking.curve import LONGEST, PRECISION, RECALL, Curve, Method, cheapest, draw_curve
from benchmarks.asking.one_by_one import OneByOne
from benchmarks.asking.ours import Ours
from benchmarks.asking.pairs import ImageAgainstGroups, PairsInOrder
from benchmarks.asking.people import People
from benchmarks.asking.times import TIME_MODELS, USUAL, Times
from benchmarks.asking.worlds import WORLDS, World, load_world, training_world

RESULTS = Path(__file__).with_name("results")
SLIPS = 0.02
OTHER_SLIPS = (0.0, 0.01, 0.05, 0.10)
SEEDS = 5
SEEDS_VARIED = 3
"""Seeds with other slips and other times."""

OURS = Ours()
ONE_BY_ONE = OneByOne("pick")
PEERS: tuple[Method, ...] = (
    ONE_BY_ONE,
    OneByOne("type"),
    PairsInOrder(negative=False),
    PairsInOrder(negative=True),
    ImageAgainstGroups(),
    Jeig(),
    Pivots(),
    EVERY_HAC_CLUSTER,
    EVERY_LANDER_CLUSTER,
)
METHODS: tuple[Method, ...] = (OURS, *PEERS)
SENSITIVE: tuple[Method, ...] = (
    OURS,
    ONE_BY_ONE,
    PairsInOrder(negative=True),
    EVERY_HAC_CLUSTER,
    EVERY_LANDER_CLUSTER,
)
"""The ways whose sensitivity is shown: ours, and the peers that reach the target at all."""

KEPT = TypeAdapter(Curve)


@dataclass(frozen=True)
class Conditions:
    """How often people slip, and how fast they are."""

    error: float
    times: Times

    @property
    def name(self) -> str:
        return f"slips of {self.error:.0%}, {self.times.name}"


STATED = Conditions(SLIPS, USUAL)
VARIED = (
    *(Conditions(error, USUAL) for error in OTHER_SLIPS),
    *(Conditions(SLIPS, times) for times in TIME_MODELS[1:]),
)


@dataclass(frozen=True)
class Bench:
    """Where features and results are, and how many seeds there are."""

    data: Path
    features: Path
    work: Path
    seeds: int

    def run(self, world: str, plan: Sequence[tuple[Method, Conditions]]) -> None:
        """Run in one world what is not kept yet."""
        missing = [
            (method, conditions, seed)
            for seed, (method, conditions) in product(range(self.seeds), plan)
            if not self._path(world, method, conditions, seed).is_file()
        ]
        if not missing:
            return
        teaching = training_world(load_world(self.data, self.features, world, 0))
        chosen: dict[tuple[str, Conditions], Method] = {}
        for seed in sorted({seed for _, _, seed in missing}):
            whole = load_world(self.data, self.features, world, seed)
            for method, conditions, _ in (each for each in missing if each[2] == seed):
                key = (method.name, conditions)
                if key not in chosen:
                    chosen[key] = cheapest(method, teaching, conditions.error, conditions.times)
                    typer.echo(f"{world}, {conditions.name}: {chosen[key]}", err=True)
                self._ask(world, whole, chosen[key], conditions, seed)

    def curves(self, world: str, method: Method, conditions: Conditions) -> list[Curve]:
        """The curves that are kept, one a seed."""
        paths = (self._path(world, method, conditions, seed) for seed in range(self.seeds))
        return [KEPT.validate_json(path.read_bytes()) for path in paths if path.is_file()]

    def _ask(
        self, name: str, world: World, method: Method, conditions: Conditions, seed: int
    ) -> None:
        if isinstance(method, Jeig):
            world = world.within(LARGEST)
        people = People(world.truth, conditions.error, conditions.times, seed)
        curve = draw_curve(method, world, people)
        path = self._path(name, method, conditions, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(KEPT.dump_json(curve))

    def _path(self, world: str, method: Method, conditions: Conditions, seed: int) -> Path:
        key = sha256(repr((world, conditions)).encode()).hexdigest()[:12]
        return self.work / method.name.replace("/", "-") / f"{key} {seed}.json"


def main(
    data: Path,
    features: Path,
    work: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("human-cost-work"),
    out: Annotated[Path, typer.Option(help="The page.")] = RESULTS / "human_cost.md",
    world: Annotated[list[str] | None, typer.Option(help="Default: all.")] = None,
    seeds: int = SEEDS,
    sensitivity: Annotated[bool, typer.Option(help="Also other slips and times.")] = True,
) -> None:
    """Run what has not been run and write the page."""
    bench = Bench(data, features, work, seeds)
    worlds = world or list(WORLDS)
    for name in worlds:
        bench.run(name, [(method, STATED) for method in METHODS])
    if sensitivity:
        for name in worlds:
            fewer = replace(bench, seeds=min(seeds, SEEDS_VARIED))
            fewer.run(name, list(product(SENSITIVE, VARIED)))
    out.parent.mkdir(parents=True, exist_ok=True)
    for name in worlds:
        plot(bench, name, out.with_name(picture(out, name)))
    out.write_text(page(bench, worlds, out))


def page(bench: Bench, worlds: Sequence[str], out: Path) -> str:
    """Everything as Markdown."""
    return "\n".join(
        [
            *opening(bench),
            *summary(bench, worlds),
            *(line for name in worlds for line in section(bench, name, picture(out, name))),
            *varied(bench, [name for name in worlds if bench.curves(name, OURS, VARIED[0])]),
        ]
    )


def opening(bench: Bench) -> Iterable[str]:
    yield "# What it costs people to verify images of new products\n"
    yield "`python -m benchmarks.human_cost DATA FEATURES`\n"
    yield (
        f"Human seconds per image at the first point where pairwise precision is at least"
        f" {PRECISION:.0%} and pairwise recall at least {RECALL:.0%}; an image not decided yet is a"
        f" product of its own. Means over {bench.seeds} seeds with 95 % intervals (Student's t). A"
        " seed draws four fifths of the products of a world and the slips of its people; the"
        " encoder and Hi-LANDER are one for all seeds. Every way of asking is stopped at"
        f" {LONGEST:.0f} s per image.\n"
    )
    yield "## What is simulated\n"
    yield (
        "The people. They know the truth and slip: with the stated probability a picture is ticked"
        " that should not be, or the other way round, two pictures or two galleries are confused,"
        " or a product is given another one's name. Slips are independent, which real ones are not:"
        " look-alikes are confused together, and more votes then help less than here. Photos,"
        " features and clusters are real; those of the generated catalogue are drawn.\n"
    )
    yield (
        f"Times: a question on a sheet {USUAL.sheet:g} s, {USUAL.look:g} s for each picture,"
        f" {USUAL.intruder:g} s for each ticked, {USUAL.sorted:g} s more for each of a split;"
        f" {USUAL.merge:g} s for a merge. By the keystroke-level model (Card, Moran and Newell,"
        f" 1983): {USUAL.pick:.2f} s to pick a picture's product from a list, {USUAL.type:.2f} s to"
        f" type it, {USUAL.pair:.2f} s for a pair of pictures, {USUAL.name_of_sheet:.2f} s to name"
        " a sheet that was just looked at. `benchmarks/asking/times.py` states every step.\n"
    )
    yield (
        "Settings (votes per question, how fine clusters are) are chosen once a world, by cost, on"
        " products that no encoder and no figure has seen: whatever reaches the target there with"
        " each of five casts of people. Votes are one, two with a third where they differ, or the"
        " best of five."
        f" JEIG takes all pairs at every step and is given whole products with at most {LARGEST}"
        " images, which favours it: pairs cost more the more products there are.\n"
    )


def summary(bench: Bench, worlds: Sequence[str]) -> Iterable[str]:
    yield "## Summary\n"
    yield (
        "What it is worth to find a misplaced image (100 s) was set after a look at four seeds of"
        ' "fruit to packages", so that row is optimistic; the other worlds were not looked at.\n'
    )
    yield (
        "| world | images, products | ours | image by image | ratio | best other peer | | ratio"
        " | goals (5x, 2x) |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in worlds:
        ours = bench.curves(name, OURS, STATED)
        single = bench.curves(name, ONE_BY_ONE, STATED)
        others = {
            peer.name: curves
            for peer in PEERS
            if not isinstance(peer, OneByOne)
            and (curves := bench.curves(name, peer, STATED))
            and _n_reached(curves) == len(curves)
        }
        best = min(others, key=lambda peer: _mean(others[peer]), default=None)
        to_single = _ratio(single, ours)
        to_best = _ratio(others[best], ours) if best else float("nan")
        met = " and ".join("yes" if won else "no" for won in (to_single >= 5, to_best >= 2))
        whole = load_world(bench.data, bench.features, name, 0)
        size = f"{len(whole)}, {len(np.unique(whole.truth))}"
        yield (
            f"| {name} | {size} | {seconds(ours)} | {seconds(single)} | {_times(to_single)} |"
            f" {best or 'none reaches it always'} | {seconds(others[best]) if best else ''}"
            f" | {_times(to_best)} | {met} |"
        )
    yield (
        "\nImages and products are those of the first seed. A ratio is of means, and there is none"
        " where a way misses the target with some seed. A peer that misses with any seed is not in"
        " this table, though it may be cheap where it does reach the target: see its row below.\n"
    )


def section(bench: Bench, world: str, plot_name: str) -> Iterable[str]:
    """All ways of asking in one world, the cheapest first."""
    yield f"## {world.capitalize()}\n"
    yield (
        "| way of asking | seconds per image | reached with | precision | recall | BCubed P / R"
        " | verified | questions per image | fewer seconds than image by image |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    single = bench.curves(world, ONE_BY_ONE, STATED)
    found = [
        (method.name, curves)
        for method in METHODS
        if (curves := bench.curves(world, method, STATED))
    ]
    for name, curves in sorted(found, key=lambda each: (-_n_reached(each[1]), _mean(each[1]))):
        points = [curve.best for curve in curves]

        def mean(of: Callable[..., float], points: Sequence[object] = points) -> float:
            return float(np.mean([of(point) for point in points]))

        yield (
            f"| {f'**{name}**' if name == OURS.name else name} | {seconds(curves)} |"
            f" {_n_reached(curves)} of {len(curves)} seeds | {mean(lambda p: p.precision):.3f} |"
            f" {mean(lambda p: p.recall):.3f} | {mean(lambda p: p.bcubed_precision):.3f} /"
            f" {mean(lambda p: p.bcubed_recall):.3f} | {mean(lambda p: p.verified):.0%} |"
            f" {np.mean([c.best.questions / c.n_images for c in curves]):.2f} |"
            f" {_times(_ratio(single, curves))} |"
        )
    yield (
        "\nOf a seed with which the target is missed, the figures are those of the best point,"
        " where least is missing.\n"
    )
    yield f"![recall against seconds]({plot_name})\n"


def varied(bench: Bench, worlds: Sequence[str]) -> Iterable[str]:
    """The worlds in which other conditions were run."""
    if not worlds:
        return
    yield "## Other slips and other times\n"
    yield (
        f"Seconds per image at the target, over at most {SEEDS_VARIED} seeds but for the first"
        " column; ours has one vote a question in all of them, where peers choose how many."
        " *A glance*: .3 s a picture and all else in half the time;"
        " *slow and careful*: 2 s a picture and all else in twice the time.\n"
    )
    conditions = [STATED, *VARIED]
    yield f"| world | way of asking | {' | '.join(each.name for each in conditions)} |"
    yield "|---|---" + "|---" * len(conditions) + "|"
    for world, method in product(worlds, SENSITIVE):
        cells = [seconds(bench.curves(world, method, each)) for each in conditions]
        if any(cells):
            yield f"| {world} | {method.name} | {' | '.join(cells)} |"
    yield ""


def seconds(curves: Sequence[Curve]) -> str:
    """The mean over seeds with its interval, or that the target is missed."""
    if not curves:
        return ""
    if _n_reached(curves) < len(curves):
        return f"missed with {len(curves) - _n_reached(curves)} of {len(curves)}"
    values = [curve.best.seconds for curve in curves]
    if len(values) == 1:
        return f"{values[0]:.2f}"
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.2f} ± {half:.2f}"


def _n_reached(curves: Sequence[Curve]) -> int:
    return sum(curve.reached is not None for curve in curves)


def _mean(curves: Sequence[Curve]) -> float:
    return float(np.mean([curve.best.seconds for curve in curves]))


def _ratio(slower: Sequence[Curve], faster: Sequence[Curve]) -> float:
    both = [*slower, *faster]
    if not slower or not faster or _n_reached(both) < len(both):
        return float("nan")
    return _mean(slower) / _mean(faster)


def _times(ratio: float) -> str:
    return "" if np.isnan(ratio) else f"{ratio:.1f}x"


def picture(out: Path, world: str) -> str:
    return f"{out.stem}_{world.replace(' ', '_')}.png"


def plot(bench: Bench, world: str, path: Path) -> None:
    """Pairwise recall against seconds per image, full where precision holds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 4.6), layout="constrained")
    axes = figure.subplots()
    for number, method in enumerate(METHODS):
        for curve in bench.curves(world, method, STATED):
            spent = np.array([point.seconds for point in curve.points])
            recall = np.array([point.recall for point in curve.points])
            holds = np.array([point.precision >= PRECISION for point in curve.points])
            colour, width = f"C{number}", 2.0 if method is OURS else 1.0
            axes.plot(spent, np.where(holds, recall, np.nan), c=colour, lw=width)
            axes.plot(spent, np.where(holds, np.nan, recall), c=colour, lw=width, ls=":", alpha=0.3)
        axes.plot([], [], c=f"C{number}", label=method.name)
    axes.axhline(RECALL, c="grey", lw=0.8, ls="--")
    axes.set(
        xscale="log",
        xlim=(0.3, LONGEST),
        ylim=(0, 1.01),
        xlabel="human seconds per image",
        ylabel="pairwise recall",
        title=f"{world}: dotted where precision is below {PRECISION:.0%}",
    )
    axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    typer.run(main)
