"""A certificate is exact where everything is audited, wide where little is, and holds the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from annotation.certificate import Accuracy, certify
from annotation.pair_answers import found_same
from annotation.pairs import FAR, Stratum
from benchmarks.certificate_coverage import CALIBRATIONS, answers, far_same, generated, reach_recall

JOINED = Stratum("joined", True, 1000, 0.9)
APART = Stratum("apart", False, 4000, 0.1)
FARAWAY = Stratum(FAR, False, 100_000, 1e-4)
STRATA = (JOINED, APART, FARAWAY)


@given(st.integers(1, 1000), st.integers(0, 4000), st.integers(0, 50))
def test_with_every_pair_audited_it_is_exact(right: int, missed: int, far: int) -> None:
    found = {"joined": (right, 1000), "apart": (missed, 4000), FAR: (far, 100_000)}
    made = certify(STRATA, found)
    for interval, truth in (
        (made.precision, right / 1000),
        (made.recall, right / (right + missed)),
        (made.recall_of_all, right / (right + missed + far)),
    ):
        assert interval.low == interval.value == interval.high == pytest.approx(truth)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_no_audit_of_a_part_is_certain(n_joined: int, n_apart: int, n_far: int) -> None:
    found = {"joined": (n_joined, n_joined), "apart": (0, n_apart), FAR: (0, n_far)}
    made = certify(STRATA, found)
    assert made.precision.value == made.precision.high == made.recall.high == 1
    assert made.precision.low < 1
    assert made.recall_of_all.low < made.recall.low < 1


@pytest.mark.parametrize(("k", "n"), [(0, 20), (3, 20), (19, 20), (20, 20)])
def test_one_stratum_has_the_interval_of_clopper_and_pearson(k: int, n: int) -> None:
    found = certify([Stratum("joined", True, 10**9, 0.9)], {"joined": (k, n)}).precision
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_it_says_what_the_far_pairs_and_half_the_width_would_take() -> None:
    found = {"joined": (95, 100), "apart": (5, 100), FAR: (0, 50)}
    made = certify(STRATA, found)
    assert 0.5 < made.far_share < 1
    assert (made.n_audits, made.n_far) == (250, 50)
    widest = max(made.precision.half_width, made.recall.half_width)
    assert made.audits_needed(widest / 2) == pytest.approx(3 * 250, abs=1)
    assert made.audits_needed(widest * 2) == 0
    with pytest.raises(ValueError, match="half-width of 0"):
        made.audits_needed(0)


def test_what_annotators_get_wrong_is_taken_out() -> None:
    # Of 1000 joined pairs 900 are right; annotators see 95 % of what is the same, and call 10 % of
    # what is not the same all the same: 865 of 1000.
    gold = Accuracy(950, 1000, 900, 1000)
    plain = certify([JOINED], {"joined": (86, 100)}).precision
    mended = certify([JOINED], {"joined": (865, 1000)}, gold).precision
    assert mended.value == pytest.approx(0.9)
    assert mended.low < 0.9 < mended.high
    vague = certify([JOINED], {"joined": (865, 1000)}, Accuracy(19, 20, 18, 20)).precision
    assert vague.half_width > mended.half_width
    assert plain.value == 0.86


@pytest.mark.parametrize("calibration", ["calibrated", "far too sure"])
def test_intervals_hold_the_truth_whatever_the_probabilities_are_worth(calibration: str) -> None:
    held = []
    for number in range(30):
        world = generated(number, CALIBRATIONS[calibration], n_products=40)
        frame = world.frame()
        random = np.random.default_rng(number)
        drawn = frame.draw(150, seed=str(number), found={})
        made = certify(frame.strata, answers(world, drawn, 0.0, random), seed=number)
        precision, recall = world.precision_and_recall()
        within = reach_recall(world, frame, far_same(world, frame))
        held += [
            made.precision.low <= precision <= made.precision.high,
            made.recall.low - 1e-9 <= within <= made.recall.high + 1e-9,
            made.recall_of_all.low <= recall <= made.recall_of_all.high,
        ]
    # 90 intervals of 95 %: fewer than 80 would be a chance of one in two thousand.
    assert sum(held) >= 80


def test_only_what_somebody_told_is_counted() -> None:
    decided = {"1": "same", "2": "different", "3": "unsure"}
    assert found_same({"a": ["1", "2", "3", "4"], "b": ["5"]}, decided) == {
        "a": (1, 2),
        "b": (0, 0),
    }


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="'elsewhere' is no stratum"):
        certify(STRATA, {"elsewhere": (0, 0)})
    with pytest.raises(ValueError, match="5 of 4 audited pairs"):
        certify(STRATA, {"joined": (5, 4)})
