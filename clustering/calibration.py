"""From scores to honest probabilities: Platt scaling, a logistic regression on held-out outcomes.

Targets are Platt's (1999), (n+ + 1) / (n+ + 2) and 1 / (n- + 2) instead of 1 and 0, so that no
probability is ever certain, not even where every outcome was the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 50
RIDGE = 1.0

Float = NDArray[np.float64]


def fit_logistic(scores: Float, outcomes: NDArray[np.bool_]) -> Float:
    """Return the weights of scores (n, C), then the intercept, (C + 1,), by Newton's method."""
    rows = np.column_stack([scores, np.ones(len(scores))])
    hits, misses = outcomes.sum(), (~outcomes).sum()
    targets = np.where(outcomes, (hits + 1) / (hits + 2), 1 / (misses + 2))
    weights = np.zeros(rows.shape[1])
    penalty = RIDGE * np.eye(len(weights))
    for _ in range(STEPS):
        predicted = logistic(scores, weights)
        gradient = rows.T @ (targets - predicted) - penalty @ weights
        curvature = (rows * (predicted * (1 - predicted))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
    return weights


def logistic(scores: Float, weights: Float) -> Float:
    """Return the probability of each row of scores (n, C), in (0, 1)."""
    odds = np.clip(scores @ weights[:-1] + weights[-1], -30.0, 30.0)
    probabilities: Float = 1.0 / (1.0 + np.exp(-odds))
    return probabilities
