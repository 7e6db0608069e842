"""Linkage probabilities: the links, the density and the F-score that follow from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering import linkage
from clustering.linkage import Linkage, link
from clustering.neighbours import Neighbours, find_neighbours
from clustering.network import LinkageNetwork

from .conftest import blobs


def random_linkage(n: int, k: int, seed: int) -> Linkage:
    """Distinct others for each of n nodes with any probabilities; some places are empty."""
    random = np.random.default_rng(seed)
    rows = [random.permutation(np.delete(np.arange(n), i))[:k] for i in range(n)]
    neighbours = np.array(rows, dtype=np.int32).reshape(n, min(k, n - 1))
    neighbours[random.random(neighbours.shape) < 0.2] = -1
    probability = random.random(neighbours.shape).astype(np.float32)
    return Linkage(neighbours, np.where(neighbours >= 0, probability, np.float32(0)))


def by_ends(linkage: Linkage) -> dict[tuple[int, int], float]:
    """The probability of each link by its two ends."""
    return {
        (i, int(j)): float(linkage.probability[i, place])
        for (i, place), j in np.ndenumerate(linkage.neighbours)
        if j >= 0
    }


linkages = st.builds(random_linkage, st.integers(1, 20), st.integers(1, 8), st.integers(0, 999))
taus = st.sampled_from([0.0, 0.3, 0.5, 1.0])


@given(linkages, taus)
def test_links_are_symmetric_sums_of_the_probabilities_of_at_least_tau(linkage, tau):
    kept = {ends: r for ends, r in by_ends(linkage).items() if r >= max(tau, 1e-6)}
    links = linkage.links(tau).toarray()
    np.testing.assert_array_equal(links, links.T)
    assert (links[links > 0] >= tau).all()
    for i, j in np.ndindex(links.shape):
        assert links[i, j] == pytest.approx(kept.get((i, j), 0.0) + kept.get((j, i), 0.0))


@given(linkages)
def test_edges_are_the_filled_places(linkage):
    i, j, probability = linkage.edges()
    assert by_ends(linkage) == dict(
        zip(zip(i.tolist(), j.tolist(), strict=True), probability.tolist(), strict=True)
    )


@given(linkages, st.data())
def test_the_linkage_around_nodes_is_that_among_them_and_their_neighbours(linkage, data):
    n = len(linkage.neighbours)
    nodes = data.draw(st.lists(st.integers(0, n - 1), max_size=4))
    links = by_ends(linkage)
    near = sorted({*nodes, *(j for i, j in links if i in nodes)})
    expected = {
        (near.index(i), near.index(j)): r for (i, j), r in links.items() if i in near and j in near
    }
    assert by_ends(linkage.around(np.array(nodes, dtype=np.int64))) == expected


@given(linkages)
def test_density_counts_the_links_of_both_ends(linkage):
    expected = np.zeros(len(linkage.neighbours))
    for (i, j), r in by_ends(linkage).items():
        expected[[i, j]] += r
    np.testing.assert_allclose(linkage.density(), expected, rtol=1e-5)


@given(linkages, st.integers(1, 5), st.integers(0, 99))
def test_the_expected_f_is_that_of_clusters_drawn_by_the_probabilities(linkage, n_clusters, seed):
    n = len(linkage.neighbours)
    labels = np.random.default_rng(seed).integers(0, n_clusters, size=n)
    inside = [r for (i, j), r in by_ends(linkage).items() if labels[i] == labels[j]]
    precision = sum(inside) / max(len(inside), 1)
    recall = sum(inside) / max(sum(by_ends(linkage).values()), 1e-9)
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert linkage.expected_f(labels) == pytest.approx(f, rel=1e-5)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return LinkageNetwork(8).eval()


def link_here(network: LinkageNetwork, neighbours: Neighbours) -> Linkage:
    return link(network, neighbours, torch.device("cpu"))


@pytest.mark.parametrize("n", [0, 1, 2, 5, 40])
def test_every_node_is_linked_with_its_nearest(network, n):
    rows = abs(blobs(4, 10, noise=0.5, seed=0)[0][:n])
    neighbours = find_neighbours(rows, 6)
    found = link_here(network, neighbours)
    np.testing.assert_array_equal(found.neighbours, neighbours.indices)
    assert found.probability.shape == found.neighbours.shape
    assert ((found.probability > 0) & (found.probability <= 1)).all()


def test_linkage_found_block_by_block_is_that_of_the_whole(network, monkeypatch):
    neighbours = find_neighbours(blobs(6, 10, noise=0.5, seed=0)[0], 5)
    whole = link_here(network, neighbours)
    monkeypatch.setattr(linkage, "NODES", 7)
    blocks = link_here(network, neighbours)
    np.testing.assert_array_equal(blocks.neighbours, whole.neighbours)
    np.testing.assert_array_equal(blocks.probability, whole.probability)


@settings(max_examples=30)
@given(st.integers(2, 30), st.integers(1, 8), st.integers(0, 99))
def test_what_is_not_on_this_side_of_the_origin_is_not_linked(network, n, k, seed):
    rows = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    neighbours = find_neighbours(rows, k)
    found = link_here(network, neighbours)
    linked = neighbours.cosines > 0
    np.testing.assert_array_equal(found.neighbours >= 0, linked)
    assert (found.probability[~linked] == 0).all()


def test_points_that_coincide_are_linked_for_certain(network):
    rows = np.repeat(blobs(5, 1, noise=0.5, seed=0)[0], 3, axis=0)
    found = link_here(network, find_neighbours(rows, 4))
    assert {r for (i, j), r in by_ends(found).items() if i // 3 == j // 3} == {1.0}
    assert all(r < 1 for (i, j), r in by_ends(found).items() if i // 3 != j // 3)
