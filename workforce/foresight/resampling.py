"""Weeks to come, drawn from the weeks that were: a Bayesian block bootstrap with a drifting level.

Three things are not known of the weeks ahead, and each path draws all three:

* which week of the past the next one is like. Weeks are drawn again with all that is in them, zeros
  included, and several in a row where neighbouring weeks are alike (Künsch, *The jackknife and the
  bootstrap for general stationary observations*, Annals of Statistics 1989);
* how likely each kind of week is: few weeks tell little. Each path draws the weights of the weeks
  from a Dirichlet distribution (Rubin, *The Bayesian bootstrap*, Annals of Statistics 1981), recent
  weeks weighing more than old ones;
* where the level goes from here. It walks at random, as far a week as it was seen to (the local
  level model; Harvey, *Forecasting, Structural Time Series Models*, 1989).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

HALF_LIFE = 8.0
"""Weeks after which a week weighs half as much."""
BLOCK = 4
"""Weeks that are drawn in a row where neighbours are alike."""
USUAL_STEP = 0.03
"""Standard deviation of a week's step of the logarithm of the level, as long as few weeks tell."""
COUNTS_AS = 12
"""Weeks that `USUAL_STEP` weighs as much as."""
WIDEST_STEP = 0.15
QUIET = 0.1
"""Share of the usual week below which a week does not tell of the level."""
SURE = 1.96


@dataclass(frozen=True, eq=False)
class Draws:
    """For each path and week ahead: `age`, how many weeks before the last one the week lies that it
    is like, int64 (n_paths, n_weeks), and `level`, how much more is done than then, float64."""

    age: NDArray[np.int64]
    level: Float

    def of(self, per_day: Float) -> Float:
        """The weeks ahead (n_paths, n_weeks, ...) of a history (n, ...), its oldest week first."""
        drawn: Float = per_day[::-1][self.age % len(per_day)]
        return drawn * self.level.reshape(self.level.shape + (1,) * (drawn.ndim - 2))


def draws(history: Float, n_weeks: int, n_paths: int, generator: np.random.Generator) -> Draws:
    """Draw `n_weeks` ahead of a `history` (n,) of amounts of a working day, the oldest first."""
    n = len(history)
    length = BLOCK if _neighbours_are_alike(history) else 1
    starts = -(-n_weeks // length)
    ages = np.arange(n)
    weights = generator.standard_gamma(0.5 ** (ages / HALF_LIFE) / length, (n_paths, n))
    # A path whose weights all round to nothing draws the last week.
    reached = np.cumsum(weights + np.finfo(float).tiny, axis=1)
    places = generator.random((n_paths, starts)) * reached[:, -1:]
    first = np.stack([np.searchsorted(*each) for each in zip(reached, places, strict=True)])
    age = (first[:, :, None] - np.arange(length)) % n
    steps = generator.normal(0.0, _step(history), (n_paths, n_weeks))
    return Draws(
        age.reshape(n_paths, -1)[:, :n_weeks].astype(np.int64), np.exp(np.cumsum(steps, axis=1))
    )


def _neighbours_are_alike(history: Float) -> bool:
    """Whether the correlation of neighbouring weeks is more than chance."""
    n = len(history)
    if n < 2 * BLOCK or not np.ptp(history[1:]) or not np.ptp(history[:-1]):
        return False
    return bool(np.corrcoef(history[1:], history[:-1])[0, 1] > SURE / np.sqrt(n))


def _step(history: Float) -> float:
    """Standard deviation of a week's step of the level.

    Of the local level model, the differences of neighbouring weeks have a variance of
    `step**2 + 2 * noise**2` and a covariance with the next difference of `-noise**2`.
    """
    middle = np.median(history)
    told = history[history > QUIET * middle]
    found = 0.0
    n = max(len(told) - 2, 0)
    if n >= 2:
        change = np.diff(np.log(told))
        found = float(np.mean(change**2) + 2 * np.mean(change[1:] * change[:-1]))
    variance = (COUNTS_AS * USUAL_STEP**2 + n * max(found, 0.0)) / (COUNTS_AS + n)
    return float(min(np.sqrt(variance), WIDEST_STEP))
