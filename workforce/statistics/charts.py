"""Control charts of shares (p) and of counts per unit (u), with limits from an in-control baseline.

The limits lie three standard deviations around the baseline's mean (Shewhart). Where weeks vary
more than chance makes them, as answers of few annotators do, all are wider by the standard
deviation of the baseline's standardised values, estimated from how much neighbours differ (Laney,
Quality Engineering 2002): the p' and u' chart. A chart is for looking at; warnings that must rarely
be false come from `watch`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 3.0
OF_TWO = 1.128
"""The mean difference of two standard normal values (the constant d2 of a range of two)."""

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Chart:
    """A rate period by period.

    Attributes
    ----------
    values, low, high : float64 (T,)
        The rate and its limits; NaN where nothing was counted.
    centre
        The rate of the baseline.
    dispersion
        How many times wider the limits are than chance alone would make them; 1 or more.
    """

    values: Float
    low: Float
    high: Float
    centre: float
    dispersion: float

    @property
    def out(self) -> NDArray[np.bool_]:
        """Whether each period lies outside its limits, (T,)."""
        return np.asarray((self.values < self.low) | (self.values > self.high))


def p_chart(n_wrong: Int, n: Int, baseline: slice) -> Chart:
    """The share `n_wrong` of `n`, int64 (T,) each; those of `baseline` say what is usual."""
    if (n_wrong > n).any():
        raise ValueError("more were wrong than were counted: check the counts")
    centre = _centre(n_wrong, n, baseline)
    return _chart(n_wrong, n, baseline, centre, centre * (1 - centre), highest=1.0)


def u_chart(n_events: Int, size: Float, baseline: slice) -> Chart:
    """Events per unit of `size` (hours, labels), int64 and float64 (T,)."""
    centre = _centre(n_events, size, baseline)
    return _chart(n_events, size, baseline, centre, centre, highest=np.inf)


def _centre(counts: Int, size: Float | Int, baseline: slice) -> float:
    if not size[baseline].sum() > 0:
        raise ValueError("the baseline is empty: choose periods in which something was counted")
    return float(counts[baseline].sum() / size[baseline].sum())


def _chart(
    counts: Int, size: Float | Int, baseline: slice, centre: float, variance: float, highest: float
) -> Chart:
    seen = np.where(size > 0, size, np.nan)
    values, deviation = counts / seen, np.sqrt(variance / seen)
    dispersion = _dispersion(((values - centre) / deviation)[baseline]) if variance else 1.0
    reach = WIDTH * dispersion * deviation
    low, high = np.maximum(centre - reach, 0), np.minimum(centre + reach, highest)
    return Chart(values, low, high, centre, dispersion)


def _dispersion(standardised: Float) -> float:
    known = standardised[~np.isnan(standardised)]
    return max(1.0, float(np.abs(np.diff(known)).mean() / OF_TWO)) if len(known) > 1 else 1.0
