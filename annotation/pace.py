"""How fast annotators are: the time model of `annotation.effort`, fitted to the times they took.

Of each vendor, locale and kind of question the seconds are `question + picture * n_pictures +
removed * n_removed`, none of the three below zero. They are found from the vendor's answers and
from what is believed before these are seen, which is what was found of the locale with all vendors;
before that comes the kind of question in all locales, and before that the `Effort` of the settings.
So a few answers move little, and a vendor without answers is taken for a usual one.

Handling times are measured in the browser: a page stays open over lunch, an answer is clicked
through. They spread in proportion to what was to be done, so deviations are those of logarithms. A
first fit winsorises what deviates (Huber, *Robust Statistics*, 1981, section 7.8). A second one,
which begins there, weighs each answer by Tukey's function of its deviation, so that what is far off
does not count. What was believed before enters both as a normal distribution, as in ridge
regression.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from statsmodels.robust.norms import TukeyBiweight
from statsmodels.robust.scale import mad

from annotation.effort import Effort, Line
from catalog.schema import Question, QuestionKind
from catalog.timings import Timing

TERMS = {
    QuestionKind.VERIFY: 3,
    QuestionKind.ATTACH: 3,
    QuestionKind.MERGE: 1,
    QuestionKind.SPLIT: 2,
}
"""How many of question, picture and removed picture take time in a question of each kind."""

DOUBT = 0.25
"""Standard deviation of a vendor's coefficients around those of all, as a share of these."""
LEAST = 0.1
"""A coefficient, in seconds, below which doubt about it is no smaller."""
SPREAD = 0.35
"""Standard deviation of the logarithm of a time, as long as no answers tell."""
SPREAD_COUNTS_AS = 30
"""Answers that what was believed of the spread weighs as much as."""
HUBER = 1.345
"""Spreads from what was predicted at which times are winsorised; Huber's constant."""
TUKEY = TukeyBiweight()
SHORTEST = 0.1
"""Seconds that any question takes."""
TOLD = 0.2
"""Share of the variance before the answers, above which a coefficient is called assumed."""
MOST_STEPS = 50
BINS = 10

Float = NDArray[np.float64]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Coefficient:
    """Seconds, with their 95 % interval.

    It is `assumed` where the answers tell less of it than four times what was believed before.
    """

    value: float
    low: float
    high: float
    assumed: bool

    def __str__(self) -> str:
        doubt = ", assumed" if self.assumed else ""
        return f"{self.value:.1f} ({self.low:.1f}–{self.high:.1f}{doubt})"


@dataclass(frozen=True)
class Bin:
    """Questions that were predicted to take about as long, and how long they took.

    `predicted` is a mean, `low`, `middle` and `high` are the quartiles of what was observed.
    """

    predicted: float
    low: float
    middle: float
    high: float
    n: int


@dataclass(frozen=True)
class Fit:
    """What is known of the time that a kind of question takes.

    Attributes
    ----------
    mean : float64 (T,)
        Seconds of the question, of each picture and of each removed one, as far as the kind has
        them.
    covariance : float64 (T, T)
        Of `mean`, by the sandwich formula.
    assumed
        For each coefficient, whether the answers tell little of it.
    spread
        Robust standard deviation of the logarithm of observed over predicted seconds.
    n
        Answers that it was fitted to.
    explained
        Share of the variance of the answers' seconds that the pictures explain, with the weights of
        the fit (Renaud and Victoria-Feser, 2010); NaN where it is unknown.
    bins
        Predictions beside observations, by ascending prediction.
    """

    mean: Float
    covariance: Float
    assumed: tuple[bool, ...]
    spread: float
    n: int = 0
    explained: float = math.nan
    bins: tuple[Bin, ...] = ()

    @classmethod
    def believed(cls, line: Line, n_terms: int) -> Self:
        """What is known before any answer."""
        mean = np.array([line.question, line.picture, line.removed])[:n_terms]
        return cls(mean, np.zeros((n_terms, n_terms)), (True,) * n_terms, SPREAD)

    @cached_property
    def line(self) -> Line:
        return Line(*self.mean.tolist())

    @cached_property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """Of the question, a picture and a removed picture, as far as the kind has them."""
        half = 1.96 * np.sqrt(np.diag(self.covariance))
        low, high = np.maximum(self.mean - half, 0), self.mean + half
        columns = (self.mean.tolist(), low.tolist(), high.tolist(), self.assumed)
        return tuple(Coefficient(*each) for each in zip(*columns, strict=True))

    def seconds(self, n_pictures: int, n_removed: float = 0) -> float:
        return self.line.seconds(n_pictures, n_removed)

    def of_a_part(self) -> Self:
        """What this tells of one among those that it describes, before any of its answers."""
        doubt = np.diag((DOUBT * np.maximum(self.mean, LEAST)) ** 2)
        return replace(
            self,
            covariance=self.covariance + doubt,
            assumed=(True,) * len(self.mean),
            n=0,
            explained=math.nan,
            bins=(),
        )


