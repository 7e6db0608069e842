"""Small worlds in which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clustering import HiLander

World = tuple[NDArray[np.float32], NDArray[np.int64]]


def blobs(n_classes: int, per_class: int, *, noise: float, seed: int, dim: int = 24) -> World:
    """Unit vectors around random directions, one per class, and the class of each."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), per_class)
    centres = random.normal(size=(n_classes, dim))
    points = centres[labels] + noise * random.normal(size=(len(labels), dim))
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    return units.astype(np.float32), labels


@pytest.fixture(scope="session")
def training_world() -> World:
    return blobs(30, 16, noise=0.8, seed=1)


@pytest.fixture(scope="session")
def other_world() -> World:
    """Classes of the same kind as those of `training_world`, none of them the same."""
    return blobs(30, 16, noise=0.8, seed=2)


@pytest.fixture(scope="session")
def lander(training_world: World) -> HiLander:
    return HiLander(epochs=30).fit(*training_world)
