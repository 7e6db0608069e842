"""`groundtruth review`: business reviews of vendors, the portfolio, and the dashboard, as files."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tasks.settings import load_settings

app = typer.Typer()
console = Console()


@app.command()
def review(
    vendor: Annotated[list[str] | None, typer.Option(help="Whose review; may be repeated.")] = None,
    portfolio: Annotated[
        bool, typer.Option("--portfolio", help="All vendors' reviews, and the portfolio.")
    ] = False,
    quarter: Annotated[
        str | None,
        typer.Option(help="As 2026Q4, 2026-11 or 2026; none: the quarter of a week ago."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="en, de, ja, or a locale for its formats, as en-GB.")
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="A PDF as well, printed by the browser.")
    ] = False,
    as_of: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day that counts; none: today."),
    ] = None,
    to: Annotated[Path, typer.Option(help="The folder for the files.")] = Path("reviews"),
) -> None:
    """Write business reviews as workbook and HTML page, and as PDF if wanted."""
    if bool(vendor) == portfolio:
        raise typer.BadParameter("say either --vendor NAME or --portfolio")
    from tasks.review import books, period_of, rendered, reviews, titled
    from workforce.reviews.wording import Wording

    settings = load_settings()
    today = as_of.date() if as_of else dt.datetime.now(dt.UTC).date()
    wording = Wording.load(language or settings.review.language)
    held = books(settings, period_of(settings, quarter, today), today)
    to.mkdir(parents=True, exist_ok=True)
    for name, said in reviews(held, vendor or None):
        for form, content in rendered(said, wording, ["html", "xlsx", *(["pdf"] if pdf else [])]):
            file = to / f"{titled(name, said, wording).replace(' ', '-')}.{form}"
            file.write_bytes(content)
            console.print(str(file), markup=False, soft_wrap=True)
