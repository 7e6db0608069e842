"""The mixes of vendors for a locale, from what is known of their pace and quality; and a plot."""

import datetime as dt

from catalog.schema import QuestionKind
from tasks.foresight import known
from tasks.performance import figures
from tasks.plots import png
from tasks.settings import Settings
from workforce import Quality
from workforce.foresight.tradeoffs import Able, Mix, Task, efficient, mixes
from workforce.performance.figures import Metric
from workforce.periods import A_DAY, Period

SEEN_DAYS = 91
"""Days of work by which vendors are judged."""


def mixes_of(
    settings: Settings, locale: str, kind: QuestionKind, n_labels: int, today: dt.date
) -> list[Mix]:
    """Every mix of the vendors who lately had labels accepted of this kind in the locale.

    Raises `WorkforceError` where an exchange rate is missing.
    """
    with settings.catalog.read() as transaction:
        start = known(transaction, settings, today - A_DAY)
    lately = Period(name="lately", starts=today - SEEN_DAYS * A_DAY, ends=today - A_DAY)
    gold = {
        each.cell.vendor: Quality(round(each.value * each.n), each.n)
        for each in figures([lately], lately.over, metrics=(Metric.GOLD_ACCURACY,))
        if isinstance(each.value, float) and (each.cell.locale, each.cell.kind) == (locale, None)
    }
    able = []
    for vendor in sorted({each.vendor for each in start.statement.done}):
        own = [
            each.work
            for each in start.statement.done
            if each.vendor == vendor
            and (each.work.locale, each.work.kind) == (locale, kind)
            and each.on in lately
        ]
        n, seconds = sum(each.n_labels for each in own), sum(each.seconds for each in own)
        if n and seconds:
            answers = sum(each.n_questions for each in own)
            able.append(Able(vendor, answers / n, seconds / n, gold.get(vendor, Quality())))
    task = Task(locale, kind, n_labels, start.as_of)
    return mixes(task, able, start.statement.workforce, start.currency)


def plot_mixes(found: list[Mix]) -> bytes:
    """A PNG of quality against cost, a point for each mix; those that no other beats are named.

    Raises ValueError where there is no mix.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not found:
        raise ValueError("there is no mix to draw: no vendor could do the work")
    figure = Figure(figsize=(8, 5), dpi=110, layout="constrained")
    axes = figure.subplots()
    days = [each.done.toordinal() for each in found]
    drawn = axes.scatter(
        [float(each.cost.amount) for each in found],
        [100 * each.quality_low for each in found],
        c=[day - min(days) for day in days],
        cmap="viridis_r",
        vmin=0,
        vmax=max(1, max(days) - min(days)),
        s=26,
    )
    for each in efficient(found):
        place = float(each.cost.amount), 100 * each.quality_low
        axes.scatter(*place, s=110, facecolors="none", edgecolors="black", linewidths=1.2)
        named = "\n".join(f"{vendor} {share} %" for vendor, share in each.shares.items())
        axes.annotate(named, place, (6, -4), textcoords="offset points", va="top", fontsize=8)
    first = min(each.done for each in found)
    figure.colorbar(drawn, label=f"days after {first}", ticks=MaxNLocator(integer=True))
    axes.set(xlabel=f"cost, {found[0].cost.currency}", ylabel="right answers that are shown, %")
    axes.set_title("Mixes of vendors; circles: no other is better in quality, time and cost")
    axes.spines[["top", "right"]].set_visible(False)
    return png(figure)
