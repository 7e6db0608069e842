"""A label that its neighbours contradict is suspicious, an image without a likeness untypical."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from expectations.suspicion import TEMPERATURE, Suspicion, suspicion

PRODUCTS, IMAGES, DIM = 12, 15, 16


def neighbours_of(features: NDArray[np.float32], k: int) -> tuple[NDArray, NDArray]:
    cosines = features @ features.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, :k]
    return nearest, np.take_along_axis(cosines, nearest, axis=1)


def products_apart(seed: int = 0, noise: float = 0.15) -> tuple[NDArray, NDArray]:
    """Unit vectors around one centre for each product, and their products."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(PRODUCTS, DIM))
    products = np.repeat(np.arange(PRODUCTS), IMAGES)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    features = centres[products] + noise * draw.normal(size=(len(products), DIM))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32), products


def suspected(
    features: NDArray, products: NDArray, sheets: NDArray | None = None, k: int = 10
) -> Suspicion:
    """Each image on a sheet of its own, where nothing else is said."""
    own = np.arange(len(products)) if sheets is None else sheets
    return suspicion(products, own, *neighbours_of(features, k))


def test_flipped_labels_have_the_lowest_quality() -> None:
    features, products = products_apart()
    flipped = np.random.default_rng(1).random(len(products)) < 0.1
    said = np.where(flipped, (products + 3) % PRODUCTS, products)
    assert roc_auc_score(flipped, -suspected(features, said).quality) > 0.99


def test_a_sheet_that_is_wrong_as_a_whole_does_not_vouch_for_itself() -> None:
    features, products = products_apart()
    sheets = np.arange(len(products)) // 5
    said = np.where(sheets == 3, products[0], products)
    quality = suspected(features, said, sheets).quality
    assert quality[sheets == 3].max() < 0.1 < np.median(quality)


def test_an_image_among_strangers_is_the_least_typical() -> None:
    features, products = products_apart()
    features[7] = -features.mean(0) / np.linalg.norm(features.mean(0))
    assert suspected(features, products).typicality.argmin() == 7


def test_quality_is_the_margin_of_a_leave_one_out_classifier() -> None:
    features, products = products_apart(noise=0.6)
    quality = suspected(features, products).quality
    for left_out in range(0, len(products), 20):
        others = np.arange(len(products)) != left_out
        classifier = KNeighborsClassifier(
            10, metric="cosine", weights=lambda distances: np.exp(-distances / TEMPERATURE)
        ).fit(features[others], products[others])
        [shares] = classifier.predict_proba(features[[left_out]])
        own = shares[products[left_out]]
        margin = own - np.delete(shares, products[left_out]).max()
        assert np.isclose(quality[left_out], (margin + 1) / 2, atol=1e-4)


@given(st.permutations(range(PRODUCTS)))
def test_what_the_products_are_called_does_not_matter(names: list[int]) -> None:
    features, products = products_apart(noise=0.5)
    found, renamed = (suspected(features, each) for each in (products, np.array(names)[products]))
    np.testing.assert_allclose(found.quality, renamed.quality)


def test_nothing_is_said_of_a_product_without_company() -> None:
    features, products = products_apart()
    products[:3] = PRODUCTS
    assert np.isnan(suspected(features, products).quality[:3]).all()


def test_nothing_is_said_where_there_are_no_neighbours() -> None:
    found = suspicion(
        np.array([0]), np.array([0]), np.empty((1, 0), dtype=int), np.empty((1, 0), np.float32)
    )
    assert np.isnan(found.quality).all()
    assert np.isnan(found.typicality).all()
