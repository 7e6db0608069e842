"""`groundtruth doctor`: every check, each with what to do; exit status 1 where one is an error."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from deployments.doctor.examination import Check, Examined, Level, examine
from tasks.settings import load_settings

app = typer.Typer()
console = Console()

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red"}


def checks() -> Sequence[Check]:
    """Every check, in the order in which things depend on one another."""
    from deployments.doctor import catalogue, clocks, places, prefect, programs, sites, work

    return (
        Check("python", programs.python),
        Check("packages", programs.packages),
        Check("space", places.space),
        Check("secrets", places.secrets),
        Check("blobs", places.blobs),
        Check("catalogue", catalogue.database),
        Check("integrity", catalogue.integrity, 120.0),
        Check("backup", catalogue.backups),
        Check("prefect", prefect.server),
        Check("workers", prefect.workers),
        Check("schedules", prefect.schedules),
        Check("runs", prefect.runs),
        Check("leases", prefect.leases),
        Check("sites", sites.reached),
        Check("locales", sites.locales),
        Check("webhooks", sites.hearing),
        Check("lag", sites.lag, 60.0),
        Check("drift", sites.drift, 120.0),
        Check("clocks", clocks.clocks),
        Check("questions", work.questions),
        Check("model", work.model),
        Check("warnings", work.warnings),
    )


@app.command()
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of findings for programs.")
    ] = False,
) -> None:
    """Look for what is wrong, and say what to do; exit status 1 where something is an error."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    settings = load_settings()
    ours = {PREFECT_API_URL: settings.servers.prefect_api}
    with nullcontext() if PREFECT_API_URL.value() else temporary_settings(ours):
        examined = list(examine(checks(), settings))
    if as_json:
        print(json.dumps(records(examined), indent=2, ensure_ascii=False))
    else:
        _show(examined)
    levels = {finding.level for each in examined for finding in each.findings}
    raise typer.Exit(1 if Level.ERROR in levels else 0)


def records(examined: Sequence[Examined]) -> list[dict[str, str]]:
    """Each finding as an object: check, level, what was found and what to do."""
    return [
        {"check": each.check, "level": finding.level, "says": finding.says, "do": finding.do}
        for each in examined
        for finding in each.findings
    ]


def _show(examined: Sequence[Examined]) -> None:
    table = Table(
        Column("check", no_wrap=True),
        Column("", no_wrap=True),
        Column("what was found, and what to do", overflow="fold"),
    )
    counts = dict.fromkeys(Level, 0)
    for each in examined:
        for finding in each.findings:
            counts[finding.level] += 1
            colour = COLOURS[finding.level]
            do = f"\n[bold]->[/] {escape(finding.do)}" if finding.do else ""
            table.add_row(
                each.check, f"[{colour}]{finding.level}[/]", f"{escape(finding.says)}{do}"
            )
    console.print(table)
    console.print(", ".join(f"{n} {level}" for level, n in counts.items()), highlight=False)
