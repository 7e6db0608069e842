"""How fast annotators are: the time model of `annotation.effort`, fitted to the times they took.

Of each vendor, locale and work the seconds are a `Line`, none of its coefficients below zero. They
are found from the vendor's answers and from what is believed before these are seen, which is what
was found of the locale with all vendors; before that comes the work in all locales, and before that
the `Effort` of the settings. So a few answers move little, and a vendor without answers is taken
for a usual one.

Handling times are measured in the browser: a page stays open over lunch, an answer is clicked
through. They spread in proportion to what was to be done, and vendors differ from each other in
proportion too, so that all is said in logarithms: those of the seconds have noise, and those of the
coefficients a normal distribution before the answers. Gauss and Newton's method finds the
likeliest ones with robust weights, first Huber's, which winsorise, then from there Tukey's, so that
what is far off does not count (Maronna et al., *Robust Statistics*, 2019, chapters 4 and 5). As
sums of seconds are wanted, not medians, the result is multiplied by the weighted mean of observed
over predicted seconds (Duan, *Smearing Estimate*, JASA 1983).
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from statsmodels.robust.norms import HuberT, TukeyBiweight
from statsmodels.robust.scale import mad

from annotation.annotators import FEW
from annotation.effort import Effort, Line, Work
from catalog.schema import Question, QuestionKind
from catalog.timings import Timing

TERMS = {
    Work.VERIFY: ("question", "picture", "removed", "name"),
    Work.SINGLE: ("picture", "name"),
    Work.ATTACH: ("question", "picture", "removed"),
    Work.MERGE: ("question",),
    Work.SPLIT: ("question", "picture"),
}
"""What takes time in each work: fields of `Line`."""
COUNTS = ("question", "picture", "removed", "name")
"""The fields of `Line` in the order in which the answers' rows count them."""

LEAST = 0.01
"""Seconds that count as zero, so that answers can make them more."""
DOUBT = 0.2
"""Standard deviation of the logarithm of a vendor's coefficients around those of all."""
SPREAD = 0.35
"""Standard deviation of the logarithm of a time, as long as no answers tell."""
WIDEST = 0.7
"""A larger spread is that of idleness, not of work."""
COUNTS_AS = 30
"""Answers that what was believed of the spread, and of its mean, weighs as much as."""
TOLD = 0.5
"""Share of the variance before the answers, above which a coefficient is assumed."""
HUBER, TUKEY = HuberT(), TukeyBiweight()
MOST_STEPS = 100
ENOUGH = 1e-5
BINS = 10

NOBODY = ""
"""A vendor without answers."""

