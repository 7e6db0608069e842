"""`groundtruth remove`: images that must go."""

from getpass import getuser
from typing import Annotated

import typer
from rich.console import Console

from deployments.orchestration import prefect_server
from tasks.settings import load_settings

app = typer.Typer()
console = Console()


@app.command()
def remove(
    images: Annotated[
        list[str],
        typer.Argument(help="Each by identity, enough of its beginning, or where it was found."),
    ],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    by: Annotated[str, typer.Option(default_factory=getuser, help="Who asks for it.")],
) -> None:
    """Remove images for good, from pictures, vectors, questions and the next training set."""
    from flows.remove import remove

    with prefect_server(load_settings()):
        gone = remove(images, by, reason)
    for each in gone:
        versions = ", ".join(map(str, each.removal.versions)) or "none"
        models = ", ".join(each.removal.model_ids) or "none"
        lines = [
            f"{each.removal.image_id} is removed",
            f"  training set versions that name it: {versions}",
            f"  models that have learnt from it: {models}",
            *(["  models are compared without it from now on"] if each.in_holdout else []),
            *(f"  delete it there as well: {uri}" for uri in each.found_at),
        ]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
