"""Intervals beside their references, and how often they hold the truth."""

import numpy as np
import pandas as pd
import pytest
from crowdkit.metrics.data import alpha_krippendorff
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from workforce.performance.intervals import alpha, proportions, quantile, ratios, winsorised_mean

RNG = np.random.default_rng(0)
N_TRIALS = 300


def test_independent_observations_have_wilsons_interval() -> None:
    hits = np.repeat([1.0, 0.0], [95, 5])
    found = proportions(np.zeros(100, int), hits, np.ones(100), 1)
    low, high = proportion_confint(95, 100, method="wilson")
    assert (found.value[0], found.n[0]) == (0.95, 100)
    # n observations tell of n - 1 degrees of freedom.
    assert (found.low[0], found.high[0]) == pytest.approx((low, high), abs=1e-3)


def test_observations_that_hang_together_tell_less() -> None:
    alike = proportions(np.zeros(4, int), np.array([25.0, 25, 25, 0]), np.full(4, 25.0), 1)
    mixed = proportions(np.zeros(4, int), np.array([19.0, 19, 19, 18]), np.full(4, 25.0), 1)
    assert alike.value == mixed.value
    assert alike.low < mixed.low
    assert alike.high > mixed.high


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_the_interval_of_a_share_holds_it_and_lies_between_0_and_1(
    clusters: list[tuple[int, int]],
) -> None:
    hits, missed = np.array(clusters, dtype=float).reshape(-1, 2).T
    found = proportions(np.zeros(len(hits), int), hits, hits + missed, 1)
    if found.n[0]:
        assert 0 <= found.low[0] <= found.value[0] + 1e-9 <= found.high[0] + 2e-9 <= 1 + 2e-9
    else:
        assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()


def test_clustered_intervals_hold_the_truth_and_simple_ones_do_not() -> None:
    """40 annotators of differing skill, 25 gold answers each."""
    held = simple = 0
    for _ in range(N_TRIALS):
        skill = RNG.beta(9, 1, 40)
        hits = RNG.binomial(25, skill).astype(float)
        found = proportions(np.zeros(40, int), hits, np.full(40, 25.0), 1)
        held += bool(found.low[0] <= 0.9 <= found.high[0])
        low, high = proportion_confint(hits.sum(), 1000, method="wilson")
        simple += bool(low <= 0.9 <= high)
    assert held / N_TRIALS > 0.9 > simple / N_TRIALS


def test_a_ratio_has_no_interval_of_one_day() -> None:
    found = ratios(np.array([0, 1, 1]), np.array([5.0, 4, 6]), np.array([1.0, 1, 1]), 2)
    assert found.value.tolist() == [5.0, 5.0]
    assert np.isnan(found.low[0])
    assert found.low[1] < 5 < found.high[1]


def test_a_few_values_are_not_drawn_in() -> None:
    values = np.array([1.0, 2.0, 6.0])
    mean, low, high = winsorised_mean(values, np.arange(3))
    reference = stats.t.interval(0.95, 2, 3.0, stats.sem(values))
    assert (mean, low, high) == pytest.approx((3.0, *reference))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_the_ends_of_a_winsorised_mean_do_not_move_it(seconds: list[float]) -> None:
    values = np.sort(seconds)
    far = values.copy()
    n_end = int(0.05 * len(values))
    far[len(values) - n_end :] *= 100
    one, other = (winsorised_mean(each, np.arange(len(each)))[0] for each in (values, np.sort(far)))
    assert one == pytest.approx(other)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_intervals_of_quantiles_hold_the_truth(share: float) -> None:
    truth = stats.expon.ppf(share)
    drawn = (np.sort(RNG.exponential(size=200)) for _ in range(N_TRIALS))
    ends = [quantile(each, share)[1:] for each in drawn]
    assert np.mean([low <= truth <= high for low, high in ends]) > 0.92


def test_the_95th_percentile_of_a_few_has_no_upper_end() -> None:
    value, low, high = quantile(np.arange(20.0), 0.95)
    assert value == 18.0
    assert low < value
    assert np.isnan(high)


def test_alpha_is_crowd_kits() -> None:
    said = RNG.integers(0, 3, (30, 4))
    votes = pd.DataFrame(
        [(f"t{task}", f"w{who}", said[task, who]) for task in range(30) for who in range(4)],
        columns=["task", "worker", "label"],
    )
    patterns = np.array([np.bincount(row, minlength=3) for row in said])
    value, low, high = alpha(patterns, np.ones(30, int))
    assert value == pytest.approx(alpha_krippendorff(votes))
    assert low < value < high


def test_items_that_are_alike_count_together() -> None:
    patterns = np.array([[2, 0], [1, 1], [0, 2]])
    apart = np.repeat(patterns, [5, 2, 4], axis=0)
    together, one_by_one = alpha(patterns, np.array([5, 2, 4])), alpha(apart, np.ones(11, int))
    assert together[0] == pytest.approx(one_by_one[0])
