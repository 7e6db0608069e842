"""Sampling plans: both risks are kept, and by no fewer audits."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from workforce.errors import WorkforceError
from workforce.statistics.sampling import (
    Double,
    Risks,
    Single,
    double_plan,
    outgoing,
    single_plan,
)

USUAL = Risks(0.01, 0.03)


def keeps(plan: Single | Double, risks: Risks) -> bool:
    return (
        plan.acceptance(risks.good) >= 1 - risks.risk_of_good
        and plan.acceptance(risks.bad) <= risks.risk_of_bad
    )


def test_1_and_3_percent_at_5_percent_risk_take_521_audits_with_9_defects() -> None:
    assert single_plan(USUAL) == Single(521, 9)


@settings(max_examples=25)
@given(good=st.floats(0.01, 0.1), ratio=st.floats(2, 6), risk=st.floats(0.02, 0.2))
def test_a_single_plan_keeps_both_risks_and_none_with_fewer_audits_does(
    good: float, ratio: float, risk: float
) -> None:
    assume(good * ratio < 0.6)
    risks = Risks(good, good * ratio, risk, risk)
    plan = single_plan(risks)
    assert keeps(plan, risks)
    n = plan.n - 1
    c = np.arange(n + 1)
    accepted = binom.cdf(c, n, risks.good) >= 1 - risk
    assert not (accepted & (binom.cdf(c, n, risks.bad) <= risk)).any()


@pytest.mark.parametrize("lot", [200, 1000, 10_000])
def test_a_finite_lot_takes_fewer_audits(lot: int) -> None:
    plan = single_plan(USUAL, lot)
    assert plan.n < 521
    assert keeps(plan, USUAL)


def test_a_small_lot_is_audited_whole() -> None:
    assert single_plan(USUAL, 10) == Single(10, 0, 10)


def test_the_chance_of_a_double_plan_is_that_of_all_its_ways() -> None:
    plan, rate = Double(8, 0, 3, 2), 0.1
    ways = sum(
        binom.pmf(first, 8, rate) * binom.pmf(second, 8, rate)
        for first in range(9)
        for second in range(9)
        if first <= 0 or (first < 3 and first + second <= 2)
    )
    assert plan.acceptance(rate) == pytest.approx(ways)


def test_two_samples_take_fewer_audits_of_good_work() -> None:
    plan = double_plan(USUAL)
    assert keeps(plan, USUAL)
    assert plan.audits(0.01) < 521
    assert plan.n <= plan.audits(0.02) <= 2 * plan.n


def test_what_goes_out_is_never_worse_than_what_came_in() -> None:
    rates = np.linspace(0, 0.1, 50)
    left = outgoing(Single(100, 2, 1000), rates, 1000)
    assert (left <= rates + 1e-12).all()
    assert left[-1] < left.max()


def test_risks_that_cannot_be_say_how_to_write_them() -> None:
    with pytest.raises(WorkforceError, match=r"write 1 % as 0.01"):
        Risks(3, 1)
    with pytest.raises(WorkforceError, match="further apart"):
        single_plan(Risks(0.0001, 0.000101))
