"""Decoding is the rule of the paper, node by node, for any graph."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clustering.decode import decode, find_roots


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 15))
    node = st.integers(0, n - 1)
    level = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
    edges = draw(st.lists(st.tuples(node, node, level), max_size=50, unique_by=lambda e: e[:2]))
    i, j, linkage = (list(column) for column in zip(*edges, strict=True)) if edges else ([],) * 3
    density = draw(st.lists(level, min_size=n, max_size=n))
    return (
        np.array(i, dtype=np.int64),
        np.array(j, dtype=np.int64),
        np.array(linkage, dtype=np.float32),
        np.array(density, dtype=np.float32),
    )


def denser(density, j, i):
    return density[j] > density[i] or (density[j] == density[i] and j < i)


@given(graphs(), st.sampled_from([0.0, 0.3, 0.5, 0.9]))
def test_a_node_follows_its_most_probable_edge_to_a_denser_node(graph, tau):
    i, j, linkage, density = graph
    roots = decode(i, j, linkage, density, tau)
    for node in range(len(density)):
        allowed = [
            (linkage[e], density[j[e]], -j[e])
            for e in range(len(i))
            if i[e] == node and linkage[e] >= tau and denser(density, j[e], node)
        ]
        parent = -max(allowed)[2] if allowed else node
        assert roots[node] == roots[parent]
        assert allowed or roots[node] == node


@given(graphs())
def test_the_root_is_the_densest_of_its_cluster(graph):
    *edges, density = graph
    roots = decode(*edges, density, 0.5)
    assert (density[roots] >= density).all()
    assert (roots[roots] == roots).all()


@given(graphs())
def test_a_higher_threshold_only_splits_clusters(graph):
    loose, strict = (decode(*graph, tau) for tau in (0.25, 0.75))
    for root in np.unique(strict):
        assert len(np.unique(loose[strict == root])) == 1


@given(graphs(), st.floats(0.0, 1.0))
def test_a_point_without_edges_changes_nothing_else(graph, density_of_new):
    i, j, linkage, density = graph
    more = np.append(density, np.float32(density_of_new))
    np.testing.assert_array_equal(
        decode(i, j, linkage, more, 0.5)[:-1], decode(i, j, linkage, density, 0.5)
    )


@given(graphs(), st.randoms(use_true_random=False))
def test_renumbering_the_nodes_renumbers_the_roots(graph, random):
    i, j, linkage, density = graph
    n = len(density)
    density = density + np.arange(n, dtype=np.float32) / 1000
    new = np.array(random.sample(range(n), n))
    permuted = np.empty_like(density)
    permuted[new] = density
    keep = np.unique(linkage, return_index=True)[1]
    i, j, linkage = i[keep], j[keep], linkage[keep]
    np.testing.assert_array_equal(
        decode(new[i], new[j], linkage, permuted, 0.5)[new],
        new[decode(i, j, linkage, density, 0.5)],
    )


@given(st.integers(1, 200), st.integers(0, 9))
def test_roots_are_where_walking_up_ends(n, seed):
    random = np.random.default_rng(seed)
    parents = np.array([random.integers(0, node + 1) for node in range(n)])
    for node, root in enumerate(find_roots(parents)):
        while parents[node] != node:
            node = parents[node]
        assert node == root
