"""Which vendors' quality has dropped: alarms, rarely a false one in a whole year of all of them.

Each vendor has a chart of all its locales together, which sees soonest what befalls the vendor, and
one of each locale. All are sums of errors beyond those expected (`cusum`). The first weeks are the
baseline: they say what is expected of each vendor and locale, each drawn towards what is usual of
all (Robbins, 1956: an empirical Bayes estimate with a gamma prior), and how far weeks vary more
than chance makes them. Half of the risk of a false alarm goes to the vendors' charts, half to those
of the locales, and each half evenly (Bonferroni), so that it holds however charts go together.

An alarm says that there were more errors than chance explains, not that some vendor is the last of
a ranking. What it says of a week depends on nothing later, so an alarm stays where it was raised.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import nbinom

from workforce.periods import A_DAY, Period, week_of
from workforce.statistics.cusum import InControl, limits, path

WEEKS_PER_YEAR = 52
MOST_ALIKE = 20.0
"""Errors that what is usual of all weighs as much as, at most, beside a chart's own."""

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class WeeklyCount:
    """What a vendor was found to have wrong in a locale in a week, of `n` answers that were
    checked."""

    vendor: str
    locale: str
    week: Period
    n_wrong: int
    n: int


@dataclass(frozen=True)
class Watch:
    """How closely quality is watched.

    Attributes
    ----------
    false_alarms_per_year
        The chance of any alarm, on any chart, in a year in which nothing changes.
    baseline_weeks
        The first weeks, in which nobody is warned of: they say what is usual.
    ratio
        How many times the usual errors are to be found soonest.
    """

    false_alarms_per_year: float = 0.03
    baseline_weeks: int = 13
    ratio: float = 2.5


@dataclass(frozen=True)
class Alarm:
    """A vendor, in a locale or (None) in all, has more errors than chance explains.

    Since the week `since`, `n_wrong` of `n` answers were wrong, where `expected` were usual.
    """

    vendor: str
    locale: str | None
    week: Period
    since: Period
    n_wrong: int
    n: int
    expected: float


USUAL_WATCH = Watch()


