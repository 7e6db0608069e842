"""The evidence of a link is what sets of neighbours say, read in one piece or in blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.overlap import EVIDENCE, WIDTHS, by_locality, overlap_evidence


def random_hoods(n: int, width: int, empty: float, seed: int) -> np.ndarray:
    """Distinct others for each of n nodes in random order; a share of the places is empty."""
    random = np.random.default_rng(seed)
    hoods = np.array([random.permutation(np.delete(np.arange(n), i))[:width] for i in range(n)])
    hoods = hoods.reshape(n, width).astype(np.int32)
    hoods[random.random(hoods.shape) < empty] = -1
    return hoods


def evidence_by_definition(hoods: np.ndarray) -> np.ndarray:
    n, k = hoods.shape
    places = [{node: 0} for node in range(n)]
    for node in range(n):
        places[node] |= {o: p for p, o in enumerate(hoods[node].tolist(), start=1) if o >= 0}
    evidence = np.zeros((n, k, len(EVIDENCE)))
    for i, link in np.ndindex(evidence.shape[:2]):
        j = int(hoods[i, link])
        if j < 0:
            continue
        for column, share in enumerate(WIDTHS):
            m = min(max(1, round(share * k)), k, max(n // 2, 1))
            near_i, near_j = ({o for o, p in places[node].items() if p <= m} for node in (i, j))
            by_chance = (m + 1) ** 2 / n
            more = len(near_i & near_j) - by_chance
            evidence[i, link, column] = more / max(m + 1 - by_chance, 1)
        evidence[i, link, len(WIDTHS) :] = np.log([link + 1, places[j].get(i, k + 1)])
    return evidence


@st.composite
def neighbourhoods(draw):
    """Neighbourhoods of few or many nodes."""
    n = draw(st.integers(1, 40))
    width = draw(st.integers(0, n - 1))
    empty = draw(st.sampled_from([0.0, 0.2, 1.0]))
    return random_hoods(n, width, empty, draw(st.integers(0, 999)))


@given(neighbourhoods())
def test_the_evidence_is_that_of_sets(hoods):
    evidence = overlap_evidence(hoods)
    assert evidence.dtype == np.float32
    np.testing.assert_allclose(evidence, evidence_by_definition(hoods), rtol=1e-5, atol=1e-6)


@given(neighbourhoods(), st.data())
def test_evidence_of_any_rows_in_any_order_is_that_of_the_whole(hoods, data):
    row = st.integers(0, len(hoods) - 1)
    rows = np.array(data.draw(st.lists(row, max_size=60)), dtype=np.int64)
    np.testing.assert_array_equal(overlap_evidence(hoods, rows), overlap_evidence(hoods)[rows])


@given(neighbourhoods())
def test_by_locality_every_node_comes_once_and_twins_next_to_one_another(hoods):
    twins = np.concatenate([hoods, hoods])
    order = by_locality(twins)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(twins)))
    if hoods.shape[1]:
        least = twins.min(axis=1)[order]
        assert (least[1:] >= least[:-1]).all()


@given(neighbourhoods(), st.data())
def test_evidence_of_some_nodes_needs_only_their_neighbourhoods_and_their_neighbours(hoods, data):
    n = len(hoods)
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=9)), dtype=np.int64)
    held = np.unique(np.append(hoods[rows], rows))
    held = held[held >= 0]
    number = np.full(n + 1, -1)
    number[held] = np.arange(len(held))
    np.testing.assert_array_equal(
        overlap_evidence(number[hoods[held]], number[rows], n=n), overlap_evidence(hoods, rows)
    )


@given(neighbourhoods(), st.integers(0, 999))
def test_renumbering_the_nodes_renumbers_their_evidence(hoods, seed):
    order = np.random.default_rng(seed).permutation(len(hoods))
    new = np.append(np.argsort(order), -1).astype(np.int32)
    np.testing.assert_array_equal(
        overlap_evidence(new[hoods[order]]), overlap_evidence(hoods)[order]
    )


@pytest.mark.parametrize("n_groups", [3, 30, 300])
def test_twins_overlap_wholly_in_a_set_of_any_size(n_groups):
    mates = np.arange(7)
    one_group = np.array([np.delete(mates, node) for node in mates])
    hoods = np.concatenate([one_group + len(mates) * group for group in range(n_groups)])
    overlap = overlap_evidence(hoods)[:, :, WIDTHS.index(1)]
    np.testing.assert_allclose(overlap, 1.0, rtol=1e-6)


@settings(max_examples=20)
@given(neighbourhoods())
def test_the_type_of_the_numbers_does_not_matter(hoods):
    np.testing.assert_array_equal(overlap_evidence(hoods.astype(np.int64)), overlap_evidence(hoods))
