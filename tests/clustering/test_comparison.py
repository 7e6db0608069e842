"""What a challenger gains is what the scores say, and chance is what products are drawn by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clustering import bcubed, pairwise
from clustering.comparison import Gain, compare, scores

Int = NDArray[np.int64]


@st.composite
def clusterings(draw: st.DrawFn) -> tuple[Int, NDArray[np.str_], Int, Int]:
    """Products, locales, and two clusterings in which no cluster spans two locales."""
    n = draw(st.integers(1, 40))
    numbers = st.lists(st.integers(0, 5), min_size=n, max_size=n).map(np.array)
    products, first, second = draw(numbers), draw(numbers), draw(numbers)
    locales = draw(st.lists(st.sampled_from(["ar-EG", "de-DE"]), min_size=n, max_size=n))
    place = np.unique(locales, return_inverse=True)[1]
    return products, np.array(locales), 2 * first + place, 2 * second + place


def scattered(random: np.random.Generator, n_products: int, share: float) -> tuple[Int, Int]:
    """Eight images of each product, so many of which are clusters of their own."""
    products = np.repeat(np.arange(n_products), 8)
    alone = random.random(len(products)) < share
    return products, np.where(alone, 1000 + np.arange(len(products)), products)


@settings(max_examples=60)
@given(clusterings())
def test_scores_are_those_of_the_metrics(world: tuple[Int, NDArray[np.str_], Int, Int]) -> None:
    products, locales, clusters, _ = world
    overall, per_locale = scores(products, locales, clusters)
    classes = [f"{locale} {product}" for locale, product in zip(locales, products, strict=True)]
    images, pairs = bcubed(classes, clusters), pairwise(classes, clusters)
    assert overall.bcubed_f.value == pytest.approx(images.f)
    assert overall.bcubed_precision.value == pytest.approx(images.precision)
    assert overall.pairwise_recall.value == pytest.approx(pairs.recall)
    assert overall.pairwise_f.value == pytest.approx(pairs.f)
    for locale, local in per_locale.items():
        here = locales == locale
        assert local.bcubed_f.value == pytest.approx(bcubed(products[here], clusters[here]).f)
        assert local.n_products == len(np.unique(products[here]))


@settings(max_examples=40)
@given(clusterings())
def test_a_gain_is_the_loss_of_the_other_side(
    world: tuple[Int, NDArray[np.str_], Int, Int],
) -> None:
    products, locales, first, second = world
    there = compare(products, locales, first, second).bcubed_f
    back = compare(products, locales, second, first).bcubed_f
    assert there.value == pytest.approx(-back.value)
    assert there.low == pytest.approx(-back.high)
    assert there.better == pytest.approx(back.worse)


@settings(max_examples=40)
@given(clusterings())
def test_the_names_of_clusters_and_the_order_of_images_do_not_matter(
    world: tuple[Int, NDArray[np.str_], Int, Int],
) -> None:
    products, locales, first, second = world
    order = np.random.default_rng(0).permutation(len(products))
    renamed = compare(products[order], locales[order], 99 - first[order], second[order] * 7)
    found = compare(products, locales, first, second)
    assert renamed.bcubed_f.value == pytest.approx(found.bcubed_f.value)
    assert renamed.bcubed_f.low == pytest.approx(found.bcubed_f.low)
    assert renamed.pairwise_f.high == pytest.approx(found.pairwise_f.high)


def test_the_same_clusters_gain_nothing_and_surely_so() -> None:
    products, clusters = scattered(np.random.default_rng(0), 12, 0.3)
    gain = compare(products, ["de-DE"] * len(products), clusters, clusters).bcubed_f
    assert (gain.value, gain.low, gain.high, gain.better, gain.worse) == (0, 0, 0, 0, 0)


def test_models_that_are_equally_good_are_seldom_called_better() -> None:
    random = np.random.default_rng(0)
    called = 0
    for _ in range(200):
        products, first = scattered(random, 10, 0.3)
        _, second = scattered(random, 10, 0.3)
        found = compare(products, ["de-DE"] * len(products), first, second)
        called += found.bcubed_f.better >= 0.9
    assert called / 200 <= 0.15


def test_the_standard_error_is_the_spread_over_holdouts_that_might_have_been() -> None:
    random = np.random.default_rng(0)
    gains = []
    for _ in range(150):
        products, first = scattered(random, 10, 0.4)
        _, second = scattered(random, 10, 0.2)
        gains.append(compare(products, ["de-DE"] * len(products), first, second).bcubed_f)
    spread = np.std([gain.value for gain in gains])
    assert np.mean([gain.error for gain in gains]) == pytest.approx(spread, rel=0.2)


def test_two_products_of_a_locale_leave_as_much_doubt_as_they_should() -> None:
    random = np.random.default_rng(0)
    gains = []
    for _ in range(400):
        products, first = scattered(random, 2, 0.4)
        _, second = scattered(random, 2, 0.2)
        gains.append(compare(products, ["de-DE"] * len(products), first, second).bcubed_f)
    variance = np.var([gain.value for gain in gains])
    assert np.mean([gain.error**2 for gain in gains]) == pytest.approx(variance, rel=0.3)


def test_a_locale_with_more_products_shrinks_the_interval() -> None:
    def width(n_products: int) -> float:
        random = np.random.default_rng(0)
        products, first = scattered(random, n_products, 0.4)
        _, second = scattered(random, n_products, 0.2)
        gain = compare(products, ["de-DE"] * len(products), first, second).bcubed_f
        return gain.high - gain.low

    assert width(160) < 0.5 * width(10)


def test_the_products_that_a_gain_needs_show_it_four_times_in_five() -> None:
    random = np.random.default_rng(1)

    def gain_over(n_products: int) -> Gain:
        products, first = scattered(random, n_products, 0.36)
        _, second = scattered(random, n_products, 0.30)
        return compare(products, ["de-DE"] * len(products), first, second).bcubed_f

    needed = [gain_over(100).products_needed(0.9) for _ in range(15)]
    typical = int(np.median([each for each in needed if each is not None]))
    shown = [gain_over(typical).better >= 0.9 for _ in range(60)]
    assert 0.6 <= np.mean(shown) <= 0.95


def test_where_nothing_is_gained_no_holdout_would_show_it() -> None:
    products, clusters = scattered(np.random.default_rng(0), 12, 0.3)
    gains = compare(products, ["de-DE"] * len(products), clusters, clusters)
    assert gains.bcubed_f.products_needed(0.9) is None


def test_lengths_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match="give one product and one locale for each image"):
        scores([1, 2], ["de-DE"], [0, 0])
    with pytest.raises(ValueError, match="give one for each of the 2 images"):
        scores([1, 2], ["de-DE", "de-DE"], [0])
