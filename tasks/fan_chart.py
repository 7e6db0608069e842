"""A picture of what is expected: labels week by week, as far as 15 to 85 of 100 paths come."""

import datetime as dt
from collections.abc import Sequence

from tasks.plots import png
from workforce.foresight.forecast import Forecast

MARGIN = dt.timedelta(days=14)
"""How far a plot goes beyond the day by which all of its lines have ended."""


def fan_chart(forecasts: Sequence[Forecast]) -> bytes:
    """A PNG with a plot of each locale; each forecast is a line in a band.

    Raises ValueError where there is no locale.
    """
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.figure import Figure

    locales = [each.locale for each in forecasts[0].locales] if forecasts else []
    if not locales:
        raise ValueError("there is no locale to draw: forecast one at least")
    figure = Figure(figsize=(7.5, 2.8 * len(locales)), dpi=110, layout="constrained")
    plots = figure.subplots(len(locales), squeeze=False)[:, 0]
    for place, (locale, axes) in enumerate(zip(locales, plots, strict=True)):
        for told in forecasts:
            ahead = told.locales[place]
            days = [band.day for band in ahead.fan]
            [line] = axes.plot(days, [band.p50 for band in ahead.fan], label=told.scenario)
            low, high = ([getattr(band, name) for band in ahead.fan] for name in ("p15", "p85"))
            axes.fill_between(days, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
            if ahead.done_p85 is not None:
                axes.axvline(ahead.done_p85, color=line.get_color(), linestyle=":", linewidth=1)
        needed = forecasts[0].locales[place].remaining
        if needed is not None:
            axes.axhline(needed, color="0.4", linestyle="--", linewidth=1)
        axes.set(title=f"{locale}: labels from now on", ylabel="labels", ylim=(0, None))
        ends = [told.locales[place].done_p85 for told in forecasts]
        if all(ends):
            axes.set_xlim(right=max(day for day in ends if day is not None) + MARGIN)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    plots[0].legend(loc="lower right", frameon=False)
    return png(figure)
