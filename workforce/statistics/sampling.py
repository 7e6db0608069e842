"""Acceptance sampling: how many of a lot are audited, and from how many defects it is sent back.

A plan follows from two risks: a lot with `good` defects is sent back with a probability of at most
`risk_of_good` (producer's risk at the acceptable quality level), one with `bad` is accepted with at
most `risk_of_bad` (consumer's risk at the lot tolerance). Defects among audits are binomial, or
hypergeometric where the lot is finite (Schilling and Neubauer, *Acceptance Sampling in Quality
Control*, 2017, chapters 5 and 6). Nothing is read from tables.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom

from workforce.errors import WorkforceError

MOST_AUDITS = 1_000_000

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Risks:
    """What is promised to both sides: shares of defects, and the chance of judging them wrong."""

    good: float
    bad: float
    risk_of_good: float = 0.05
    risk_of_bad: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.good < self.bad < 1:
            raise WorkforceError(
                f"good must be above 0 and below bad, and bad below 1, not {self.good} and"
                f" {self.bad}: write 1 % as 0.01"
            )
        if not (0 < self.risk_of_good < 0.5 and 0 < self.risk_of_bad < 0.5):
            raise WorkforceError("the risks must be above 0 and below 0.5: write 5 % as 0.05")


@dataclass(frozen=True)
class Single:
    """Audit `n` of a lot; accept it with up to `c` defects. `lot` is its size, None if endless."""

    n: int
    c: int
    lot: int | None = None

    def acceptance(self, rate: float) -> float:
        """The chance that a lot with this share of defects is accepted (operating characteristic).

        A finite lot has a whole number of defects: the next higher one.
        """
        if self.lot is None:
            return float(binom.cdf(self.c, self.n, rate))
        return float(hypergeom.cdf(self.c, self.lot, _defects(rate, self.lot), self.n))

    def audits(self, rate: float) -> float:
        """How many of a lot are audited on average before it is judged."""
        return float(self.n)


@dataclass(frozen=True)
class Double:
    """Audit `n` of a lot: accept it with up to `c`, send it back with `r` defects or more.

    In between audit `n` more: accept it with up to `c_of_both` defects in all.
    """

    n: int
    c: int
    r: int
    c_of_both: int

    def acceptance(self, rate: float) -> float:
        """The chance that a lot with this share of defects is accepted."""
        first = np.arange(self.c + 1, self.r)
        rest = binom.cdf(self.c_of_both - first, self.n, rate)
        return float(binom.cdf(self.c, self.n, rate) + binom.pmf(first, self.n, rate) @ rest)

    def audits(self, rate: float) -> float:
        """How many of a lot are audited on average before it is judged."""
        again = binom.cdf(self.r - 1, self.n, rate) - binom.cdf(self.c, self.n, rate)
        return float(self.n * (1 + again))


Plan = Single | Double


def single_plan(risks: Risks, lot: int | None = None) -> Single:
    """The fewest audits that keep both risks.

    A lot of which no sample tells enough is audited whole.

    Raises `WorkforceError` where an endless lot would take more than `MOST_AUDITS`.
    """
    c = 0
    while True:
        n = _fewest(c, risks.bad, risks.risk_of_bad, lot)
        plan = Single(n, c, lot)
        if plan.acceptance(risks.good) >= 1 - risks.risk_of_good:
            return plan
        if lot is not None and n >= lot:
            return Single(lot, _defects(risks.bad, lot) - 1, lot)
        if n > MOST_AUDITS:
            raise WorkforceError(
                f"to tell {risks.good:.3%} from {risks.bad:.3%} takes more than {MOST_AUDITS:,}"
                " audits: let them lie further apart, or allow larger risks"
            )
        c += 1


def double_plan(risks: Risks) -> Double:
    """The plan of two equal samples that keeps both risks with the fewest audits of a good lot."""
    most = single_plan(risks)
    best: Double | None = None
    for c in range(most.c):
        for c_of_both in range(c + 1, 2 * most.c + 2):
            n = _fewest_of_double(c, c_of_both, risks)
            plan = Double(n, c, c_of_both + 1, c_of_both)
            if plan.acceptance(risks.good) >= 1 - risks.risk_of_good:
                if best is None or plan.audits(risks.good) < best.audits(risks.good):
                    best = plan
                break
    if best is None:
        raise WorkforceError(
            f"no double sample does better than {most.n} audits: use the single plan for it"
        )
    return best


def outgoing(plan: Plan, rates: Float, lot: int) -> Float:
    """The share of defects that is left, float64 (R,), at each incoming share `rates`, (R,).

    Lots that are sent back are audited whole, and all defects found are put right (average outgoing
    quality); the worst of them is the limit that the plan keeps whatever comes.
    """
    return np.array(
        [
            rate * plan.acceptance(rate) * max(0.0, 1 - plan.audits(rate) / lot)
            for rate in rates.tolist()
        ]
    )


def _defects(rate: float, lot: int) -> int:
    # 0.01 * 300 is a little above 3.
    return math.ceil(rate * lot - 1e-9)


def _fewest(c: int, bad: float, risk: float, lot: int | None) -> int:
    """The fewest audits of which a bad lot has up to `c` defects with at most `risk`."""
    return _smallest(
        lambda n: Single(n, c, lot).acceptance(bad) <= risk, c + 1, lot or 2 * MOST_AUDITS
    )


def _fewest_of_double(c: int, c_of_both: int, risks: Risks) -> int:
    def kept(n: int) -> bool:
        return Double(n, c, c_of_both + 1, c_of_both).acceptance(risks.bad) <= risks.risk_of_bad

    return _smallest(kept, c + 1, 2 * MOST_AUDITS)


def _smallest(holds: Callable[[int], bool], low: int, most: int) -> int:
    """The smallest number from `low` on for which `holds` is true, as it stays then; or `most`."""
    step = 1
    while low + step < most and not holds(low + step):
        step *= 2
    first, last = low + step // 2 if step > 1 else low, min(low + step, most)
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if holds(middle) else (middle + 1, last)
    return first
