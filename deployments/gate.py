"""The gate on the command line: its quarantine, its contract, and who is suspended."""

from getpass import getuser
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from deployments.orchestration import prefect_server
from tasks.settings import load_settings

app = typer.Typer()
quarantine = typer.Typer(no_args_is_help=True, help="Labels that the gate stopped.")
app.add_typer(quarantine, name="quarantine")
console = Console()

Labels = Annotated[list[str], typer.Argument(help="As `groundtruth quarantine list` shows them.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
By = Annotated[str, typer.Option(default_factory=getuser, help="Who says so.")]


@quarantine.command(name="list")
def show() -> None:
    """List the labels in quarantine, with every reason against each."""
    from tasks.settle import quarantine

    columns = ("locale", "name", "image", "annotators", "reasons")
    table = Table(Column("label", no_wrap=True), *columns)
    for line in quarantine():
        table.add_row(*map(escape, line))
    console.print(table)


@quarantine.command()
def settled() -> None:
    """List what was settled and not taken back, the newest first."""
    from tasks.settle import settled

    table = Table("settlement", "when", "what", "labels", "by", "reason")
    for line in settled():
        table.add_row(*map(escape, line))
    console.print(table)


@quarantine.command()
def release(labels: Labels, reason: Reason, by: By) -> None:
    """Overrule the reasons against labels: they are judged again without these."""
    from flows.settle import settle

    with prefect_server(load_settings()):
        settle("release", by, reason, labels)


@quarantine.command()
def correct(
    labels: Labels,
    reason: Reason,
    by: By,
    name: Annotated[
        str | None, typer.Option(help="What the product is called; none: the labels are wrong.")
    ] = None,
) -> None:
    """Say what the images of labels show, or that the labels are wrong."""
    from flows.settle import settle

    with prefect_server(load_settings()):
        settle("correct", by, reason, labels, name)


@quarantine.command()
def ask(labels: Labels, reason: Reason, by: By) -> None:
    """Put the images of labels before annotators again; `groundtruth annotate` pushes them."""
    from flows.settle import settle

    with prefect_server(load_settings()):
        settle("ask", by, reason, labels)


@quarantine.command()
def retract(
    settlement: Annotated[int, typer.Argument(help="As `groundtruth quarantine settled` shows.")],
    reason: Reason,
    by: By,
) -> None:
    """Take a settlement back."""
    from flows.settle import settle

    with prefect_server(load_settings()):
        settle("retract", by, reason, settlement=settlement)


@app.command()
def suspend(
    annotator: Annotated[str, typer.Argument(help="As `groundtruth annotators` shows.")],
    reason: Reason,
    by: By,
) -> None:
    """Quarantine the labels of an annotator from now on."""
    from tasks.settle import suspend

    suspend(annotator, by, reason, lifted=False)


@app.command()
def reinstate(
    annotator: Annotated[str, typer.Argument(help="Who is suspended.")],
    reason: Reason,
    by: By,
) -> None:
    """Lift the suspension of an annotator."""
    from tasks.settle import suspend

    suspend(annotator, by, reason, lifted=True)


@app.command()
def contract(
    locale: Annotated[list[str], typer.Option(help="Of these locales; none: of all.")] = [],  # noqa: B006
) -> None:
    """Write what the gate asks of labels, in plain language, as a page for each locale."""
    from expectations.contract import contract, html, markdown

    settings = load_settings()
    if unknown := sorted(set(locale) - set(settings.locales)):
        raise typer.BadParameter(
            f"{', '.join(unknown)} is not in `locales` of the settings: give one of"
            f" {', '.join(settings.locales)}"
        )
    folder = settings.data / "reports" / "contract"
    folder.mkdir(parents=True, exist_ok=True)
    for each in locale or settings.locales:
        parts = contract(settings.gate, each)
        for ending, text in (("md", markdown(parts, each)), ("html", html(parts, each))):
            page = folder / f"{each}.{ending}"
            page.write_text(text, encoding="utf-8")
            console.print(str(page), markup=False, highlight=False, soft_wrap=True)
