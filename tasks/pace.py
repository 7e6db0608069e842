"""How fast each vendor is in each locale and at each work, from the times of all answers."""

from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from annotation import Fit, Pace, fit_pace
from catalog.timings import timings
from tasks.artifacts import picture, table
from tasks.plots import png
from tasks.settings import load_settings

SECONDS = {
    "question": "s a question",
    "picture": "s a picture",
    "removed": "s an intruder",
    "name": "s a name",
}
PACE = ("vendor", "locale", "work", "answers", *SECONDS.values(), "explained", "spread")


def pace() -> Pace:
    """What the answers so far tell, beside what the settings assume."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        return fit_pace(timings(transaction), settings.annotate.effort)


def pace_page() -> tuple[str, ...]:
    """The same as sections of a page."""
    found = pace()
    if not found.known():
        return ("No answer tells how long it took: `[annotate.effort]` says what is assumed.",)
    return (
        "Seconds that a question takes, with those of each picture on it, each that is ticked and a"
        " name that was not suggested, and their 95 % intervals. One picture alone is only looked"
        " at and named, a picture of a split is also dragged, a merge is looked at as a whole."
        " *Assumed* is what the answers tell little of: it comes from other vendors and"
        " locales, or from `[annotate.effort]`. They explain a share of the variance of the"
        " times; the spread is the standard deviation of the logarithm of what remains.",
        table(PACE, pace_cells(found)),
        picture(_plot(found), "Seconds predicted and taken"),
    )


def pace_cells(found: Pace) -> Iterator[tuple[str, ...]]:
    """The lines of the table."""
    for vendor, locale, work in found.known():
        fit = found.of(vendor, locale, work)
        seconds = (str(fit.coefficients.get(term, "–")) for term in SECONDS)
        explained = "–" if fit.explained != fit.explained else f"{fit.explained:.0%}"
        yield vendor, locale, work, str(fit.n), *seconds, explained, f"{fit.spread:.2f}"


def _plot(found: Pace) -> Image.Image:
    """For each vendor, questions by predicted seconds beside the quartiles of those taken."""
    from matplotlib.figure import Figure

    fits: dict[str, list[Fit]] = defaultdict(list)
    for vendor, locale, work in found.known():
        fits[vendor].append(found.of(vendor, locale, work))
    figure = Figure(figsize=(5, 4.5), dpi=100, layout="constrained")
    axes = figure.subplots()
    for vendor, group in fits.items():
        bins = [each for fit in group for each in fit.bins]
        axes.errorbar(
            [each.predicted for each in bins],
            [each.middle for each in bins],
            yerr=(
                [each.middle - each.low for each in bins],
                [each.high - each.middle for each in bins],
            ),
            fmt="o",
            markersize=3,
            linewidth=0.8,
            label=vendor,
        )
    axes.axline((1, 1), (2, 2), color="0.6", linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="seconds predicted")
    axes.set_ylabel("seconds taken: median and quartiles")
    axes.legend(frameon=False)
    return Image.open(BytesIO(png(figure))).convert("RGB")
