"""Pictures show what was measured, and nothing is drawn from what cannot be."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.metrics import precision_score, recall_score

from clustering import HiLander
from clustering.linkage import Linkage
from clustering.plots import (
    MOST_CLUSTERS,
    linkage_between,
    measure_reliability,
    plot_dendrogram,
    plot_precision_recall,
    plot_reliability,
)
from tests.clustering.conftest import blobs

LINK = st.tuples(st.floats(0.0, 1.0), st.booleans())
LINKS = st.lists(LINK, min_size=1, max_size=60).map(lambda links: tuple(zip(*links, strict=True)))


@pytest.fixture(scope="module")
def links(lander, other_world):
    features, classes = other_world
    lander.predict(features)
    i, j, probability = lander.linkage_.edges()
    return probability, classes[i] == classes[j]


@given(LINKS)
def test_bins_hold_every_link_once_and_keep_the_means(links):
    probability, same = links
    found = measure_reliability(probability, same)
    assert found.counts.sum() == len(probability)
    assert np.average(found.predicted, weights=found.counts) == pytest.approx(np.mean(probability))
    assert np.average(found.true, weights=found.counts) == pytest.approx(np.mean(same))


@given(LINKS)
def test_the_expected_error_is_at_least_the_difference_of_the_means(links):
    probability, same = links
    error = measure_reliability(probability, same).expected_error
    assert error >= abs(np.mean(probability) - np.mean(same)) - 1e-9


def test_honest_probabilities_have_hardly_any_expected_error():
    random = np.random.default_rng(0)
    probability = random.random(20_000)
    same = random.random(20_000) < probability
    assert measure_reliability(probability, same).expected_error < 0.02
    assert measure_reliability(probability**3, same).expected_error > 0.2


def test_certain_and_right_probabilities_have_no_expected_error():
    assert measure_reliability([0.0, 1.0, 1.0], [False, True, True]).expected_error == 0.0


def test_the_reliability_picture_has_a_point_for_each_bin_at_what_came_true(links):
    axes = plot_reliability(*links)
    found = measure_reliability(*links)
    [points] = axes.collections
    np.testing.assert_allclose(points.get_offsets(), np.column_stack([found.predicted, found.true]))


def test_the_curve_of_precision_and_recall_agrees_with_scikit_learn_at_the_marked_taus(links):
    probability, same = links
    curve, _, *marked = plot_precision_recall(probability, same).lines
    taus = [tau for tau in (0.3, 0.5, 0.7, 0.9) if (probability >= tau).any()]
    for tau, point in zip(taus, marked, strict=True):
        kept = probability >= tau
        expected = recall_score(same, kept), precision_score(same, kept)
        np.testing.assert_allclose(point.get_xydata()[0], expected)
        assert np.isclose(curve.get_xydata(), expected).all(axis=1).any()


def test_all_links_together_have_all_of_the_recall(links):
    probability, same = links
    curve = plot_precision_recall(probability, same).lines[0].get_xydata()
    np.testing.assert_allclose(curve[-1], [1.0, same.mean()])


def test_a_dendrogram_has_a_leaf_for_each_cluster_and_tells_its_size(lander, other_world):
    labels = lander.predict(other_world[0])
    leaves = [int(leaf.get_text()) for leaf in plot_dendrogram(lander).get_xticklabels()]
    assert sorted(leaves) == sorted(np.bincount(labels))


def test_a_dendrogram_of_many_clusters_shows_the_largest(lander):
    labels = lander.predict(blobs(2 * MOST_CLUSTERS, 9, noise=0.3, seed=4)[0])
    sizes = np.sort(np.bincount(labels))
    leaves = [int(leaf.get_text()) for leaf in plot_dendrogram(lander).get_xticklabels()]
    assert len(sizes) > MOST_CLUSTERS
    assert sorted(leaves) == sizes[-MOST_CLUSTERS:].tolist()


@st.composite
def linkages(draw):
    n, k = draw(st.integers(2, 12)), draw(st.integers(1, 5))
    k = min(k, n - 1)
    hoods = [draw(st.permutations([j for j in range(n) if j != i]))[:k] for i in range(n)]
    probability = draw(arrays(np.float32, (n, k), elements=st.floats(0, 1, width=32)))
    labels = draw(arrays(np.int64, n, elements=st.integers(0, 3)))
    return Linkage(np.array(hoods, dtype=np.int32), probability), np.unique(
        labels, return_inverse=True
    )[1]


@given(linkages())
def test_clusters_are_as_close_as_their_links_are_probable(drawn):
    linkage, labels = drawn
    close = linkage_between(linkage, labels)
    k, sizes = linkage.neighbours.shape[1], np.bincount(labels)
    for a in range(len(sizes)):
        for b in range(a):
            total = sum(
                linkage.probability[i, place]
                for i, hood in enumerate(linkage.neighbours)
                for place, j in enumerate(hood)
                if {labels[i], labels[j]} == {a, b}
            )
            small, large = sorted([sizes[a], sizes[b]])
            expected = min(total / (2 * small * min(k, large)), 1.0)
            assert close[a, b] == close[b, a] == pytest.approx(expected, abs=1e-6)


def test_pictures_are_drawn_on_the_axes_that_are_given(lander, links):
    one, two, three = Figure().subplots(1, 3)
    assert plot_reliability(*links, one) is one
    assert plot_precision_recall(*links, two) is two
    assert plot_dendrogram(lander, three) is three
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in (one, two, three))


def test_pictures_can_be_saved(lander, links):
    for axes in (plot_reliability(*links), plot_precision_recall(*links), plot_dendrogram(lander)):
        file = BytesIO()
        axes.figure.savefig(file, format="png")
        assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("plot", [plot_reliability, plot_precision_recall])
@pytest.mark.parametrize(
    ("probability", "same", "complaint"),
    [
        ([], [], "probability is empty"),
        ([0.5, 0.6], [True], "probability has shape"),
        ([0.5, 1.5], [True, False], "not logits"),
        ([0.5, np.nan], [True, False], "not logits"),
    ],
)
def test_links_that_cannot_be_drawn_are_named(plot, probability, same, complaint):
    with pytest.raises(ValueError, match=complaint):
        plot(probability, same)


def test_without_a_right_link_there_is_no_recall():
    with pytest.raises(ValueError, match="nowhere true"):
        plot_precision_recall([0.1, 0.2], [False, False])


def test_a_dendrogram_needs_clusters(training_world):
    with pytest.raises(NotFittedError):
        plot_dendrogram(HiLander().fit(*training_world))


def test_a_dendrogram_needs_two_clusters(training_world):
    lander = HiLander().fit(*training_world)
    lander.predict(training_world[0][:1])
    with pytest.raises(ValueError, match="at least 2"):
        plot_dendrogram(lander)
