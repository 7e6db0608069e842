"""Groups of near-duplicates are what all pairs would give, however they are looked up."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clustering.duplicates import LARGEST_RADIUS, near_duplicates

Hashes = NDArray[np.uint64]

# Few bits vary, so that there are neighbours, and neighbours of neighbours.
words = st.lists(
    st.integers(0, 2**12 - 1).map(lambda bits: sum((bits >> b & 1) << (5 * b) for b in range(12))),
    max_size=60,
)
radii = st.integers(0, LARGEST_RADIUS)


def by_all_pairs(hashes: Hashes, radius: int) -> list[int]:
    """The definition, word for word: the first of a group by copies, then in numerical order."""
    distinct, counts = np.unique(hashes, return_counts=True)
    first_of: dict[int, int] = {}
    for row in np.lexsort((distinct, -counts)):
        if distinct[row] not in first_of:
            for other in distinct:
                if other not in first_of and (distinct[row] ^ other).bit_count() <= radius:
                    first_of[other] = distinct[row]
    return [first_of[each] for each in hashes]


@given(words, radii)
def test_the_groups_are_those_of_all_pairs(found: list[int], radius: int) -> None:
    hashes = np.array(found, dtype=np.uint64)
    groups = near_duplicates(hashes, radius)
    assert hashes[groups].tolist() == by_all_pairs(hashes, radius)


@given(words, radii)
def test_the_order_of_the_pictures_does_not_matter(found: list[int], radius: int) -> None:
    hashes = np.array(found, dtype=np.uint64)
    order = np.random.default_rng(len(found)).permutation(len(found))
    shuffled = hashes[order]
    assert (
        shuffled[near_duplicates(shuffled, radius)].tolist()
        == hashes[near_duplicates(hashes, radius)][order].tolist()
    )


@pytest.mark.parametrize("radius", range(LARGEST_RADIUS + 1))
def test_no_pair_within_the_radius_is_missed_and_none_beyond_it_found(radius: int) -> None:
    random = np.random.default_rng(radius)
    for _ in range(50):
        word = int(random.integers(0, 2**63))
        bits = [1 << int(bit) for bit in random.permutation(64)[: radius + 1]]
        near, far = word ^ sum(bits[:radius]), word ^ sum(bits)
        assert len(set(near_duplicates([word, near], radius))) == 1
        assert len(set(near_duplicates([word, far], radius))) == 2


def test_a_chain_of_pictures_that_each_resemble_the_next_is_not_one_group() -> None:
    chain = [(1 << length) - 1 for length in range(65)]
    groups = near_duplicates(chain, 4)
    assert len(set(groups)) > 5
    for one, other in combinations(range(len(chain)), 2):
        if groups[one] == groups[other]:
            assert (chain[one] ^ chain[other]).bit_count() <= 2 * 4


def test_what_most_pictures_share_begins_the_group() -> None:
    assert near_duplicates([0b001, 0b111, 0b111], 2).tolist() == [1, 1, 1]


def test_no_pictures_are_in_no_group() -> None:
    assert near_duplicates([], 8).tolist() == []


@pytest.mark.parametrize(
    ("hashes", "radius", "message"),
    [([[1]], 2, "shape"), ([1], -1, "radius is -1"), ([1], 16, "give 0 to 15")],
)
def test_what_cannot_be_grouped_is_refused(hashes: list[object], radius: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        near_duplicates(hashes, radius)
