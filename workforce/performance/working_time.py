"""When millions of questions are due, and how long they took, in a vendor's working days.

The same as `WorkingCalendar` says of one question, to the microsecond. Moments are int64
microseconds since 1970, UTC.
"""

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from workforce.errors import WorkforceError
from workforce.periods import A_DAY
from workforce.records.calendar import LOOKED_AHEAD, WorkingCalendar

Moments = NDArray[np.int64]
A_MICROSECOND = dt.timedelta(microseconds=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Less than a microsecond of a shift, and more than what a sum of days loses.
NEARLY = 1e-11


class WorkingTime:
    """The shifts of a calendar from one day on, to `working_days` beyond another."""

    def __init__(
        self, calendar: WorkingCalendar, first: dt.date, last: dt.date, working_days: float = 0
    ) -> None:
        shifts: list[tuple[int, int]] = []
        day, beyond = first - A_DAY, 0
        while day <= last + A_DAY or beyond < working_days + 2:
            if (day - last).days > LOOKED_AHEAD:
                raise WorkforceError(
                    f"nobody works {working_days:,.1f} days in the ten years after {last}: correct"
                    " `working_days` and `closed` of the vendor, or the turnaround of its contract"
                )
            if calendar.works_on(day):
                starts, ends = calendar.shift(day)
                shifts.append((moment(starts), moment(ends)))
                beyond += day > last
            day += A_DAY
        self._starts, ends_at = np.array(shifts, dtype=np.int64).reshape(-1, 2).T
        self._length = ends_at - self._starts

    def worked(self, moments: Moments) -> NDArray[np.float64]:
        """The working days that have passed before each of `moments` since the first day."""
        place = np.searchsorted(self._starts, moments, side="right") - 1
        shift = np.maximum(place, 0)
        part = np.clip((moments - self._starts[shift]) / self._length[shift], 0, 1)
        return np.where(place < 0, 0.0, shift + part)

    def due(self, released: Moments, working_days: NDArray[np.float64]) -> Moments:
        """The moment by which so many working days have passed since `released`."""
        target = self.worked(released) + working_days
        shift = np.ceil(target - NEARLY).astype(np.int64) - 1
        part = np.rint((target - shift) * self._length[shift]).astype(np.int64)
        return self._starts[shift] + part


def moment(time: dt.datetime) -> int:
    """Microseconds since 1970."""
    return (time - EPOCH) // A_MICROSECOND
