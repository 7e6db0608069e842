"""New images find the known product that they belong to, and an honest probability of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering import HiLander
from clustering.attachment import signs_of_attachment

from .conftest import blobs
from .test_linkage import by_ends, linkages


def log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-3), 1 - 1e-3)
    return float(np.log(bounded / (1 - bounded)))


@given(linkages, st.integers(1, 5), st.integers(0, 99))
def test_the_signs_speak_for_the_product_that_an_image_is_linked_with_most(
    linkage, n_products, seed
):
    n = len(linkage.neighbours)
    products = np.random.default_rng(seed).integers(-1, n_products, size=n)
    best, signs = signs_of_attachment(linkage, products)
    for image in range(n):
        links = {j: r for (i, j), r in by_ends(linkage).items() if i == image}
        mass: dict[int, float] = {}
        for j, r in links.items():
            if products[j] >= 0:
                mass[products[j]] = mass.get(products[j], 0.0) + r
        if not mass:
            assert best[image] == -1
            continue
        first, second = sorted([*mass.values(), 0.0], reverse=True)[:2]
        strongest = max(r for j, r in links.items() if products[j] == best[image])
        assert mass[best[image]] == pytest.approx(first)
        assert signs[image] == pytest.approx(
            [
                np.log1p(first),
                first / sum(links.values()),
                log_odds(strongest),
                np.log1p(first) - np.log1p(second),
            ],
            rel=1e-4,
            abs=1e-5,
        )


@pytest.fixture(scope="module", params=[2, 3, 4])
def arrivals(request):
    """Verified images of 20 products, and new ones of these and of 10 products not known yet."""
    features, classes = blobs(30, 16, noise=0.8, seed=request.param)
    names = 100 + 7 * classes
    drawn = np.random.default_rng(0).random(len(names)) < 0.25
    new = (classes >= 20) | drawn
    return features[new], names[new], features[~new], names[~new]


def test_new_images_of_known_products_find_them(lander, arrivals):
    new, truth, known, products = arrivals
    found = lander.attach(new, known, products)
    familiar = np.isin(truth, products)
    assert (found.products[familiar] == truth[familiar]).mean() > 0.9
    assert found.probability[familiar].mean() > 0.75


def test_images_of_unknown_products_are_not_believed_to_belong_to_known_ones(lander, arrivals):
    new, truth, known, products = arrivals
    found = lander.attach(new, known, products)
    strange = ~np.isin(truth, products)
    assert found.probability[strange].mean() < 0.1
    assert (found.probability[strange] > 0.5).mean() < 0.05


def test_the_probability_of_an_attachment_is_honest(lander, arrivals):
    new, truth, known, products = arrivals
    found = lander.attach(new, known, products)
    right = found.products == truth
    sure = found.probability > 0.5
    for some in (np.ones_like(sure), sure, ~sure):
        assert found.probability[some].mean() == pytest.approx(right[some].mean(), abs=0.15)


def test_every_image_is_given_a_known_product_or_none(lander, arrivals):
    new, _, known, products = arrivals
    found = lander.attach(new, known, products)
    assert found.products.shape == found.probability.shape == (len(new),)
    assert set(found.products.tolist()) <= {-1, *products.tolist()}
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    assert (found.probability[found.products == -1] == 0).all()


def test_the_order_of_the_known_images_does_not_matter(lander, arrivals):
    new, _, known, products = arrivals
    order = np.random.default_rng(1).permutation(len(known))
    found, again = (
        lander.attach(new, known[rows], products[rows]) for rows in (np.arange(len(known)), order)
    )
    np.testing.assert_array_equal(found.products, again.products)
    np.testing.assert_allclose(found.probability, again.probability, rtol=1e-5)


def test_a_saved_model_attaches_as_before(lander, arrivals, tmp_path):
    new, _, known, products = arrivals
    lander.save(tmp_path)
    found, again = (
        model.attach(new, known, products) for model in (lander, HiLander.load(tmp_path))
    )
    np.testing.assert_array_equal(found.products, again.products)
    np.testing.assert_array_equal(found.probability, again.probability)


def test_attaching_leaves_the_last_clusters_as_they_are(lander, arrivals):
    new, _, known, products = arrivals
    clusters, tau = lander.predict(new).copy(), lander.tau_
    lander.attach(new, known, products)
    np.testing.assert_array_equal(lander.labels_, clusters)
    assert lander.tau_ == tau
    assert len(lander.linkage_.neighbours) == len(new)


def test_no_new_images_attach_to_nothing(lander, arrivals):
    new, _, known, products = arrivals
    assert lander.attach(new[:0], known, products).products.shape == (0,)


def test_without_known_products_nothing_is_attached(lander, arrivals):
    new, _, known, products = arrivals
    found = lander.attach(new, known[:0], products[:0])
    assert set(found.products.tolist()) == {-1}
    assert set(found.probability.tolist()) == {0.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda new, known, products: (new, known, products[1:]), "products must be"),
        (lambda new, known, products: (new, known, products / 2), "products must be"),
        (lambda new, known, products: (new, known, products - 101), r"products\[\d+\] is negative"),
        (lambda new, known, products: (new[:, :7], known, products), "features: X has 7 features"),
        (lambda new, known, products: (new, known[:, :7], products), "known: X has 7 features"),
        (lambda new, known, products: (new, known * np.nan, products), "known has NaN"),
    ],
)
def test_bad_arguments_are_refused_by_their_names(lander, arrivals, change, message):
    new, _, known, products = arrivals
    with pytest.raises(ValueError, match=message):
        lander.attach(*change(new, known, products))


def test_the_halves_of_a_product_resemble_each_other_and_no_other(
    lander: HiLander, other_world: tuple[np.ndarray, np.ndarray]
) -> None:
    features, classes = other_world
    second_half = np.arange(len(classes)) % 2
    torn = classes < 10
    products = 5 + 2 * classes + np.where(torn, second_half, 0)
    found = lander.resemble(features, products)
    names = np.unique(products)
    halves = np.isin(names, products[torn])
    twin = np.where((names - 5) % 2 == 0, names + 1, names - 1)
    assert (found.products[halves] == twin[halves]).mean() > 0.9
    assert found.probability[halves].mean() > 2 * found.probability[~halves].mean()
    assert (found.products != names).all()


def test_a_product_alone_resembles_none(lander: HiLander) -> None:
    features, _ = blobs(1, 16, noise=0.8, seed=5)
    found = lander.resemble(features, np.full(16, 7))
    assert (found.products.tolist(), found.probability.tolist()) == ([-1], [0.0])


def test_an_image_in_a_wrong_product_would_be_placed_elsewhere(lander, other_world):
    features, products = other_world
    wrong = products.copy()
    moved = np.arange(0, len(products), 16)
    wrong[moved] = (products[moved] + 1) % 30
    found = lander.place(features, wrong)
    placed = found.products[moved] == products[moved]
    assert placed.mean() > 0.7
    assert (found.products == products).mean() > 0.8
