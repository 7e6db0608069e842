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

from benchmarks.domains import SIDE, SPLITS, read
from clustering import Encoder, HiLander, bcubed_f, embed_unseen, encoder_training, sampling
from clustering.augment import augment
from clustering.retrieval import map_at_r, recall_at_1
from clustering.training import thin

PAGE = Path(__file__).with_name("results") / "encoder_training.md"
SPLITS_USED = ("fruit", "packages", "three alphabets")
EPOCHS = 10
LONG_EPOCHS = 20
TEST_EPOCHS = 12
UNEVEN = 0.5
GRAIN = 0.04

Images = tuple[list[NDArray[np.uint8]], NDArray[np.int64]]
Figures = dict[str, Any]


def lit_unevenly(images: Tensor, generator: torch.Generator) -> Tensor:
    """Add to our views a shadow or a glare that grows to one side, and a sensor's grain."""
    views = augment(images, generator)
    count, _, side, _ = views.shape
    slope = (torch.rand(count, 2, generator=generator) * 2 - 1) * UNEVEN
    axis = torch.linspace(-1, 1, side)
    light = 1 + slope[:, :1, None] * axis[None, :, None] + slope[:, 1:, None] * axis[None, None]
    noise = torch.randn(views.shape, generator=generator) * GRAIN
    strength = torch.rand(count, 1, 1, 1, generator=generator)
    return (views * light[:, None] + strength * noise).clamp(0.0, 1.0)


def held_pace(done: float) -> float:
    """Rise for a twentieth of all steps, hold, and fall to nothing from .6 on."""
    return min(1.0, 20 * done, (1.0 - done) / 0.4)


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
HELD = Variant("rate held until .6, then falling", training={"pace": held_pace})
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
LONG = (OURS, FLAT, HELD)
LONG_TAILED = (OURS, BY_IMAGE, BY_CLASS)
BEFORE = Variant(
    "before: every image equally often, last weights, all classes",
    training=LAST_WEIGHTS | ALL_CLASSES,
    balance=0.0,
)
RECIPES = (
    BEFORE,
    Variant("ours, learning all classes for all epochs", training=ALL_CLASSES),
    Variant("ours"),
)


def choose(variant: Variant, split: Images, *, epochs: int, long_tailed: bool = False) -> Figures:
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
                f"Half of the classes of a split learnt for {EPOCHS} epochs, none held back, the "
                "other half searched; one seed. Differences of .01 are within the spread of "
                "seeds.\n",
                *_choices(kept, "short", CHOICES),
                f"\nThe same for {LONG_EPOCHS} epochs:\n",
                *_choices(kept, "long", LONG),
                "\nThe same where each class is thinned to a random size of 2 to all of its images "
                f"(log-uniform), {EPOCHS} epochs:\n",
                *_choices(kept, "long-tailed", LONG_TAILED),
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


def _choices(kept: Mapping[str, Figures], table: str, variants: Sequence[Variant]) -> Iterable[str]:
    yield f"| variant | mean mAP@R | against ours | {' | '.join(SPLITS_USED)} | s |"
    yield "|---" * (len(SPLITS_USED) + 4) + "|"
    base = None
    for variant in variants:
        names = [f"{table}/{variant.name}/{split}" for split in SPLITS_USED]
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
    sets = [(split, test) for split in SPLITS_USED for test in SPLITS[split].tests]
    yield f"| recipe | {' | '.join(f'{split} → {test}' for split, test in sets)} | s |"
    yield "|---" * (len(sets) + 2) + "|"
    for variant in RECIPES:
        found = [kept.get(f"test/{variant.name}/{split}/{test}") for split, test in sets]
        known = [each for each in found if each]
        if len(known) == len(sets):
            cells = " | ".join(
                f"{each['recall']:.3f} / {each['map']:.3f} / {each['bcubed_f']:.3f}"
                f" (epoch {each['kept']} of {each['epochs']})"
                for each in known
            )
            yield f"| {variant.name} | {cells} | {sum(each['seconds'] for each in known):.0f} |"


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

    splits = {split: read(SPLITS[split].train(data)) for split in SPLITS_USED}
    tables = (
        ("short", CHOICES, EPOCHS, False),
        ("long", LONG, LONG_EPOCHS, False),
        ("long-tailed", LONG_TAILED, EPOCHS, True),
    )
    for table, variants, epochs, long_tailed in tables:
        for variant in variants:
            for split, images in splits.items():
                measure = partial(choose, variant, images, epochs=epochs, long_tailed=long_tailed)
                once(f"{table}/{variant.name}/{split}", measure)
    for variant in RECIPES:
        for split, images in splits.items():
            for name, pictures in SPLITS[split].tests.items():
                others = read(pictures(data))
                once(f"test/{variant.name}/{split}/{name}", partial(test, variant, images, others))
    fruit = read(SPLITS["packages"].tests["fruit"](data))
    once("warm", partial(warm, splits["packages"], fruit))
    PAGE.write_text(page(kept))


if __name__ == "__main__":
    typer.run(main)
