"""Where differences between answers come from: annotators, clusters, vendors, locales, or chance.

Each answer is a mean, plus an effect of each of its annotator, cluster, vendor and locale, plus
noise. The effects are random and crossed: an annotator sees many clusters, a cluster many
annotators. The variance of each kind of effect is found by the method of moments (Henderson,
Biometrics 1953, method I; Gao and Owen, Electronic Journal of Statistics 2017, who show that it is
sound for two crossed factors however unbalanced). The sum of squares within the levels of factor f
is expected to be

    sum over g of v_g (N - sum_ij n_ij^2 / n_i) + v_noise (N - levels of f),

with n_i the answers of level i of f, and n_ij those that are also of level j of g. One such line of
each factor and one of all answers together make a linear system, in time that grows with N alone.
REML (statsmodels' MixedLM) treats crossed factors as one group with dense matrices of N x N, which
ends at a few thousand answers; where both can be had, a test shows that they agree. Answers that
are right or wrong are taken as 1 and 0, so that variances are those of accuracy, in points squared.

An estimate v scatters like (v + r) chi-square / d - r, with d degrees of freedom and r for what
other effects put into it. Both are learnt from worlds that are drawn with the variances found, once
without the effects in question and once with large ones, and give the interval (Williams,
Biometrika 1962). Three vendors have two degrees of freedom: their interval is wide.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

RESAMPLES = 100
NOISE = "noise"

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Component:
    """The variance that goes back to one kind of effect, its 95 % interval, and its share of all.

    `levels` is how many annotators, clusters, vendors or locales it was seen on.
    """

    variance: float
    low: float
    high: float
    share: float
    levels: int


def components(
    values: ArrayLike, factors: Mapping[str, ArrayLike], *, seed: int = 0
) -> dict[str, Component]:
    """The variance of each factor's effects, and of the `noise` that is left.

    Parameters
    ----------
    values : float64 (N,)
        What was measured of each answer: 1 where it was right, or the logarithm of its seconds.
    factors
        Of each kind of effect, which level each answer is of, (N,).

    Raises ValueError where there are fewer than two answers, or factors cannot be told apart.
    """
    measured = np.asarray(values, dtype=np.float64)
    design = _Design.of(len(measured), factors)
    found = design.variances(measured)
    kept = np.maximum(found, 0)
    total = float(kept.sum())
    levels = [*(int(level.max()) + 1 for level in design.levels), len(measured)]
    random = np.random.default_rng(seed)
    named = {}
    for place, name in enumerate([*factors, NOISE]):
        low, high = design.interval(place, found, random) if total else (0.0, 0.0)
        value = float(kept[place])
        share = value / total if total else 0.0
        named[name] = Component(value, min(low, value), high, share, levels[place])
    return named


@dataclass(frozen=True, eq=False)
class _Design:
    """Which level each answer is of, by factor; and what each sum of squares is expected to be."""

    levels: tuple[Int, ...]
    expected: Float

    @classmethod
    def of(cls, n: int, factors: Mapping[str, ArrayLike]) -> "_Design":
        if n < 2:
            raise ValueError(f"{n} answers have no variance: give two or more")
        levels = []
        for name, each in factors.items():
            own = np.unique(np.asarray(each), return_inverse=True)[1].astype(np.int64)
            if len(own) != n:
                raise ValueError(f"{name} has {len(own)} entries for {n} answers: give one of each")
            levels.append(own)
        within = [*levels, np.zeros(n, dtype=np.int64)]
        rows = [[*(_left(f, g) for g in levels), n - (int(f.max()) + 1)] for f in within]
        expected = np.array(rows, dtype=np.float64)
        if np.linalg.matrix_rank(expected / n) < len(expected):
            raise ValueError(
                f"the effects of {', '.join(factors)} cannot be told apart by these answers: leave"
                " one out, or give the same work to more than one"
            )
        return cls(tuple(levels), expected)

    def variances(self, measured: Float) -> Float:
        """Of each factor and of the noise, float64 (F + 1,); unbiased, so below zero at times."""
        around = measured - measured.mean()
        squares = [_within(around, level) for level in self.levels]
        return np.asarray(np.linalg.solve(self.expected, [*squares, around @ around]))

    def interval(
        self, place: int, found: Float, random: np.random.Generator
    ) -> tuple[float, float]:
        """The 95 % interval of the variance at `place` of those that were found."""
        world, large = np.maximum(found, 0), float(np.maximum(found, 0).sum())
        spreads = []
        for own in (0.0, large):
            world[place] = own
            again = [self.variances(self.drawn(world, random)) for _ in range(RESAMPLES)]
            spreads.append(float(np.std([each[place] for each in again], ddof=1)))
        # The spread is (v + r) sqrt(2 / d), a line in v.
        slope = max((spreads[1] - spreads[0]) / large, math.sqrt(2 / len(self.levels[0])))
        others, freedom = spreads[0] / slope, 2 / slope**2
        both = max(float(found[place]) + others, 0.0) * freedom
        low, high = both / chi2.ppf([0.975, 0.025], freedom) - others
        return max(0.0, float(low)), max(0.0, float(high))

    def drawn(self, variances: Float, random: np.random.Generator) -> Float:
        """Answers of a world that has these variances, float64 (N,)."""
        deviations = np.sqrt(np.maximum(variances, 0))
        measured: Float = deviations[-1] * random.standard_normal(len(self.levels[0]))
        for level, deviation in zip(self.levels, deviations, strict=False):
            measured += (deviation * random.standard_normal(int(level.max()) + 1))[level]
        return measured


def _within(measured: Float, level: Int) -> float:
    """The sum of squares around the means of the levels."""
    sums, n = np.bincount(level, measured), np.bincount(level)
    return float(measured @ measured - (sums**2 / n).sum())


def _left(within: Int, of: Int) -> float:
    """How often a variance of the levels `of` counts in the sum of squares within levels."""
    both, n = np.unique(within * (int(of.max()) + 1) + of, return_counts=True)
    sizes = np.bincount(within)
    return float(len(of) - (n**2 / sizes[both // (int(of.max()) + 1)]).sum())
