"""A picture of quality against cost and latency, with the choice that meets the target marked."""

from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from operator import attrgetter

from matplotlib.figure import Figure
from PIL import Image

from annotation.frontier import Choice
from tasks.plots import png


def plot_frontier(choices: Sequence[Choice], chosen: Choice | None, currency: str) -> Image.Image:
    """Draw recall against cost, a line for each crew; a point is as large as it takes days.

    Raises
    ------
    ValueError
        If there is no choice.
    """
    if not choices:
        raise ValueError("there is no choice to draw: the plan is empty, or nobody works")
    figure = Figure(figsize=(7.0, 4.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    longest = max(choice.days for choice in choices) or 1.0
    for crew, of_crew in groupby(sorted(choices, key=attrgetter("crew", "cost")), _crew):
        line = list(of_crew)
        cost = [float(choice.cost) for choice in line]
        recall = [100 * choice.recall for choice in line]
        [drawn] = axes.plot(cost, recall, linewidth=1.2, alpha=0.7, label=crew)
        areas = [10 + 90 * choice.days / longest for choice in line]
        axes.scatter(cost, recall, s=areas, color=drawn.get_color(), alpha=0.5, linewidths=0)
    if chosen is not None:
        place = float(chosen.cost), 100 * chosen.recall
        axes.scatter(*place, s=190, facecolors="none", edgecolors="black", linewidths=1.6)
        axes.annotate(
            f"{chosen.recall:.1%}, {chosen.cost:.0f} {currency},\n{chosen.days:.1f} days,"
            f" {chosen.crew}",
            place,
            (14, -14),
            textcoords="offset points",
            va="top",
        )
    axes.set(xlabel=f"cost of the work, {currency}", ylabel="expected recall, %")
    axes.set_title(f"what more questions would give; the largest point takes {longest:.1f} days")
    axes.margins(0.08)
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    with Image.open(BytesIO(png(figure)), formats=("PNG",)) as picture:
        return picture.convert("RGB")


def _crew(choice: Choice) -> str:
    return choice.crew
