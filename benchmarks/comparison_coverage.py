"""Whether intervals of the difference of two vendors hold the truth, and how wide they are.

    python -m benchmarks.comparison_coverage

Two vendors are drawn whose answers cluster by annotator and by image cluster, again and again.
Beside ours stand an interval that takes answers for independent, and the pigeonhole bootstrap.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.special import expit
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from workforce.statistics.comparison import Answers, difference

RESAMPLES = 300


@dataclass(frozen=True)
class World:
    """Answers of each vendor; standard deviations of annotators and clusters, in log odds."""

    annotators: int = 8
    clusters: int = 60
    n: int = 400
    differ: float = 0.5
    hard: float = 0.8
    shared: bool = True

    def sides(self, random: np.random.Generator) -> tuple[list[Answers], float]:
        """Two vendors, and the true difference: that of all their annotators and clusters."""
        found, true = [], []
        for vendor in range(2):
            if vendor == 0 or not self.shared:
                hardness = self.hard * random.standard_normal(self.clusters)
            people = random.integers(0, self.annotators, self.n)
            clusters = random.integers(0, self.clusters, self.n)
            mean = 3.0 - 0.8 * vendor
            effects = self.differ * random.standard_normal(self.annotators)
            chances = expit(mean + effects[people] + hardness[clusters])
            right = random.random(self.n) < chances
            found.append(Answers(right, people, clusters + vendor * (not self.shared) * 10_000))
            spread = np.hypot(self.differ, self.hard)
            everyone = mean + spread * norm.ppf(np.arange(0.5, 1000) / 1000)
            true.append(float(expit(everyone).mean()))
        return found, true[0] - true[1]


def main(
    rounds: Annotated[int, typer.Option(help="Comparisons of each world.")] = 300,
    out: Path = Path("benchmarks/results/comparison_coverage.md"),
) -> None:
    worlds = {
        "8 annotators, 60 shared clusters": World(),
        "4 annotators": World(annotators=4),
        "clusters not shared": World(shared=False),
        "errors independent": World(differ=0.0, hard=0.0),
        "annotators differ much": World(differ=1.0),
        "clusters differ much": World(hard=1.5),
    }
    lines = [
        "# Intervals of the difference of two vendors",
        "",
        f"`python -m benchmarks.comparison_coverage`. {rounds} comparisons each, 400 answers of"
        " each vendor, about 94 % and 88 % right. How often a 95 % interval held the difference"
        " that all annotators and clusters there could be would show, and its mean width in"
        " points.",
        "",
        "| world | ours | width | independent | width | pigeonhole | width |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_line(name, world, rounds) for name, world in worlds.items()),
    ]
    page = "\n".join(lines) + "\n"
    print(page)
    out.write_text(page)


def _line(name: str, world: World, rounds: int) -> str:
    random = np.random.default_rng(0)
    held, widths = np.zeros((2, rounds, 3))
    for number in range(rounds):
        sides, true = world.sides(random)
        ours = difference(*sides, seed=number)
        counts = [int(each) for side in sides for each in (np.sum(side.right), world.n)]
        plain = confint_proportions_2indep(*counts, method="newcomb")
        ends = [(ours.low, ours.high), plain, _pigeonhole(sides, random)]
        held[number] = [low <= true <= high for low, high in ends]
        widths[number] = [100 * (high - low) for low, high in ends]
    cells = [
        f"{share:.1%} | {width:.1f}"
        for share, width in zip(held.mean(axis=0), widths.mean(axis=0), strict=True)
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _pigeonhole(sides: list[Answers], random: np.random.Generator) -> tuple[float, float]:
    """Annotators and clusters drawn at once (Owen, 2007), and quantiles."""
    size = 1 + max(int(np.max(side.clusters)) for side in sides)
    found = []
    for _ in range(RESAMPLES):
        of_clusters = random.standard_exponential(size)
        shares = []
        for side in sides:
            people = np.asarray(side.annotators)
            weights = random.standard_exponential(int(people.max()) + 1)[people]
            weights = weights * of_clusters[np.asarray(side.clusters)]
            shares.append(float(weights @ np.asarray(side.right) / weights.sum()))
        found.append(shares[0] - shares[1])
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    typer.run(main)
