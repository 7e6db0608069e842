"""`groundtruth backup` and `groundtruth restore`."""

from typing import Annotated

import typer
from rich.console import Console

from tasks.settings import load_settings

app = typer.Typer()
console = Console()

Place = Annotated[str, typer.Argument(help="A folder, or a URL such as s3://bucket/backup.")]


@app.command()
def backup(place: Place) -> None:
    """Keep the catalogue and the blobs a second time; a repeated backup copies only new blobs."""
    from catalog.backup import backup

    settings = load_settings()
    done = backup(settings.catalog, settings.blob_store, place)
    say(
        f"{sum(n for n, _ in done.manifest.tables.values()):,} rows and {done.n_copied:,} new blobs"
        f" are kept at {place}, which holds {done.manifest.n_blobs:,} blobs now"
    )


@app.command()
def restore(place: Place) -> None:
    """Bring the newest backup back into an empty catalogue, and check all of it."""
    from catalog.backup import restore

    settings = load_settings()
    done = restore(place, settings.catalogue_url, settings.blob_store)
    say(
        f"the backup of {done.manifest.taken_at:%Y-%m-%d %H:%M} UTC is back:"
        f" {sum(n for n, _ in done.manifest.tables.values()):,} rows, {done.n_copied:,} blobs"
    )


def say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)
