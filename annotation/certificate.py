"""What a partition is worth: pairwise precision and recall with intervals, from audited pairs.

For pairs of images, J of which the partition joins, T of which show one product, and TP both,

    precision = TP / J        recall = TP / T = TP / (TP + FN)

J is known. TP and FN are sums over strata (`annotation.pairs`) of N_h p_h, the pairs of a stratum
and the share of one product among them. Of n_h pairs drawn without replacement k_h were found to be
of one product. Each p_h is given the fiducial distributions Beta(k, n - k + 1) and Beta(k + 1, n -
k), whose outer quantiles are the Clopper-Pearson interval, and an interval of precision or recall
is found by drawing from these (Krishnamoorthy and Lee, *Inference for functions of parameters in
discrete distributions based on fiducial approach*, JSPI 140, 2010). What was not drawn of a
stratum follows a binomial, so that an audit of everything is exact. Nothing is assumed of the
model's probabilities, and pairs of one product may be as alike as they like: chance is only in the
draw.

Annotators err. With the probability s that they see that a pair shows one product and r that they
see that it does not, the share that they call one is s p + (1 - r)(1 - p); that is solved for p
(Rogan and Gladen, *Estimating prevalence from the results of a screening test*, Am. J. Epidemiology
107, 1978), s and r drawn from what gold says of them.

Almost all pairs are far: no link leads from one piece to the other. One of them that shows one
product would stand for thousands, so no affordable number of audits rules them out. Recall is
therefore certified twice: of the pairs *within reach* of a link, and of all pairs, where the far
ones are bounded by what their audits rule out and by nothing else.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.pairs import FAR, Stratum

DRAWS = 4000
CONFIDENCE = 0.95
LEAST_TOLD_APART = 0.05
"""Annotators who tell one product from two no better are taken to do so as badly as that."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        return f"{self.value:.1%} ({self.low:.1%}–{self.high:.1%})"


@dataclass(frozen=True)
class Accuracy:
    """How often annotators are right about pairs of one product and of two, as gold says.

    Without gold (`n_same`, `n_different` of 0) they are taken at their word.
    """

    same_right: int = 0
    n_same: int = 0
    different_right: int = 0
    n_different: int = 0


TAKEN_AT_THEIR_WORD = Accuracy()
ONE_IN_A_HUNDRED = Accuracy(99_000, 100_000, 99_000, 100_000)
"""Annotators who are known to err once in a hundred pairs."""


@dataclass(frozen=True)
class Certificate:
    """Precision and recall of a partition.

    Attributes
    ----------
    precision
        Of the pairs that the partition joins, the share that shows one product.
    recall
        Of the pairs within reach that show one product, the share that the partition joins.
    recall_of_all
        The same of all pairs; as low as the audits of far pairs cannot rule out.
    n_audits
        Pairs that were audited, and of these `n_far` far ones.
    """

    precision: Interval
    recall: Interval
    recall_of_all: Interval
    n_audits: int
    n_far: int

    @property
    def far_share(self) -> float:
        """The share of the width of `recall_of_all` that goes back to the far pairs."""
        whole = self.recall_of_all.half_width
        return max(1 - self.recall.half_width / whole, 0.0) if whole else 0.0

    def audits_needed(self, half_width: float) -> int:
        """How many audits more bring precision and recall within reach to this half-width.

        Raises
        ------
        ValueError
            If `half_width` is not above 0.
        """
        if half_width <= 0:
            raise ValueError(f"no audit brings an interval to a half-width of {half_width}")
        widest = max(self.precision.half_width, self.recall.half_width)
        n = max(self.n_audits, 1)
        return max(math.ceil(n * (widest / half_width) ** 2) - self.n_audits, 0)


def certify(
    strata: Sequence[Stratum],
    found: Mapping[str, tuple[int, int]],
    accuracy: Accuracy = TAKEN_AT_THEIR_WORD,
    *,
    seed: int = 0,
) -> Certificate:
    """Certify the partition whose pairs are in `strata`.

    Parameters
    ----------
    found
        Of the audited pairs of each stratum, how many annotators called one product, and how many
        there were. They are a random part of their stratum.
    accuracy
        Of the annotators; an interval says how sure it is of them, too.
    seed
        Fixes the draws.

    Raises
    ------
    ValueError
        If `found` names no stratum of `strata`, or counts that cannot be.
    """
    _check(strata, found)
    random = np.random.default_rng(seed)
    errors, likeliest = _Errors.drawn(accuracy, random), _Errors.likeliest(accuracy)
    joined, within, apart = (
        _Total.of(
            [(each, found.get(each.name, (0, 0))) for each in some], errors, likeliest, random
        )
        for some in (
            [each for each in strata if each.joined],
            [each for each in strata if not each.joined and each.name != FAR],
            [each for each in strata if not each.joined],
        )
    )
    return Certificate(
        joined.share(),
        _recall(joined, within),
        _recall(joined, apart),
        sum(n for _, n in found.values()),
        found.get(FAR, (0, 0))[1],
    )


