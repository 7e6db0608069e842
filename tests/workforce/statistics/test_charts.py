"""Control charts: the textbook's limits, and wider ones where weeks vary more than chance."""

import numpy as np
import pytest

from workforce.statistics.charts import p_chart, u_chart

BASELINE = slice(0, 100)


def test_the_limits_of_chance_are_three_standard_deviations() -> None:
    n = np.full(4, 100)
    chart = p_chart(np.array([10, 10, 10, 30]), n, slice(0, 3))
    assert chart.centre == pytest.approx(0.1)
    assert chart.high == pytest.approx(0.1 + 3 * np.sqrt(0.1 * 0.9 / n))
    assert chart.low == pytest.approx(0.1 - 3 * np.sqrt(0.1 * 0.9 / n))
    assert chart.out.tolist() == [False, False, False, True]


def test_large_samples_that_vary_more_than_chance_are_not_all_out() -> None:
    random = np.random.default_rng(0)
    n = np.full(150, 50_000)
    rates = 0.05 + 0.005 * random.standard_normal(150)
    chart = p_chart(random.binomial(n, rates), n, BASELINE)
    chance = np.sqrt(0.05 * 0.95 / 50_000)
    assert chart.dispersion == pytest.approx(np.hypot(0.005, chance) / chance, rel=0.25)
    assert chart.out.mean() < 0.05


def test_a_chart_of_chance_is_no_narrower_than_chance() -> None:
    random = np.random.default_rng(1)
    size = random.uniform(1, 30, 150)
    chart = u_chart(random.poisson(2 * size), size, BASELINE)
    assert 1 <= chart.dispersion < 1.2
    assert chart.out.mean() < 0.03


def test_periods_without_work_are_neither_in_nor_out() -> None:
    chart = p_chart(np.array([1, 0, 2]), np.array([10, 0, 10]), slice(0, 3))
    assert np.isnan(chart.values[1])
    assert not chart.out.any()


def test_a_baseline_of_nothing_and_more_wrong_than_counted_are_refused() -> None:
    with pytest.raises(ValueError, match="baseline is empty"):
        p_chart(np.array([0, 1]), np.array([0, 5]), slice(0, 1))
    with pytest.raises(ValueError, match="check the counts"):
        p_chart(np.array([6]), np.array([5]), slice(0, 1))