@dataclass(frozen=True, eq=False)
class _Counts:
    """Answers that were wrong, and that were checked, int64 (S, T): of each stream in each week."""

    weeks: Sequence[Period]
    streams: Sequence[tuple[str, str]]
    n_wrong: Int
    n: Int

    @classmethod
    def of(cls, counts: Iterable[WeeklyCount]) -> Self:
        counts = list(counts)
        streams = sorted({(each.vendor, each.locale) for each in counts})
        first = min(each.week.starts for each in counts)
        last = max(each.week.starts for each in counts)
        weeks = [week_of(first + 7 * A_DAY * k) for k in range((last - first).days // 7 + 1)]
        n_wrong, n = np.zeros((2, len(streams), len(weeks)), dtype=np.int64)
        place = {stream: number for number, stream in enumerate(streams)}
        for each in counts:
            at = place[each.vendor, each.locale], (each.week.starts - first).days // 7
            n_wrong[at] += each.n_wrong
            n[at] += each.n
        return cls(weeks, streams, n_wrong, n)

    def charts(self) -> dict[tuple[str, str | None], list[int]]:
        """The streams of each chart: one of each vendor, and one of each of several locales."""
        of_vendor: dict[str, list[int]] = {}
        for number, (vendor, _) in enumerate(self.streams):
            of_vendor.setdefault(vendor, []).append(number)
        found: dict[tuple[str, str | None], list[int]] = {}
        for vendor, members in of_vendor.items():
            found[vendor, None] = members
            if len(members) > 1:
                found.update((self.streams[each], [each]) for each in members)
        return found


@dataclass(frozen=True, eq=False)
class _Usual:
    """The rate of errors of each stream, float64 (S,), and its variance, by the baseline.

    `certainty` is what the mean rate of all rests on: their errors.
    """

    rates: Float
    variances: Float
    certainty: float

    @classmethod
    def of(cls, n_wrong: Int, n: Int) -> Self:
        """By the errors of each stream in the baseline, int64 (S,); half an error is added to all,
        so that none is expected never to happen."""
        mean = (n_wrong.sum() + 0.5) / n.sum()
        shape = _alike(n_wrong, n, mean)
        errors, answers = n_wrong + shape, n + shape / mean
        return cls(errors / answers, errors / answers**2, n_wrong.sum() + 0.5)

    def certainty_of(self, members: Sequence[int], n: Int) -> float:
        """About the number of errors that tells what is expected of `n` answers, int64 (M,)."""
        weights = n + 1
        relative = (weights**2 @ self.variances[members]) / (weights @ self.rates[members]) ** 2
        return float(1 / (relative + 1 / self.certainty))


def quality_watch(counts: Iterable[WeeklyCount], watch: Watch = USUAL_WATCH) -> list[Alarm]:
    """The first alarm of each chart, in the order in which they were raised."""
    counts = list(counts)
    if not counts:
        return []
    known = _Counts.of(counts)
    learnt, watched = slice(watch.baseline_weeks), slice(watch.baseline_weeks, None)
    if not known.n[:, learnt].any() or len(known.weeks) <= watch.baseline_weeks:
        return []
    usual = _Usual.of(known.n_wrong[:, learnt].sum(axis=1), known.n[:, learnt].sum(axis=1))
    expected = known.n * usual.rates[:, None]
    charts = known.charts()
    found = []
    for of_vendor in (True, False):
        family = {key: own for key, own in charts.items() if (key[1] is None) is of_vendor}
        if not family:
            continue
        n_wrong, n, due = (
            np.array([each[members].sum(axis=0) for members in family.values()])
            for each in (known.n_wrong, known.n, expected)
        )
        spread = _dispersion(n_wrong[:, learnt], due[:, learnt])
        risk = watch.false_alarms_per_year / (2 if len(charts) > len(family) else 1) / len(family)
        allowed = risk * np.arange(1, len(known.weeks[watched]) + 1) / WEEKS_PER_YEAR
        for number, ((vendor, locale), members) in enumerate(family.items()):
            certainty = usual.certainty_of(members, known.n[members][:, learnt].sum(axis=1))
            stream = InControl(due[number, watched], certainty, spread)
            sums = path(n_wrong[number, watched], stream.expected, watch.ratio)
            alarms = np.flatnonzero(sums >= limits(stream, watch.ratio, allowed))
            if len(alarms):
                last = int(alarms[0])
                calm = np.flatnonzero(sums[:last] == 0)
                first = int(calm[-1]) + 1 if len(calm) else 0
                since, until = watch.baseline_weeks + first, watch.baseline_weeks + last
                span = number, slice(since, until + 1)
                found.append(
                    Alarm(
                        *(vendor, locale, known.weeks[until], known.weeks[since]),
                        *(int(n_wrong[span].sum()), int(n[span].sum()), float(due[span].sum())),
                    )
                )
    return sorted(found, key=lambda each: (each.week.starts, each.vendor, each.locale or ""))


def _alike(n_wrong: Int, n: Int, mean: float) -> float:
    """How many errors what is usual of all weighs: the likeliest shape of the gamma prior."""

    def unlikely(log_shape: float) -> float:
        shape = np.exp(log_shape)
        return -float(nbinom.logpmf(n_wrong, shape, shape / (shape + n * mean)).sum())

    bounds = (np.log(0.5), np.log(MOST_ALIKE))
    return float(np.exp(minimize_scalar(unlikely, bounds=bounds, method="bounded").x))


def _dispersion(n_wrong: Int, expected: Float) -> float:
    """Pearson's chi-square of the charts' weeks over its degrees of freedom, and at least 1."""
    seen = expected > 0
    freedom = int(seen.sum()) - len(expected)
    if freedom < 1:
        return 1.0
    return max(1.0, float(((n_wrong - expected)[seen] ** 2 / expected[seen]).sum() / freedom))
