"""From which score on to accept without asking: ROC and precision-recall curves, and what it costs.

Of each question, a score says how sure a model is, and people said whether it was right. Intervals
come from drawing clusters of questions anew (bootstrap by cluster), for those about one cluster err
together. The operating point is where a wrong acceptance and a question that was not needed
together cost least (Provost and Fawcett, Machine Learning 2001); how much that would save is
measured with the same questions, so it is a little too good where they are few.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 500
AT_ONCE = 20
MOST_THRESHOLDS = 1000
"""Of more scores than that, thresholds are tried at evenly spaced ranks."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Curves:
    """What happens at each threshold, from accepting nothing to accepting all.

    Attributes
    ----------
    thresholds : float64 (K,)
        Descending; accepted is what scores as much or more. The first accepts nothing.
    recall, false_positives, precision : float64 (K,)
        Of what was right, the share accepted; of what was wrong, likewise; of what is accepted, the
        share that is right, 1 where nothing is.
    recall_low, recall_high, precision_low, precision_high : float64 (K,)
        95 % intervals.
    area, average_precision
        Under the ROC curve, and the mean of precision as recall grows.
    """

    thresholds: Float
    recall: Float
    false_positives: Float
    precision: Float
    recall_low: Float
    recall_high: Float
    precision_low: Float
    precision_high: Float
    area: Estimate
    average_precision: Estimate


@dataclass(frozen=True)
class Costs:
    """What a wrong acceptance costs, and a question that was asked although the model was right."""

    wrong_acceptance: float
    unneeded_question: float


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold that costs least per question; infinite where accepting nothing does."""

    threshold: float
    cost: Estimate
    precision: Estimate
    recall: Estimate


def curves(
    scores: ArrayLike, right: ArrayLike, clusters: ArrayLike | None = None, *, seed: int = 0
) -> Curves:
    """The curves of `scores`, float64 (N,); `right` says which were, `clusters` of what each is.

    Raises ValueError where none was right or none was wrong.
    """
    counted = _Counted.of(scores, right, clusters)
    true, false = counted.accepted(np.ones((1, counted.n_clusters)))
    recall, false_positives, precision = _rates(true, false)
    draws = [_rates(*each) for each in counted.resamples(seed)]
    recalls, positives, precisions = (
        np.concatenate([each[place] for each in draws]) for place in range(3)
    )
    recall_low, recall_high = _ends(recalls)
    precision_low, precision_high = _ends(precisions)
    return Curves(
        counted.thresholds,
        *(recall[0], false_positives[0], precision[0]),
        *(recall_low, recall_high, precision_low, precision_high),
        _estimate(_area(recall, false_positives), _area(recalls, positives)),
        _estimate(_average(recall, precision), _average(recalls, precisions)),
    )


def operating_point(
    scores: ArrayLike,
    right: ArrayLike,
    costs: Costs,
    clusters: ArrayLike | None = None,
    *,
    seed: int = 0,
) -> OperatingPoint:
    """Where to accept; of equal costs the strictest threshold. Raises ValueError as `curves`."""
    counted = _Counted.of(scores, right, clusters)

    def per_question(true: Float, false: Float) -> Float:
        missed = true[:, -1:] - true
        total = (true + false)[:, -1:]
        spent = costs.wrong_acceptance * false + costs.unneeded_question * missed
        return np.asarray(spent / total)

    true, false = counted.accepted(np.ones((1, counted.n_clusters)))
    cost = per_question(true, false)
    best = int(np.argmin(cost[0]))
    recall, _, precision = _rates(true, false)
    draws = [(per_question(*each), *_rates(*each)) for each in counted.resamples(seed)]
    costs_drawn, recalls, precisions = (
        np.concatenate([each[place][:, best] for each in draws]) for place in (0, 1, 3)
    )
    return OperatingPoint(
        float(counted.thresholds[best]),
        _estimate(cost[:, best], costs_drawn),
        _estimate(precision[:, best], precisions),
        _estimate(recall[:, best], recalls),
    )


@dataclass(frozen=True, eq=False)
class _Counted:
    """Questions by descending score, and where each threshold ends among them."""

    thresholds: Float
    ends: NDArray[np.int64]
    right: Float
    clusters: NDArray[np.int64]
    n_clusters: int

    @classmethod
    def of(cls, scores: ArrayLike, right: ArrayLike, clusters: ArrayLike | None) -> "_Counted":
        values, outcome = np.asarray(scores, np.float64), np.asarray(right, np.float64)
        if not 0 < outcome.sum() < len(outcome):
            raise ValueError(
                "a threshold needs some questions that were right and some that were not: audit"
                " more of them"
            )
        names = np.arange(len(values)) if clusters is None else np.asarray(clusters)
        known, place = np.unique(names, return_inverse=True)
        order = np.argsort(-values, kind="stable")
        last = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
        last = last[np.unique(np.linspace(0, len(last) - 1, MOST_THRESHOLDS).astype(np.int64))]
        return cls(
            np.append(np.inf, values[order][last]), last, outcome[order], place[order], len(known)
        )

    def accepted(self, weights: Float) -> tuple[Float, Float]:
        """What is accepted at each threshold, right and wrong, (B, K); clusters weigh (B, C)."""
        each = weights[:, self.clusters]

        def at_thresholds(outcome: Float) -> Float:
            return np.pad(np.cumsum(each * outcome, axis=1)[:, self.ends], ((0, 0), (1, 0)))

        return at_thresholds(self.right), at_thresholds(1 - self.right)

    def resamples(self, seed: int) -> Iterator[tuple[Float, Float]]:
        """The same of clusters drawn anew, some at once."""
        random = np.random.default_rng(seed)
        for _ in range(RESAMPLES // AT_ONCE):
            yield self.accepted(random.standard_exponential((AT_ONCE, self.n_clusters)))


def _rates(true: Float, false: Float) -> tuple[Float, Float, Float]:
    """Recall, false positives and precision, (B, K) each."""
    accepted = true + false
    precision = np.divide(true, accepted, out=np.ones_like(true), where=accepted > 0)
    return true / true[:, -1:], false / false[:, -1:], precision


def _area(recall: Float, false_positives: Float) -> Float:
    return np.asarray(np.trapezoid(recall, false_positives, axis=1))


def _average(recall: Float, precision: Float) -> Float:
    return np.asarray((np.diff(recall, axis=1) * precision[:, 1:]).sum(axis=1))


def _ends(drawn: Float) -> tuple[Float, Float]:
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high


def _estimate(value: Float, drawn: Float) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(
        float(value[0]), min(float(low), float(value[0])), max(float(high), float(value[0]))
    )
