"""`groundtruth metrics`: what the vendors' work measures, and the rows behind each figure."""

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tasks.settings import load_settings
from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import Period

app = typer.Typer(help="What the vendors' work measures, and the rows behind each figure.")
console = Console()

COLUMNS = ("metric", "vendor", "locale", "kind", "period", "value", "n", "low", "high")
# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

PeriodName = Annotated[str, typer.Option(help="As 2026, 2026Q4, 2026-11 or 2026-W47.")]
Vendor = Annotated[str | None, typer.Option(help="Only of this vendor, named by its site.")]
Locale = Annotated[str | None, typer.Option(help="Only in this locale, for example de-DE.")]
Kind = Annotated[str | None, typer.Option(help="Only of this kind: merge, for example.")]
AsOf = Annotated[
    dt.datetime | None,
    typer.Option(help="As it was known at a moment, UTC; none: now.", show_default=False),
]


@app.callback(invoke_without_command=True)
def metrics(
    context: typer.Context,
    period: PeriodName = "",
    vendor: Vendor = None,
    locale: Locale = None,
    as_of: AsOf = None,
    to: Annotated[
        Path | None, typer.Option("--csv", help="Write every figure to a CSV file as well.")
    ] = None,
) -> None:
    """Print every metric of a period: of all vendors, or by locale and kind of one."""
    if context.invoked_subcommand is not None:
        return
    from tasks.performance import figures
    from workforce.performance.definitions import printed

    if not period:
        raise typer.BadParameter("name a period: --period 2026Q4, for example")
    asked = _period(period)
    found = [
        each
        for each in figures([asked], _moment(as_of))
        if vendor in (None, each.cell.vendor) and locale in (None, each.cell.locale)
    ]
    if to is not None:
        write_csv(found, to)
    title = f"{asked.name}, with 95 % intervals"
    table = Table(Column("metric", overflow="fold"), title=title)
    for name in ("vendor", "locale", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("value", "n", "interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        cell = each.cell
        # Vendors beside one another, or the locales of the one that was asked for.
        if cell.kind is None and (vendor is not None or cell.locale == locale) and each.n:
            place = (each.metric, *(name or "all" for name in (cell.vendor, cell.locale)), "all")
            value, interval = printed(each)
            table.add_row(*map(escape, (*place, value, f"{each.n:,}", interval)))
    console.print(table)


@app.command()
def rows(
    metric: Annotated[Metric, typer.Argument(help="As `groundtruth metrics` names it.")],
    period: Annotated[str, typer.Option(help="As 2026, 2026Q4, 2026-11 or 2026-W47.")],
    vendor: Vendor = None,
    locale: Locale = None,
    kind: Kind = None,
    as_of: AsOf = None,
) -> None:
    """List the rows that a figure was computed from: table and identity, apart by a tab."""
    from tasks.performance import rows_behind

    cell = Cell(_period(period), vendor, locale, kind)
    found = rows_behind(Figure(metric, cell, None, 0), _moment(as_of))
    for table, ids in found.items():
        for each in ids:
            print(f"{table}\t{each}")


def write_csv(figures: Sequence[Figure], to: Path) -> None:
    """A line for each figure; what a spreadsheet would take for a formula begins with a quote."""
    from workforce import Money

    with to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "currency"])
        for each in figures:
            cell, value = each.cell, each.value
            names = (each.metric, cell.vendor, cell.locale, cell.kind, cell.period.name)
            amount, currency = (
                (value.amount, value.currency) if isinstance(value, Money) else (value, None)
            )
            numbers = (amount, each.n, each.low, each.high)
            writer.writerow([*map(_inert, names), *numbers, currency])


def _inert(name: str | None) -> str:
    name = name or ""
    return f"'{name}" if name.startswith(FORMULA) else name


def _period(name: str) -> Period:
    return load_settings().company.fiscal.period(name)


def _moment(as_of: dt.datetime | None) -> dt.datetime:
    return dt.datetime.now(dt.UTC) if as_of is None else as_of.replace(tzinfo=dt.UTC)
