"""Whether two vendors, or two periods, differ: intervals that know that errors come in clusters.

The answers of one annotator err together, and so do those about one cluster of images. Annotators
are drawn anew in one bootstrap, clusters in another; what both count, the answers by themselves, is
counted once too often:

    variance = by annotator + by cluster - of independent answers

(Cameron, Gelbach and Miller, JBES 2011; drawing both at once, the pigeonhole bootstrap of Owen,
Annals of Applied Statistics 2007, counts it three times, and makes the interval of mostly
independent errors 1.7 times as wide). What is drawn gets an exponential weight, so that no draw is
empty. Clusters that both sides answered get one weight for both, so that shared work is compared
pair by pair. As vendors have few annotators, the interval is Student's, with the annotators less
one of each side as its degrees of freedom; and it is never narrower than that of independent
answers (Newcombe, Statistics in Medicine 1998), for a bootstrap sees nothing where all are right.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

RESAMPLES = 1000
AT_ONCE = 50
"""Resamples that are drawn together, so that memory stays small."""

Key = TypeVar("Key")
Float = NDArray[np.float64]
Correction = Literal["holm", "fdr_bh"]
"""What is kept: the chance of any false finding (Holm), or the share of them (Benjamini and
Hochberg)."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one side answered.

    Attributes
    ----------
    right : (N,)
        Whether each answer was right.
    annotators, clusters : (N,)
        Who gave it, and what it was about.
    """

    right: ArrayLike
    annotators: ArrayLike
    clusters: ArrayLike


@dataclass(frozen=True)
class Difference:
    """The accuracy of one side less that of the other.

    `standard_error` is that of the difference, with `freedom` degrees of freedom; `low` and `high`
    end its 95 % interval, and `p` is how likely as large a difference is between equals.
    """

    one: float
    other: float
    standard_error: float
    freedom: int
    low: float
    high: float
    p: float

    @property
    def value(self) -> float:
        return self.one - self.other


@dataclass(frozen=True)
class Equivalence:
    """Whether two sides differ by less than `margin`, and how likely it seems where they do not."""

    margin: float
    p: float
    shown: bool


@dataclass(frozen=True)
class Judged:
    """A difference among several: its p-value, corrected for all of them, and whether it counts."""

    difference: Difference
    p: float
    differs: bool


def difference(one: Answers, other: Answers, *, seed: int = 0) -> Difference:
    """Compare two sides; raises ValueError where one has no answers."""
    sides = [_Side.of(each) for each in (one, other)]
    random = np.random.default_rng(seed)
    people = [side.by(side.annotators) for side in sides]
    by_annotator = sum(_variance([each], random) for each in people)
    names = np.unique(np.concatenate([side.clusters for side in sides]))
    by_cluster = _variance([side.by(side.clusters, names) for side in sides], random)
    counted = [(int(side.right.sum()), len(side.right)) for side in sides]
    shares = [n_right / n for n_right, n in counted]
    independent = sum(
        share * (1 - share) / n for share, (_, n) in zip(shares, counted, strict=True)
    )
    variance = max(by_annotator + by_cluster - independent, by_annotator, by_cluster)
    low, high = (
        float(end) for end in confint_proportions_2indep(*counted[0], *counted[1], method="newcomb")
    )
    error = max(math.sqrt(variance), (high - low) / 2 / float(norm.ppf(0.975)))
    freedom = max(1, sum(each.shape[1] - 1 for each in people))
    reach = float(t.ppf(0.975, freedom)) * error
    value = shares[0] - shares[1]
    return Difference(
        shares[0],
        shares[1],
        error,
        freedom,
        max(-1.0, min(low, value - reach)),
        min(1.0, max(high, value + reach)),
        float(2 * t.sf(abs(value) / error, freedom)),
    )


def equivalence(found: Difference, margin: float, *, risk: float = 0.05) -> Equivalence:
    """Two one-sided tests (Schuirmann, 1987): that no absence of proof is taken for equality."""
    if margin <= 0:
        raise ValueError(f"a margin of {margin} cannot be kept: give the difference that matters")
    further = (abs(found.value) - margin) / found.standard_error
    p = float(t.cdf(further, found.freedom))
    return Equivalence(margin, p, p < risk)


def judged(
    differences: Mapping[Key, Difference], *, method: Correction = "holm", risk: float = 0.05
) -> dict[Key, Judged]:
    """Which of several differences count, where many comparisons find some by chance."""
    if not differences:
        return {}
    reject, p, _, _ = multipletests(
        [each.p for each in differences.values()], alpha=risk, method=method
    )
    return {
        key: Judged(each, float(own), bool(counts))
        for (key, each), own, counts in zip(differences.items(), p, reject, strict=True)
    }


@dataclass(frozen=True, eq=False)
class _Side:
    right: Float
    annotators: NDArray[np.str_]
    clusters: NDArray[np.str_]

    @classmethod
    def of(cls, answers: Answers) -> "_Side":
        side = cls(
            np.asarray(answers.right, dtype=np.float64),
            np.asarray(answers.annotators).astype(str),
            np.asarray(answers.clusters).astype(str),
        )
        if not 0 < len(side.right) == len(side.annotators) == len(side.clusters):
            raise ValueError(
                f"{len(side.right)} answers of {len(side.annotators)} annotators about"
                f" {len(side.clusters)} clusters: give one of each for every answer, and one answer"
                " or more"
            )
        return side

    def by(self, level: NDArray[np.str_], levels: NDArray[np.str_] | None = None) -> Float:
        """Answers that were right, and all: of each of `levels`, (2, L)."""
        known = np.unique(level) if levels is None else levels
        places = np.searchsorted(known, level)
        return np.array(
            [np.bincount(places, each, len(known)) for each in (self.right, np.ones(len(level)))]
        )


def _variance(sides: Sequence[Float], random: np.random.Generator) -> float:
    """That of a share, or of the difference of two, as the levels of `sides` are drawn anew.

    Each side has the answers that were right, and all, of each level, (2, L).
    """
    n_levels = sides[0].shape[1]
    found = []
    for first in range(0, RESAMPLES, AT_ONCE):
        weights = random.standard_exponential((min(AT_ONCE, RESAMPLES - first), n_levels))
        shares = [(weights @ n_right) / (weights @ n) for n_right, n in sides]
        found.append(shares[0] - shares[1] if len(shares) == 2 else shares[0])
    return float(np.concatenate(found).var(ddof=1))
