"""Audits one by one: Wald's test, summed over all its ways."""

from itertools import product

import numpy as np
import pytest

from workforce.errors import WorkforceError
from workforce.statistics.sampling import Risks
from workforce.statistics.sequential import Finding, SequentialTest

RISKS = Risks(0.01, 0.03)


def test_its_audits_on_average_lie_near_walds_approximation() -> None:
    test = SequentialTest(RISKS)
    assert test.characteristic(0.01).audits == pytest.approx(292, rel=0.03)
    assert test.characteristic(0.05).audits == pytest.approx(95, rel=0.01)


def test_both_risks_are_about_what_was_asked_for() -> None:
    test = SequentialTest(RISKS)
    assert 1 - test.characteristic(0.01).good <= 0.05
    assert test.characteristic(0.03).good == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_its_characteristic_is_that_of_all_ways_enumerated(rate: float) -> None:
    test = SequentialTest(Risks(0.1, 0.4, 0.2, 0.2), at_most=10)
    good = audits = 0.0
    for way in product([0, 1], repeat=10):
        chance = rate ** sum(way) * (1 - rate) ** (10 - sum(way))
        for n in range(1, 11):
            found = test.finding(sum(way[:n]), n)
            if found != Finding.GO_ON:
                good += chance * (found == Finding.GOOD)
                audits += chance * n
                break
    found = test.characteristic(rate)
    assert (found.good, found.audits) == pytest.approx((good, audits))


def test_the_clean_audits_that_it_asks_for_are_enough_and_not_one_too_many() -> None:
    test = SequentialTest(RISKS)
    for n_wrong, n in ((0, 0), (1, 80), (3, 200)):
        more = test.to_go(n_wrong, n)
        assert test.finding(n_wrong, n + more) == Finding.GOOD
        assert test.finding(n_wrong, n + more - 1) == Finding.GO_ON


def test_it_ends_where_it_must() -> None:
    test = SequentialTest(RISKS, at_most=50)
    assert test.finding(0, 50) == Finding.GOOD
    assert test.finding(2, 50) == Finding.BAD
    assert test.to_go(0, 20) == 30


def test_a_truncated_test_errs_more_and_takes_less() -> None:
    cut, whole = (SequentialTest(RISKS, most).characteristic(0.03) for most in (300, None))
    assert cut.audits < whole.audits
    assert cut.good > whole.good


def test_more_wrong_than_audited_is_refused() -> None:
    with pytest.raises(WorkforceError, match="check what was counted"):
        SequentialTest(RISKS).finding(3, 2)


def test_evidence_is_the_logarithm_of_the_likelihood_ratio() -> None:
    said = SequentialTest(RISKS).evidence(2, 10)
    assert said == pytest.approx(np.log(0.03**2 * 0.97**8 / (0.01**2 * 0.99**8)))
