"""The model's word is corrected by what people said of what it said before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.calibration import UNCORRECTED, calibrate

probabilities = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=50)


def test_before_anybody_has_answered_nothing_is_corrected() -> None:
    said = np.linspace(0.05, 0.95, 10)
    assert calibrate([], [])(said) == pytest.approx(said, abs=0.01)
    assert UNCORRECTED(said) == pytest.approx(said)


def test_much_evidence_is_followed_and_little_moves_little() -> None:
    random = np.random.default_rng(0)
    said = random.uniform(0.05, 0.95, 4000)
    right = random.random(4000) < said**2
    much, little = calibrate(said, right), calibrate(said[:4], [0, 0, 0, 0])
    grid = np.array([0.2, 0.5, 0.8])
    assert much(grid) == pytest.approx(grid**2, abs=0.08)
    assert np.abs(little(grid) - grid).max() < 0.15


@given(probabilities, st.randoms())
def test_the_surer_stays_the_surer_and_nothing_is_certain(said: list[float], random) -> None:  # type: ignore[no-untyped-def]
    right = [float(random.random() < 0.5) for _ in said]
    corrected = calibrate(said, right)(np.sort(said))
    assert (np.diff(corrected) >= -1e-12).all()
    assert ((corrected > 0) & (corrected < 1)).all()


def test_what_is_impossible_stays_impossible() -> None:
    assert calibrate([0.5] * 100, [1.0] * 100)([0.0, 0.5])[0] == 0.0
