"""`groundtruth plan`: what would be asked now, of whom and why; nothing is asked."""

from collections.abc import Iterable, Sequence

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deployments.orchestration import prefect_server
from tasks.settings import load_settings

app = typer.Typer()
console = Console()


@app.command()
def plan() -> None:
    """Show what `annotate` would ask now, what that gives and takes, and what is left."""
    from tasks import plan_page as page
    from tasks.ask import would_ask
    from tasks.sites import sites_for

    settings = load_settings()
    with prefect_server(settings):
        agenda = would_ask(settings, sites_for(settings))
    targets = settings.annotate.targets
    _show("what would be asked", page.KINDS, page.kind_lines(agenda.entries, targets))
    _show(f"the first {page.SHOWN} questions", page.QUESTIONS, page.question_lines(agenda.entries))
    _show("how sure the products are", page.SECOND, page.second_lines(agenda))
    _show("what is left", page.LEFT, page.left_lines(agenda))
    said = [
        page.said_of(agenda),
        *page.allotment_lines(agenda),
        *page.acceptance_lines(agenda, settings.annotate.acceptance),
    ]
    for line in said:
        console.print(line, markup=False)


def _show(title: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    shown = Table(*header, title=title)
    for line in lines:
        shown.add_row(*map(escape, line))
    console.print(shown)
