"""`groundtruth statistics`: how much must be checked, and what checking says."""

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from catalog.schema import AuditSubject
from tasks.settings import load_settings
from workforce.errors import WorkforceError

if TYPE_CHECKING:
    from workforce.statistics.operating import Estimate

app = typer.Typer(
    no_args_is_help=True, help="How many gold tasks and audits a question takes, and what they say."
)
console = Console()

PeriodName = Annotated[str, typer.Option(help="As 2026, 2026Q4, 2026-11 or 2026-W47.")]
Picture = Annotated[Path | None, typer.Option("--to", help="Where a picture (PNG) is written.")]

Good = Annotated[float, typer.Option(min=0, max=1, help="Share of defects that is good: 0.01.")]
Bad = Annotated[float, typer.Option(min=0, max=1, help="Share of defects that is bad: 0.03.")]
RiskOfGood = Annotated[
    float, typer.Option("--risk-of-good", help="That good work is sent back, at most.")
]
RiskOfBad = Annotated[
    float, typer.Option("--risk-of-bad", help="That bad work is accepted, at most.")
]


@app.command()
def power(
    one: Annotated[float, typer.Option("--from", help="One accuracy: 0.95.")],
    other: Annotated[float, typer.Option("--to", help="The other one: 0.98.")],
    power: Annotated[float, typer.Option(help="With which the difference is to be found.")] = 0.8,
    risk: Annotated[float, typer.Option(help="Of finding one where there is none.")] = 0.05,
    per_annotator: Annotated[float, typer.Option(help="Gold answers of an annotator.")] = 1.0,
    correlation: Annotated[
        float, typer.Option(help="Of the errors of one annotator, as variance components say.")
    ] = 0.0,
) -> None:
    """Say how many gold tasks tell two accuracies apart."""
    from workforce.statistics.power import design_effect, detectable_drop, gold_to_tell

    effect = design_effect(per_annotator, correlation)
    n = gold_to_tell(one, other, power=power, risk=risk, effect=effect)
    console.print(
        f"{n:,} gold answers of each tell {one:.1%} from {other:.1%}, with a power of {power:.0%}"
        f" and a risk of {risk:.0%} (two-sided, design effect {effect:.2f}).",
        soft_wrap=True,
    )
    table = Table("gold answers of each", f"smallest drop from {max(one, other):.1%} that is found")
    for each in (50, 100, 200, 500, 1000, 2000):
        drop = detectable_drop(max(one, other), each, power=power, risk=risk, effect=effect)
        table.add_row(f"{each:,}", "none" if drop is None else f"{100 * drop:.1f} points")
    console.print(table)


@app.command()
def audits(
    below: Annotated[float, typer.Option(help="The share of defects to stay under: 0.01.")],
    confidence: Annotated[float, typer.Option(help="With which that is to be shown.")] = 0.95,
) -> None:
    """Say how many audits show that defects are rarer than a share."""
    from workforce.statistics.power import audits_to_bound

    n = audits_to_bound(below, confidence=confidence)
    console.print(
        f"{n:,} clean audits show with {confidence:.0%} confidence that defects are below"
        f" {below:.1%}.",
        soft_wrap=True,
    )
    table = Table("wrong", "of audits at least")
    for wrong in range(6):
        needed = audits_to_bound(below, confidence=confidence, n_wrong=wrong)
        table.add_row(str(wrong), f"{needed:,}")
    console.print(table)


