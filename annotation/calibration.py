"""How far the model's word can be trusted, corrected by what people said of what it said before.

Platt's logistic correction of probabilities, `sigmoid(slope * logit(p) + intercept)`, by maximum a
posteriori: before anybody has answered it is the identity, and as many answers as `PRIOR` weigh as
much as that belief.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

PRIOR = 40.0
"""Answers that the identity is worth."""

STEPS = 25
NARROWEST = 1e-3
"""No probability is taken to be nearer to 0 or 1."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A correction of probabilities; as it is made, none."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, probability: ArrayLike) -> Float:
        """Return corrected probabilities, of the same shape; 0 stays 0."""
        said = np.asarray(probability, dtype=np.float64)
        corrected = _sigmoid(self.slope * _logit(said) + self.intercept)
        return np.where(said > 0, corrected, 0.0)


UNCORRECTED = Calibration()


def calibrate(said: ArrayLike, right: ArrayLike, weight: ArrayLike | None = None) -> Calibration:
    """Learn from outcomes how probabilities are to be corrected.

    Parameters
    ----------
    said : array-like of float (n,)
        What the model said.
    right : array-like of float (n,)
        What people found: 1 where it was right, 0 where not, or a posterior between.
    weight : array-like of float (n,), optional
        How much each counts; 1 by default.
    """
    grid = np.linspace(0.05, 0.95, 19)
    x = _logit(np.concatenate([grid, np.asarray(said, dtype=np.float64)]))
    y = np.concatenate([grid, np.asarray(right, dtype=np.float64)])
    counts = np.ones(len(x) - len(grid)) if weight is None else np.asarray(weight, dtype=np.float64)
    counts = np.concatenate([np.full(len(grid), PRIOR / len(grid)), counts])
    rows = np.column_stack([x, np.ones(len(x))])
    found = np.array([1.0, 0.0])
    for _ in range(STEPS):
        likely = _sigmoid(rows @ found)
        curvature = (rows * (counts * likely * (1 - likely))[:, None]).T @ rows
        step = np.linalg.solve(curvature, rows.T @ (counts * (y - likely)))
        found = found + step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
    slope, intercept = found
    return Calibration(max(float(slope), 0.0), float(intercept))


def _logit(probability: Float) -> Float:
    bounded = np.clip(probability, NARROWEST, 1 - NARROWEST)
    odds: Float = np.log(bounded / (1 - bounded))
    return odds


def _sigmoid(odds: Float) -> Float:
    likely: Float = 1.0 / (1.0 + np.exp(-odds))
    return likely
