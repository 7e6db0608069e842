"""Every way of searching finds the nearest others, in blocks as in one piece."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.blocks import BLOCK
from clustering.cells import HARDLY, CellIndex, enough_probes
from clustering.nearest import TILE, nearest_rows
from clustering.neighbours import ExactIndex, TiledIndex, find_neighbours

from .conftest import blobs


def whole(index, n, k):
    """All blocks of an index, put together."""
    indices, cosines = np.full((n, k), -1), np.zeros((n, k), dtype=np.float32)
    for block in range(index.n_blocks):
        rows, indices_of_block, cosines_of_block = index.search(block, k)
        indices[rows], cosines[rows] = indices_of_block, cosines_of_block
    return indices, cosines


@pytest.fixture(scope="module")
def features():
    return blobs(150, 20, noise=1.0, seed=4)[0]


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 9), st.integers(0, 99))
def test_the_tiled_search_is_that_of_faiss(q, m, k, seed):
    random = np.random.default_rng(seed)
    queries, candidates = (random.normal(size=(r, 5)).astype(np.float32) for r in (q, m))
    cosines, indices = nearest_rows(torch.tensor(queries), torch.tensor(candidates), min(k, m))
    expected = faiss.knn(queries, candidates, min(k, m), metric=faiss.METRIC_INNER_PRODUCT)
    np.testing.assert_allclose(cosines, expected[0], atol=1e-5)
    np.testing.assert_array_equal(indices, expected[1])


@given(st.integers(0, 30), st.integers(1, 40), st.integers(0, 99))
def test_neighbours_are_the_nearest_others_in_order(n, k, seed):
    rows = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = find_neighbours(rows, k)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    width = max(min(k, n - 1), 0)
    assert found.present.shape == (n, width)
    assert found.present.all()
    assert (found.indices != np.arange(n)[:, None]).all()
    np.testing.assert_allclose(found.cosines, -np.sort(-cosines, axis=1)[:, :width], atol=1e-5)


@given(st.integers(1, 20), st.integers(1, 12))
def test_no_point_is_its_own_neighbour_among_copies_of_itself(n, k):
    found = find_neighbours(np.ones((n, 1), dtype=np.float32), k)
    assert (found.indices != np.arange(n)[:, None]).all()
    assert (np.diff(np.sort(found.indices, axis=1), axis=1) > 0).all()


def test_tiles_and_blocks_of_a_tiled_search_join_without_a_seam():
    n = TILE + BLOCK + 7
    angles = torch.arange(n) * (2 * torch.pi / n)
    circle = torch.stack([angles.cos(), angles.sin()], dim=1).double()
    rows = [0, 1, BLOCK - 1, BLOCK, TILE - 1, TILE, n - 1]
    _, found = nearest_rows(circle[rows], circle, 3)
    for row, nearest in zip(rows, found.tolist(), strict=True):
        assert set(nearest) == {(row - 1) % n, row, (row + 1) % n}


@pytest.mark.parametrize("make", [ExactIndex, lambda x: TiledIndex(torch.from_numpy(x))])
def test_an_exact_index_finds_the_nearest_others(features, make):
    indices, cosines = whole(make(features), len(features), 9)
    products = features @ features.T
    np.fill_diagonal(products, -np.inf)
    expected = -np.sort(-products, axis=1)[:, :9]
    np.testing.assert_allclose(cosines, expected, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(products, indices, axis=1), expected, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [ExactIndex, lambda x: TiledIndex(torch.from_numpy(x)), lambda x: CellIndex.build(x, 9)],
)
def test_blocks_searched_in_any_order_are_the_whole(features, make):
    forward, backward = make(features), make(features)
    expected = whole(forward, len(features), 9)
    for block in reversed(range(backward.n_blocks)):
        rows, indices, cosines = backward.search(block, 9)
        np.testing.assert_array_equal(indices, expected[0][rows])
        np.testing.assert_array_equal(cosines, expected[1][rows])


def test_the_rows_of_the_blocks_are_all_rows_once(features):
    index = CellIndex.build(features, 9)
    rows = [index.search(block, 1)[0] for block in range(index.n_blocks)]
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(features)))


@pytest.mark.parametrize("wanted", [0.5, 0.9, 0.99, 1.0])
def test_an_approximate_search_reaches_the_recall_that_is_asked_for(features, wanted):
    index = CellIndex.build(features, 9, recall=wanted, hardly=0.0)
    found, _ = whole(index, len(features), 9)
    exact, _ = whole(ExactIndex(features), len(features), 9)
    common = (found[:, :, None] == exact[:, None, :]).any(axis=2).mean()
    assert index.recall >= wanted
    assert common == pytest.approx(index.recall, abs=0.05)
    assert common >= wanted - 0.05


def test_more_cells_are_read_for_more_recall(features):
    wanted = (0.5, 0.9, 1.0)
    probes = [CellIndex.build(features, 9, recall=r, hardly=0.0).division.n_probes for r in wanted]
    assert probes == sorted(probes)
    assert probes[0] < probes[-1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.99]))
def test_cells_are_added_until_enough_is_found_or_twice_as_many_would_hardly_find_more(
    shares, recall
):
    found_by = np.sort([*shares, 1.0])

    def is_enough(n: int) -> bool:
        twice = found_by[min(2 * n, len(found_by)) - 1]
        return found_by[n - 1] >= recall or twice - found_by[n - 1] < HARDLY

    n_probes = enough_probes(found_by, recall, HARDLY)
    assert is_enough(n_probes)
    assert not any(is_enough(n) for n in range(1, n_probes))


def test_an_approximate_search_finds_as_many_as_are_asked_for(features):
    found, _ = whole(CellIndex.build(features, 500, recall=0.1), len(features), 500)
    assert (np.diff(np.sort(found, axis=1), axis=1) > 0).all()
    assert (found != np.arange(len(features))[:, None]).all()


def test_equal_cosines_are_ordered_by_index():
    copies = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)
    found = find_neighbours(copies, 10)
    for row, nearest in enumerate(found.indices):
        own = [other for other in range(row // 5 * 5, row // 5 * 5 + 5) if other != row]
        assert nearest[:4].tolist() == own
        assert (np.diff(nearest[4:]) > 0).all()


def test_memory_mapped_features_are_searched_as_those_in_memory(features, tmp_path):
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    for make in (ExactIndex, lambda x: CellIndex.build(x, 9)):
        for ours, theirs in zip(
            whole(make(mapped), len(mapped), 9), whole(make(features), len(mapped), 9), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_the_nearest_few_are_the_first_of_the_nearest_many(features):
    many, few = (find_neighbours(features, k) for k in (12, 5))
    np.testing.assert_array_equal(many.nearest(5).indices, few.indices)
    np.testing.assert_array_equal(many.nearest(5).cosines, few.cosines)
    assert few.recall == 1.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_finds_what_the_processor_finds(features):
    device = TiledIndex(torch.tensor(features, device="cuda"))
    _, ours = whole(device, len(features), 9)
    _, theirs = whole(ExactIndex(features), len(features), 9)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
