"""The graph's sums equal the graph library's own."""

from __future__ import annotations

import dgl.function as fn
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.graph import density, edge_ends, neighbour_graph, sum_edges, sum_neighbours
from clustering.neighbours import Neighbours, find_neighbours
from clustering.supernodes import SuperNodes


def unit_rows(n: int, seed: int, dim: int = 6) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def some_neighbours(n: int, k: int, seed: int) -> Neighbours:
    """The nearest of random nodes, about a third of them left out."""
    found = find_neighbours(unit_rows(n, seed), k)
    kept = np.random.default_rng(seed).random(found.indices.shape) < 2 / 3
    return Neighbours(np.where(kept, found.indices, -1), found.cosines)


sizes, widths, seeds = st.integers(1, 30), st.integers(1, 12), st.integers(0, 99)


@settings(max_examples=30)
@given(sizes, widths, seeds)
def test_an_edge_runs_from_each_neighbour_to_the_node_that_found_it(n, k, seed):
    neighbours = some_neighbours(n, k, seed)
    graph = neighbour_graph(neighbours)
    j, i = (end.tolist() for end in edge_ends(graph))
    cosines = dict(zip(zip(i, j, strict=True), graph.edata["cosine"].tolist(), strict=True))
    assert graph.num_nodes() == n
    assert cosines == {
        (node, int(other)): float(neighbours.cosines[node, place])
        for (node, place), other in np.ndenumerate(neighbours.indices)
        if other >= 0
    }


@settings(max_examples=30)
@given(sizes, widths, seeds)
def test_the_fused_sum_is_the_graph_librarys_own(n, k, seed):
    graph = neighbour_graph(some_neighbours(n, k, seed))
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


@settings(max_examples=30)
@given(sizes, widths, seeds)
def test_the_sum_of_edges_is_the_graph_librarys_own(n, k, seed):
    graph = neighbour_graph(some_neighbours(n, k, seed))
    values = torch.randn(graph.num_edges(), generator=torch.Generator().manual_seed(seed))
    with graph.local_scope():
        graph.edata["v"] = values[:, None]
        graph.update_all(fn.copy_e("v", "m"), fn.sum("m", "s"))
        plain = graph.ndata["s"][:, 0] if graph.num_edges() else torch.zeros(n)
    torch.testing.assert_close(sum_edges(graph, values), plain, atol=1e-5, rtol=1e-4)


@settings(max_examples=30)
@given(st.integers(2, 20), widths, seeds)
def test_density_is_that_of_the_paper_node_by_node(n, k, seed):
    graph = neighbour_graph(some_neighbours(n, k, seed))
    linkage = torch.rand(graph.num_edges(), generator=torch.Generator().manual_seed(seed))
    found = density(graph, linkage)
    _, i = edge_ends(graph)
    for node in range(n):
        mine = i == node
        terms = (2 * linkage[mine] - 1) * graph.edata["cosine"][mine]
        expected = terms.sum() / max(len(terms), 1)
        torch.testing.assert_close(found[node], expected, atol=1e-5, rtol=1e-4)


@given(st.integers(1, 30), seeds)
def test_a_super_node_is_the_mean_of_its_members(n, seed):
    rows = unit_rows(n, seed)
    roots = np.random.default_rng(seed).integers(0, n, size=n)
    merged, parts = SuperNodes.of_images(rows).merge(roots)
    assert merged.sizes.sum() == n
    for node, mean in enumerate(merged.means):
        np.testing.assert_allclose(mean, rows[parts == node].mean(axis=0), atol=1e-5)
