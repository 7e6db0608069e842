"""Sums with limits: the risk that is promised is the risk that there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workforce.statistics.cusum import InControl, limits, path

WEEKS = 39
SPENDING = np.arange(1, WEEKS + 1) / WEEKS


def alarms(drawn: np.ndarray, stream: InControl, ratio: float, risk: float) -> float:
    """The share of years (Y, T) of errors with an alarm."""
    bounds = limits(stream, ratio, risk * SPENDING)
    return float(np.mean([(path(year, stream.expected, ratio) >= bounds).any() for year in drawn]))


@pytest.mark.parametrize("dispersion", [1.0, 1.5])
def test_the_chance_of_a_false_alarm_is_what_is_allowed(dispersion: float) -> None:
    random = np.random.default_rng(0)
    expected = random.uniform(0, 3, WEEKS)
    stream = InControl(expected, certainty=20, dispersion=dispersion)
    factors = random.gamma(20, 1 / 20, (4000, 1))
    drawn = (
        random.poisson(expected * factors)
        if dispersion == 1
        else random.negative_binomial(expected * factors / 0.5, 1 / 1.5)
    )
    assert 0.07 < alarms(drawn, stream, 2.5, 0.1) < 0.115


def test_a_baseline_taken_for_certain_alarms_too_often() -> None:
    random = np.random.default_rng(0)
    expected = np.full(WEEKS, 1.5)
    drawn = random.poisson(expected * random.gamma(5, 1 / 5, (2000, 1)))
    assert alarms(drawn, InControl(expected, certainty=5), 2.5, 0.05) < 0.06
    assert alarms(drawn, InControl(expected, certainty=1e4), 2.5, 0.05) > 0.10


def test_weeks_without_answers_change_nothing() -> None:
    wrong = np.array([1, 0, 2, 0, 1])
    expected = np.array([0.5, 0.5, 0.5, 0.5, 0.5])
    with_gaps = np.insert(wrong, 2, 0), np.insert(expected, 2, 0.0)
    assert path(wrong, expected, 2.0).tolist() == np.delete(path(*with_gaps, 2.0), 2).tolist()


@settings(max_examples=30)
@given(
    expected=st.lists(st.floats(0, 4), min_size=1, max_size=6),
    more=st.lists(st.floats(0, 4), min_size=1, max_size=6),
    certainty=st.floats(0.5, 200),
)
def test_limits_depend_on_nothing_later(
    expected: list[float], more: list[float], certainty: float
) -> None:
    both = np.array(expected + more)
    risk = 0.01 * np.arange(1, len(both) + 1) / 52
    n = len(expected)
    early = limits(InControl(both[:n], certainty), 2.5, risk[:n])
    assert limits(InControl(both, certainty), 2.5, risk)[:n].tolist() == early.tolist()
