"""`groundtruth models`: which models there are, what is known of each, and the way back."""

from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Column, Table

from deployments.orchestration import prefect_server
from tasks.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Champion and challengers, and the way back.")
console = Console()


@app.command("list")
def list_models() -> None:
    """List every comparison and rollback, the newest first, and say who is champion."""
    from catalog import models

    with load_settings().catalog.begin() as transaction:
        champion = models.champion(transaction)
        past = models.promotions(transaction)
        made_of = {each.id: each.training_set for each in models.models(transaction)}
    table = Table(
        Column("model", no_wrap=True), "training set", "when", "against", "outcome", "reason", "by"
    )
    for each in reversed(past):
        is_champion = champion is not None and each.challenger_id == champion.id
        table.add_row(
            f"[bold]{each.challenger_id[:8]}[/]" if is_champion else each.challenger_id[:8],
            str(made_of[each.challenger_id]),
            f"{each.decided_at:%Y-%m-%d %H:%M}",
            (each.champion_id or "")[:8],
            models.outcome(each),
            escape(each.reason),
            escape(each.by or ""),
        )
    console.print(table)
    console.print(f"champion: {champion.id[:8] if champion else 'none yet'}", highlight=False)


@app.command()
def show(
    model: Annotated[
        str | None, typer.Argument(help="As `groundtruth models list` shows it; none: champion.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the card as a page, too.")] = None,
) -> None:
    """Show a model's card: what it was made of, what was measured, where not to trust it."""
    from tasks.card import as_html, card
    from tasks.models import champion

    text = card(model if model is not None else champion().id)
    if html is not None:
        html.write_text(as_html(text, text.splitlines()[0].removeprefix("# ")))
    console.print(
        Markdown("\n".join(line for line in text.splitlines() if not line.startswith("![")))
    )


@app.command()
def due() -> None:
    """Say whether training is worth while: labels that are new, and drift by locale."""
    from tasks.drift import drifts
    from tasks.due import training_is_due

    with prefect_server(load_settings()):
        found = drifts()
        verdict = training_is_due(found)
    table = Table("locale", "images learnt from", "new images", "told apart (AUC)", "p")
    for each in found:
        figures = (
            (f"{each.found.auc:.2f}", f"{each.found.p_value:.3f}")
            if each.found
            else ("too few products", "")
        )
        table.add_row(each.locale, str(each.n_learnt), str(each.n_new), *figures)
    if found:
        console.print(table)
    console.print(f"{'due' if verdict.due else 'not due'}: {verdict.reason}", highlight=False)


@app.command()
def rollback(
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    by: Annotated[str, typer.Option(default_factory=getuser, help="Who goes back.")],
    model: Annotated[
        str | None, typer.Argument(help="An earlier champion; none: the one before.")
    ] = None,
) -> None:
    """Make an earlier champion champion again: the next rounds cluster with it."""
    from flows.roll_back import roll_back

    with prefect_server(load_settings()):
        promotion = roll_back(by, reason, model)
    console.print(
        f"champion: {promotion.challenger_id[:8]}, in place of {(promotion.champion_id or '')[:8]}",
        highlight=False,
    )
