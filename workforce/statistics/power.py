"""How much must be checked: gold to tell two accuracies apart, audits to bound a rate of defects.

Answers of one annotator, or about one cluster, err together and tell less than as many independent
ones: sample sizes are multiplied by the design effect (Kish, *Survey Sampling*, 1965, equation
8.2.1). Proportions are compared on the arcsine scale (Cohen, *Statistical Power Analysis*, 1988,
chapter 6; statsmodels), which is exact enough from about 30 answers on.
"""

import math

from scipy.optimize import brentq
from scipy.stats import beta, binom
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from workforce.errors import WorkforceError


def design_effect(cluster_size: float, correlation: float) -> float:
    """How many times as much must be checked where answers come in clusters that err together.

    `cluster_size` is the mean number of answers of an annotator, `correlation` that of the errors
    of two of them (`variance.Components.share`).
    """
    if cluster_size < 1 or not 0 <= correlation <= 1:
        raise WorkforceError(
            f"clusters of {cluster_size} answers whose errors correlate by {correlation} cannot be:"
            " give a size of 1 or more, and a correlation from 0 to 1"
        )
    return 1 + (cluster_size - 1) * correlation


def gold_to_tell(
    one: float, other: float, *, power: float = 0.8, risk: float = 0.05, effect: float = 1.0
) -> int:
    """Gold answers of each of two vendors, so that a test (two-sided) tells their accuracies apart.

    Where they are `one` and `other`, it does with a probability of `power`; where they are equal,
    it errs with one of `risk`. `effect` is the design effect.
    """
    _check(one, other, power, risk)
    if one == other:
        raise WorkforceError(
            f"{one:.2%} and {other:.2%} are equal, and no number of answers tells them"
            " apart: give two that differ"
        )
    size = abs(proportion_effectsize(one, other))
    n = NormalIndPower().solve_power(effect_size=size, power=power, alpha=risk, ratio=1)
    return math.ceil(float(n) * effect)


def power_to_tell(
    one: float, other: float, n: int, *, risk: float = 0.05, effect: float = 1.0
) -> float:
    """The probability that `n` gold answers of each tell two accuracies apart."""
    _check(one, other, risk)
    size = abs(proportion_effectsize(one, other))
    return float(NormalIndPower().power(size, n / effect, risk, ratio=1))


def detectable_drop(
    accuracy: float, n: int, *, power: float = 0.8, risk: float = 0.05, effect: float = 1.0
) -> float | None:
    """The smallest drop from `accuracy` that `n` gold answers each show; None where none would."""
    _check(accuracy, power, risk)

    def short(drop: float) -> float:
        return power - power_to_tell(accuracy, accuracy - drop, n, risk=risk, effect=effect)

    most = accuracy - 1e-9
    return None if short(most) > 0 else float(brentq(short, 1e-9, most))


def audits_to_bound(rate: float, *, confidence: float = 0.95, n_wrong: int = 0) -> int:
    """Audits that show defects to be rarer than `rate`, if `n_wrong` of them are found wrong.

    The fewest n with P(Binomial(n, rate) <= n_wrong) <= 1 - confidence (Clopper and Pearson, 1934).
    """
    _check(rate, confidence)
    low, high = n_wrong, n_wrong + 1
    while binom.cdf(n_wrong, high, rate) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = binom.cdf(n_wrong, middle, rate) <= 1 - confidence
        low, high = (low, middle) if enough else (middle, high)
    return high


def bound(n_wrong: int, n: int, *, confidence: float = 0.95) -> float:
    """The rate of defects that `n_wrong` of `n` audits show not to be reached (one-sided)."""
    _check(confidence)
    return 1.0 if n_wrong >= n else float(beta.ppf(confidence, n_wrong + 1, n - n_wrong))


def _check(*shares: float) -> None:
    if wrong := [each for each in shares if not 0 < each < 1]:
        raise WorkforceError(f"{wrong[0]} is no share between 0 and 1: write 95 % as 0.95")
