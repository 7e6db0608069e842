"""Real images in class-disjoint splits, embedded once and kept.

    python -m benchmarks.domains DATA FEATURES [SPLIT ...]

DATA holds `grocery/truth.csv` with `grocery/images` (file, product, group, department) and
`omniglot/ALPHABET/CHARACTER/*.png`. For every split one encoder learns the training classes and
embeds the test classes; another, which learns only half of the training classes, embeds the other
half, and from those every method learns and tunes. FEATURES gets one .npz file a split.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clustering import Encoder
from clustering.folds import embed_unseen

SIDE = 64
EPOCHS = 20
ALPHABETS = ("Balinese", "Greek", "Japanese_(katakana)", "Korean", "Latin")

Pictures = list[tuple[Path, str]]
"""Image files, each with its class."""

Seen = tuple[list[NDArray[np.uint8]], NDArray[np.int64]]
"""The pixels of each picture, and its class as a number."""


def products(data: Path, *departments: str) -> Pictures:
    """Photos of groceries."""
    with (data / "grocery" / "truth.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["department"] in departments]
    return [(data / "grocery" / row["file"], row["product"]) for row in rows]


def glyphs(data: Path, *alphabets: str) -> Pictures:
    """Handwritten characters."""
    folders = [data / "omniglot" / name for name in alphabets]
    files = [path for folder in folders for path in sorted(folder.rglob("*.png"))]
    return [(path, f"{path.parents[1].name}/{path.parent.name}") for path in files]


@dataclass(frozen=True)
class Split:
    """What is trained on, and the sets of other classes that are clustered."""

    train: Callable[[Path], Pictures]
    tests: dict[str, Callable[[Path], Pictures]]


def _glyphs(*alphabets: str) -> Callable[[Path], Pictures]:
    return lambda data: glyphs(data, *alphabets)


def _products(*departments: str) -> Callable[[Path], Pictures]:
    return lambda data: products(data, *departments)


SPLITS = {
    "fruit": Split(_products("Fruit"), {"packages": _products("Packages")}),
    "packages": Split(_products("Packages"), {"fruit": _products("Fruit")}),
    "three alphabets": Split(
        _glyphs("Japanese_(katakana)", "Korean", "Latin"),
        {"two alphabets": _glyphs("Balinese", "Greek")},
    ),
    "other three": Split(
        _glyphs("Balinese", "Greek", "Latin"),
        {"other two": _glyphs("Japanese_(katakana)", "Korean")},
    ),
    "glyphs": Split(_glyphs(*ALPHABETS), {"products": _products("Fruit", "Packages")}),
    "products": Split(_products("Fruit", "Packages"), {"glyphs": _glyphs(*ALPHABETS)}),
    "fruit and three alphabets": Split(
        lambda data: (
            products(data, "Fruit") + glyphs(data, "Japanese_(katakana)", "Korean", "Latin")
        ),
        {"packages": _products("Packages"), "two alphabets": _glyphs("Balinese", "Greek")},
    ),
}


@dataclass(frozen=True)
class Features:
    """One split, embedded.

    Attributes
    ----------
    unseen, unseen_classes : float32 (M, D), int64 (M,)
        Half of the training classes by an encoder that learnt the other half.
    tests : by name, float32 (N, D) and int64 (N,)
        Classes that no encoder and no method learnt.
    """

    unseen: NDArray[np.float32]
    unseen_classes: NDArray[np.int64]
    tests: dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]]


def load(folder: Path, split: str) -> Features:
    """Read what `embed` wrote."""
    return read_features(folder / f"{split}.npz")


def read_features(path: Path) -> Features:
    """Read what `write_features` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        names = [key.removeprefix("test ") for key in kept if key.startswith("test ")]
        tests = {name: (kept[f"test {name}"], kept[f"classes {name}"]) for name in names}
        return Features(kept["unseen"], kept["unseen classes"], tests)


def embed(data: Path, folder: Path, split: str) -> None:
    """Train the two encoders of a split and write its features."""
    tests = {name: read_pictures(of(data)) for name, of in SPLITS[split].tests.items()}
    write_features(folder / f"{split}.npz", read_pictures(SPLITS[split].train(data)), tests)


def write_features(path: Path, train: Seen, tests: Mapping[str, Seen]) -> None:
    """Train the two encoders on `train` and write what they make of it and of `tests`."""
    start = time.perf_counter()
    images, classes = train
    encoder = Encoder(SIDE, epochs=EPOCHS)
    unseen, rows = embed_unseen(encoder, images, classes)
    kept = {"unseen": unseen, "unseen classes": classes[rows]}
    encoder.fit(images, classes)
    for name, (others, other_classes) in tests.items():
        kept |= {f"test {name}": encoder.transform(others), f"classes {name}": other_classes}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **kept)
    seconds = time.perf_counter() - start
    print(f"{path.stem}: {len(images)} images learnt in {seconds:.0f} s", flush=True)


def read_pictures(pictures: Pictures) -> Seen:
    """The pixels of each picture, and its class as a number."""
    images = []
    for path, _ in pictures:
        with Image.open(path) as picture:
            small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            images.append(np.asarray(small))
    _, classes = np.unique([name for _, name in pictures], return_inverse=True)
    return images, classes


if __name__ == "__main__":
    data, folder, *splits = sys.argv[1:]
    for split in splits or SPLITS:
        embed(Path(data), Path(folder), split)
