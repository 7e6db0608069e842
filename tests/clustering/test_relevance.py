"""Verified products teach which differences between embeddings mean nothing."""

from __future__ import annotations

import numpy as np
import pytest

from clustering import RelevantComponents
from clustering.metrics import bcubed_f
from clustering.prospects import foresee
from clustering.relevance import FEWEST

from .conftest import blobs

NUISANCE = np.linspace(0.3, 2.2, 24)
"""How far images of one product spread, by direction."""


@pytest.fixture(scope="module")
def stretched():
    """Images of products that differ among themselves far more in some directions."""
    random = np.random.default_rng(5)
    products = np.repeat(np.arange(24), 14)
    points = random.normal(size=(24, 24))[products]
    points = points + NUISANCE * random.normal(size=points.shape)
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32), products


def test_products_spread_alike_in_all_directions_afterwards(stretched):
    features, products = stretched
    seen = RelevantComponents().fit(features, products).transform(features)
    assert np.linalg.norm(seen, axis=1) == pytest.approx(1, abs=1e-5)

    def unevenness(rows):
        spread = np.concatenate(
            [rows[products == p] - rows[products == p].mean(0) for p in range(24)]
        )
        values = np.linalg.eigvalsh(np.cov(spread.T))
        return values[-1] / values[0]

    assert unevenness(seen) < unevenness(features) / 3


def test_what_half_of_the_products_teach_helps_to_tell_the_others_apart(stretched, lander):
    features, products = stretched
    taught = products < 12
    seen = RelevantComponents().fit(features[taught], products[taught]).transform(features)

    def score(rows):
        return bcubed_f(products[~taught], lander.predict(rows[~taught]))

    assert score(seen) > score(features)


def test_from_too_few_images_nothing_is_learnt(stretched):
    features, _ = stretched
    few = np.arange(FEWEST - 1) // 3
    learnt = RelevantComponents().fit(features[: len(few)], few)
    assert learnt.transform(features) == pytest.approx(features, abs=1e-6)


def test_products_of_one_image_teach_nothing(stretched):
    features, _ = stretched
    learnt = RelevantComponents().fit(features, np.arange(len(features)))
    assert np.array_equal(learnt.components_, np.eye(24))


class TestForesee:
    def test_lower_thresholds_cut_fewer_clusters(self, lander):
        features, products = blobs(20, 12, noise=0.8, seed=4)
        known = products < 5
        found = foresee(
            lander,
            features[~known],
            features[known],
            products[known],
            teaches=np.ones(known.sum(), dtype=bool),
        )
        counts = [labels.max() + 1 for labels, _ in found.cuts]
        assert counts == sorted(counts)
        assert all(len(belongs) == (~known).sum() for _, belongs in found.cuts)

    def test_images_of_known_products_find_them(self, lander):
        features, products = blobs(20, 12, noise=0.8, seed=4)
        known = np.arange(len(products)) % 2 == 0
        found = foresee(
            lander,
            features[~known],
            features[known],
            products[known],
            teaches=np.ones(known.sum(), dtype=bool),
        )
        sure = found.probability > 0.8
        assert sure.any()
        assert (found.products[sure] == products[~known][sure]).mean() > 0.9

    def test_without_known_products_nothing_is_attached(self, lander):
        features, _ = blobs(6, 12, noise=0.8, seed=4)
        found = foresee(
            lander, features, features[:0], np.array([], int), teaches=np.array([], bool)
        )
        assert (found.products == -1).all()
        assert not found.probability.any()

    def test_nothing_waits_nothing_is_foreseen(self, lander):
        features, products = blobs(6, 12, noise=0.8, seed=4)
        found = foresee(
            lander, features[:0], features, products, teaches=np.ones(len(products), bool)
        )
        assert found.cuts == ()
        assert len(found.products) == 0
