"""`groundtruth acceptance`: what is accepted without asking people, and how many audits miss."""

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

app = typer.Typer()
console = Console()


@app.command()
def acceptance() -> None:
    """Show from which score on each locale's questions are accepted without asking, and why."""
    from tasks.accept import HEADER, standing

    lines = standing()
    if not lines:
        console.print("Nothing was audited yet: the first questions are drawn when they are asked.")
        return
    table = Table(*HEADER)
    for line in lines:
        table.add_row(*map(escape, line))
    console.print(table)
