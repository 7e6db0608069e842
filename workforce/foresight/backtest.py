"""What forecasts would have said in the past, beside what then happened and what simpler ones said.

At each past week the forecast is made of what was known then: when will a locale have as many
labels as some weeks bring, going by the mean so far? The day on which it had them is known today.
A P85 that is worth its name is not passed in about 85 of 100 such cases.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from workforce.billing.charges import Done
from workforce.foresight.simulation import NEVER, segments, simulated
from workforce.foresight.throughput import A_DAY, WEEK, Calendars, Float, streams
from workforce.records import Workforce

WEEKS_KNOWN = 8
"""Weeks of history that a forecast is tried from."""
EVERY = 4
"""Weeks from one forecast to the next."""
ASKED = (4, 13)
"""Weeks of labels that are asked for, at the mean rate so far."""
LOOKED_AHEAD = 2
"""Times as many weeks are simulated; what takes longer is not known."""
N_PATHS = 400


@dataclass(frozen=True)
class Case:
    """A forecast of the past; days are counted from `as_of`, None beyond the weeks looked ahead.

    `needed` labels were asked for. `last` and `mean` are what going by the last week, and by the
    mean of all weeks, would have said.
    """

    locale: str
    as_of: dt.date
    weeks: int
    needed: int
    actual: int | None
    p50: int | None
    p85: int | None
    last: int | None
    mean: int


@dataclass(frozen=True)
class Score:
    """How the forecasts of some cases did.

    `within_p50` and `within_p85` are shares of the `n` cases; `bias` is the median of the days that
    the P50 was late (above 0: it told a later day than it was), and the errors are means of days,
    both of the cases in which all days are known.
    """

    n: int
    within_p50: float
    within_p85: float
    bias: float
    error: float
    error_of_last: float
    error_of_mean: float


def backtest(done: Sequence[Done], workforce: Workforce, until: dt.date) -> list[Case]:
    """Forecast every `EVERY` weeks of the past, with what was known then, each locale.

    Only weeks that had come to an end by `until`, with as many after them as are looked ahead.
    """
    if not done:
        return []
    first = min(each.on for each in done)
    calendars = Calendars(workforce)
    found = []
    for weeks in ASKED:
        as_of = until - LOOKED_AHEAD * weeks * WEEK * A_DAY
        while (as_of - first).days + 1 >= WEEKS_KNOWN * WEEK:
            found += _cases(done, workforce, calendars, as_of, weeks)
            as_of -= EVERY * WEEK * A_DAY
    return found


def score(cases: Iterable[Case]) -> Score | None:
    """How the forecasts did; None where there is no case."""
    known = list(cases)
    whole = [
        (each.actual, each.p50, each.last, each.mean)
        for each in known
        if each.actual is not None and each.p50 is not None and each.last is not None
    ]
    if not whole:
        return None
    return Score(
        len(known),
        fmean(_within(each.actual, each.p50) for each in known),
        fmean(_within(each.actual, each.p85) for each in known),
        median(p50 - actual for actual, p50, _, _ in whole),
        fmean(abs(p50 - actual) for actual, p50, _, _ in whole),
        fmean(abs(last - actual) for actual, _, last, _ in whole),
        fmean(abs(mean - actual) for actual, _, _, mean in whole),
    )


def _cases(
    done: Sequence[Done], workforce: Workforce, calendars: Calendars, as_of: dt.date, weeks: int
) -> list[Case]:
    n_weeks = LOOKED_AHEAD * weeks
    known = streams(done, workforce, as_of)
    rates = _weekly(done, as_of)
    needed = {
        locale: round(weeks * float(np.mean(rate))) for locale, rate in rates.items() if rate.any()
    }
    known = tuple(each for each in known if each.locale in needed)
    ahead = segments(as_of, n_weeks, ())
    paths = simulated(known, dict(needed), calendars, ahead, as_of, N_PATHS)
    found = []
    for locale, n in needed.items():
        if n:
            p50, p85 = (
                int(np.quantile(paths.done[locale], share, method="inverted_cdf"))
                for share in (0.5, 0.85)
            )
            last = rates[locale][-1]
            found.append(
                Case(
                    locale,
                    as_of,
                    weeks,
                    n,
                    _reached(done, locale, as_of, n, n_weeks),
                    _since(p50, as_of),
                    _since(p85, as_of),
                    min(round(WEEK * n / last), WEEK * n_weeks) if last else None,
                    round(WEEK * n / float(np.mean(rates[locale]))),
                )
            )
    return found


def _weekly(done: Iterable[Done], as_of: dt.date) -> dict[str, Float]:
    """The labels of each whole week until `as_of`, the oldest first, by locale."""
    known = [each for each in done if each.on <= as_of]
    found: dict[str, Float] = {}
    for locale in sorted({each.work.locale for each in known}):
        own = [each for each in known if each.work.locale == locale]
        n_weeks = max(((as_of - min(each.on for each in own)).days + 1) // WEEK, 1)
        weeks = np.zeros(n_weeks)
        for each in own:
            age = (as_of - each.on).days // WEEK
            if age < n_weeks:
                weeks[n_weeks - 1 - age] += each.work.n_labels
        found[locale] = weeks
    return found


def _reached(
    done: Iterable[Done], locale: str, as_of: dt.date, needed: int, n_weeks: int
) -> int | None:
    """The days after which a locale had `needed` labels more than at the end of `as_of`."""
    by_day = np.zeros(n_weeks * WEEK + 1)
    for each in done:
        day = (each.on - as_of).days
        if each.work.locale == locale and 0 < day < len(by_day):
            by_day[day] += each.work.n_labels
    there = np.flatnonzero(np.cumsum(by_day) >= needed)
    return int(there[0]) if len(there) else None


def _since(ordinal: int, as_of: dt.date) -> int | None:
    return ordinal - as_of.toordinal() if ordinal < NEVER else None


def _within(actual: int | None, told: int | None) -> bool:
    """Whether it was done by the day that was told; a day beyond those looked at is no promise."""
    return told is None or (actual is not None and actual <= told)
