"""`groundtruth workforce`: what is recorded of vendors, contracts and money."""

from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from tasks.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Vendors, contracts, purchase orders, budgets, exchange rates."
)
console = Console()
WORKBOOK = ".xlsx"

Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
By = Annotated[str, typer.Option(default_factory=getuser, help="Who says so.")]
Kind = Annotated[
    str,
    typer.Argument(
        help="vendor, person, contract, purchase_order, budget, exchange_rate or invoice."
    ),
]
RecordKey = Annotated[str, typer.Argument(help="As `groundtruth workforce show` names it.")]


@app.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="YAML or XLSX, as `export` writes.")],
    reason: Reason,
    by: By,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Record what a file says; what it does not name stays as it is."""
    from workforce.records import files, ledger, record_sheets

    said = record_sheets.read(file) if file.suffix == WORKBOOK else files.read(file)
    catalog = load_settings().catalog
    if dry_run:
        with catalog.read() as transaction:
            changed = ledger.changes(ledger.standing(transaction), said)
    else:
        with catalog.begin() as transaction:
            changed = ledger.recorded(transaction, said, by=by, reason=reason)
    for change in changed:
        console.print(f"* {change}", markup=False, soft_wrap=True)
    done = "would change" if dry_run else "changed"
    console.print(f"{len(changed)} of {len(said.records())} records {done}")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The YAML or XLSX to write; it must not be there.")],
) -> None:
    """Write everything that stands to a file that `import` reads."""
    from workforce.records import files, ledger, record_sheets

    with load_settings().catalog.read() as transaction:
        standing = ledger.standing(transaction)
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        raise typer.BadParameter(f"{file} is there already: name another file") from None
    if file.suffix == WORKBOOK:
        record_sheets.written(standing, file)
    else:
        file.write_text(files.written(standing), encoding="utf-8")
    console.print(f"{len(standing.records())} records in {file}", markup=False, soft_wrap=True)


@app.command()
def show() -> None:
    """List what stands."""
    from workforce.records import ledger

    with load_settings().catalog.read() as transaction:
        standing = ledger.standing(transaction)
    table = Table(Column("kind", no_wrap=True), Column("key", no_wrap=True), "what")
    for each in standing.records():
        table.add_row(each.kind, escape(each.key), escape(each.summary))
    console.print(table)


@app.command()
def pseudonym(
    vendor: Annotated[str, typer.Argument(help="The vendor's site.")],
    name: Annotated[str, typer.Argument(help="As the site calls the annotator.")],
) -> None:
    """Say under which pseudonym one of a vendor's people is recorded."""
    from workforce.records import vendors

    console.print(vendors.pseudonym(vendor, name), markup=False)


@app.command()
def history(kind: Kind, key: RecordKey) -> None:
    """List every version of a record: who said it, when and why."""
    from catalog.workforce import history

    with load_settings().catalog.read() as transaction:
        versions = history(transaction, kind, key)
    table = Table("version", Column("when", no_wrap=True), "by", "reason", "content")
    for each in versions:
        said = "withdrawn" if each.content is None else str(each.content)
        row = (str(each.version), f"{each.said_at:%Y-%m-%d %H:%M}", each.said_by, each.reason, said)
        table.add_row(*map(escape, row))
    console.print(table)


@app.command()
def withdraw(kind: Kind, key: RecordKey, reason: Reason, by: By) -> None:
    """Take a record back; its history stays, and importing it again brings it back."""
    from workforce.records import ledger

    with load_settings().catalog.begin() as transaction:
        change = ledger.withdraw(transaction, kind, key, by=by, reason=reason)
    console.print(str(change), markup=False, soft_wrap=True)
