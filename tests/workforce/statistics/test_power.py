"""Sample sizes: the published ones, and what they must satisfy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from workforce.errors import WorkforceError
from workforce.statistics.power import (
    audits_to_bound,
    bound,
    design_effect,
    detectable_drop,
    gold_to_tell,
    power_to_tell,
)


def test_95_and_98_percent_are_told_apart_by_562_gold_answers_each() -> None:
    assert gold_to_tell(0.95, 0.98) == gold_to_tell(0.98, 0.95) == 562


@pytest.mark.parametrize(("rate", "n"), [(0.01, 299), (0.02, 149), (0.05, 59)])
def test_clean_audits_that_bound_defects_are_as_published(rate: float, n: int) -> None:
    assert audits_to_bound(rate) == n


@given(rate=st.floats(0.005, 0.5), confidence=st.floats(0.5, 0.999), wrong=st.integers(0, 20))
def test_so_many_audits_are_enough_and_one_less_is_not(
    rate: float, confidence: float, wrong: int
) -> None:
    n = audits_to_bound(rate, confidence=confidence, n_wrong=wrong)
    assert binom.cdf(wrong, n, rate) <= 1 - confidence < binom.cdf(wrong, n - 1, rate)
    assert bound(wrong, n, confidence=confidence) <= rate + 1e-9


@settings(max_examples=30)
@given(accuracy=st.floats(0.6, 0.99), n=st.integers(30, 5000), effect=st.floats(1, 4))
def test_the_detectable_drop_is_found_with_the_power_asked_for(
    accuracy: float, n: int, effect: float
) -> None:
    drop = detectable_drop(accuracy, n, effect=effect)
    assert drop is not None
    assert power_to_tell(accuracy, accuracy - drop, n, effect=effect) == pytest.approx(0.8)


def test_answers_that_err_together_take_more_of_them() -> None:
    assert design_effect(20, 0.05) == pytest.approx(1.95)
    assert gold_to_tell(0.95, 0.98, effect=1.95) == pytest.approx(1.95 * 562, rel=0.01)


def test_what_cannot_be_asked_says_how_to_ask() -> None:
    with pytest.raises(WorkforceError, match=r"write 95 % as 0.95"):
        gold_to_tell(95, 98)
    with pytest.raises(WorkforceError, match="give two that differ"):
        gold_to_tell(0.95, 0.95)
    with pytest.raises(WorkforceError, match="a correlation from 0 to 1"):
        design_effect(0, 0)
