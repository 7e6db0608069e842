"""`groundtruth invoice`: vendors' invoices, recorded and compared with the work they are for."""

import datetime as dt
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tasks.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Invoices: recorded, and matched with accepted work.")
console = Console()

Vendor = Annotated[str, typer.Option(help="The vendor's site.")]


@app.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; docs/invoices.md names its columns.")],
    vendor: Vendor,
    by: Annotated[str, typer.Option(default_factory=getuser, help="Who says so.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "the vendor sent it",
) -> None:
    """Record a vendor's invoices; what is recorded already stays as it is."""
    from workforce.records import Workforce, ledger
    from workforce.records.invoice_files import invoices

    said = Workforce(invoices=tuple(invoices(file, vendor)))
    with load_settings().catalog.begin() as transaction:
        changed = ledger.recorded(transaction, said, by=by, reason=reason)
    for change in changed:
        console.print(f"* {change}", markup=False, soft_wrap=True)
    console.print(f"{len(changed)} of {len(said.invoices)} invoices are new")


@app.command(name="list")
def list_all() -> None:
    """List the invoices that are recorded, with what they bill beyond what was agreed."""
    from tasks.spending import invoices_matched

    with load_settings().catalog.read() as transaction:
        standing, found = invoices_matched(transaction, dt.datetime.now(dt.UTC).date())
    table = Table("vendor", "number", Column("issued", no_wrap=True), "for", "net", "variance")
    for each in sorted(standing.invoices, key=lambda each: (each.issued, each.key)):
        variance = sum((x.variance.amount for x in found.lines[each.key]), each.tax * 0)
        row = (each.vendor, each.number, str(each.issued), f"{each.starts} to {each.ends}")
        table.add_row(*map(escape, row), str(each.money), f"{variance:,f}")
    console.print(table)


@app.command()
def match(
    number: Annotated[str, typer.Argument(help="The number of the invoice.")],
    vendor: Annotated[str | None, typer.Option(help="Whose, where two have it.")] = None,
    language: Annotated[str, typer.Option(help="Of the reasons, as a BCP 47 tag.")] = "en",
) -> None:
    """Compare an invoice with the work that it is for, line by line."""
    from tasks.spending import invoices_matched
    from workforce.reviews.wording import Wording

    with load_settings().catalog.read() as transaction:
        standing, found = invoices_matched(transaction, dt.datetime.now(dt.UTC).date())
    named = [x for x in standing.invoices if x.number == number and vendor in (None, x.vendor)]
    if len(named) != 1:
        raise typer.BadParameter(
            f"{len(named)} invoices have the number {number}: `groundtruth invoice list` names"
            " them, and --vendor tells them apart"
        )
    [invoice] = named
    wording = Wording.load(language)
    amounts = (Column(name, justify="right") for name in ("billed", "agreed", "variance"))
    table = Table("line", "what", *amounts, "why", title=escape(invoice.key))
    for item, line in zip(invoice.items, found.lines[invoice.key], strict=True):
        what = " ".join(filter(None, (item.description, item.locale, item.kind)))
        money = map(str, (line.billed, line.agreed, line.variance))
        table.add_row(str(line.line), escape(what), *money, escape(wording.said(line.why)))
    console.print(table)
