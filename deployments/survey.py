"""`groundtruth survey`: the locales compared, and the pictures that are not clustered."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deployments.orchestration import prefect_server
from tasks.settings import load_settings

app = typer.Typer()
console = Console()


@app.command()
def survey(
    to: Annotated[Path, typer.Option(help="Where the page is written.")] = Path("survey.html"),
    left_out: Annotated[
        bool,
        typer.Option(
            "--left-out", help="Only list the pictures that are not clustered, and the reasons."
        ),
    ] = False,
) -> None:
    """Compare the locales: coverage, quality, near-duplicates, and what stands out."""
    if left_out:
        show_left_out()
        return
    from flows.survey import survey

    settings = load_settings()
    with prefect_server(settings):
        surveyed = survey()
    to.write_bytes(settings.blob_store.get(surveyed.location))
    for finding in surveyed.survey.findings:
        console.print(f"* {finding}", markup=False)
    console.print(f"With plots and pictures: {to}", markup=False)


def show_left_out() -> None:
    """One line for each picture, as other programs read it: columns apart by tabs."""
    from tasks.pool import not_clustered

    for line in not_clustered():
        print("\t".join(line))
