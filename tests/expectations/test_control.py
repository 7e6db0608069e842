"""What is usual: chance stays within the limits, a change does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.control import usual_share

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=20)


def test_batches_of_one_process_hardly_ever_leave_their_limits() -> None:
    draw = np.random.default_rng(0)
    outside = 0
    for _ in range(400):
        sizes = draw.integers(20, 200, 21)
        shares = draw.binomial(sizes, 0.8) / sizes
        band = usual_share(shares[:-1], sizes[:-1], sizes[-1])
        outside += not band.low <= shares[-1] <= band.high
    assert outside / 400 < 0.02


def test_batches_that_vary_more_than_by_chance_get_wider_limits() -> None:
    sizes = np.full(12, 1000)
    calm = usual_share(np.full(12, 0.8), sizes, 1000)
    wild = usual_share([0.7, 0.9] * 6, sizes, 1000)
    assert wild.low < 0.7 < calm.low
    assert calm.high < 0.9 < wild.high


def test_a_change_of_the_process_leaves_the_limits() -> None:
    draw = np.random.default_rng(0)
    band = usual_share(draw.binomial(200, 0.9, 10) / 200, np.full(10, 200), 200)
    assert not band.low <= 0.75 <= band.high


def test_a_share_that_never_varied_may_differ_once() -> None:
    assert usual_share([1.0] * 8, [50] * 8, 50).low < 0.98


@given(SHARES, st.integers(1, 500))
def test_a_larger_batch_has_limits_within_those_of_a_smaller_one(
    shares: list[float], size: int
) -> None:
    sizes = [30] * len(shares)
    small, large = (usual_share(shares, sizes, n) for n in (size, 2 * size))
    assert small.low <= large.low <= large.high <= small.high


def test_one_passage_is_no_history() -> None:
    with pytest.raises(ValueError, match="two passages or more"):
        usual_share([0.5], [10], 10)
