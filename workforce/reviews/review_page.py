"""Reviews, portfolios and the dashboard as HTML: one file each, which needs no network.

Whatever text comes from outside is escaped. Pictures and plots lie in the page itself.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import groupby
from shlex import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from workforce.billing.totals import totals
from workforce.money import Money
from workforce.performance.figures import Figure, Metric
from workforce.reviews.dashboard import Dashboard
from workforce.reviews.plots import strip, trend_plot
from workforce.reviews.review import InvoiceLine, Portfolio, Review
from workforce.reviews.wording import Wording

TABLES: Mapping[str, tuple[Metric, ...]] = {
    "quality": (
        Metric.GOLD_ACCURACY,
        Metric.SENSITIVITY,
        Metric.SPECIFICITY,
        Metric.FIRST_PASS_YIELD,
        Metric.REWORK_RATE,
        Metric.DEFECT_RATE,
        Metric.ESCAPE_RATE,
        Metric.AGREEMENT,
    ),
    "speed": (
        Metric.HANDLING_SECONDS,
        Metric.THROUGHPUT,
        Metric.TURNAROUND_P50,
        Metric.TURNAROUND_P95,
        Metric.SLA_ATTAINMENT,
        Metric.COST_PER_LABEL,
        Metric.COST_PER_CLUSTER,
        Metric.COVERAGE,
    ),
}


def review_page(review: Review, wording: Wording) -> str:
    """The business review of a vendor."""
    return _rendered(
        "review.html",
        wording,
        review=review,
        tables={name: _rows(review.figures, metrics) for name, metrics in TABLES.items()},
        measured={
            name: [metric for metric in metrics if _is_known(review.figures, metric)]
            for name, metrics in TABLES.items()
        },
        has_figures=any(each.value is not None for each in review.figures),
        defined=[metric for metric in Metric if metric in _named(review)],
        spent=totals((line.agreed for line in review.spend), review.currency),
        credited=totals((each.amount for each in review.credits), review.currency),
        invoices=_by_invoice(review.invoices),
    )


def portfolio_page(portfolio: Portfolio, wording: Wording) -> str:
    """The status report on all vendors."""
    scored = dict.fromkeys(
        score.figure.metric for review in portfolio.reviews for score in review.scores
    )
    return _rendered(
        "portfolio.html",
        wording,
        portfolio=portfolio,
        metrics=list(scored),
        scores=[
            {score.figure.metric: score for score in review.scores} for review in portfolio.reviews
        ],
        spent=totals((line.spent for line in portfolio.locales), portfolio.currency),
    )


def dashboard_page(dashboard: Dashboard, wording: Wording) -> str:
    """Where the work stands at a moment."""
    return _rendered("dashboard.html", wording, dashboard=dashboard)


def command(figure: Figure) -> str:
    """The command that lists the rows behind a figure."""
    cell = figure.cell
    said = ["groundtruth", "metrics", "rows", figure.metric.value, "--period", cell.period.name]
    for option, value in (
        ("--vendor", cell.vendor),
        ("--locale", cell.locale),
        ("--kind", cell.kind),
    ):
        if value is not None:
            said += [option, quote(value)]
    return " ".join(said)


Row = tuple[str | None, str | None, Mapping[Metric, Figure]]


def _rows(figures: Sequence[Figure], metrics: Sequence[Metric]) -> list[Row]:
    """Locale, kind and figures: the whole first, then each locale, then each kind."""
    found: dict[tuple[str | None, str | None], dict[Metric, Figure]] = {}
    for each in figures:
        cell = each.cell
        if each.metric in metrics and (cell.locale is None or cell.kind is None):
            found.setdefault((cell.locale, cell.kind), {})[each.metric] = each
    order = sorted(found, key=lambda key: (key[1] is not None, key[0] or "", key[1] or ""))
    return [(*key, found[key]) for key in order]


def _is_known(figures: Iterable[Figure], metric: Metric) -> bool:
    return any(each.metric == metric and each.value is not None for each in figures)


def _named(review: Review) -> set[Metric]:
    """The metrics that the page names and must define."""
    return {
        *(metric for metrics in TABLES.values() for metric in metrics),
        *(each.figure.metric for each in review.scores),
        *(each.metric for each in review.trends),
    }


Sums = tuple[Money, ...]


def _by_invoice(
    lines: Sequence[InvoiceLine],
) -> list[tuple[str, list[InvoiceLine], Sums, Sums, Sums]]:
    """Each invoice with its lines, what was billed and agreed, and the variance."""
    found = []
    for number, group in groupby(lines, key=lambda line: line.invoice):
        of_invoice = list(group)
        billed, agreed, variance = (
            totals((getattr(line, name) for line in of_invoice), of_invoice[0].billed.currency)
            for name in ("billed", "agreed", "variance")
        )
        found.append((number, of_invoice, billed, agreed, variance))
    return found


def _rendered(template: str, wording: Wording, **values: object) -> str:
    return _environment().get_template(template).render(w=wording, style=_style(), **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("workforce.reviews"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "base64": lambda content: base64.b64encode(content).decode(),
        "strip": strip,
        "plot": trend_plot,
        "command": command,
        "share_of": _share,
    }
    return environment


def _share(part: Money | int, whole: Money | int) -> float:
    """What part of the whole, in percent from 0 to 100, a bar shows; none of another currency."""
    if isinstance(part, Money) and isinstance(whole, Money) and part.currency != whole.currency:
        return 0.0
    of, all_of = (
        float(each.amount) if isinstance(each, Money) else float(each) for each in (part, whole)
    )
    return round(min(max(100 * of / all_of, 0.0), 100.0), 1) if all_of > 0 else 0.0


@cache
def _style() -> Markup:
    return Markup((resources.files("workforce.reviews") / "templates/style.css").read_text("utf-8"))