Float = NDArray[np.float64]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Coefficient:
    """Seconds, with their 95 % interval.

    It is `assumed` where the answers are few, or tell less of it than was believed before.
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


@dataclass(frozen=True, eq=False)
class Fit:
    """What is known of the time that a work takes.

    Attributes
    ----------
    terms
        The T fields of `Line` that are not zero.
    mean : float64 (T,)
        Their seconds.
    covariance : float64 (T, T)
        Of the logarithms of `mean`, by the sandwich formula.
    assumed
        For each coefficient, whether the answers tell little of it.
    spread
        Robust standard deviation of the logarithm of observed over predicted seconds.
    n
        Answers that it was fitted to.
    explained
        Share of the variance of the answers' seconds that the line explains, with the weights of
        the fit (Renaud and Victoria-Feser, 2010); NaN where all were to take the same time.
    bins
        Predictions beside observations, by ascending prediction.
    """

    terms: tuple[str, ...]
    mean: Float
    covariance: Float
    assumed: tuple[bool, ...]
    spread: float
    n: int = 0
    explained: float = math.nan
    bins: tuple[Bin, ...] = ()

    @classmethod
    def believed(cls, prior: Effort, work: Work) -> Self:
        """What is known before any answer."""
        line, terms = prior.line(work), TERMS[work]
        mean = np.maximum([getattr(line, term) for term in terms], LEAST)
        n = len(terms)
        return cls(terms, mean, np.zeros((n, n)), (True,) * n, SPREAD)

    @cached_property
    def line(self) -> Line:
        return Line(**dict(zip(self.terms, self.mean.tolist(), strict=True)))

    @cached_property
    def coefficients(self) -> dict[str, Coefficient]:
        """Those of each of the terms."""
        factor = np.exp(1.96 * np.sqrt(np.diag(self.covariance)))
        low, high = self.mean / factor, self.mean * factor
        columns = (self.mean.tolist(), low.tolist(), high.tolist(), self.assumed)
        found = (Coefficient(*each) for each in zip(*columns, strict=True))
        return dict(zip(self.terms, found, strict=True))

    def seconds(self, n_pictures: int, n_removed: float = 0, n_named: float = 0) -> float:
        return self.line.seconds(n_pictures, n_removed, n_named)

    def of_a_part(self) -> Self:
        """What this tells of one among those that it describes, before any of its answers."""
        return replace(
            self,
            covariance=self.covariance + DOUBT**2 * np.eye(len(self.mean)),
            assumed=(True,) * len(self.mean),
            n=0,
            explained=math.nan,
            bins=(),
        )


@dataclass(frozen=True)
class LocalPace:
    """How fast a vendor, or several together, are in a locale; it tells what an `Effort` tells."""

    lines: Mapping[Work, Line]

    def line(self, work: Work) -> Line:
        return self.lines[work]

    def seconds(
        self, kind: QuestionKind, n_pictures: int, n_removed: float = 0, n_named: float = 0
    ) -> float:
        return self.lines[Work.of(kind, n_pictures)].seconds(n_pictures, n_removed, n_named)


@dataclass(frozen=True)
class Pace:
    """How fast the vendors are, each named by its site, in each locale and work.

    `fits` are those of works, of (work, locale) and of (work, locale, vendor) with answers.
    """

    prior: Effort
    fits: Mapping[Key, Fit]

    def of(self, vendor: str, locale: str, work: Work) -> Fit:
        """What is known of a vendor, from its own answers or else from those of others."""
        found = Fit.believed(self.prior, work)
        for key in ((work,), (work, locale), (work, locale, vendor)):
            found = self.fits.get(key) or found.of_a_part()
        return found

    def at(self, vendor: str, locale: str) -> LocalPace:
        """The same of every work at once, for whoever asks often."""
        return self.among([vendor], locale)

    def among(self, vendors: Sequence[str], locale: str) -> LocalPace:
        """What a question takes on average that falls to any of `vendors` with the same chance.

        Where there are none, what it takes a usual one.
        """
        lines = {}
        for work in Work:
            each = [astuple(self.of(vendor, locale, work).line) for vendor in vendors or [NOBODY]]
            lines[work] = Line(*np.mean(each, axis=0).tolist())
        return LocalPace(lines)

    def seconds(
        self,
        vendor: str,
        locale: str,
        question: Question,
        n_removed: float = 0,
        n_named: float = 0,
    ) -> float:
        """What a question is expected to take, where `n_removed` of its pictures are ticked.

        `n_named` is the probability that a name is given that was not suggested.
        """
        n_pictures = len(question.image_ids) + len(question.reference_ids)
        fit = self.of(vendor, locale, Work.of(question.kind, n_pictures))
        return fit.seconds(n_pictures, n_removed, n_named)

    def known(self) -> list[tuple[str, str, Work]]:
        """The vendor, locale and work of which there are answers."""
        return sorted((key[2], key[1], Work(key[0])) for key in self.fits if len(key) == 3)


def fit(timings: Iterable[Timing], prior: Effort) -> Pace:
    """How fast annotators are, given the time of every answer; in any order."""
    taken: dict[Key, array[float]] = defaultdict(lambda: array("d"))
    for each in timings:
        taken[Work.of(each.kind, each.n_pictures), each.locale, each.site].extend(
            (1, each.n_pictures, each.n_removed, each.named, each.seconds)
        )
    rows = {key: _sorted(np.frombuffer(taken[key])) for key in sorted(taken)}
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


def _sorted(counted: Float) -> Float:
    """The rows of answers in an order of their own, so that no sum depends on another one."""
    rows = counted.reshape(-1, len(COUNTS) + 1)
    return np.asarray(rows[np.lexsort(rows.T)])


def _before(
    key: Key, n: int, fits: Mapping[Key, Fit], before: Mapping[Key, Fit], prior: Effort
) -> Fit:
    """What was found of the whole that `key` is a part of, but not from its own `n` answers only.

    Where these are all that the whole has, they would otherwise count twice.
    """
    whole = key[:-1]
    if not whole:
        return Fit.believed(prior, Work(key[0]))
    return fits[whole] if fits[whole].n > n else before[whole]


def _fitted(before: Fit, rows: Float) -> Fit:
    """What is known after the answers `rows` (N, 5): what is counted of each, and its seconds."""
    design = rows[:, [COUNTS.index(term) for term in before.terms]]
    seconds = rows[:, -1]
    believed = np.log(before.mean)
    information = np.linalg.inv(before.covariance)

    def deviations(logs: Float) -> Float:
        return np.asarray(np.log(seconds / (design @ np.exp(logs))))

    def spread_of(deviation: Float) -> float:
        observed = min(float(mad(deviation)), WIDEST)
        squares = COUNTS_AS * before.spread**2 + len(rows) * observed**2
        return math.sqrt(squares / (COUNTS_AS + len(rows)))

    def shares(logs: Float) -> Float:
        """What each coefficient has in the seconds of each answer: the gradient (N, T)."""
        parts = design * np.exp(logs)
        return np.asarray(parts / parts.sum(axis=1, keepdims=True))

    def improved(logs: Float, deviation: Float, weights: Float) -> Float:
        gradient = shares(logs)
        weighed = gradient * weights[:, None]
        step = np.linalg.solve(
            weighed.T @ gradient + information,
            weighed.T @ deviation - information @ (logs - believed),
        )
        return np.asarray(logs + np.clip(step, -1, 1))

    def winsorised(logs: Float) -> Float:
        deviation = deviations(logs)
        spread = spread_of(deviation)
        return improved(logs, deviation, HUBER.weights(deviation / spread) / spread**2)

    first = _settled(winsorised, believed)
    spread = spread_of(deviations(first))

    def weighted(logs: Float) -> Float:
        deviation = deviations(logs)
        return improved(logs, deviation, TUKEY.weights(deviation / spread) / spread**2)

    logs = _settled(weighted, first)
    deviation = deviations(logs)
    weights = TUKEY.weights(deviation / spread)
    mean = np.exp(logs) * (COUNTS_AS + weights @ np.exp(deviation)) / (COUNTS_AS + weights.sum())
    predicted = design @ mean
    gradient = shares(logs) / spread
    told = gradient.T @ gradient
    # How fast the sum of deviations changes; it falls with the share of answers that fit nothing.
    slope = max(float(np.mean(TUKEY.psi_deriv(deviation / spread))), LEAST)
    bread = np.linalg.inv(slope * told + information)
    noise = np.mean(TUKEY.psi(deviation / spread) ** 2)
    covariance = bread @ (noise * told + information) @ bread
    unclear = np.diag(covariance) > TOLD * np.diag(before.covariance)
    return Fit(
        before.terms,
        mean,
        covariance,
        tuple((unclear | (len(rows) < FEW)).tolist()),
        spread,
        n=len(rows),
        explained=_explained(seconds, predicted, weights / predicted**2),
        bins=_bins(seconds, predicted),
    )


def _settled(step: Callable[[Float], Float], start: Float) -> Float:
    """Where repeating `step` leads."""
    place = start
    for _ in range(MOST_STEPS):
        last, place = place, step(place)
        if np.abs(place - last).max() < ENOUGH:
            break
    return place


def _explained(seconds: Float, predicted: Float, weights: Float) -> float:
    if np.ptp(predicted) == 0 or not weights.any():
        return math.nan
    around = np.average((seconds - np.average(seconds, weights=weights)) ** 2, weights=weights)
    left = np.average((seconds - predicted) ** 2, weights=weights)
    return max(0.0, 1 - float(left / around)) if around else 0.0


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