@dataclass(frozen=True)
class LocalPace:
    """How fast a vendor is in a locale; it tells seconds as an `Effort` does."""

    fits: Mapping[QuestionKind, Fit]

    def seconds(self, kind: QuestionKind, n_pictures: int, n_removed: float = 0) -> float:
        return self.fits[kind].seconds(n_pictures, n_removed)


@dataclass(frozen=True)
class Pace:
    """How fast the vendors are, each named by its site, in each locale and kind of question.

    `fits` are those of kinds, of (kind, locale) and of (kind, locale, vendor) with answers.
    """

    prior: Effort
    fits: Mapping[Key, Fit]

    def of(self, vendor: str, locale: str, kind: QuestionKind) -> Fit:
        """What is known of a vendor, from its own answers or else from those of others."""
        found = Fit.believed(self.prior.line(kind), TERMS[kind])
        for key in ((kind,), (kind, locale), (kind, locale, vendor)):
            found = self.fits.get(key) or found.of_a_part()
        return found

    def at(self, vendor: str, locale: str) -> LocalPace:
        """The same of every kind of question at once, for whoever asks often."""
        return LocalPace({kind: self.of(vendor, locale, kind) for kind in QuestionKind})

    def seconds(self, vendor: str, locale: str, question: Question, n_removed: float = 0) -> float:
        """What a question is expected to take, where `n_removed` of its pictures are ticked."""
        n_pictures = len(question.image_ids) + len(question.reference_ids)
        return self.of(vendor, locale, QuestionKind(question.kind)).seconds(n_pictures, n_removed)

    def known(self) -> list[tuple[str, str, QuestionKind]]:
        """The vendor, locale and kind of question of which there are answers."""
        return sorted((key[2], key[1], QuestionKind(key[0])) for key in self.fits if len(key) == 3)


def fit(timings: Iterable[Timing], prior: Effort) -> Pace:
    """How fast annotators are, given the time of every answer; in any order."""
    taken: dict[Key, array[float]] = defaultdict(lambda: array("d"))
    for each in timings:
        taken[each.kind, each.locale, each.site].extend(
            (each.n_pictures, each.n_removed, each.seconds)
        )
    rows = {key: np.frombuffer(taken[key]).reshape(-1, 3) for key in sorted(taken)}
    fits: dict[Key, Fit] = {}
    before: dict[Key, Fit] = {}
    for depth in (1, 2, 3):
        parts: dict[Key, list[Float]] = defaultdict(list)
        for key, found in rows.items():
            parts[key[:depth]].append(found)
        for key, group in parts.items():
            own = np.concatenate(group)
            before[key] = _before(key, len(own), fits, before, prior).of_a_part()
            fits[key] = _fitted(before[key], own)
    return Pace(prior, fits)


def _before(
    key: Key, n: int, fits: Mapping[Key, Fit], before: Mapping[Key, Fit], prior: Effort
) -> Fit:
    """What was found of the whole that `key` is a part of, but not from its own `n` answers only.

    Where these are all that the whole has, they would otherwise count twice.
    """
    whole = key[:-1]
    if not whole:
        kind = QuestionKind(key[0])
        return Fit.believed(prior.line(kind), TERMS[kind])
    return fits[whole] if fits[whole].n > n else before[whole]


