"""How well clusters of unseen classes agree with the truth: ours and every peer, same features.

    python -m benchmarks.clustering_accuracy FEATURES --official CHECKOUT

FEATURES is written by `python -m benchmarks.domains DATA FEATURES`; CHECKOUT is the folder
`examples/pytorch/hilander` of a checkout of dmlc/dgl. Every method is fitted on the same features
of training classes and clusters every test set. What a peer has found is kept in the folder
`--work` and not computed again while the features stay the same. Ours is always computed anew,
and results of earlier code of ours are not shown.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from sklearn.metrics import roc_auc_score

import clustering
from benchmarks.domains import SPLITS, Features, load
from benchmarks.peers import Peer, all_peers
from benchmarks.peers.official import EPOCHS, lander_as_published
from clustering import HiLander, bcubed, nmi, pairwise
from clustering.confidence import belongs
from clustering.plots import (
    measure_reliability,
    plot_dendrogram,
    plot_precision_recall,
    plot_reliability,
)

RESULTS = Path(__file__).with_name("results")
OUR_CODE = b"".join(p.read_bytes() for p in sorted(Path(clustering.__file__).parent.glob("*.py")))
OURS = "Hi-LANDER (ours)"
GOALS = {"unsupervised": 1.47, "gnn": 1.49}

Float = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass
class Ours:
    """Hi-LANDER, as it is by default, in the form of a peer."""

    name: str = field(default=OURS, init=False)
    kind: Literal["ours"] = field(default="ours", init=False)

    def fit(self, features: Float, labels: Labels, groups: Labels | None = None) -> Self:
        self.lander_ = HiLander().fit(features, labels)
        return self

    def predict(self, features: Float, n_classes: int | None = None) -> Labels:
        clusters = self.lander_.predict(features)
        self.setting_ = (self.lander_.n_neighbors, self.lander_.tau_)
        return clusters


class Honesty(BaseModel, frozen=True):
    """What ours says of its own clusters, and what is true.

    `said` and `true` are means over all links; `error` is the expected calibration error in ten
    bins and `auc` the area under the receiver's curve. Memberships are means over all images.
    """

    said: float
    true: float
    error: float
    auc: float
    membership_said: float
    membership_true: float


class Score(BaseModel, frozen=True):
    """How one method did on one test set."""

    test: str
    method: str
    kind: Literal["ours", "unsupervised", "gnn"]
    setting: str
    pairwise: tuple[float, float]
    bcubed: tuple[float, float]
    nmi: float
    clusters: int
    fit_seconds: float
    predict_seconds: float
    honesty: Honesty | None = None

    @property
    def f(self) -> tuple[float, float]:
        """Pairwise F and BCubed F."""
        return _f(*self.pairwise), _f(*self.bcubed)

    @property
    def mean_f(self) -> float:
        return sum(self.f) / 2

    @property
    def knows_count(self) -> bool:
        """Whether the method was told the true number of classes."""
        return self.method.endswith("(true k)")


def _f(precision: float, recall: float) -> float:
    return 2 * precision * recall / max(precision + recall, 1e-12)


class Kept(BaseModel, frozen=True):
    """The scores of one method on one split, and a digest of what they hold for."""

    holds_for: str
    scores: list[Score]


@dataclass(frozen=True)
class Run:
    """Where features come from, where scores are kept, and with whom ours is compared."""

    features: Path
    work: Path
    peers: Sequence[Peer]

    def score(self, split: str) -> None:
        """Score ours, and those peers that have not yet been scored on these features."""
        features = load(self.features, split)
        ours = Ours()
        self._keep(split, ours, features)
        for test, (rows, classes) in features.tests.items():
            ours.predict(rows)
            draw(ours.lander_, classes, split, test)
        for peer in self.peers:
            if self.kept(split, peer.name) is None:
                self._keep(split, peer, features)

    def kept(self, split: str, method: str) -> list[Score] | None:
        """Return the scores of a method on a split, None if there are none that still hold."""
        path = self._path(split, method)
        if not path.is_file():
            return None
        found = Kept.model_validate_json(path.read_text())
        return found.scores if found.holds_for == self._digest(split, method) else None

    def rows(self) -> dict[tuple[str, str], list[Score]]:
        """Return all that is kept: the scores of each split and test set, ours first."""
        rows: dict[tuple[str, str], list[Score]] = {}
        for split in SPLITS:
            if not self._features(split).is_file() or self.kept(split, OURS) is None:
                continue
            for method in [OURS, *(peer.name for peer in self.peers)]:
                for score in self.kept(split, method) or []:
                    rows.setdefault((split, score.test), []).append(score)
        return rows

    def _keep(self, split: str, method: Peer | Ours, features: Features) -> None:
        print(f"{split}: {method.name}", end=" ", file=sys.stderr, flush=True)
        scores = list(evaluate(method, features))
        path = self._path(split, method.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = Kept(holds_for=self._digest(split, method.name), scores=scores)
        path.write_text(kept.model_dump_json(indent=1))
        print(*(f"{score.mean_f:.3f}" for score in scores), file=sys.stderr, flush=True)

    def _path(self, split: str, method: str) -> Path:
        return self.work / split / f"{method.replace('/', '-')}.json"

    def _features(self, split: str) -> Path:
        return self.features / f"{split}.npz"

    def _digest(self, split: str, method: str) -> str:
        features = self._features(split).read_bytes()
        return sha256(features + OUR_CODE if method == OURS else features).hexdigest()


def evaluate(method: Peer | Ours, features: Features) -> Iterable[Score]:
    """Fit a method on the training classes of a split and cluster each of its test sets."""
    start = time.perf_counter()
    method.fit(features.unseen, features.unseen_classes)
    fit_seconds = time.perf_counter() - start
    for test, (rows, classes) in features.tests.items():
        start = time.perf_counter()
        clusters = method.predict(rows, n_classes=len(np.unique(classes)))
        predict_seconds = time.perf_counter() - start
        pairs, images = pairwise(classes, clusters), bcubed(classes, clusters)
        yield Score(
            test=test,
            method=method.name,
            kind=method.kind,
            setting=str(getattr(method, "setting_", "")),
            pairwise=(pairs.precision, pairs.recall),
            bcubed=(images.precision, images.recall),
            nmi=nmi(classes, clusters),
            clusters=len(np.unique(clusters)),
            fit_seconds=fit_seconds,
            predict_seconds=predict_seconds,
            honesty=measure_honesty(method.lander_, classes) if isinstance(method, Ours) else None,
        )


def links_and_truth(lander: HiLander, classes: Labels) -> tuple[Float, NDArray[np.bool_]]:
    """Return the probability of every link of the last `predict`, and whether it is right."""
    i, j, probability = lander.linkage_.edges()
    return probability, classes[i] == classes[j]


def measure_honesty(lander: HiLander, classes: Labels) -> Honesty:
    """Compare what the last `predict` said with the classes (N,)."""
    probability, same = links_and_truth(lander, classes)
    return Honesty(
        said=float(probability.mean()),
        true=float(same.mean()),
        error=measure_reliability(probability, same).expected_error,
        auc=float(roc_auc_score(same, probability)),
        membership_said=float(lander.membership_.mean()),
        membership_true=float(belongs(lander.labels_, classes).mean()),
    )


def draw(lander: HiLander, classes: Labels, split: str, test: str) -> None:
    """Draw the linkage of the last `predict`, and its clusters, beside the page."""
    from matplotlib.figure import Figure

    probability, same = links_and_truth(lander, classes)
    figure = Figure(figsize=(17, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.9))
    plot_reliability(probability, same, left)
    plot_precision_recall(probability, same, middle)
    plot_dendrogram(lander, right)
    figure.suptitle(f"trained on {split}, tested on {test}")
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / picture(split, test), dpi=75)


def picture(split: str, test: str) -> str:
    """Return the name of the file."""
    return f"clustering_accuracy {split} {test}.png".replace(" ", "_")


def page(rows: dict[tuple[str, str], list[Score]], command: str) -> str:
    """Write everything as Markdown: the summary, then a section for each test set."""
    parts = [
        "# Clusters of unseen classes: ours beside every peer\n",
        f"`{command}`\n",
        "Every method is fitted on the same features of training classes, and chooses its "
        "settings on them. Fp is pairwise F, Fb BCubed F, F their mean; P and R are precision and "
        "recall. Seconds are wall seconds to fit and to predict.\n",
        *summary(rows),
        *honesty(rows),
        *(line for (split, test), scores in rows.items() for line in section(split, test, scores)),
    ]
    return "\n".join(parts) + "\n"


def summary(rows: dict[tuple[str, str], list[Score]]) -> Iterable[str]:
    """One line for each test set: ours, the best single peer, and the means of the others."""
    yield "## Summary\n"
    yield "F. In brackets: how many peers the mean is over, and ours as a multiple of it.\n"
    yield "| trained on | tested on | ours | best single peer | | unsupervised | GNN |"
    yield "|---|---|---|---|---|---|---|"
    means: dict[str, list[float]] = {kind: [] for kind in GOALS}
    won = 0
    for (split, test), (ours, *peers) in rows.items():
        best = max(peers, key=lambda score: score.mean_f, default=ours)
        won += ours.mean_f > best.mean_f
        cells = []
        for kind, of_kind in means.items():
            values = [s.mean_f for s in peers if s.kind == kind and not s.knows_count]
            of_kind.append(float(np.mean(values)) if values else np.nan)
            cells.append(f"{of_kind[-1]:.3f} ({len(values)}, {ours.mean_f / of_kind[-1]:.2f}x)")
        outcome = "won" if ours.mean_f > best.mean_f else "lost"
        yield (
            f"| {split} | {test} | **{ours.mean_f:.3f}** | {best.mean_f:.3f} {best.method} "
            f"| {outcome} | {' | '.join(cells)} |"
        )
    overall = float(np.mean([scores[0].mean_f for scores in rows.values()]))
    ratios = " | ".join(
        f"{np.mean(of_kind):.3f}, **{overall / np.mean(of_kind):.2f}x** (goal {GOALS[kind]}x)"
        for kind, of_kind in means.items()
    )
    yield f"| mean | | **{overall:.3f}** | | {won} of {len(rows)} won | {ratios} |\n"
    yield (
        "Means leave out the methods that were told the true number of classes (true k); the best "
        "single peer may be one of them. The last line divides mean F by mean F: a mean of the "
        "lines' multiples would be ruled by those where peers find next to nothing.\n"
    )


def honesty(rows: dict[tuple[str, str], list[Score]]) -> Iterable[str]:
    """One line for each test set: what ours said of its links and memberships."""
    yield "## What ours says of itself\n"
    yield (
        "| trained on | tested on | links said / true | expected calibration error | AUC "
        "| membership said / true |"
    )
    yield "|---|---|---|---|---|---|"
    for (split, test), (ours, *_) in rows.items():
        if (found := ours.honesty) is not None:
            yield (
                f"| {split} | {test} | {found.said:.3f} / {found.true:.3f} | {found.error:.3f} "
                f"| {found.auc:.3f} "
                f"| {found.membership_said:.3f} / {found.membership_true:.3f} |"
            )
    yield ""


def section(split: str, test: str, scores: Sequence[Score]) -> Iterable[str]:
    """Tell of every method on one test set, the best first."""
    yield f"## Trained on {split}, tested on {test}\n"
    yield (
        "| method | kind | Fp | Fb | F | NMI | pairwise P / R | BCubed P / R | clusters | setting "
        "| s |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for score in sorted(scores, key=lambda score: -score.mean_f):
        name = f"**{score.method}**" if score.kind == "ours" else score.method
        pairwise_f, bcubed_f = score.f
        yield (
            f"| {name} | {score.kind} | {pairwise_f:.3f} | {bcubed_f:.3f} | {score.mean_f:.3f} "
            f"| {score.nmi:.3f} | {_pair(score.pairwise)} | {_pair(score.bcubed)} "
            f"| {score.clusters} | {score.setting} "
            f"| {score.fit_seconds:.1f} + {score.predict_seconds:.1f} |"
        )
    yield f"\n![linkage and clusters]({picture(split, test)})\n"


def _pair(values: tuple[float, float]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)


def peers_of(official: Path | None, epochs: int) -> list[Peer]:
    """Return all peers; LANDER as published says how long it was trained if not as published."""
    peers = all_peers(None)
    if official is None:
        return peers
    published = lander_as_published(official, epochs=epochs)
    if epochs != EPOCHS:
        published = [replace(p, name=f"{p.name}, {epochs} epochs") for p in published]
    return [*peers, *published]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("features", type=Path, help="folder that benchmarks.domains wrote")
    parser.add_argument("--official", type=Path, help="examples/pytorch/hilander of dmlc/dgl")
    parser.add_argument("--official-epochs", type=int, default=EPOCHS)
    parser.add_argument("--only", nargs="+", metavar="SPLIT", choices=SPLITS, help="default: all")
    parser.add_argument("--work", type=Path, default=Path("accuracy-work"), help="what is kept")
    given = parser.parse_args()
    splits = given.only or list(SPLITS)
    missing = [split for split in splits if not (given.features / f"{split}.npz").is_file()]
    if missing:
        parser.error(
            f"{given.features} has no features of {', '.join(missing)}; make them with "
            "`python -m benchmarks.domains DATA FEATURES`, or name the splits to use with --only."
        )
    run = Run(given.features, given.work, peers_of(given.official, given.official_epochs))
    options = f" --official CHECKOUT --official-epochs {given.official_epochs}"
    command = (
        f"python -m benchmarks.clustering_accuracy FEATURES{options if given.official else ''}"
    )
    for split in splits:
        run.score(split)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "clustering_accuracy.md").write_text(page(run.rows(), command))


if __name__ == "__main__":
    main()
