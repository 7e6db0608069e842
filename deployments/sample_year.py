"""`groundtruth sample-year`: a folder with a year of three vendors, to try the reports on."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tasks.settings import SETTINGS_VARIABLE

app = typer.Typer()
console = Console()

SETTINGS = """\
# A sample year of three vendors, as `groundtruth sample-year` writes it. Nobody works there.
data = ".groundtruth"
locales = {locales}

[annotate]
sites = {sites}

[plan]
locales = {{ {planned} }}
"""


@app.command("sample-year")
def sample_year(
    folder: Annotated[Path, typer.Argument(help="Where it is written; a new folder.")],
    year: Annotated[int | None, typer.Option(help="Which year; none: this one, until now.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another year.")] = 0,
    answers: Annotated[int, typer.Option(min=1_000, help="About how many in a year.")] = 20_000,
    degrades: Annotated[
        str, typer.Option(help="The vendor that degrades from week 30; empty: none.")
    ] = "vendor-b",
    overbills: Annotated[
        str, typer.Option(help="The vendor that bills too much; empty: none.")
    ] = "vendor-a",
) -> None:
    """Write a year of three vendors, two of them at fault, to try the reports on.

    Run it again with the same options after it was stopped, and it ends as if it had not been.
    """
    from catalog import Catalog
    from workforce.sample_year import VENDORS, SampleYear, written

    for vendor in (degrades, overbills):
        if vendor and vendor not in VENDORS:
            raise typer.BadParameter(f"{vendor} is none of {', '.join(VENDORS)}")
    now = dt.datetime.now(dt.UTC)
    drawn = SampleYear(
        year=year or now.year,
        seed=seed,
        answers=answers,
        degrades=degrades or None,
        overbills=overbills or None,
    )
    settings = _settings(drawn.planned)
    file = folder / "groundtruth.toml"
    if file.exists() and file.read_text(encoding="utf-8") != settings:
        raise typer.BadParameter(f"{file} is there already, and another one: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(settings, encoding="utf-8")
    catalog = Catalog(f"sqlite:///{(folder / '.groundtruth' / 'catalogue.sqlite').resolve()}")
    with catalog.begin() as transaction:
        written(transaction, drawn, drawn.before, now)
    catalog.close()
    console.print(f"A sample year lies in {folder}. To look at it:", markup=False, soft_wrap=True)
    console.print(f"  export {SETTINGS_VARIABLE}={file.resolve()}", markup=False, soft_wrap=True)


def _settings(planned: dict[str, int]) -> str:
    from workforce.sample_year import VENDORS

    return SETTINGS.format(
        locales=list(planned),
        sites=list(VENDORS),
        planned=", ".join(f'"{locale}" = {{ images = {n} }}' for locale, n in planned.items()),
    ).replace("'", '"')