@app.command()
def plan(
    good: Good,
    bad: Bad,
    risk_of_good: RiskOfGood = 0.05,
    risk_of_bad: RiskOfBad = 0.05,
    lot: Annotated[
        int | None, typer.Option(min=2, help="Labels of a delivery; none: far more than audits.")
    ] = None,
) -> None:
    """Say how many labels of a delivery to audit, and from how many defects to send it back."""
    import numpy as np

    from workforce.statistics.sampling import Risks, double_plan, outgoing, single_plan

    risks = Risks(good, bad, risk_of_good, risk_of_bad)
    found = single_plan(risks, lot)
    console.print(
        f"Audit {found.n:,} and accept with up to {found.c} defects. Work with {good:.1%} defects"
        f" is sent back in {1 - found.acceptance(good):.1%} of cases, work with {bad:.1%} accepted"
        f" in {found.acceptance(bad):.1%}.",
        soft_wrap=True,
    )
    rates = np.array([good / 2, good, (good + bad) / 2, bad, 1.5 * bad])
    columns = ["defects", "accepted"]
    left = None if lot is None else outgoing(found, rates, lot)
    table = Table(*columns, *(["left after audits"] if left is not None else []))
    for place, rate in enumerate(rates.tolist()):
        cells = [f"{rate:.2%}", f"{found.acceptance(rate):.1%}"]
        table.add_row(*cells, *([f"{left[place]:.2%}"] if left is not None else []))
    console.print(table)
    if lot is None:
        twice = double_plan(risks)
        console.print(
            f"Or in two steps: audit {twice.n:,}; accept with up to {twice.c} defects, send back"
            f" with {twice.r}; in between audit {twice.n:,} more and accept with up to"
            f" {twice.c_of_both} in all. Good work takes {twice.audits(good):,.0f} audits on"
            " average.",
            soft_wrap=True,
        )


@app.command()
def sprt(
    good: Good,
    bad: Bad,
    risk_of_good: RiskOfGood = 0.05,
    risk_of_bad: RiskOfBad = 0.05,
    at_most: Annotated[int | None, typer.Option(min=1, help="Audits after which to stop.")] = None,
    wrong: Annotated[int, typer.Option(min=0, help="Found so far.")] = 0,
    audited: Annotated[int, typer.Option(min=0, help="So far.")] = 0,
) -> None:
    """Audit one by one: say what the audits so far show, and how many it takes on average."""
    from workforce.statistics.sampling import Risks
    from workforce.statistics.sequential import SequentialTest

    test = SequentialTest(Risks(good, bad, risk_of_good, risk_of_bad), at_most)
    finding = test.finding(wrong, audited)
    to_go = test.to_go(wrong, audited)
    more = f"; {to_go:,} clean audits more would show it good" if finding == "go on" else ""
    console.print(f"{wrong} of {audited:,} audits wrong: {finding}{more}.", soft_wrap=True)
    table = Table("defects", "found good", "audits on average")
    for rate in (good / 2, good, (good + bad) / 2, bad, 1.5 * bad):
        does = test.characteristic(rate)
        table.add_row(f"{rate:.2%}", f"{does.good:.1%}", f"{does.audits:,.0f}")
    console.print(table)


@app.command()
def compare(
    period: PeriodName,
    earlier: Annotated[
        str | None,
        typer.Option("--with", help="An earlier period to compare each vendor with itself in."),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0.001, max=1, help="A difference that does not matter: 0.02.")
    ] = 0.02,
) -> None:
    """Compare the gold answers of the vendors of each locale, or of each vendor with what it was.

    "differ": chance explains none of it; of all lines together, one in twenty tables has such a
    line by chance (Holm). "alike": shown to differ by less than the margin, each line by itself.
    """
    from tasks.gold_answers import GoldAnswers
    from workforce.statistics.comparison import equivalence, judged

    fiscal = load_settings().company.fiscal
    gold = GoldAnswers.known(load_settings(), dt.datetime.now(dt.UTC))
    found = (
        gold.between_vendors(fiscal.period(period))
        if earlier is None
        else gold.between_periods(fiscal.period(period), fiscal.period(earlier))
    )
    if not found:
        raise WorkforceError(
            f"nothing can be compared: in {period} no locale has gold answers of two"
            f" {'vendors' if earlier is None else 'periods'}"
        )
    table = Table(
        Column("locale", no_wrap=True),
        *(Column(name, overflow="fold") for name in ("vendor", "and")),
        *(Column(name, no_wrap=True) for name in ("right", "difference, points", "finding")),
    )
    for (one, other), each in judged(found).items():
        told = each.difference
        alike = equivalence(told, margin).shown
        finding = "differ" if each.differs else "alike" if alike else "not told apart"
        names = (one.vendor, other.period if earlier else other.vendor)
        shares = f"{told.one:.1%} {told.other:.1%}"
        ends = f"{100 * told.value:+.1f} [{100 * told.low:+.1f}, {100 * told.high:+.1f}]"
        table.add_row(*map(escape, (one.locale, *names, shares, ends, finding)))
    console.print(table)


