"""Metrics equal their definitions, written out image by image."""

from __future__ import annotations

from itertools import combinations
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from clustering import bcubed, bcubed_f, nmi, pairwise, pairwise_f

partitions = st.lists(
    st.tuples(st.integers(-2, 4), st.integers(0, 5)), min_size=1, max_size=30
).map(lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True)))


def share(part: set, whole: set) -> float:
    return len(part & whole) / len(whole) if whole else 1.0


@given(partitions)
def test_pairwise_agreement_is_the_share_of_common_pairs(partition):
    truth, predicted = partition
    pairs = list(combinations(range(len(truth)), 2))
    true = {(a, b) for a, b in pairs if truth[a] == truth[b]}
    found = {(a, b) for a, b in pairs if predicted[a] == predicted[b]}
    agreement = pairwise(truth, predicted)
    assert agreement.precision == pytest.approx(share(true, found))
    assert agreement.recall == pytest.approx(share(found, true))


@given(partitions)
def test_bcubed_agreement_is_a_mean_over_images(partition):
    truth, predicted = partition
    images = range(len(truth))
    of_class = [{b for b in images if truth[b] == truth[a]} for a in images]
    of_cluster = [{b for b in images if predicted[b] == predicted[a]} for a in images]
    agreement = bcubed(truth, predicted)
    assert agreement.precision == pytest.approx(
        mean(share(of_class[a], of_cluster[a]) for a in images)
    )
    assert agreement.recall == pytest.approx(
        mean(share(of_cluster[a], of_class[a]) for a in images)
    )


@given(partitions)
def test_nmi_is_that_of_scikit_learn(partition):
    assert nmi(*partition) == pytest.approx(normalized_mutual_info_score(*partition), abs=1e-9)


@given(partitions, st.permutations(range(6)))
def test_names_of_clusters_do_not_matter(partition, names):
    truth, predicted = partition
    renamed = np.array(names)[predicted]
    for score in (pairwise_f, bcubed_f, nmi):
        assert score(truth, renamed) == pytest.approx(score(truth, predicted))


@given(partitions)
def test_a_perfect_clustering_scores_one(partition):
    truth, _ = partition
    for score in (pairwise_f, bcubed_f, nmi):
        assert score(truth, truth) == pytest.approx(1.0)


def test_a_small_beta_favours_precision():
    agreement = pairwise([0, 0, 0, 1], [0, 0, 1, 2])
    assert agreement.precision > agreement.recall
    assert agreement.weighted_f(0.5) > agreement.f > agreement.weighted_f(2.0)


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [([0, 1], [0], "one class and one cluster"), ([], [], "truth is empty")],
)
def test_partitions_of_different_images_are_refused(truth, predicted, message):
    with pytest.raises(ValueError, match=message):
        bcubed_f(truth, predicted)
