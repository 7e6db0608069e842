"""How much the vendors did, week by week: the history that forecasts draw their weeks from.

Weeks are counted back from a day, so that all of them are whole. Work is divided by the days that
the vendor worked in its week: a week with a holiday is a short week, not a slow one.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.schema import QuestionKind
from workforce.billing.charges import Done
from workforce.records import Workforce
from workforce.records.calendar import WorkingCalendar

Float = NDArray[np.float64]

A_DAY = dt.timedelta(days=1)
WEEK = 7
REMEMBERED = 52
"""Weeks of history that are drawn from at most."""
ANSWERS, SECONDS, LABELS = range(3)
"""What the last axis of a history counts."""


@dataclass(frozen=True, eq=False)
class Stream:
    """What a vendor does of one kind in one locale.

    `per_day` is float64 (n_weeks, 3), the oldest week first: answers, paid seconds and accepted
    labels of a working day. Weeks in which nothing was done are zeros, those in which the vendor
    did not work at all are as the week before them.
    """

    vendor: str
    locale: str
    kind: QuestionKind
    per_day: Float


class Calendars:
    """On how many of some days each vendor works; one without a record works from Monday on."""

    def __init__(self, workforce: Workforce) -> None:
        self._calendars = {each.site: WorkingCalendar(each) for each in workforce.vendors}

    def works_on(self, vendor: str, day: dt.date) -> bool:
        calendar = self._calendars.get(vendor)
        return calendar.works_on(day) if calendar else day.weekday() < WEEK - 2

    def days(self, vendor: str, first: dt.date, last: dt.date) -> int:
        """The working days from `first` to `last`, both included."""
        n = (last - first).days + 1
        return sum(self.works_on(vendor, first + k * A_DAY) for k in range(n))


def streams(done: Iterable[Done], workforce: Workforce, as_of: dt.date) -> tuple[Stream, ...]:
    """The streams of all work that was done until the end of `as_of`.

    Each goes back to its first day, `REMEMBERED` weeks at most; a week that began before it is left
    out unless it is the only one.
    """
    totals: dict[tuple[str, str, QuestionKind], dict[dt.date, Float]] = defaultdict(dict)
    for each in done:
        if each.on <= as_of:
            work = each.work
            amounts = np.array([work.n_questions, work.seconds, work.n_labels], dtype=float)
            by_day = totals[each.vendor, work.locale, work.kind]
            by_day[each.on] = by_day.get(each.on, np.zeros(3)) + amounts
    calendars = Calendars(workforce)
    return tuple(
        Stream(*key, _per_day(by_day, calendars, key[0], as_of))
        for key, by_day in sorted(totals.items())
    )


def _per_day(
    by_day: dict[dt.date, Float], calendars: Calendars, vendor: str, as_of: dt.date
) -> Float:
    n_weeks = min(max(((as_of - min(by_day)).days + 1) // WEEK, 1), REMEMBERED)
    sums = np.zeros((n_weeks, 3))
    for day, amounts in by_day.items():
        age = (as_of - day).days // WEEK
        if age < n_weeks:
            sums[n_weeks - 1 - age] += amounts
    known: Float = np.zeros(3)
    for week, total in enumerate(sums):
        last = as_of - (n_weeks - 1 - week) * WEEK * A_DAY
        days = calendars.days(vendor, last - (WEEK - 1) * A_DAY, last)
        if days or total.any():
            known = total / max(days, 1)
        sums[week] = known
    return sums
