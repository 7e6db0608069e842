"""The paper exercise: what a billion images take, stage by stage, from what was measured.

    python -m benchmarks.billion

Prints the tables of docs/scale.md. Each constant says where it was measured, or that it is assumed;
change them here and run it again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from workforce.money import Money

N = 1_000_000_000
LOCALES = 14
WORKERS = 256

VCPU_HOUR = Money(Decimal("0.04"), "EUR")
"""Assumed: a virtual core with 4 GB for an hour, on demand."""

TB_MONTH = Money(Decimal("22"), "EUR")
"""Assumed: an object store, per TB and month."""

PER_MILLION = 1e-6


@dataclass(frozen=True)
class Stage:
    """One stage: how its CPU seconds and its bytes grow with n images, and on how many cores."""

    name: str
    seconds: Callable[[float], float]
    n_bytes: Callable[[float], float]
    cores: int
    source: str

    def hours(self, n: float) -> float:
        return self.seconds(n) / self.cores / 3600

    def cost(self, n: float) -> Money:
        """Of the cores, however many share the work."""
        hours = Decimal(ceil(self.seconds(n) / 3600))
        return VCPU_HOUR * hours


def by_number(per_million: float) -> Callable[[float], float]:
    """Grows as n does."""
    return lambda n: per_million * n * PER_MILLION


def by_root(per_million: float) -> Callable[[float], float]:
    """Grows as n times its root: rows compared with cells, of which there are 4 sqrt(n)."""
    return lambda n: per_million * (n * PER_MILLION) ** 1.5


def per_image(n_bytes: float) -> Callable[[float], float]:
    return lambda n: n_bytes * n


SCALE = "scale.md, one worker"
STAGES = (
    Stage("ingest and previews", by_number(20_000), per_image(300_000), WORKERS, "assumed 20 ms"),
    Stage("embedding", by_number(2_500), per_image(512), WORKERS, "assumed 2.5 ms"),
    Stage("centres compared", by_number(23.6), per_image(1), WORKERS, f"{SCALE}: 23.6"),
    Stage("centres chosen, on one worker", by_number(3.5), per_image(20), 1, f"{SCALE}: 3.1 + 0.4"),
    Stage("cells of images", by_root(47.1), per_image(4 + 512), WORKERS, f"{SCALE}: 6.2 + 40.9"),
    Stage("neighbours", by_root(20.5), per_image(30 * 8), WORKERS, f"{SCALE}: 20.5"),
    Stage("scoring of links", by_number(13.3), per_image(30 * 8), WORKERS, f"{SCALE}: 13.3"),
    Stage("decoding, on one worker", by_number(14.1), per_image(30 * 24), 1, f"{SCALE}: 14.1"),
    Stage("rows of the catalogue", by_number(200), per_image(1_500), 8, "assumed 0.2 ms, 1.5 kB"),
    Stage(
        "planning, on one machine", by_number(45), per_image(3_000), 1, "planning_speed.md: 44.7"
    ),
    Stage("training", lambda n: 24 * 1e7 * 5e-3, per_image(0), 8, "assumed 10M images, 5 ms each"),
)
"""Bytes are those that the stage leaves on the store, and for those on one machine its memory."""


def table(n: int) -> str:
    """Markdown: the stages for n images clustered at once."""
    lines = [
        "| stage | bytes | CPU hours | cores | hours | cost | from |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for stage in STAGES:
        cells = (
            stage.name,
            f"{stage.n_bytes(n) / 1e12:,.2f} TB",
            f"{stage.seconds(n) / 3600:,.1f}",
            str(stage.cores),
            f"{stage.hours(n):,.1f}",
            f"{stage.cost(n).amount:,.2f} {VCPU_HOUR.currency}",
            stage.source,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print a billion images clustered at once, and locale by locale."""
    print(f"{N:,} images at once:\n\n{table(N)}\n")
    print(f"One of {LOCALES} locales, {N // LOCALES:,} images:\n\n{table(N // LOCALES)}\n")
    kept = STAGES[0].n_bytes(N) / 1e12
    print(f"Storage: {kept:,.0f} TB, {TB_MONTH.amount * Decimal(round(kept)):,} EUR a month.")


if __name__ == "__main__":
    main()
