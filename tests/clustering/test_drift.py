"""Drift is what tells new images from known ones on products that were held back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clustering.drift import drift, strangeness
from tests.clustering.conftest import blobs


def world(seed: int, n_products: int = 40) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return blobs(n_products, 6, noise=0.3, seed=seed)


def test_new_products_of_the_same_kind_are_no_drift() -> None:
    p_values = []
    for seed in range(20):
        found = drift(*world(2 * seed), *world(2 * seed + 1))
        assert found is not None
        p_values.append(found.p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.15
    assert np.mean(p_values) > 0.3


def test_images_of_another_kind_are_told_apart() -> None:
    known, products = world(1)
    new, others = world(2)
    shifted = new + 0.4 * np.eye(new.shape[1], dtype=np.float32)[0]
    found = drift(known, products, shifted, others)
    assert found is not None
    assert found.auc > 0.8
    assert found.p_value <= 0.01


def test_more_of_the_same_shift_is_told_apart_better() -> None:
    known, products = world(1)
    new, others = world(2)
    direction = np.eye(new.shape[1], dtype=np.float32)[0]
    found = [drift(known, products, new + by * direction, others) for by in (0.1, 0.3, 0.9)]
    areas = [each.auc for each in found if each is not None]
    assert areas == sorted(areas)
    assert len(areas) == 3


def test_the_same_seed_gives_the_same_drift() -> None:
    assert drift(*world(1), *world(2), seed=3) == drift(*world(1), *world(2), seed=3)


def test_too_few_products_tell_nothing() -> None:
    assert drift(*world(1), *world(2, n_products=4)) is None


def test_large_sets_are_drawn_from() -> None:
    known, products = world(1, n_products=600)
    found = drift(known, products, *world(2))
    assert found is not None
    assert (found.n_known, found.n_new) == (400, 40)


def test_an_image_among_known_ones_is_less_strange_than_one_far_from_all() -> None:
    known, _ = world(1)
    far = -known.mean(axis=0, keepdims=True)
    new = np.concatenate([known[:3], far / np.linalg.norm(far)])
    found = strangeness(known, new)
    assert found.argmax() == 3
    assert found[0] == pytest.approx(1 - np.sort(known @ known[0])[-5], abs=1e-5)


def test_where_nothing_is_known_everything_is_strange() -> None:
    new, _ = world(1)
    assert np.all(strangeness(np.empty((0, new.shape[1])), new) == 1)
