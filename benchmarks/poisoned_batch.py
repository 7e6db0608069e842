"""A batch with wrong labels before the gate: what each rule caught, what got through, at what cost.

    python -m benchmarks.domains DATA FEATURES fruit packages
    python -m benchmarks.poisoned_batch FEATURES --out benchmarks/results/poisoned_batch.md

Photos of the Grocery Store Dataset, embedded by an encoder that has learnt from the other
department. Half of the photos are the training set, and the other half come as the batch, in
contact sheets. Three annotators of one vendor answer. In the poisoned batch, 10 % of the labels are
flipped to another product, and one annotator, who answers a third of the sheets, puts a product at
random on them and errs on gold questions. The bars are the defaults of the policy. That of the
label quality is the highest that stops at most 2 % of the right labels of training classes that the
encoder has not learnt either: the first table of each part.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from benchmarks.domains import load
from clustering.neighbours import find_neighbours
from expectations.facts import Known
from expectations.gate import judge
from expectations.policy import LabelPolicy
from expectations.suspicion import NEIGHBOURS, Suspicion, suspicion
from expectations.verdict import Verdict

LOCALE, VENDOR = "sv-SE", "vendor-a"
GOOD, OTHER, BAD = "anna", "bo", "cy"
FLIPPED = 0.1
SHEET = 12
GOLD = 20
BARS = (0.05, 0.1, 0.2, 0.3, 0.4)


@dataclass(frozen=True)
class Photos:
    """Embeddings of photos, float32 (N, D), and the product of each, int64 (N,)."""

    features: NDArray[np.float32]
    products: NDArray[np.int64]

    def halves(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of a training set and of a batch."""
        drawn = np.random.default_rng(seed).permutation(len(self.products))
        return np.sort(drawn[::2]), np.sort(drawn[1::2])


@dataclass(frozen=True)
class Batch:
    """Labels of rows of the photos: the product that each names, the right one, who says so."""

    rows: NDArray[np.int64]
    said: NDArray[np.int64]
    right: NDArray[np.int64]
    annotator: NDArray[np.str_]
    posterior: NDArray[np.float64]

    @property
    def is_wrong(self) -> NDArray[np.bool_]:
        return self.said != self.right


def clean_batch(rows: NDArray[np.int64], products: NDArray[np.int64], seed: int) -> Batch:
    """Right labels, sheet by sheet, each sheet by one of the annotators."""
    draw = np.random.default_rng(seed)
    order = rows[np.lexsort((draw.random(len(rows)), products[rows]))]
    sheet = np.arange(len(order)) // SHEET
    annotator = np.array([GOOD, OTHER, BAD])[draw.permutation(sheet.max() + 1)[sheet] % 3]
    right = products[order]
    return Batch(order, right.copy(), right, annotator, np.full(len(order), 0.95))


def poisoned(batch: Batch, seed: int) -> Batch:
    """The same with flipped labels, and one annotator who does not look."""
    draw = np.random.default_rng(seed)
    products = np.unique(batch.right)
    said = batch.said.copy()
    flipped = draw.random(len(said)) < FLIPPED
    said[flipped] = draw.choice(products, flipped.sum())
    sheet = np.arange(len(said)) // SHEET
    careless = batch.annotator == BAD
    said[careless] = draw.choice(products, sheet.max() + 1)[sheet[careless]]
    return replace(batch, said=said)


def gold_of(careless: bool) -> pd.DataFrame:
    """Of the gold questions, how many each annotator answered rightly."""
    right = {GOOD: GOLD - 1, OTHER: GOLD, BAD: 5 if careless else GOLD - 1}
    return pd.DataFrame(
        [(name, VENDOR, LOCALE, n_right, GOLD) for name, n_right in right.items()],
        columns=["annotator", "site", "locale", "n_right", "n"],
    )


