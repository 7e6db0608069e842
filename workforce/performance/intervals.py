"""What a measured value may be instead: 95 % intervals of many groups of observations at once.

Observations that hang together (by annotator, question or day) tell less than as many that do not.
`hits`, `of` and so on are those of whole clusters; `group` says to which group each belongs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
WINSORISED = 0.05
"""The share of the observations at either end that counts as the nearest of the others."""
RESAMPLES = 1000


@dataclass(frozen=True)
class Estimates:
    """Arrays of one length, a group each; NaN where there is none."""

    value: Floats
    n: Ints
    low: Floats
    high: Floats


def proportions(group: Ints, hits: Floats, of: Floats, n_groups: int) -> Estimates:
    """Shares with Wilson intervals of as many observations as the clusters are worth.

    That is n / design effect (Kish, Survey Sampling, 1965, 5.4), and never more than n. The effect
    is the variance of the share by clusters (Cochran, Sampling Techniques, 1977, 9A.2) beside that
    of as many independent observations; of one cluster, nothing tells it.
    """
    n, total = np.bincount(group, of, n_groups), np.bincount(group, hits, n_groups)
    value = _ratio(total, n)
    variance = _clustered_variance(group, hits, of, value, n_groups)
    independent = _ratio(value * (1 - value), n)
    effect = np.fmax(1.0, _ratio(variance, independent))
    worth = n / effect
    known = n > 0
    low, high = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    low[known], high[known] = proportion_confint(
        (value * worth)[known], worth[known], 1 - LEVEL, method="wilson"
    )
    return Estimates(value, n.astype(np.int64), np.clip(low, 0, 1), np.clip(high, 0, 1))


def ratios(group: Ints, hits: Floats, of: Floats, n_groups: int) -> Estimates:
    """`hits` for each unit of `of`, with Student intervals over clusters; `n` sums the hits."""
    total, size = np.bincount(group, hits, n_groups), np.bincount(group, of, n_groups)
    value = _ratio(total, size)
    n_clusters = np.bincount(group, minlength=n_groups)
    half = np.sqrt(_clustered_variance(group, hits, of, value, n_groups)) * _student(n_clusters - 1)
    low, high = np.fmax(value - half, 0.0), value + half
    low[np.isnan(half)] = np.nan
    return Estimates(value, total.astype(np.int64), low, high)


def winsorised_mean(values: Floats, clusters: Ints) -> tuple[float, float, float]:
    """The mean of `values` with its ends drawn in, and its interval; clusters from 0 on.

    The interval is that of Tukey and McLaughlin (Sankhya A 25, 1963), with the larger of two
    variances: of independent observations, and by clusters. NaN where nothing tells it.
    """
    n = len(values)
    n_end = int(WINSORISED * n)
    ends = [n_end, n - n_end - 1]
    drawn = np.clip(values, *np.partition(values, ends)[ends])
    mean = float(drawn.mean())
    if n - 2 * n_end < 2:
        return mean, np.nan, np.nan
    residual = np.subtract(drawn, mean, out=drawn)
    variance = float(residual @ residual) / (n - 1) / n
    sums = np.bincount(clusters, residual)
    n_clusters = np.count_nonzero(np.bincount(clusters))
    if n_clusters > 1:
        variance = max(variance, float(sums @ sums) * n_clusters / (n_clusters - 1) / n**2)
    half = np.sqrt(variance) / (1 - 2 * n_end / n) * _student(np.array([n - 2 * n_end - 1]))[0]
    return mean, mean - half, mean + half


def quantile(values: Floats, share: float) -> tuple[float, float, float]:
    """The value that `share` of `values` do not exceed, and its interval.

    It and the ends of the interval are observations (David and Nagaraja, Order Statistics, 2003,
    7.1); NaN where there are too few for an end.
    """
    n = len(values)
    below, above = stats.binom.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], n, share).astype(int)
    middle = max(int(np.ceil(share * n)) - 1, 0)
    values = np.partition(values, [max(below - 1, 0), middle, min(above, n - 1)])
    value = values[middle]
    low = values[below - 1] if below > 0 else np.nan
    high = values[above] if above < n else np.nan
    return float(value), float(low), float(high)


def alpha(patterns: Ints, n_items: Ints) -> tuple[float, float, float]:
    """Krippendorff's alpha for nominal data (Content Analysis, 2004, 11.3), and its interval.

    Parameters
    ----------
    patterns : int64 (patterns, labels)
        How often each label was given to an item; at least twice in all.
    n_items : int64 (patterns,)
        The number of items of each pattern. Items are drawn anew for the interval, those that are
        alike together.
    """
    given = patterns.sum(axis=1)
    disagreement = (given**2 - (patterns**2).sum(axis=1)) / (given - 1)
    parts = np.column_stack([disagreement, patterns])
    [value] = _alphas(n_items[None] @ parts)
    total = int(n_items.sum())
    if total < 2:
        return float(value), np.nan, np.nan
    draws = np.random.default_rng(0).multinomial(total, n_items / total, RESAMPLES)
    low, high = np.quantile(_alphas(draws @ parts), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(value), float(low), float(high)


def _alphas(parts: Floats) -> Floats:
    """Alpha from rows of (disagreement, count of each label); 1 where there is only one label."""
    observed, counts = parts[:, 0], parts[:, 1:]
    n = counts.sum(axis=1)
    expected = (n**2 - (counts**2).sum(axis=1)) / (n - 1)
    return np.where(expected > 0, 1 - observed / np.where(expected > 0, expected, 1), 1.0)


def _clustered_variance(
    group: Ints, hits: Floats, of: Floats, value: Floats, n_groups: int
) -> Floats:
    """The variance of a ratio by clusters; NaN where there is one cluster, or none."""
    residual = hits - value[group] * of
    n_clusters = np.bincount(group, minlength=n_groups)
    spread = np.bincount(group, residual**2, n_groups) * _ratio(n_clusters, n_clusters - 1)
    return _ratio(spread, np.bincount(group, of, n_groups) ** 2)


def _student(freedom: Ints) -> Floats:
    """Student's factor of a 95 % interval; NaN without a degree of freedom."""
    factor = np.asarray(stats.t.ppf((1 + LEVEL) / 2, np.maximum(freedom, 1)), np.float64)
    factor[freedom < 1] = np.nan
    return factor


def _ratio(one: Floats | Ints, other: Floats | Ints) -> Floats:
    """Their quotient; NaN where the divisor is not above 0."""
    quotient = np.full(len(one), np.nan)
    np.divide(one, other, out=quotient, where=other > 0)
    return quotient
