"""The weeks ahead on many paths: what each vendor does of each kind in each locale, day by day.

Days are put together in segments that lie in one week, one calendar month and one version of every
contract, so that each path can be billed.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.identity import digest
from workforce.foresight.resampling import draws
from workforce.foresight.throughput import A_DAY, ANSWERS, LABELS, WEEK, Calendars, Float, Stream

Int = NDArray[np.int64]

NEVER = dt.date.max.toordinal()
"""The day of what does not happen in the weeks that are simulated."""
A_LITTLE = 1e-9


@dataclass(frozen=True)
class Segment:
    """Days ahead from `first` to `last`, both included; `week` counts from 0."""

    first: dt.date
    last: dt.date
    week: int


def segments(as_of: dt.date, n_weeks: int, cuts: Collection[dt.date]) -> tuple[Segment, ...]:
    """The `n_weeks` after `as_of`, cut where a week, a month, or one of `cuts` begins."""
    first = as_of + A_DAY
    days = [first + k * A_DAY for k in range(n_weeks * WEEK + 1)]
    begins = [d for k, d in enumerate(days) if k % WEEK == 0 or d.day == 1 or d in cuts]
    return tuple(
        Segment(one, other - A_DAY, (one - first).days // WEEK) for one, other in pairwise(begins)
    )


@dataclass(frozen=True, eq=False)
class Paths:
    """What `streams` do on each path.

    `units` counts whole answers, seconds and labels, int64 (n_streams, n_paths, n_segments, 3);
    `done` is by locale the day on which it has its labels, an ordinal or `NEVER`, int64 (n_paths,).
    """

    streams: tuple[Stream, ...]
    segments: tuple[Segment, ...]
    units: Int
    done: Mapping[str, Int]

    @property
    def n_paths(self) -> int:
        return self.units.shape[1]

    def labels(self, locale: str) -> Int:
        """The labels that a locale has got by the end of each segment, (n_paths, n_segments)."""
        own = [k for k, each in enumerate(self.streams) if each.locale == locale]
        return np.cumsum(self.units[own, :, :, LABELS].sum(axis=0), axis=1)


def day_of(ahead: Sequence[Segment], reached: Float, needed: float) -> Int:
    """The day (an ordinal) on which each path comes to `needed`, or `NEVER`.

    `reached` is what it has come to by the end of each segment, float64 (n_paths, n_segments).
    """
    there = reached >= needed - A_LITTLE
    place = np.argmax(there, axis=1)
    paths = np.arange(len(reached))
    before = np.where(place > 0, reached[paths, place - 1], 0.0)
    gained = np.maximum(reached[paths, place] - before, A_LITTLE)
    first = np.array([each.first.toordinal() for each in ahead])[place]
    n_days = np.array([(each.last - each.first).days + 1 for each in ahead])[place]
    share = np.clip((needed - before) / gained, 0.0, 1.0)
    days = first + np.maximum(np.ceil(share * n_days), 1).astype(np.int64) - 1
    return np.where(there.any(axis=1), days, NEVER)


def simulated(
    streams: Sequence[Stream],
    remaining: Mapping[str, int | None],
    calendars: Calendars,
    ahead: tuple[Segment, ...],
    as_of: dt.date,
    n_paths: int,
) -> Paths:
    """Simulate the segments `ahead`; the same day gives the same paths.

    Work in a locale ends where it has its `remaining` labels; None: it goes on. The streams of a
    vendor draw the same weeks, since what holds one up holds up the others.
    """
    weeks = [each.week for each in ahead]
    found = np.zeros((len(streams), n_paths, len(ahead), 3))
    for vendor in sorted({each.vendor for each in streams}):
        own = [k for k, each in enumerate(streams) if each.vendor == vendor]
        longest = max(len(streams[k].per_day) for k in own)
        total = np.zeros(longest)
        for k in own:
            per_day = streams[k].per_day
            total[longest - len(per_day) :] += per_day[:, ANSWERS]
        generator = np.random.default_rng(int(digest("weeks ahead", vendor, as_of)[:15], 16))
        drawn = draws(total, weeks[-1] + 1, n_paths, generator)
        days = np.array([calendars.days(vendor, each.first, each.last) for each in ahead])
        for k in own:
            found[k] = drawn.of(streams[k].per_day)[:, weeks] * days[:, None]
    done: dict[str, Int] = {}
    for locale, needed in remaining.items():
        own = [k for k, each in enumerate(streams) if each.locale == locale]
        if needed is None or needed <= 0:
            today = as_of.toordinal()
            done[locale] = np.full(n_paths, NEVER if needed is None else today)
            found[own] *= needed is None
        else:
            labels = found[own, :, :, LABELS].sum(axis=0)
            reached = np.cumsum(labels, axis=1)
            done[locale] = day_of(ahead, reached, needed)
            share = np.clip((needed - reached + labels) / np.maximum(labels, A_LITTLE), 0.0, 1.0)
            found[own] *= share[None, :, :, None]
    # Whole units, upwards, of what it has come to, so that no part is lost on the way.
    whole = np.ceil(np.cumsum(found, axis=2) - A_LITTLE).astype(np.int64)
    return Paths(tuple(streams), ahead, np.diff(whole, axis=2, prepend=0), done)