def seen_by(batch: Batch, current: NDArray[np.int64], photos: Photos) -> Suspicion:
    """What the neighbours in batch and training set say of each label of the batch."""
    rows = np.concatenate([batch.rows, current])
    said = np.concatenate([batch.said, photos.products[current]])
    near = find_neighbours(photos.features[rows], NEIGHBOURS)
    # A manifest labels each image of the training set by itself.
    sheets = np.concatenate(
        [np.arange(len(batch.rows)) // SHEET, len(rows) + np.arange(len(current))]
    )
    found = suspicion(said, sheets, near.indices, near.cosines)
    n = len(batch.rows)
    return Suspicion(found.quality[:n], found.typicality[:n])


def judged(
    batch: Batch,
    seen: Suspicion,
    current: NDArray[np.int64],
    photos: Photos,
    gold: pd.DataFrame,
    policy: LabelPolicy,
) -> Verdict:
    names = [f"image-{row}" for row in batch.rows]
    labels = pd.DataFrame(
        {
            "image_id": names,
            "product_id": [f"product-{product}" for product in batch.said],
            "name": [f"Mjölk {product}" for product in batch.said],
            "locale": LOCALE,
            "origin": "decision",
            "site": VENDOR,
            "verdict": "same",
            "annotators": [(name,) for name in batch.annotator],
            "agreement": 1.0,
            "posterior": batch.posterior,
            "seconds": 1.0,
            "differs": False,
            "disputed": False,
            "guaranteed": False,
            "quality": seen.quality,
            "typicality": seen.typicality,
        },
        index=[f"label-{row}" for row in batch.rows],
    )
    images = pd.DataFrame({"image_id": names, "locale": LOCALE, "unchanged": 1.0}).assign(
        near_duplicates=None
    )
    known_labels = pd.DataFrame(
        {
            "image_id": [f"image-{row}" for row in current],
            "product_id": [f"product-{product}" for product in photos.products[current]],
            "locale": LOCALE,
        }
    )
    known = Known(images, known_labels, [LOCALE], [VENDOR], gold=gold)
    return judge(labels, known, policy)


def report(title: str, batch: Batch, verdict: Verdict) -> list[str]:
    """What each reason caught, how much of it wrongly, and what got through."""
    wrong = dict(zip((f"label-{row}" for row in batch.rows), batch.is_wrong, strict=True))
    caught: Counter[str] = Counter()
    false_alarms: Counter[str] = Counter()
    for label, reasons in verdict.quarantined.items():
        for reason in reasons:
            (caught if wrong[label] else false_alarms)[reason] += 1
    n_wrong = int(batch.is_wrong.sum())
    through = sum(bool(wrong[label]) for label in verdict.accepted)
    lines = [
        f"### {title}",
        "",
        f"{len(wrong)} labels, {n_wrong} of them wrong. {len(verdict.accepted)} accepted, of which"
        f" {through} wrong ({through / max(len(verdict.accepted), 1):.1%});"
        f" {len(verdict.quarantined)} quarantined"
        f" ({n_wrong - through} wrong, {len(verdict.quarantined) - n_wrong + through} right).",
        "",
        "| reason | wrong labels | right labels |",
        "|---|---|---|",
    ]
    lines += [
        f"| {reason} | {caught[reason]} | {false_alarms[reason]} |"
        for reason in sorted({*caught, *false_alarms})
    ]
    return [*lines, ""]


def section(department: str, learnt: Photos, photos: Photos, seed: int) -> list[str]:
    """A clean and two poisoned batches of one department."""
    current, new = photos.halves(seed)
    clean = clean_batch(new, photos.products, seed)
    spoilt = poisoned(clean, seed)
    lines = [
        f"## {department.capitalize()}",
        "",
        f"{len(current)} photos of {len(np.unique(photos.products[current]))} products in the"
        f" training set, {len(new)} in the batch.",
        "",
        *thresholds(learnt, seed),
    ]
    for title, batch, gold in (
        ("A clean batch", clean, gold_of(False)),
        ("A poisoned batch", spoilt, gold_of(True)),
        ("The same, with too little gold to know the annotator", spoilt, gold_of(True)[:0]),
    ):
        seen = seen_by(batch, current, photos)
        lines += report(title, batch, judged(batch, seen, current, photos, gold, LabelPolicy()))
    return lines


def thresholds(learnt: Photos, seed: int) -> list[str]:
    """How bars of the quality part right from flipped labels of training classes."""
    current, new = learnt.halves(seed)
    batch = clean_batch(new, learnt.products, seed)
    flips = poisoned(replace(batch, annotator=np.full(len(batch.rows), GOOD)), seed)
    found = seen_by(flips, current, learnt).quality
    lines = [
        "| on training classes: quality at least | flipped labels stopped | right labels stopped |",
        "|---|---|---|",
    ]
    for bar in BARS:
        wrong, right = (found[each] < bar for each in (flips.is_wrong, ~flips.is_wrong))
        lines.append(f"| {bar} | {wrong.mean():.1%} | {right.mean():.1%} |")
    return [*lines, ""]


def main(
    features: Annotated[Path, typer.Argument(help="What `benchmarks.domains` wrote.")],
    out: Annotated[Path | None, typer.Option(help="Write the page to this file, too.")] = None,
    seed: int = 0,
) -> None:
    lines = [
        "# A poisoned batch before the gate",
        "",
        "10 % of the labels are flipped to another product, and one of three annotators puts a"
        " product at random on every sheet. Label quality at least"
        f" {LabelPolicy().label_quality_at_least:g}; the encoder has learnt from the other"
        " department only.",
        "",
    ]
    for learnt_from, department in (("fruit", "packages"), ("packages", "fruit")):
        split = load(features, learnt_from)
        learnt = Photos(split.unseen, split.unseen_classes)
        lines += section(department, learnt, Photos(*split.tests[department]), seed)
    page = "\n".join(lines)
    print(page)
    if out is not None:
        out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
