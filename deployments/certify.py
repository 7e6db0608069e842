"""`groundtruth certify`: what the partition is worth, and whether to go on."""

import typer
from rich.console import Console
from rich.table import Table

from deployments.orchestration import prefect_server
from tasks.settings import load_settings

app = typer.Typer()
console = Console()


@app.command()
def certify() -> None:
    """Certify precision and recall from answered audits, and draw new ones."""
    from flows.certify import certify

    with prefect_server(load_settings()):
        certified = certify()
    shown = Table("locale", "audits", "precision", "recall", "recall of all pairs", "advice")
    for each in certified:
        made = each.certificate
        figures = (made.n_audits, made.precision, made.recall, made.recall_of_all)
        shown.add_row(each.locale, *map(str, figures), each.advice.why)
    if certified:
        console.print(shown)
    else:
        console.print("No audit is answered yet: they stand among the questions of the sites.")
