"""`groundtruth document`: orders, notes of service credits and notices, to send to vendors."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tasks.settings import Settings, load_settings
from workforce import WorkforceError
from workforce.reviews.documents import Notice

app = typer.Typer(no_args_is_help=True, help="Orders, credit notes and notices.")
console = Console()
UNSAFE = re.compile(r"[^\w.-]+")  # in the name of a file

Language = Annotated[
    str | None, typer.Option(help="en, de, ja, or a locale for its formats, as en-GB.")
]
To = Annotated[Path, typer.Option(help="The folder for the files.")]
Pdf = Annotated[bool, typer.Option("--pdf", help="A PDF as well, printed by the browser.")]


@app.command()
def order(
    number: Annotated[str, typer.Argument(help="As `groundtruth workforce show` names it.")],
    language: Language = None,
    to: To = Path("documents"),
    pdf: Pdf = False,
) -> None:
    """Write a purchase order."""
    from workforce.records import ledger
    from workforce.reviews.documents import order_document

    settings = load_settings()
    with settings.catalog.read() as transaction:
        standing = ledger.standing(transaction)
    orders = {each.number: each for each in standing.purchase_orders}
    if number not in orders:
        raise WorkforceError(
            f"no purchase order {number!r} stands: name one of {', '.join(orders) or 'none yet'}"
        )
    found = orders[number]
    vendor = standing.recorded(found.vendor)
    contract = standing.contract(found.vendor, found.starts)
    page = order_document(found, vendor, contract, settings.documents.stationery(language))
    _write(page, f"order-{number}", to, pdf)


@app.command()
def credit(
    vendor: Annotated[str, typer.Option(help="Who owes it.")],
    period: Annotated[str, typer.Option(help="As 2026-11 or 2026Q4.")],
    language: Language = None,
    to: To = Path("documents"),
    pdf: Pdf = False,
) -> None:
    """Write the note of what a vendor owes for service levels missed in months that are over."""
    from tasks.review import books
    from workforce.reviews.documents import credit_document, credit_number

    settings: Settings = load_settings()
    about = settings.company.fiscal.period(period)
    held = books(settings, about, dt.datetime.now(dt.UTC).date())
    owing = held.workforce.recorded(vendor)
    keys = {each.key for each in held.workforce.contracts if each.vendor == vendor}
    owed = [each for each in held.credits if each.contract in keys]
    page = credit_document(owing, about, owed, settings.documents.stationery(language))
    _write(page, credit_number(owing, about, owed), to, pdf)


@app.command()
def notice(
    vendor: Annotated[str, typer.Option(help="Whose contract it is of.")],
    of: Annotated[Notice, typer.Option(help="That the contract ends, or is renewed.")] = Notice.END,
    on: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day of the letter; none: today."),
    ] = None,
    language: Language = None,
    to: To = Path("documents"),
    pdf: Pdf = False,
) -> None:
    """Write the letter that ends or renews the contract that is in force with a vendor."""
    from workforce.records import ledger
    from workforce.reviews.documents import notice_document

    settings = load_settings()
    with settings.catalog.read() as transaction:
        standing = ledger.standing(transaction)
    told, day = standing.recorded(vendor), (on or dt.datetime.now(dt.UTC)).date()
    contract = standing.contract(vendor, day)
    if contract is None:
        raise WorkforceError(
            f"no contract with {vendor} is in force on {day}: `groundtruth workforce show` lists"
            " those that are; name a day with --on"
        )
    page = notice_document(of, contract, told, day, settings.documents.stationery(language))
    _write(page, f"notice-{of}-{contract.key}", to, pdf)


def _write(page: str, name: str, to: Path, pdf: bool) -> None:
    to.mkdir(parents=True, exist_ok=True)
    file = to / f"{UNSAFE.sub('-', name)}.html"
    file.write_text(page, encoding="utf-8")
    console.print(str(file), markup=False, soft_wrap=True)
    if pdf:
        from workforce.reviews import printing

        printed = file.with_suffix(".pdf")
        printed.write_bytes(printing.pdf(page))
        console.print(str(printed), markup=False, soft_wrap=True)
