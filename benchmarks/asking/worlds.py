"""The worlds in which ways of asking are compared: images of products that nothing has learnt.

A world has features of images of new products, and features of other products with their labels,
from which a way of asking may learn whatever it needs. A seed draws four fifths of the products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.asking.generated import embed_catalogue
from benchmarks.domains import SPLITS, embed, read_features
from clustering import HiLander

GENERATED = "generated catalogue"
WORLDS = {
    "fruit to packages": ("fruit", "packages"),
    "packages to fruit": ("packages", "fruit"),
    "three alphabets to two": ("three alphabets", "two alphabets"),
    "three other alphabets to two": ("other three", "other two"),
    GENERATED: (GENERATED, GENERATED),
}
SHARE = 0.8

Float = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Known:
    """Images of other products with their labels, by an encoder that had not seen them either.

    Attributes
    ----------
    features, products : float32 (M, D), int64 (M,)
    """

    features: Float
    products: Labels

    @cached_property
    def lander(self) -> HiLander:
        """Hi-LANDER, fitted on these products."""
        return HiLander().fit(self.features, self.products)


@dataclass(frozen=True, eq=False)
class World:
    """Images to be verified, and what may be learnt from beforehand.

    Attributes
    ----------
    features, truth : float32 (N, D), int64 (N,)
        Unit features of the images and their products, 0..K-1; ways of asking never read `truth`.
    seed
        Fixes what a way of asking draws.
    """

    features: Float
    truth: Labels
    known: Known
    seed: int

    def __len__(self) -> int:
        return len(self.truth)

    @cached_property
    def cosines(self) -> Float:
        """(N, N), of every two images."""
        return self.features @ self.features.T

    @cached_property
    def evidence(self) -> Float:
        """(N, N), how much likelier one product makes the cosine of two images than two: its log.

        Logistic in the cosine, fitted to the pairs of known products, as many same as different.
        """
        seen, products = self.known.features, self.known.products
        i, j = np.triu_indices(len(seen), 1)
        chosen = np.random.default_rng(self.seed).permutation(len(i))[:200_000]
        i, j = i[chosen], j[chosen]
        cosine = np.einsum("nd,nd->n", seen[i], seen[j])
        same = products[i] == products[j]
        fitted = LogisticRegression(class_weight="balanced").fit(cosine[:, None], same)
        return np.asarray(fitted.coef_[0, 0] * self.cosines + fitted.intercept_[0], np.float32)

    def of(self, rows: NDArray[np.int64]) -> World:
        """The world of some of the images."""
        _, truth = np.unique(self.truth[rows], return_inverse=True)
        return World(self.features[rows], truth, self.known, self.seed)

    def within(self, most: int) -> World:
        """Whole products, drawn at random, with at most so many images."""
        products = np.random.default_rng(self.seed).permutation(np.unique(self.truth))
        sizes = np.array([(self.truth == product).sum() for product in products])
        fitting = products[np.cumsum(sizes) <= most]
        return self.of(np.flatnonzero(np.isin(self.truth, fitting)))


def load_world(data: Path, features: Path, name: str, seed: int) -> World:
    """The world of a seed; what has not been embedded is embedded."""
    split, test = WORLDS[name]
    path = features / f"{split}.npz"
    if not path.is_file():
        if split in SPLITS:
            embed(data, features, split)
        else:
            embed_catalogue(path)
    (rows, classes), known = _read(path, test)
    return World(rows, classes, known, seed).of(_some_products(classes, seed))


@lru_cache(maxsize=1)
def _read(path: Path, test: str) -> tuple[tuple[Float, Labels], Known]:
    """One `Known` for all seeds, for its Hi-LANDER takes long to fit."""
    found = read_features(path)
    return found.tests[test], Known(found.unseen, found.unseen_classes)


def training_world(world: World) -> World:
    """Half of the known products as a world of its own, the other half to learn from.

    Here a way of asking chooses its settings.
    """
    features, products = world.known.features, world.known.products
    drawn = np.random.default_rng(world.seed).permutation(np.unique(products))
    hidden = np.isin(products, drawn[: len(drawn) // 2])
    _, truth = np.unique(products[hidden], return_inverse=True)
    known = Known(features[~hidden], products[~hidden])
    return World(features[hidden], truth, known, world.seed)


def _some_products(classes: Labels, seed: int) -> Labels:
    products = np.unique(classes)
    random = np.random.default_rng(seed)
    drawn = random.choice(products, round(SHARE * len(products)), replace=False)
    return np.flatnonzero(np.isin(classes, drawn))
