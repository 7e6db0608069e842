"""Cumulative sums of errors beyond those expected, with limits of an exact false-alarm risk.

Each week adds the logarithm of the likelihood ratio of the errors that were seen, where `ratio`
times as many as expected are to be found, and the sum never falls below zero (Page, Biometrika
1954). The errors expected of a week are summed over its answers, each with the rate of its own
locale, so that the mix of locales may change (risk adjustment; Steiner et al., Biostatistics 2000):

    C_t = max(0, C_{t-1} + x_t log(ratio) - (ratio - 1) e_t)

The limit of each week is the lowest that keeps the chance of an alarm until then within what is
allowed (dynamic probability control limits; Zhang and Woodall, Statistics in Medicine 2015). It is
computed and not simulated: C walks on a lattice, and the distribution of the walks that have not
alarmed is carried from week to week (Brook and Evans, Biometrika 1972). What the baseline leaves
open counts: all expected errors may be off by one common factor with a gamma distribution, and a
week's errors may vary more than Poisson's do (negative binomial).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma, nbinom, poisson

STEP = 0.1
"""Of the lattice on which the sum walks, in units of log likelihood."""
HIGHEST = 15.0
"""A sum that nothing in control reaches."""
NODES = 16
NEGLIGIBLE = 1e-8

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class InControl:
    """What is expected of a stream of weekly counts as long as nothing changes.

    Attributes
    ----------
    expected : float64 (T,)
        Errors expected in each week; 0 where nothing was answered.
    certainty
        Shape of the gamma distribution, with mean 1, of the factor by which all of them may be off:
        about the number of errors that they were learnt from.
    dispersion
        Variance of a week's errors over their mean; 1 is Poisson's.
    """

    expected: Float
    certainty: float
    dispersion: float = 1.0

    def __post_init__(self) -> None:
        if self.certainty <= 0 or self.dispersion < 1:
            raise ValueError(
                f"certainty must be above 0 and dispersion 1 or more, not {self.certainty} and"
                f" {self.dispersion}"
            )


def path(n_wrong: Int, expected: Float, ratio: float) -> Int:
    """The sum after each week, int64 (T,), in steps of the lattice."""
    sums, now = [], 0
    for each in _scores(n_wrong, expected, ratio).tolist():
        now = max(0, now + each)
        sums.append(now)
    return np.array(sums, dtype=np.int64)


def limits(stream: InControl, ratio: float, risk: Float) -> Int:
    """From which sum on each week alarms, int64 (T,), in steps of the lattice.

    `risk`, float64 (T,), ascending, is the chance of an alarm until each week that is allowed while
    nothing changes; what one week leaves, the next ones may take.
    """
    factors, weights = _factors(stream.certainty)
    n_states = round(HIGHEST / STEP) + 1
    mass = np.zeros((NODES, n_states))
    mass[:, 0] = weights
    spent = 0.0
    found = []
    for expected, allowed in zip(stream.expected.tolist(), risk.tolist(), strict=True):
        chances = _chances(expected * factors, stream.dispersion)
        seen = np.arange(chances.shape[1])
        scores = _scores(seen, np.full(len(seen), expected), ratio)
        moved = np.zeros_like(mass)
        for score, chance in zip(scores.tolist(), chances.T[:, :, None], strict=True):
            _move(mass * chance, score, moved)
        beyond = np.append(moved.sum(axis=0)[::-1].cumsum()[::-1], 0.0)
        # Zero is no sum that speaks of a change.
        limit = 1 + int(np.argmax(beyond[1:] <= allowed - spent))
        spent += float(beyond[limit])
        moved[:, limit:] = 0
        mass = moved
        found.append(limit)
    return np.array(found, dtype=np.int64)


def _scores(n_wrong: Int, expected: Float, ratio: float) -> Int:
    scores = n_wrong * math.log(ratio) - (ratio - 1) * expected
    return np.asarray(np.round(scores / STEP), dtype=np.int64)


def _factors(certainty: float) -> tuple[Float, Float]:
    """By what all that is expected may be off, and the weight of each factor (Gauss-Legendre)."""
    scale = 1 / certainty
    low, high = gamma.ppf([NEGLIGIBLE, 1 - NEGLIGIBLE], certainty, scale=scale)
    places, weights = np.polynomial.legendre.leggauss(NODES)
    factors = low + (places + 1) / 2 * (high - low)
    weights = weights * gamma.pdf(factors, certainty, scale=scale)
    return factors, weights / weights.sum()


def _chances(means: Float, dispersion: float) -> Float:
    """The chance of each number of errors, (N, X), up to where they are negligible."""
    means = np.maximum(means, 1e-12)[:, None]
    if dispersion == 1:
        seen = np.arange(2 + int(poisson.isf(NEGLIGIBLE, means.max())))
        return np.asarray(poisson.pmf(seen, means))
    size, share = means / (dispersion - 1), 1 / dispersion
    seen = np.arange(2 + int(nbinom.isf(NEGLIGIBLE, size.max(), share)))
    return np.asarray(nbinom.pmf(seen, size, share))


def _move(mass: Float, score: int, into: Float) -> None:
    """Add `mass`, (N, S), to `into`, `score` states higher and within the lattice."""
    n_states = mass.shape[1]
    score = min(max(score, 1 - n_states), n_states - 1)
    if score >= 0:
        into[:, score:] += mass[:, : n_states - score]
        into[:, -1] += mass[:, n_states - score :].sum(axis=1)
    else:
        into[:, : n_states + score] += mass[:, -score:]
        into[:, 0] += mass[:, :-score].sum(axis=1)
