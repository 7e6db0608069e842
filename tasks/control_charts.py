"""A vendor's control charts: gold answers that were wrong (p'), and defects per hour (u')."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.performance import WEEKS_WATCHED, work_known
from tasks.plots import png
from tasks.settings import Settings
from workforce.performance.metrics import observations
from workforce.performance.working_time import moment
from workforce.periods import Period, weeks_until
from workforce.statistics.charts import Chart, Float, p_chart, u_chart
from workforce.statistics.watch import USUAL_WATCH


@dataclass(frozen=True, eq=False)
class Charted:
    """A chart of the weeks; `unit` says what a value of it is."""

    title: str
    unit: str
    weeks: list[Period]
    chart: Chart

    def out(self) -> list[tuple[Period, float]]:
        """The weeks beyond the limits, with their values."""
        return [
            (week, float(value))
            for week, value, beyond in zip(
                self.weeks, self.chart.values, self.chart.out, strict=True
            )
            if beyond
        ]


def charts_of(
    settings: Settings, vendor: str, locale: str | None, until: dt.date, as_of: dt.datetime
) -> list[Charted]:
    """The charts of the last weeks of a vendor, in all locales or in one.

    The first weeks are the baseline, as for early warnings. Raises ValueError where nothing was
    counted in them.
    """
    seen = observations(*work_known(settings, as_of))
    weeks = weeks_until(until, WEEKS_WATCHED)
    edges = [*(moment(week.begins) for week in weeks), moment(weeks[-1].over)]

    def weekly(found: pd.DataFrame, column: str) -> Float:
        own = found[found["site"] == vendor]
        own = own if locale is None else own[own["locale"] == locale]
        return np.histogram(own["at"], edges, weights=own[column].astype(float))[0]

    gold, defects, worked = seen.gold(), seen.defects(), seen.worked()
    n = weekly(gold, "of")
    n_wrong = n - weekly(gold, "hits")
    baseline = slice(USUAL_WATCH.baseline_weeks)
    return [
        Charted(
            "Gold answers that were wrong",
            "share",
            weeks,
            p_chart(n_wrong.astype(np.int64), n.astype(np.int64), baseline),
        ),
        Charted(
            "Answers that others outvoted",
            "per hour of work",
            weeks,
            u_chart(weekly(defects, "hits").astype(np.int64), weekly(worked, "of"), baseline),
        ),
    ]


def plot_charts(charted: list[Charted]) -> bytes:
    """A PNG with a plot of each chart: the weeks, their limits, and those beyond in red."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3 * len(charted)), dpi=110, layout="constrained")
    for axes, each in zip(figure.subplots(len(charted), squeeze=False)[:, 0], charted, strict=True):
        days, chart = [week.starts for week in each.weeks], each.chart
        axes.fill_between(days, chart.low, chart.high, step="mid", color="0.9", label="limits")
        axes.axhline(chart.centre, color="0.5", linewidth=1, label="usual")
        axes.plot(days, chart.values, marker="o", markersize=3, linewidth=1)
        axes.plot(
            np.array(days)[chart.out], chart.values[chart.out], "o", color="tab:red", label="beyond"
        )
        axes.set(title=each.title, ylabel=each.unit, ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="upper left", ncols=3, fontsize=8)
    return png(figure)