@app.command("components")
def variance_components(period: PeriodName) -> None:
    """Say what differences between gold answers come from: annotators, clusters, vendors, locales.

    The share of `annotator` is the --correlation of `groundtruth statistics power`.
    """
    from tasks.gold_answers import GoldAnswers

    asked = load_settings().company.fiscal.period(period)
    gold = GoldAnswers.known(load_settings(), dt.datetime.now(dt.UTC)).within(asked)
    try:
        found = gold.components()
    except ValueError as error:
        raise WorkforceError(f"the gold answers of {asked.name} do not tell: {error}") from None
    table = Table("from", *(Column(name, justify="right") for name in ("share", "of", "variance")))
    for name, each in found.items():
        interval = f"{each.variance:.5f} [{each.low:.5f}, {each.high:.5f}]"
        table.add_row(escape(name), f"{each.share:.1%}", f"{each.levels:,}", escape(interval))
    console.print(table)


@app.command()
def charts(
    vendor: Annotated[str, typer.Argument(help="Named by its site.")],
    locale: Annotated[str | None, typer.Option(help="Only of this locale.")] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="A day of the last week; none: today."),
    ] = None,
    to: Picture = None,
) -> None:
    """Draw a vendor's control charts of a year: gold answers that were wrong, defects per hour.

    They are for looking at: among 52 weeks some lie outside of what is usual by chance. Warnings
    that are rarely false come from `groundtruth watch`.
    """
    from tasks.control_charts import charts_of, plot_charts

    settings, today = load_settings(), dt.datetime.now(dt.UTC)
    try:
        found = charts_of(settings, vendor, locale, (until or today).date(), today)
    except ValueError as error:
        raise WorkforceError(f"{vendor} has no chart: {error}") from None
    for each in found:
        usual = f"usually {each.chart.centre:.2g} {each.unit}"
        beyond = ", ".join(f"{week.name} ({value:.2g})" for week, value in each.out())
        console.print(
            f"{each.title}: {usual}; beyond the limits: {beyond or 'no week'}.",
            markup=False,
            soft_wrap=True,
        )
    if to is not None:
        to.write_bytes(plot_charts(found))
        console.print(f"As a picture: {to}", markup=False)


@app.command()
def threshold(
    locale: Annotated[str, typer.Argument(help="For example de-DE.")],
    subject: Annotated[AuditSubject, typer.Option(help="What is accepted.")] = AuditSubject.CLUSTER,
    wrong: Annotated[
        float, typer.Option(min=0, help="What a wrong acceptance costs, in any currency.")
    ] = 1.0,
    unneeded: Annotated[
        float, typer.Option(min=0, help="What a question costs that was not needed.")
    ] = 0.05,
    to: Picture = None,
) -> None:
    """Say from which score on accepting without asking costs least, by what audits have found."""
    from tasks.models import champion
    from tasks.thresholds import cheapest, plot_threshold
    from workforce.statistics.operating import Costs

    model = champion()
    try:
        found = cheapest(load_settings(), locale, subject, model.id, Costs(wrong, unneeded))
    except ValueError as error:
        raise WorkforceError(f"{locale} has no threshold for {subject}: {error}") from None
    point, area = found.point, found.curves.area
    accept = "nothing" if math.isinf(point.threshold) else f"from {point.threshold:.3f} on"
    console.print(
        f"By {found.n:,} audits of model {model.id[:12]}, accept {accept}:"
        f" {_share(point.precision)} of that is right, {_share(point.recall)} of what is right is"
        f" accepted, and a question costs {point.cost.value:.3g}"
        f" [{point.cost.low:.3g}, {point.cost.high:.3g}]. Area under the ROC curve"
        f" {area.value:.3f} [{area.low:.3f}, {area.high:.3f}].",
        markup=False,
        soft_wrap=True,
    )
    if to is not None:
        to.write_bytes(plot_threshold(found))
        console.print(f"As a picture: {to}", markup=False)


def _share(found: "Estimate") -> str:
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"
