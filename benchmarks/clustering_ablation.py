"""What each part of the method is worth: the same clustering without it, or with another.

    python -m benchmarks.clustering_ablation FEATURES

FEATURES is written by `python -m benchmarks.domains DATA FEATURES`; every split that is there is
used. Settings are chosen by the first table: half of the training classes teach, the other half is
clustered. The second table shows what each part is worth on test classes; it chooses nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.domains import SPLITS, Features, load
from benchmarks.peers.tuning import halves
from clustering import HiLander, bcubed_f, lander, pairwise_f
from clustering.communities import find_communities
from clustering.decode import decode
from clustering.lander import TAUS
from clustering.linkage import Linkage
from clustering.neighbours import find_neighbours
from clustering.network import LinkageNetwork
from clustering.overlap import EVIDENCE, WIDTHS

PAGE = Path(__file__).with_name("results") / "clustering_ablation.md"
OURS = HiLander()
OVERLAPS, RANKS = EVIDENCE[: len(WIDTHS)], EVIDENCE[len(WIDTHS) :]

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


class Blinkered(LinkageNetwork):
    """A linkage network that is shown only some of the columns of evidence."""

    seen: Tensor

    def __init__(self, hidden: int, columns: Sequence[str]) -> None:
        super().__init__(hidden)
        self.register_buffer("seen", torch.tensor([float(name in columns) for name in EVIDENCE]))

    def forward(self, evidence: Tensor) -> Tensor:
        return super().forward(evidence * self.seen)


def communities(linkage: Linkage, tau: float, seed: int) -> Labels:
    return find_communities(linkage.links(tau), seed=seed)


def trees(linkage: Linkage, tau: float, seed: int) -> Labels:
    """Let each image follow its likeliest link to a denser one, as published, on one level."""
    roots = decode(*linkage.edges(), linkage.density(), tau)
    return np.unique(roots, return_inverse=True)[1]


@dataclass(frozen=True)
class Variant:
    """One way to cluster.

    `columns` are what the network reads; without any there is no network, and links weigh as much
    as the cosine of their ends. Of several `taus` the one with the best expected F is taken.
    """

    name: str
    k: int = OURS.n_neighbors
    hidden: int = OURS.hidden
    taus: tuple[float, ...] = TAUS
    columns: tuple[str, ...] = EVIDENCE
    decode: Callable[[Linkage, float, int], Labels] = communities
    seed: int = OURS.seed
    n_thinned: int = lander.N_THINNED
    n_imagined: int = lander.N_IMAGINED

    def cluster(self, linkage: Linkage) -> Labels:
        candidates = [self.decode(linkage, tau, self.seed) for tau in self.taus]
        return max(candidates, key=linkage.expected_f)


LEARNT = ("k", "hidden", "columns", "seed", "n_thinned", "n_imagined")
"""What the linkage depends on."""

WHOLE = Variant("ours")
VARIANTS = (
    WHOLE,
    *(replace(WHOLE, name=f"seed {seed}", seed=seed) for seed in (1, 2)),
    replace(WHOLE, name="trees instead of communities", decode=trees),
    replace(WHOLE, name="learnt on whole classes only, none thinned", n_thinned=0),
    replace(WHOLE, name="learnt on no imagined classes", n_imagined=0),
    replace(WHOLE, name="cosines instead of the learnt linkage, all", columns=(), taus=(0.0,)),
    replace(WHOLE, name="cosines, those from .5", columns=(), taus=(0.5,)),
    replace(WHOLE, name="ranks only, no overlaps", columns=RANKS),
    replace(WHOLE, name="overlaps only, no ranks", columns=OVERLAPS),
    *(replace(WHOLE, name=f"ranks and the {name}", columns=(name, *RANKS)) for name in OVERLAPS),
    *(replace(WHOLE, name=f"k = {k}", k=k) for k in (10, 20, 45, 60)),
    replace(WHOLE, name="hidden = 32", hidden=32),
    *(replace(WHOLE, name=f"tau = {tau} on every set", taus=(tau,)) for tau in (0.3, 0.5, 0.7)),
)


def learn(variant: Variant, features: Features) -> HiLander:
    """Fit ours on a split, with a network that sees the columns that the variant reads."""
    network = partial(Blinkered, columns=variant.columns)
    with (
        patch.object(lander, "LinkageNetwork", network),
        patch.object(lander, "N_THINNED", variant.n_thinned),
        patch.object(lander, "N_IMAGINED", variant.n_imagined),
    ):
        fitted = HiLander(variant.k, hidden=variant.hidden, seed=variant.seed)
        return fitted.fit(features.unseen, features.unseen_classes)


def linkage_by_cosine(rows: NDArray[np.float32], k: int) -> Linkage:
    """Take cosines for probabilities."""
    nearest = find_neighbours(rows, k)
    near = nearest.cosines > 0
    return Linkage(
        np.where(near, nearest.indices, -1).astype(np.int32),
        np.where(near, nearest.cosines, 0).clip(0, 1).astype(np.float32),
    )


def score(variants: Iterable[Variant], features: Features) -> Iterable[list[float]]:
    """Yield the mean of pairwise F and BCubed F of each variant on each test set.

    Variants that differ only in how they cluster share their linkage.
    """
    linkages: dict[Variant, list[Linkage]] = {}
    for variant in variants:
        learnt = replace(WHOLE, **{name: getattr(variant, name) for name in LEARNT})
        if learnt not in linkages:
            linkages[learnt] = list(link_tests(learnt, features))
        found = []
        for linkage, (_, classes) in zip(linkages[learnt], features.tests.values(), strict=True):
            clusters = variant.cluster(linkage)
            found.append((pairwise_f(classes, clusters) + bcubed_f(classes, clusters)) / 2)
        yield found


def link_tests(variant: Variant, features: Features) -> Iterable[Linkage]:
    """Yield the linkage of each test set."""
    if not variant.columns:
        for rows, _ in features.tests.values():
            yield linkage_by_cosine(rows, variant.k)
        return
    fitted = learn(variant, features)
    for rows, _ in features.tests.values():
        fitted.predict(rows)
        yield fitted.linkage_


def score_held_out(variants: Sequence[Variant], features: Features) -> Scores:
    """Return the scores (variants, 1) on each half of the training classes, learnt on the other."""
    rows, classes = features.unseen, features.unseen_classes
    half = halves(classes)
    by_half = []
    for held in (half == 0, half == 1):
        tests = {"held out": (rows[held], classes[held])}
        crossed = Features(rows[~held], classes[~held], tests)
        by_half.append(list(score(variants, crossed)))
    mean: Scores = np.mean(by_half, axis=0)
    return mean


def page(held_out: dict[str, Scores], tests: dict[str, Scores]) -> str:
    """Write scores (variants, sets) by split as two Markdown tables, a line a variant."""
    lines = [
        "# What each part is worth\n",
        "`python -m benchmarks.clustering_ablation FEATURES`\n",
        f"Mean of pairwise F and BCubed F. Ours has k = {OURS.n_neighbors}, hidden = "
        f"{OURS.hidden} and chooses tau on each set, without labels, from "
        f"{', '.join(map(str, TAUS))} by expected F; a variant changes only what it names. "
        "Differences as small as those between seeds say nothing.\n",
        "## On training classes: what settings are chosen by\n",
        "Learnt on half of the training classes of each split, tested on the other half, both "
        "ways. Few classes are easier to cluster than many.\n",
        *table(list(held_out), np.concatenate(list(held_out.values()), axis=1)),
        "\n## On classes that nothing learnt\n",
        "Columns are what was trained on → tested on.\n",
        *table(
            [f"{split} → {test}" for split in tests for test in SPLITS[split].tests],
            np.concatenate(list(tests.values()), axis=1),
        ),
    ]
    return "\n".join(lines) + "\n"


def table(columns: Sequence[str], scores: Scores) -> Iterable[str]:
    """Yield the lines of one table of scores (variants, columns)."""
    yield f"| variant | mean | against ours | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 3) + "|"
    overall = scores.mean(axis=1)
    for variant, mean, values in zip(VARIANTS, overall, scores, strict=True):
        difference = "" if variant is WHOLE else f"{mean - overall[0]:+.3f}"
        cells = " | ".join(f"{value:.3f}" for value in values)
        yield f"| {variant.name} | {mean:.3f} | {difference} | {cells} |"


def main(folder: Path) -> None:
    held_out: dict[str, Scores] = {}
    tests: dict[str, Scores] = {}
    for split in SPLITS:
        if (folder / f"{split}.npz").is_file():
            print(split, file=sys.stderr, flush=True)
            features = load(folder, split)
            held_out[split] = score_held_out(VARIANTS, features)
            tests[split] = np.array(list(score(VARIANTS, features)))
            PAGE.write_text(page(held_out, tests))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