@dataclass(frozen=True)
class _Errors:
    """The probability that a pair of one product is called one, and one of two, or draws of it."""

    same: Float
    different: Float

    @classmethod
    def drawn(cls, accuracy: Accuracy, random: np.random.Generator) -> "_Errors":
        def rightly(n_right: int, n: int) -> Float:
            if n == 0:
                return np.ones(DRAWS)
            return random.beta(n_right + 0.5, n - n_right + 0.5, DRAWS)

        return cls(
            rightly(accuracy.same_right, accuracy.n_same),
            1 - rightly(accuracy.different_right, accuracy.n_different),
        )

    @classmethod
    def likeliest(cls, accuracy: Accuracy) -> "_Errors":
        def rightly(n_right: int, n: int) -> float:
            return n_right / n if n else 1.0

        return cls(
            np.array([rightly(accuracy.same_right, accuracy.n_same)]),
            np.array([1 - rightly(accuracy.different_right, accuracy.n_different)]),
        )

    def correct(self, share: Float) -> Float:
        """The share of one product, of which annotators call `share` one.

        It may be below 0 or above 1: where it is cut off is for the sum of all strata to say.
        """
        apart = np.maximum(self.same - self.different, LEAST_TOLD_APART)
        return np.asarray((share - self.different) / apart)


@dataclass(frozen=True)
class _Total:
    """How many of the `size` pairs of some strata show one product: an estimate, and draws of it.

    The draws in `few` lean to few pairs where nothing was found, those in `many` to many.
    """

    size: int
    value: Float
    few: Float
    many: Float

    @classmethod
    def of(
        cls,
        audited: Sequence[tuple[Stratum, tuple[int, int]]],
        errors: _Errors,
        likeliest: _Errors,
        random: np.random.Generator,
    ) -> "_Total":
        size = sum(stratum.size for stratum, _ in audited)
        value: Float = np.zeros(1)
        few, many = np.zeros(DRAWS), np.zeros(DRAWS)
        for stratum, (n_same, n) in audited:
            called = np.array([n_same / n if n else stratum.expected])
            value = value + stratum.size * likeliest.correct(called)
            left = stratum.size - n
            fewest = random.beta(n_same, n - n_same + 1, DRAWS) if n_same else np.zeros(DRAWS)
            most = random.beta(n_same + 1, n - n_same, DRAWS) if n_same < n else np.ones(DRAWS)
            for total, share in ((few, fewest), (many, most)):
                asked_all = (n_same + random.binomial(left, share)) / stratum.size
                total += stratum.size * errors.correct(asked_all)
        return cls(size, *(np.clip(each, 0.0, size) for each in (value, few, many)))

    def share(self) -> Interval:
        """The share that shows one product; without a pair, nothing is known."""
        if not self.size:
            return Interval(math.nan, 0.0, 1.0)
        return _interval(self.value / self.size, self.few / self.size, self.many / self.size)


def _recall(joined: _Total, missed: _Total) -> Interval:
    return _interval(
        _share(joined.value, missed.value),
        _share(joined.few, missed.many),
        _share(joined.many, missed.few),
    )


def _share(right: Float, missed: Float) -> Float:
    """Of what is right or missed, the share that is right; all of nothing."""
    total = np.asarray(right + missed, dtype=np.float64)
    return np.asarray(np.where(total > 0, right / np.where(total > 0, total, 1.0), 1.0))


def _interval(value: Float, low: Float, high: Float) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    point = float(value[0])
    return Interval(
        point,
        min(float(np.quantile(low, tail)), point),
        max(float(np.quantile(high, 1 - tail)), point),
    )


def _check(strata: Sequence[Stratum], found: Mapping[str, tuple[int, int]]) -> None:
    sizes = {stratum.name: stratum.size for stratum in strata}
    for name, (n_same, n) in found.items():
        if name not in sizes:
            raise ValueError(f"{name!r} is no stratum of this partition: {', '.join(sizes)}")
        if not 0 <= n_same <= n <= sizes[name]:
            raise ValueError(
                f"{n_same} of {n} audited pairs cannot show one product in {name!r}, which has"
                f" {sizes[name]} pairs"
            )
