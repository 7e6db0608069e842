"""Audits one by one, until they show that a vendor is good or bad: a sequential probability ratio.

After n audits with x wrong, the logarithm of the likelihood ratio of `bad` against `good` is

    x log(bad / good) + (n - x) log((1 - bad) / (1 - good)),

and the vendor is found bad where it reaches log((1 - b) / a), good where it falls to log(b / (1 -
a)), with a the risk of a good vendor and b that of a bad one (Wald, Annals of Mathematical
Statistics 1945). At `at_most` audits the nearer of the two is said. What a test does for each true
rate is summed over all its ways, not approximated.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workforce.errors import WorkforceError
from workforce.statistics.sampling import Risks

FURTHER = 1e-9
"""The chance of going on that is neglected, where a test has no end."""


class Finding(StrEnum):
    GOOD = "good"
    BAD = "bad"
    GO_ON = "go on"


@dataclass(frozen=True)
class Characteristic:
    """What a test does where `rate` is wrong: the chance that it says good, and the audits it
    takes on average."""

    rate: float
    good: float
    audits: float


@dataclass(frozen=True)
class SequentialTest:
    """Wald's test of `risks`, ended after `at_most` audits if that is given."""

    risks: Risks
    at_most: int | None = None

    def __post_init__(self) -> None:
        if self.at_most is not None and self.at_most < 1:
            raise WorkforceError(f"at_most must be 1 or more, not {self.at_most}: or leave it out")

    def evidence(self, n_wrong: int, n: int) -> float:
        """The logarithm of the likelihood ratio of bad against good."""
        wrong, right = self._steps
        return n_wrong * wrong + (n - n_wrong) * right

    def finding(self, n_wrong: int, n: int) -> Finding:
        """What `n` audits say of which `n_wrong` were wrong."""
        if not 0 <= n_wrong <= n:
            raise WorkforceError(f"{n_wrong} of {n} audits cannot be wrong: check what was counted")
        said = self.evidence(n_wrong, n)
        low, high = self._bounds
        if said >= high:
            return Finding.BAD
        if said <= low:
            return Finding.GOOD
        if self.at_most is None or n < self.at_most:
            return Finding.GO_ON
        return Finding.BAD if said > (low + high) / 2 else Finding.GOOD

    def to_go(self, n_wrong: int, n: int) -> int:
        """How many clean audits more would show a vendor to be good."""
        low, _ = self._bounds
        missing = math.ceil((self.evidence(n_wrong, n) - low) / -self._steps[1])
        missing = max(0, missing)
        return missing if self.at_most is None else min(missing, max(0, self.at_most - n))

    def characteristic(self, rate: float) -> Characteristic:
        """What the test does for a true rate of errors."""
        open_ways = np.ones(1)  # The chance of each number of errors, while the test goes on.
        n, good, audits = 0, 0.0, 0.0
        while open_ways.sum() > FURTHER:
            audits += float(open_ways.sum())
            n += 1
            open_ways = np.append(open_ways * (1 - rate), 0) + np.append(0, open_ways * rate)
            low, high = self._bounds
            wrong, right = self._steps
            said = right * n + (wrong - right) * np.arange(n + 1)
            if n == self.at_most:
                return Characteristic(
                    rate, good + float(open_ways[said <= (low + high) / 2].sum()), audits
                )
            good += float(open_ways[said <= low].sum())
            open_ways[(said <= low) | (said >= high)] = 0
        return Characteristic(rate, good, audits)

    @property
    def _steps(self) -> tuple[float, float]:
        """What an audit adds that is wrong, and one that is right."""
        good, bad = self.risks.good, self.risks.bad
        return math.log(bad / good), math.log((1 - bad) / (1 - good))

    @property
    def _bounds(self) -> tuple[float, float]:
        a, b = self.risks.risk_of_good, self.risks.risk_of_bad
        return math.log(b / (1 - a)), math.log((1 - b) / a)
