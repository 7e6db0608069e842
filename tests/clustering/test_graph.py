"""The neighbour search and the graph's sums equal their plain definitions."""

from __future__ import annotations

import dgl.function as fn
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.evidence import EDGE_EVIDENCE, SuperNodes, build_graph, find_context
from clustering.graph import edge_ends, neighbour_graph, sum_edges, sum_neighbours
from clustering.neighbours import find_neighbours

SHARED = EDGE_EVIDENCE.index("shared neighbours (Jaccard)")


def unit_rows(n: int, seed: int, dim: int = 6) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


sizes, widths, seeds = st.integers(1, 30), st.integers(1, 12), st.integers(0, 99)


@given(sizes, widths, seeds)
def test_neighbours_are_the_nearest_others_in_order(n, k, seed):
    rows = unit_rows(n, seed)
    found = find_neighbours(rows, k, np.zeros(n, dtype=np.int64))
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    expected = np.sort(cosines, axis=1)[:, ::-1][:, : min(k, n - 1)]
    assert found.present.all()
    assert (found.indices != np.arange(n)[:, None]).all()
    np.testing.assert_allclose(found.cosines, expected, atol=1e-5)


@given(sizes, widths, seeds)
def test_rows_of_different_groups_are_never_neighbours(n, k, seed):
    groups = np.random.default_rng(seed).integers(0, 3, size=n)
    found = find_neighbours(unit_rows(n, seed), k, groups)
    i, place = np.nonzero(found.present)
    assert (groups[i] == groups[found.indices[i, place]]).all()
    mates = np.bincount(groups, minlength=3)[groups] - 1
    np.testing.assert_array_equal(found.present.sum(axis=1), np.minimum(mates, k))


@given(st.integers(1, 20), widths)
def test_no_point_is_its_own_neighbour_among_copies_of_itself(n, k):
    found = find_neighbours(np.ones((n, 1), dtype=np.float32), k, np.zeros(n, dtype=np.int64))
    assert (found.indices != np.arange(n)[:, None]).all()


@settings(deadline=None, max_examples=30)
@given(sizes, widths, seeds)
def test_the_fused_sum_is_the_graph_librarys_own(n, k, seed):
    groups = np.random.default_rng(seed).integers(0, 2, size=n)
    graph = neighbour_graph(find_neighbours(unit_rows(n, seed), k, groups))
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(n, 5, generator=random, requires_grad=True)
    weights = torch.randn(graph.num_edges(), generator=random, requires_grad=True)

    fused = sum_neighbours(graph, values, weights)
    fused_gradients = torch.autograd.grad(fused.square().sum(), [values, weights])
    with graph.local_scope():
        graph.ndata["h"], graph.edata["w"] = values, weights[:, None]
        graph.update_all(fn.u_mul_e("h", "w", "m"), fn.sum("m", "s"))
        plain = graph.ndata["s"]
    plain_gradients = torch.autograd.grad(plain.square().sum(), [values, weights])

    torch.testing.assert_close(fused, plain, atol=1e-5, rtol=1e-4)
    for ours, theirs in zip(fused_gradients, plain_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@settings(deadline=None, max_examples=30)
@given(sizes, widths, seeds)
def test_the_sum_of_edges_is_the_graph_librarys_own(n, k, seed):
    graph = neighbour_graph(find_neighbours(unit_rows(n, seed), k, np.zeros(n, dtype=np.int64)))
    values = torch.randn(graph.num_edges(), generator=torch.Generator().manual_seed(seed))
    with graph.local_scope():
        graph.edata["v"] = values[:, None]
        graph.update_all(fn.copy_e("v", "m"), fn.sum("m", "s"))
        plain = graph.ndata["s"][:, 0] if graph.num_edges() else torch.zeros(n)
    torch.testing.assert_close(sum_edges(graph, values), plain, atol=1e-5, rtol=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 25), seeds)
def test_shared_neighbours_are_the_jaccard_index_of_two_sets(n, seed):
    nodes = SuperNodes.of_images(unit_rows(n, seed), np.zeros(n, dtype=np.int64))
    context = find_context(nodes, 2)
    graph = build_graph(nodes, context, 2)
    hoods = [{node, *found.tolist()} for node, found in enumerate(context.indices)]
    j, i = edge_ends(graph)
    expected = [
        len(hoods[a] & hoods[b]) / len(hoods[a] | hoods[b])
        for a, b in zip(i.tolist(), j.tolist(), strict=True)
    ]
    np.testing.assert_allclose(graph.edata["evidence"][:, SHARED], expected, rtol=1e-6)


@given(st.integers(1, 30), seeds)
def test_the_product_of_two_means_is_the_mean_cosine_of_all_pairs(n, seed):
    rows = unit_rows(n, seed)
    roots = np.random.default_rng(seed).integers(0, n, size=n)
    merged, parts = SuperNodes.of_images(rows, np.zeros(n, dtype=np.int64)).merge(roots)
    first, last = 0, len(merged.peaks) - 1
    pairs = (rows @ rows.T)[np.ix_(parts == first, parts == last)]
    assert merged.means[first] @ merged.means[last] == pytest.approx(pairs.mean(), abs=1e-5)
    assert merged.sizes.sum() == n
