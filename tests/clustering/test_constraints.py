"""Knowledge of pairs becomes numbers, and what contradicts itself is refused by its rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.constraints import check_apart, check_together


@given(st.lists(st.integers(-3, 5), max_size=20))
def test_rows_share_a_number_if_and_only_if_they_are_of_one_known_group(must_link):
    together = check_together(np.array(must_link, dtype=np.int64), len(must_link))
    assert sorted(set(together.tolist())) == list(range(len(set(together.tolist()))))
    for i, mine in enumerate(must_link):
        for j, other in enumerate(must_link):
            assert (together[i] == together[j]) == (i == j or (mine == other and mine >= 0))


def test_without_knowledge_every_row_is_its_own_group():
    np.testing.assert_array_equal(check_together(None, 4), np.arange(4))


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint64])
def test_groups_may_be_any_numbers_of_any_type_of_integer(kind):
    most = np.iinfo(kind).max
    np.testing.assert_array_equal(
        check_together(np.array([most, most - 1, most], dtype=kind), 3), [1, 0, 1]
    )


@pytest.mark.parametrize("must_link", [[0, 1], [[0, 1, 2]], [0.0, 1.0, 2.0], ["a", "b", "c"], 3])
def test_knowledge_that_is_not_one_integer_per_row_is_refused(must_link):
    with pytest.raises(ValueError, match="must_link must be 3 integers"):
        check_together(must_link, 3)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_pairs_are_apart_in_both_directions_and_no_others_are(pairs):
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    apart = check_apart(pairs, np.arange(10))
    rows, others = apart.tocoo().row, apart.tocoo().col
    expected = {(i, j) for pair in pairs for i, j in (pair, pair[::-1])}
    assert apart.shape == (10, 10)
    assert set(zip(rows.tolist(), others.tolist(), strict=True)) == expected


@pytest.mark.parametrize("cannot_link", [None, [], np.empty((0, 2), dtype=np.int64)])
def test_without_pairs_nothing_is_apart(cannot_link):
    assert check_apart(cannot_link, np.arange(3)).nnz == 0


@pytest.mark.parametrize("cannot_link", [[0, 1], [[0, 1, 2]], [[0.0, 1.0]], [["a", "b"]]])
def test_what_are_no_pairs_of_rows_is_refused(cannot_link):
    with pytest.raises(ValueError, match="cannot_link must be pairs of rows"):
        check_apart(cannot_link, np.arange(3))


@pytest.mark.parametrize("row", [-1, 3])
def test_a_pair_with_a_row_that_is_not_there_is_named(row):
    with pytest.raises(ValueError, match=rf"cannot_link\[1\] is \[0, {row}\], but .* has 3 rows"):
        check_apart([[0, 1], [0, row]], np.arange(3))


def test_a_pair_that_is_also_joined_is_named():
    together = check_together([7, -1, 7, -1], 4)
    with pytest.raises(ValueError, match=r"cannot_link\[1\] separates rows \[2, 0\]"):
        check_apart([[0, 1], [2, 0]], together)


def test_a_row_cannot_be_apart_from_itself():
    with pytest.raises(ValueError, match=r"separates rows \[1, 1\], which are one row"):
        check_apart([[1, 1]], np.arange(3))
