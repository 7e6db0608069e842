"""What each part of the method is worth: the same clustering without it, or with another.

    python -m benchmarks.clustering_ablation FEATURES

FEATURES is written by `python -m benchmarks.domains DATA FEATURES`; every split that is there is
used. Variants learn on the training classes. Test classes show what a part is worth; they choose
nothing.
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
OVERLAPS = EVIDENCE[: len(WIDTHS)]
RANKS = EVIDENCE[len(WIDTHS) :]

Labels = NDArray[np.int64]


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
    taus: tuple[float, ...] = TAUS
    columns: tuple[str, ...] = EVIDENCE
    decode: Callable[[Linkage, float, int], Labels] = communities
    seed: int = OURS.seed
    n_thinned: int = lander.N_THINNED

    def cluster(self, linkage: Linkage) -> Labels:
        candidates = [self.decode(linkage, tau, self.seed) for tau in self.taus]
        return max(candidates, key=linkage.expected_f)


LEARNT = ("k", "columns", "seed", "n_thinned")
"""What the linkage depends on."""

WHOLE = Variant("ours")
VARIANTS = (
    WHOLE,
    *(replace(WHOLE, name=f"seed {seed}", seed=seed) for seed in (1, 2)),
    replace(WHOLE, name="trees instead of communities", decode=trees),
    replace(WHOLE, name="learnt on whole classes only, none thinned", n_thinned=0),
    replace(WHOLE, name="cosines instead of the learnt linkage, all", columns=(), taus=(0.0,)),
    replace(WHOLE, name="cosines, those from .5", columns=(), taus=(0.5,)),
    replace(WHOLE, name="ranks only, no overlaps", columns=RANKS),
    replace(WHOLE, name="overlaps only, no ranks", columns=OVERLAPS),
    *(replace(WHOLE, name=f"ranks and the {name}", columns=(name, *RANKS)) for name in OVERLAPS),
    *(replace(WHOLE, name=f"k = {k}", k=k) for k in (10, 20, 45)),
    *(replace(WHOLE, name=f"tau = {tau} on every set", taus=(tau,)) for tau in (0.3, 0.5, 0.7)),
)


def learn(variant: Variant, features: Features) -> HiLander:
    """Fit ours on a split, with a network that sees the columns that the variant reads."""
    network = partial(Blinkered, columns=variant.columns)
    with (
        patch.object(lander, "LinkageNetwork", network),
        patch.object(lander, "N_THINNED", variant.n_thinned),
    ):
        fitted = HiLander(variant.k, seed=variant.seed)
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


def page(scores: dict[str, NDArray[np.float64]]) -> str:
    """Write scores (variants, tests) by split as one Markdown table, a line a variant."""
    tests = [f"{split} → {test}" for split in scores for test in SPLITS[split].tests]
    by_test = np.concatenate(list(scores.values()), axis=1)
    overall = by_test.mean(axis=1)
    lines = [
        "# What each part is worth\n",
        "`python -m benchmarks.clustering_ablation FEATURES`\n",
        "Mean of pairwise F and BCubed F on classes that nothing learnt; columns are what was "
        f"trained on → tested on. Ours has k = {OURS.n_neighbors} and chooses tau on each set, "
        f"without labels, from {', '.join(map(str, TAUS))} by expected F; a variant changes only "
        "what it names. Differences as small as those between seeds say nothing.\n",
        f"| variant | mean | against ours | {' | '.join(tests)} |",
        "|---" * (len(tests) + 3) + "|",
    ]
    for variant, mean, values in zip(VARIANTS, overall, by_test, strict=True):
        difference = "" if variant is WHOLE else f"{mean - overall[0]:+.3f}"
        cells = " | ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {variant.name} | {mean:.3f} | {difference} | {cells} |")
    return "\n".join(lines) + "\n"


def main(folder: Path) -> None:
    scores = {}
    for split in SPLITS:
        if (folder / f"{split}.npz").is_file():
            print(split, file=sys.stderr, flush=True)
            scores[split] = np.array(list(score(VARIANTS, load(folder, split))))
            PAGE.write_text(page(scores))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
