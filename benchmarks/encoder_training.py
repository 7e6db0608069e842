"""What each part of the encoder's training is worth, on real images of classes never learnt.

    python -m benchmarks.encoder_training DATA FIGURES

DATA is as in `benchmarks.domains`. FIGURES is a JSON file: what it holds already is not measured
again. Parts are chosen by the first table: half of the training classes of each split teach, the
other half is searched. The others show what came of it on test classes, and choose nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.domains import SIDE, SPLITS, read_pictures
from clustering import Encoder, HiLander, bcubed_f, embed_unseen, encoder_training, sampling
from clustering.augment import Draws, augment
from clustering.retrieval import map_at_r, recall_at_1
from clustering.training import thin

PAGE = Path(__file__).with_name("results") / "encoder_training.md"
SPLITS_USED = ("packages", "three alphabets", "fruit")
TESTED = SPLITS_USED[:2]
EPOCHS = 10
TEST_EPOCHS = 12
UNEVEN = 0.5
GRAIN = 0.04

Images = tuple[list[NDArray[np.uint8]], NDArray[np.int64]]
Figures = dict[str, Any]


def lit_unevenly(images: Tensor, draws: Draws) -> Tensor:
    """Add to our views a shadow or a glare that grows to one side, and a sensor's grain."""
    views, generator = augment(images, draws), draws.generator
    count, _, side, _ = views.shape
    slope = (torch.rand(count, 2, generator=generator) * 2 - 1) * UNEVEN
    axis = torch.linspace(-1, 1, side)
    light = 1 + slope[:, :1, None] * axis[None, :, None] + slope[:, 1:, None] * axis[None, None]
    noise = torch.randn(views.shape, generator=generator) * GRAIN
    strength = torch.rand(count, 1, 1, 1, generator=generator)
    return (views * light[:, None] + strength * noise).clamp(0.0, 1.0)


