"""The survey as one HTML file that needs no network: tables, plots and boards of pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from matplotlib import rc_context
from matplotlib.figure import Figure

from expectations import page
from expectations.survey import NAMES, QUANTILES, Spread, Survey


@dataclass(frozen=True)
class Shown:
    """A picture (JPEG bytes) and what is said below it."""

    jpeg: bytes
    caption: str


@dataclass(frozen=True)
class Board:
    """Pictures that have something in common, in one locale."""

    title: str
    locale: str
    pictures: Sequence[Shown]


def render(survey: Survey, boards: Sequence[Board]) -> str:
    """The page; every text from outside is escaped."""
    return page.render(
        "survey.html",
        {"jpeg": lambda content: data_uri("image/jpeg", content)},
        survey=survey,
        boards=boards,
        plot=data_uri("image/svg+xml", plot(survey.spreads)) if survey.spreads else None,
        names=NAMES,
        with_plan=any(each.planned is not None or each.missing for each in survey.holdings),
    )


def data_uri(media_type: str, content: bytes) -> str:
    """`content` as an address that holds it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def plot(spreads: Sequence[Spread]) -> bytes:
    """Every measure by locale as boxes at `QUANTILES`, side by side; SVG."""
    columns = min(4, len(spreads))
    rows = -(-len(spreads) // columns)
    n_locales = max(len(spread.quantiles) for spread in spreads)
    height = rows * (0.75 + 0.3 * n_locales)
    figure = Figure(figsize=(11, height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    names = ("whislo", "q1", "med", "q3", "whishi")
    assert len(names) == len(QUANTILES)
    locales = sorted({locale for spread in spreads for locale in spread.quantiles}, reverse=True)
    for axes, spread in zip(grid, spreads, strict=False):
        shown = [locale for locale in locales if locale in spread.quantiles]
        axes.bxp(
            [dict(zip(names, spread.quantiles[locale], strict=True)) for locale in shown],
            positions=[locales.index(locale) for locale in shown],
            orientation="horizontal",
            widths=0.6,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": "#9ec5e8", "edgecolor": "#33608c"},
            medianprops={"color": "#12304d", "linewidth": 2},
            whiskerprops={"color": "#33608c"},
            capprops={"color": "#33608c"},
            manage_ticks=False,
        )
        axes.set_title(NAMES[spread.measure], fontsize=10)
        axes.set_yticks(range(len(locales)), locales)
        axes.margins(x=0.08)
        values = {value for shown in spread.quantiles.values() for value in shown}
        if len(values) == 1:
            axes.set_xticks(list(values))
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(spreads) :]:
        axes.set_visible(False)
    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "survey"}):  # the same plot is the same file
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
