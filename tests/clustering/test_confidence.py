"""The signs that an image belongs with its cluster, and what it means to belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.confidence import STRANGER, belongs, signs_of_belonging
from clustering.linkage import Linkage

from .test_linkage import by_ends, linkages


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 3)), min_size=1, max_size=30))
def test_an_image_belongs_if_it_is_of_the_commonest_class_of_its_cluster(pairs):
    labels, truth = (np.array(column) for column in zip(*pairs, strict=True))
    for (label, true), belonging in zip(pairs, belongs(labels, truth), strict=True):
        classes, counts = np.unique(truth[labels == label], return_counts=True)
        assert belonging == (true == classes[counts.argmax()])


@given(linkages, st.integers(1, 4), st.integers(0, 99))
def test_the_signs_are_the_mean_log_odds_and_the_share_of_links_into_the_cluster(
    linkage, n_clusters, seed
):
    n = len(linkage.neighbours)
    drawn = np.random.default_rng(seed).integers(0, n_clusters, size=n)
    _, labels = np.unique(drawn, return_inverse=True)
    odds, share = np.full(n, STRANGER), np.zeros(n)
    for image in range(n):
        links = {j: r for (i, j), r in by_ends(linkage).items() if i == image}
        own = np.clip([r for j, r in links.items() if labels[j] == labels[image]], 1e-3, 1 - 1e-3)
        if len(own):
            odds[image] = np.log(own / (1 - own)).mean()
            share[image] = min(own.sum() / sum(links.values()), 1.0)
    signs = signs_of_belonging(linkage, labels)
    np.testing.assert_allclose(signs[:, 0], odds, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(signs[:, 1], share, rtol=1e-4)


def test_an_image_without_a_link_into_its_cluster_is_a_stranger():
    neighbours = np.array([[1], [0], [-1]], dtype=np.int32)
    linkage = Linkage(neighbours, np.array([[0.9], [0.9], [0]], dtype=np.float32))
    odds, share = signs_of_belonging(linkage, np.zeros(3, dtype=np.int64))[:, :2].T
    assert odds[2] == STRANGER < odds[0]
    assert share.tolist() == pytest.approx([1.0, 1.0, 0.0])
