"""`groundtruth statistics`: how much must be checked, and what checking says."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    no_args_is_help=True, help="How many gold tasks and audits a question takes, and what they say."
)
console = Console()

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
