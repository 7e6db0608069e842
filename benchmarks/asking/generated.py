"""The generated catalogue: photos of invented products, as many of each as real shops have.

The pictures are those of the sample (`deployments.sample`), in one locale: siblings that differ in
a flavour or a size, taken by a phone. The encoder learns other product lines of the same generator.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.domains import SIDE, Seen, write_features
from deployments.sample.camera import photograph
from deployments.sample.catalogue import Product, products, random_for

TRAINING_PRODUCTS = 80
TEST_PRODUCTS = 64
FEWEST, TYPICAL, MOST = 5, 13, 60
"""Photos of a product: log-normal around what is typical."""


def embed_catalogue(path: Path, *, locale: str = "de-DE", seed: int = 0) -> None:
    """Photograph the catalogue, train the encoders on one part and write the features (.npz)."""
    train, test = products(locale, seed, (TRAINING_PRODUCTS, TEST_PRODUCTS))
    write_features(path, _photos(train, seed), {"generated catalogue": _photos(test, seed)})


def _photos(shelf: Sequence[Product], seed: int) -> Seen:
    images, classes = [], []
    for number, product in enumerate(shelf):
        random = random_for("human cost", seed, product.name)
        drawn = round(TYPICAL * float(np.exp(random.normal(0, 0.8))))
        for _ in range(min(max(drawn, FEWEST), MOST)):
            with Image.open(io.BytesIO(photograph(product, random, neighbours=shelf))) as photo:
                small = photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
                images.append(np.asarray(small))
            classes.append(number)
    return images, np.array(classes)
