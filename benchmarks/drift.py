"""Drift on real photos: other fruit is none, darker photos and packages are.

    python -m benchmarks.drift DATA

An encoder learns every other kind of fruit of DATA/grocery. Photos of the other kinds, the same
photos darkened, and photos of packages are compared with those that it learnt from.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np
import typer

from benchmarks.domains import Pictures, products, read_pictures
from clustering import Encoder
from clustering.drift import drift

PHOTOS = 16
SEEDS = range(3)


def main(data: Path) -> None:
    fruit, kinds = read_pictures(_few(products(data, "Fruit")))
    packages, packed = read_pictures(_few(products(data, "Packages")))
    learnt = kinds % 2 == 0
    encoder = Encoder(32, epochs=24)
    encoder.fit([photo for photo, known in zip(fruit, learnt, strict=True) if known], kinds[learnt])
    darker = [(photo * 0.45 + 60).astype(np.uint8) for photo in fruit]
    bright, dark = encoder.transform(fruit), encoder.transform(darker)
    beside = {
        "other kinds of fruit": (bright[~learnt], kinds[~learnt]),
        "the same, darker and with less contrast": (dark[~learnt], kinds[~learnt]),
        "packages": (encoder.transform(packages), packed),
    }
    print("| beside the fruit that it learnt | AUC | p |\n|---|---|---|")
    for name, (new, groups) in beside.items():
        for seed in SEEDS:
            found = drift(bright[learnt], kinds[learnt], new, groups, seed=seed)
            assert found is not None
            print(f"| {name} | {found.auc:.2f} | {found.p_value:.3f} |")


def _few(pictures: Pictures) -> Pictures:
    """The first photos of every product."""
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for path, name in pictures:
        seen[name] += 1
        if seen[name] <= PHOTOS:
            kept.append((path, name))
    return kept


if __name__ == "__main__":
    typer.run(main)