@dataclass(frozen=True)
class Variant:
    """A training that differs from ours by some parameters and some patched names."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    balance: float | None = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name, value in self.training.items():
                stack.enter_context(patch.object(encoder_training, name, value))
            if self.balance is not None:
                stack.enter_context(patch.object(sampling, "BALANCE", self.balance))
            yield


ALL_CLASSES = {"FEWEST_CLASSES": 10**9}
LAST_WEIGHTS = {"HALF_LIFE": 1e-9}
OURS = Variant("ours")
LAST = Variant("last weights, no moving average", training=LAST_WEIGHTS)
FLAT = Variant("rate that does not fall", training={"pace": lambda done: min(1.0, 20 * done)})
BY_IMAGE = Variant("every image equally often", balance=0.0)
BY_CLASS = Variant("every class equally often", balance=1.0)
CHOICES = (
    OURS,
    LAST,
    Variant("moving average of 3 epochs", training={"HALF_LIFE": 3.0}),
    FLAT,
    BY_IMAGE,
    BY_CLASS,
    Variant("no margin", {"margin": 0.0}),
    Variant("margin .3", {"margin": 0.3}),
    Variant("no augmentation", training={"augment": lambda images, generator: images}),
    Variant("with uneven light and grain", training={"augment": lit_unevenly}),
    Variant("bfloat16", training={"half_precision": lambda: True}),
)
BEFORE = Variant(
    "before: every image equally often, last weights, all classes",
    training=LAST_WEIGHTS | ALL_CLASSES,
    balance=0.0,
)
RECIPES = (BEFORE, OURS)


@dataclass(frozen=True)
class Table:
    """Trainings that are compared on halves of training classes."""

    title: str
    variants: Sequence[Variant]
    epochs: int = EPOCHS
    splits: Sequence[str] = SPLITS_USED
    long_tailed: bool = False

    def name(self, variant: Variant, split: str) -> str:
        """Name a measurement by what it is of."""
        thinned = ", thinned" if self.long_tailed else ""
        return f"{variant.name}/{split}/{self.epochs} epochs{thinned}"


TABLES = (
    Table("Each part", CHOICES),
    Table(
        "Where each class is thinned to a random size, log-uniform from 2 to all of its images",
        (OURS, BY_IMAGE, BY_CLASS),
        splits=SPLITS_USED[:2],
        long_tailed=True,
    ),
)


def choose(variant: Variant, split: Images, epochs: int, long_tailed: bool) -> Figures:
    """Learn half of the classes, whole or each thinned to a random size, and search the others."""
    images, classes = split
    random = np.random.default_rng(0)
    order = random.permutation(int(classes.max()) + 1)
    half = np.isin(classes, order[: len(order) // 2])
    learnt = np.flatnonzero(half)
    if long_tailed:
        _, numbers = np.unique(classes[learnt], return_inverse=True)
        learnt = learnt[thin(numbers, random)]
    searched = np.flatnonzero(~half)
    encoder = Encoder(SIDE, epochs=epochs, **variant.parameters)
    start = time.process_time()
    with variant.in_force(), patch.object(encoder_training, "FEWEST_CLASSES", 10**9):
        encoder.fit([images[row] for row in learnt], classes[learnt])
    seconds = time.process_time() - start
    others = [images[row] for row in searched]
    return _search(encoder, others, classes[searched]) | {"seconds": seconds}


def test(variant: Variant, split: Images, others: Images) -> Figures:
    """Learn the training classes; search and cluster those of the test."""
    images, classes = split
    encoder = Encoder(SIDE, epochs=TEST_EPOCHS, **variant.parameters)
    start = time.process_time()
    with variant.in_force():
        unseen, rows = embed_unseen(encoder, images, classes)
        encoder.fit(images, classes)
    seconds = time.process_time() - start
    found = HiLander().fit(unseen, classes[rows]).predict(encoder.transform(others[0]))
    return _search(encoder, *others) | {
        "bcubed_f": bcubed_f(others[1], found),
        "history": encoder.history_,
        "epochs": len(encoder.losses_),
        "kept": encoder.best_epoch_,
        "seconds": seconds,
    }


def warm(split: Images, others: Images) -> dict[str, Figures]:
    """Learn all training classes from a champion of half of them, and from nothing."""
    images, classes = split
    known = np.flatnonzero(classes < (int(classes.max()) + 1) // 2)
    champion = Encoder(SIDE, epochs=EPOCHS).fit([images[row] for row in known], classes[known])
    figures = {"the champion, half of the classes": _search(champion, *others)}
    for name, start in (("from nothing", None), ("from the champion", champion)):
        for epochs in (EPOCHS // 2, EPOCHS):
            encoder = Encoder(SIDE, epochs=epochs).fit(images, classes, start=start)
            figures[f"{name}, {epochs} epochs"] = _search(encoder, *others)
    return figures


def _search(
    encoder: Encoder, images: list[NDArray[np.uint8]], classes: NDArray[np.int64]
) -> Figures:
    features = encoder.transform(images)
    return {"recall": recall_at_1(features, classes), "map": map_at_r(features, classes)}


def page(kept: Mapping[str, Figures]) -> str:
    """Write all figures as Markdown tables."""
    return (
        "\n".join(
            [
                "# What each part of the encoder's training is worth\n",
                "`python -m benchmarks.encoder_training DATA FIGURES`\n",
                "recall@1 / mAP@R on classes not learnt. Seconds are CPU seconds to train.\n",
                "## On training classes: what parts are chosen by\n",
                "Half of the classes of a split are learnt, none held back, the other half is "
                "searched; one seed. Differences of .01 are within the spread of seeds.\n",
                *(line for table in TABLES for line in _choices(kept, table)),
                "\n## On test classes\n",
                f"All training classes learnt for at most {TEST_EPOCHS} epochs; recall@1 / mAP@R / "
                "BCubed F of Hi-LANDER, which learnt on cross-fitted features of the same recipe; "
                "one seed.\n",
                *_tests(kept),
                "\n## From the champion\n",
                "A champion learnt half of the packages' classes; then all are learnt. Fruit is "
                "searched.\n",
                *_warm(kept),
            ]
        )
        + "\n"
    )


def _choices(kept: Mapping[str, Figures], table: Table) -> Iterable[str]:
    yield f"\n{table.title}; {table.epochs} epochs:\n"
    yield f"| variant | mean mAP@R | against ours | {' | '.join(table.splits)} | s |"
    yield "|---" * (len(table.splits) + 4) + "|"
    base = None
    for variant in table.variants:
        names = [table.name(variant, split) for split in table.splits]
        found = [kept[name] for name in names if name in kept]
        if len(found) < len(names):
            continue
        mean = float(np.mean([each["map"] for each in found]))
        base = mean if base is None else base
        difference = "" if variant is OURS else f"{mean - base:+.3f}"
        cells = " | ".join(f"{each['recall']:.3f} / {each['map']:.3f}" for each in found)
        seconds = sum(each["seconds"] for each in found)
        yield f"| {variant.name} | {mean:.3f} | {difference} | {cells} | {seconds:.0f} |"


def _tests(kept: Mapping[str, Figures]) -> Iterable[str]:
    yield "| trained on → tested on | recipe | recall@1 | mAP@R | BCubed F | epoch kept | s |"
    yield "|---" * 7 + "|"
    for split in TESTED:
        for name in SPLITS[split].tests:
            for variant in RECIPES:
                if each := kept.get(f"test/{variant.name}/{split}/{name}"):
                    figures = " | ".join(
                        f"{each[key]:.3f}" for key in ("recall", "map", "bcubed_f")
                    )
                    epochs = f"{each['kept']} of {each['epochs']}"
                    seconds = f"{each['seconds']:.0f}"
                    where = f"{split} → {name}"
                    yield f"| {where} | {variant.name} | {figures} | {epochs} | {seconds} |"


def _warm(kept: Mapping[str, Figures]) -> Iterable[str]:
    yield "| start | recall@1 | mAP@R |\n|---|---|---|"
    for name, each in kept.get("warm", {}).items():
        yield f"| {name} | {each['recall']:.3f} | {each['map']:.3f} |"


def main(data: Path, figures: Path) -> None:
    kept: dict[str, Figures] = json.loads(figures.read_text()) if figures.is_file() else {}

    def once(name: str, measure: Callable[[], Figures]) -> None:
        if name not in kept:
            kept[name] = measure()
            figures.write_text(json.dumps(kept, indent=1))
            print(name, kept[name], flush=True)
        PAGE.write_text(page(kept))

    splits = {split: read_pictures(SPLITS[split].train(data)) for split in SPLITS_USED}
    for split in TESTED:
        for name, pictures in SPLITS[split].tests.items():
            others = read_pictures(pictures(data))
            for variant in RECIPES:
                once(
                    f"test/{variant.name}/{split}/{name}",
                    partial(test, variant, splits[split], others),
                )
    fruit = read_pictures(SPLITS["packages"].tests["fruit"](data))
    once("warm", partial(warm, splits["packages"], fruit))
    for table in TABLES:
        for variant in table.variants:
            for split in table.splits:
                measure = partial(choose, variant, splits[split], table.epochs, table.long_tailed)
                once(table.name(variant, split), measure)


if __name__ == "__main__":
    typer.run(main)