def _fitted(before: Fit, rows: Float) -> Fit:
    """What is known after the answers `rows` (N, 3): pictures, removed ones and seconds."""
    design = np.column_stack([np.ones(len(rows)), rows[:, :2]])[:, : len(before.mean)]
    seconds = np.maximum(rows[:, 2], SHORTEST)
    information = np.linalg.inv(before.covariance)

    def predicted(mean: Float) -> Float:
        return np.maximum(design @ mean, SHORTEST)

    def spread_of(deviation: Float) -> float:
        """Robust, and shrunk towards what was believed of it."""
        squares = SPREAD_COUNTS_AS * before.spread**2 + len(rows) * mad(deviation) ** 2
        return math.sqrt(squares / (SPREAD_COUNTS_AS + len(rows)))

    def least_squares(observed: Float, weights: Float) -> Float:
        weighed = design * weights[:, None]
        root = np.linalg.cholesky(weighed.T @ design + information)
        target = np.linalg.solve(root, weighed.T @ observed + information @ before.mean)
        return np.asarray(nnls(root.T, target)[0], np.float64)

    def winsorised(mean: Float) -> Float:
        usual = predicted(mean)
        deviation = np.log(seconds / usual)
        spread = spread_of(deviation)
        near = np.clip(deviation, -HUBER * spread, HUBER * spread)
        return least_squares(usual * np.exp(near), (spread * usual) ** -2)

    first = _settled(winsorised, before.mean)
    spread = spread_of(np.log(seconds / predicted(first)))

    def weighted(mean: Float) -> Float:
        usual = predicted(mean)
        weights = TUKEY.weights(np.log(seconds / usual) / spread)
        return least_squares(seconds, weights * (spread * usual) ** -2)

    mean = _settled(weighted, first)
    usual = predicted(mean)
    deviation = np.log(seconds / usual) / spread
    scaled = design / (spread * usual)[:, None]
    told = scaled.T @ scaled
    # How fast the sum of deviations changes; it falls with the share of answers that fit nothing.
    slope = max(float(np.mean(TUKEY.psi_deriv(deviation))), LEAST)
    bread = np.linalg.inv(slope * told + information)
    covariance = bread @ (np.mean(TUKEY.psi(deviation) ** 2) * told + information) @ bread
    assumed = np.diag(covariance) > TOLD * np.diag(before.covariance)
    return Fit(
        mean,
        covariance,
        tuple(assumed.tolist()),
        spread,
        n=len(rows),
        explained=_explained(seconds, usual, TUKEY.weights(deviation) / usual**2),
        bins=_bins(seconds, usual),
    )


def _settled(step: Callable[[Float], Float], mean: Float) -> Float:
    """Where repeating `step` leads."""
    for _ in range(MOST_STEPS):
        last, mean = mean, step(mean)
        if np.allclose(mean, last, rtol=1e-5, atol=1e-6):
            break
    return mean


def _explained(seconds: Float, predicted: Float, weights: Float) -> float:
    if not weights.any():
        return math.nan
    around = np.average((seconds - np.average(seconds, weights=weights)) ** 2, weights=weights)
    left = np.average((seconds - predicted) ** 2, weights=weights)
    return max(0.0, 1 - float(left / around)) if around else math.nan


def _bins(seconds: Float, predicted: Float) -> tuple[Bin, ...]:
    bounds = np.unique(np.quantile(predicted, np.linspace(0, 1, BINS + 1)))
    place = np.searchsorted(bounds[1:-1], predicted, side="right")
    found = []
    for number in np.unique(place):
        observed = seconds[place == number]
        low, middle, high = np.quantile(observed, [0.25, 0.5, 0.75]).tolist()
        mean = float(predicted[place == number].mean())
        found.append(Bin(mean, low, middle, high, len(observed)))
    return tuple(found)
