"""Near-duplicates: groups of 64-bit perceptual hashes of which few bits differ.

Hashes are looked up by quarters (multi-index hashing; Norouzi, Punjani and Fleet, *Fast Exact
Search in Hamming Space with Multi-Index Hashing*, TPAMI 2014): of two hashes that differ in few
bits, one quarter at least differs in hardly any, so that only the buckets around each quarter are
compared, and nothing within the radius is missed.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

BITS = 64
QUARTERS = 4
QUARTER = BITS // QUARTERS
LARGEST_RADIUS = 15
"""Beyond it, most buckets of a quarter would be looked into, and most pictures be alike."""

Int = NDArray[np.int64]
Hashes = NDArray[np.uint64]


def near_duplicates(hashes: ArrayLike, radius: int) -> Int:
    """Group hashes that differ in at most `radius` bits from the first of their group.

    The first of the groups are found greedily: what most images share comes first, equals in
    numerical order, and each that is within `radius` of no earlier one begins a group and takes
    every hash within `radius` that is in none. So a chain of pictures of which each resembles the
    next does not become one group: two of a group differ in at most twice the radius, and the first
    of any two groups in more than it. The order of `hashes` does not matter.

    Parameters
    ----------
    hashes : array-like of uint64 (N,)
        Perceptual hashes.
    radius : int
        Bits, 0 to 15.

    Returns
    -------
    int64 (N,)
        The group of each hash: the index of one of its hashes, that of the group's first.

    Raises
    ------
    ValueError
        If `hashes` is not one row of numbers, or `radius` out of bounds.
    """
    every: Hashes = np.asarray(hashes, dtype=np.uint64)
    if every.ndim != 1:
        raise ValueError(f"hashes has shape {every.shape}; give one number for each picture.")
    if not 0 <= radius <= LARGEST_RADIUS:
        raise ValueError(f"radius is {radius}; give 0 to {LARGEST_RADIUS} bits.")
    distinct, first, which, counts = np.unique(
        every, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    leaders = _lead(distinct, order, *_buckets(distinct), *_masks(radius), radius)
    groups: Int = first[leaders[which]]
    return groups


def _buckets(hashes: Hashes) -> tuple[NDArray[np.int32], Hashes, Int]:
    """Rows and hashes by the value of each quarter, both (4, N), and where each value begins."""
    rows = np.empty((QUARTERS, len(hashes)), dtype=np.int32)
    starts = np.zeros((QUARTERS, 2**QUARTER + 1), dtype=np.int64)
    for quarter in range(QUARTERS):
        value = (hashes >> np.uint64(QUARTER * quarter)).astype(np.uint16)
        rows[quarter] = np.argsort(value, kind="stable")
        starts[quarter, 1:] = np.cumsum(np.bincount(value, minlength=2**QUARTER))
    return rows, hashes[rows], starts


def _masks(radius: int) -> tuple[NDArray[np.uint64], Int]:
    """Bits to flip in a quarter, the fewest first (M,), and how many of these each takes (4,).

    Quarters that differ in more than :math:`t_q` bits each differ in
    :math:`\\sum_q (t_q + 1)` together; where that exceeds the radius, looking up each quarter
    within :math:`t_q` finds everything.
    """
    allowed = [(radius - QUARTERS + 1 + quarter) // QUARTERS for quarter in range(QUARTERS)]
    flips = [
        sum(1 << bit for bit in bits)
        for n_bits in range(max(allowed) + 1)
        for bits in combinations(range(QUARTER), n_bits)
    ]
    masks = np.array(flips, dtype=np.uint64)
    n_flipped = np.bitwise_count(masks)
    return masks, np.array([(n_flipped <= most).sum() if most >= 0 else 0 for most in allowed])


@njit(cache=True)
def _count_bits(word: np.uint64) -> np.uint64:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True)
def _lead(
    hashes: Hashes,
    order: Int,
    rows: NDArray[np.int32],
    sorted_hashes: Hashes,
    starts: Int,
    masks: Hashes,
    bounds: Int,
    radius: int,
) -> Int:
    """The row of the first of each hash's group (N,); hashes are distinct."""
    leaders = np.full(len(hashes), -1, dtype=np.int64)
    low = np.uint64(2**QUARTER - 1)
    for row in order:
        if leaders[row] >= 0:
            continue
        leaders[row] = row
        for quarter in range(QUARTERS):
            value = (hashes[row] >> np.uint64(QUARTER * quarter)) & low
            for mask in masks[: bounds[quarter]]:
                bucket = np.int64(value ^ mask)
                for place in range(starts[quarter, bucket], starts[quarter, bucket + 1]):
                    if _count_bits(hashes[row] ^ sorted_hashes[quarter, place]) <= radius:
                        other = rows[quarter, place]
                        if leaders[other] < 0:
                            leaders[other] = row
    return leaders
