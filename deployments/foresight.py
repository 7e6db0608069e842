"""`groundtruth forecast` and `groundtruth warnings`: what is to be expected, and looked into."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from catalog.schema import QuestionKind
from tasks.settings import load_settings
from workforce.periods import A_DAY

AsOf = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="The last day that counts; none: yesterday."),
]

app = typer.Typer()
console = Console()


@app.command()
def forecast(
    locale: Annotated[list[str] | None, typer.Option(help="Only this locale.")] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="What if: overlap=2, gold=0.1, questions=0.8 (beside today's), rework=0.05, or"
            " vendor-a=vendor-b, several with commas between them."
        ),
    ] = None,
    as_of: AsOf = None,
    to: Annotated[Path | None, typer.Option(help="Where a picture (PNG) is written.")] = None,
) -> None:
    """Show when each locale has its labels and what that costs, beside what would be else."""
    from tasks.fan_chart import fan_chart
    from tasks.foresight import known, practice
    from workforce.foresight.scenarios import AS_NOW, Scenario

    settings = load_settings()
    today = practice(settings)
    scenarios = [AS_NOW, *(Scenario.parsed(text, today) for text in scenario or ())]
    with settings.catalog.read() as transaction:
        start = known(transaction, settings, _last_day(as_of))
    forecasts = [start.forecast(each) for each in scenarios]
    if locale:
        forecasts = [each.about(locale) for each in forecasts]
    locales = Table(
        Column("locale", no_wrap=True),
        Column("scenario", overflow="fold"),
        "labels",
        Column("done P50", no_wrap=True),
        Column("done P85", no_wrap=True),
        "spend P50",
        "spend P85",
    )
    for told in forecasts:
        for each in told.locales:
            needed = f"{each.remaining:,}" if each.remaining is not None else "no plan"
            days = (_day(each.done_p50), _day(each.done_p85))
            spend = (str(each.spend_p50), str(each.spend_p85))
            locales.add_row(*map(escape, (each.locale, told.scenario, needed, *days, *spend)))
    console.print(locales)
    money = Table("what", Column("scenario", overflow="fold"), "P50", "P85")
    for told in forecasts:
        for order in told.orders:
            cells = (_lasting(order.p50), _lasting(order.p85))
            money.add_row(*map(escape, (f"order {order.number} is used up", told.scenario, *cells)))
        for budget in told.budgets:
            cells = (str(budget.p50), str(budget.p85))
            money.add_row(*map(escape, (f"budget {budget.name} will need", told.scenario, *cells)))
    console.print(money)
    if to is not None:
        to.write_bytes(fan_chart(forecasts))
        console.print(f"As a picture: {to}", markup=False)


@app.command()
def tradeoffs(
    locale: Annotated[str, typer.Argument(help="For example de-DE.")],
    labels: Annotated[int, typer.Option(help="How many labels are to be had.", min=1)],
    kind: Annotated[QuestionKind, typer.Option(help="As which questions.")] = QuestionKind.VERIFY,
    as_of: AsOf = None,
    to: Annotated[Path | None, typer.Option(help="Where a picture (PNG) is written.")] = None,
) -> None:
    """Show the mixes of vendors that no other beats in quality, time and cost at once."""
    from tasks.mixes import mixes_of, plot_mixes
    from workforce.foresight.tradeoffs import efficient
    from workforce.reviews.wording import Wording

    found = mixes_of(load_settings(), locale, kind, labels, _last_day(as_of) + A_DAY)
    wording = Wording.load("en")
    for each in efficient(found):
        console.print(f"* {wording.said(each.what)}", markup=False, soft_wrap=True)
    if not found:
        console.print("No vendor under contract could do it, or nothing is known of their pace.")
    elif to is not None:
        to.write_bytes(plot_mixes(found))
        console.print(f"As a picture: {to}", markup=False)


@app.command()
def warnings() -> None:
    """List the warnings that stand; `groundtruth watch` looks for new ones."""
    from catalog import warned
    from tasks.watch import WARNINGS, lines

    with load_settings().catalog.read() as transaction:
        standing = warned.standing(transaction)
    if not standing:
        console.print("All clear: no warning stands.")
        return
    table = Table(*WARNINGS)
    for line in lines(standing):
        table.add_row(*map(escape, line))
    console.print(table)


@app.command()
def watch(as_of: AsOf = None) -> None:
    """Look for what is about to go wrong, and tell what is new."""
    from deployments.orchestration import prefect_server
    from flows.watch import watch

    with prefect_server(load_settings()):
        watch(_last_day(as_of) + A_DAY)
    warnings()


def _last_day(as_of: dt.datetime | None) -> dt.date:
    return as_of.date() if as_of is not None else dt.datetime.now(dt.UTC).date() - A_DAY


def _day(day: dt.date | None) -> str:
    return f"{day:%Y-%m-%d}" if day is not None else "beyond a year"


def _lasting(day: dt.date | None) -> str:
    return f"{day:%Y-%m-%d}" if day is not None else "not while it lasts"
