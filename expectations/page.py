"""The gate's pages as HTML files: they open from a disk, and load nothing from anywhere."""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from expectations.policy import LabelPolicy
from expectations.report import CONSEQUENCES, headline, observed, reasons, thresholds
from expectations.verdict import RuleOutcome, Verdict

WIDTH, HEIGHT, MARGIN = 120, 24, 2


def passage_page(
    verdict: Verdict,
    policy: LabelPolicy,
    *,
    pictures: Mapping[str, Sequence[bytes]],
    history: pd.DataFrame,
) -> str:
    """A page about `verdict`.

    Parameters
    ----------
    pictures : JPEG files of images that were quarantined, by the reason.
    history : `expectations.facts.HISTORY_COLUMNS` of earlier passages.
    """
    seen = dict(list(history.dropna(subset="value").groupby(["rule", "locale"])))

    def trend(outcome: RuleOutcome) -> str:
        before = seen.get((outcome.name, outcome.locale))
        return "" if before is None else points(before.sort_values("passage")["value"].tolist())

    return render(
        "passage.html",
        {"trend": trend},
        verdict=verdict,
        headline=headline(verdict),
        reasons=reasons(verdict),
        consequences=CONSEQUENCES,
        thresholds=thresholds(policy),
        pictures=pictures,
    )


def points(values: Sequence[float]) -> str:
    """The points of a line through `values` in a frame of `WIDTH` by `HEIGHT`; "" for one value."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    across, up = (WIDTH - 2 * MARGIN) / (len(values) - 1), HEIGHT - 2 * MARGIN
    return " ".join(
        f"{MARGIN + number * across:.1f},"
        f"{HEIGHT - MARGIN - up * ((value - low) / (high - low) if high > low else 0.5):.1f}"
        for number, value in enumerate(values)
    )


def render(template: str, filters: Mapping[str, object], **values: object) -> str:
    """The page that a template makes of `values`; whatever text is in them is escaped."""
    environment = _environment().overlay()
    environment.filters = {**environment.filters, **filters}
    return environment.get_template(template).render(style=_style(), **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("expectations"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    environment.filters["observed"] = observed
    return environment


@cache
def _style() -> Markup:
    return Markup((resources.files("expectations") / "templates/style.css").read_text("utf-8"))
