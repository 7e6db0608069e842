"""`groundtruth`: the command line of the operator."""

import os
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from annotation import SiteError, WordingError
from catalog.errors import BackupError, CatalogueUnreachable, DiskFull, StoreUnreachable
from catalog.exports import ExportError
from catalog.holdout import TooFewLabels
from catalog.images import NoSuchImage
from catalog.manifest import ManifestError
from catalog.models import ChampionChanged, NoSuchModel
from catalog.training_sets import EarlierDigest, NoSuchVersion, VersionDamaged
from clustering.errors import BackboneError, MissingExtra
from deployments import backup, dataset, gate, models, removal, stack
from deployments.acceptance import app as acceptance
from deployments.certify import app as certify
from deployments.demo import DemoFailed
from deployments.doctor.command import app as doctor
from deployments.documents import app as documents
from deployments.foresight import app as foresight
from deployments.invoices import app as invoices
from deployments.metrics import app as metrics
from deployments.notifications import app as notifications
from deployments.orchestration import prefect_server
from deployments.plan import app as plan
from deployments.review import app as review
from deployments.sample_year import app as sample_year
from deployments.service import StackError
from deployments.statistics import app as statistics
from deployments.survey import app as survey
from deployments.workforce import app as workforce
from tasks.errors import (
    NoChampion,
    NoSite,
    NoSuchDecision,
    NoSuchLabel,
    NoSuchSettlement,
    SettingsError,
    TooManyPictures,
)
from tasks.settings import load_settings
from tasks.summary import SUMMARY_VARIABLE
from workforce.errors import WorkforceError

# What a person can put right; each says how. Anything else is a defect and shows its traceback.
MENDABLE = (
    BackboneError,
    BackupError,
    CatalogueUnreachable,
    ChampionChanged,
    DemoFailed,
    DiskFull,
    EarlierDigest,
    ExportError,
    ManifestError,
    MissingExtra,
    NoChampion,
    NoSite,
    NoSuchDecision,
    NoSuchImage,
    NoSuchLabel,
    NoSuchModel,
    NoSuchSettlement,
    NoSuchVersion,
    SettingsError,
    SiteError,
    StackError,
    StoreUnreachable,
    TooFewLabels,
    TooManyPictures,
    VersionDamaged,
    WordingError,
    WorkforceError,
)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
app.add_typer(dataset.app, name="dataset")
app.add_typer(removal.app)
app.add_typer(models.app, name="models")
app.add_typer(survey)
app.add_typer(backup.app)
app.add_typer(gate.app)
app.add_typer(workforce, name="workforce")
app.add_typer(invoices, name="invoice")
app.add_typer(metrics, name="metrics")
app.add_typer(acceptance)
app.add_typer(certify)
app.add_typer(plan)
app.add_typer(notifications)
app.add_typer(sample_year)
app.add_typer(review)
app.add_typer(foresight)
app.add_typer(documents, name="document")
app.add_typer(statistics, name="statistics")
app.add_typer(doctor)
console = Console()

Source = Annotated[
    str | None,
    typer.Argument(help="A folder of pictures, a manifest, or a URL of either; none: the inbox."),
]
Locale = Annotated[
    str | None, typer.Option(help="The locale of a folder's pictures, for example de-DE.")
]


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be pushed and cost; change nothing.")
]

# Exit statuses, beside 0: done, and 2: the command was not understood. docs/orchestration.md
FAILED = 1
HELD = 3


def main() -> None:
    """Run the command line; what a person can mend is printed without a traceback."""
    try:
        app()
    except MENDABLE as error:
        console.print(f"[bold red]groundtruth:[/] {escape(str(error))}", soft_wrap=True)
        raise SystemExit(FAILED) from None


@app.callback()
def everywhere(
    summary: Annotated[
        Path | None,
        typer.Option(
            envvar=SUMMARY_VARIABLE,
            help="Write what the flow of the command came to as JSON into this file.",
        ),
    ] = None,
) -> None:
    """Product photos in; a verified training set and a better model out."""
    if summary is not None:
        os.environ[SUMMARY_VARIABLE] = str(summary.absolute())


@app.command()
def up() -> None:
    """Start Prefect, the Label Studios, the worker and the rest, and wait until all answer."""
    show_status(stack.up(load_settings(), on_progress=console.print))


@app.command()
def down() -> None:
    """Stop every server that `up` started."""
    stack.down(load_settings(), on_progress=console.print)


@app.command()
def status() -> None:
    """Say which servers run and answer; exit status 1 when one does not."""
    found = stack.status(load_settings())
    show_status(found)
    raise typer.Exit(0 if found.healthy else 1)


@app.command()
def logs(
    server: Annotated[str | None, typer.Argument(help="For example worker; none: each")] = None,
    lines: Annotated[int, typer.Option(help="How many lines of each")] = 30,
) -> None:
    """Print the end of the servers' logs."""
    print(stack.logs(load_settings(), server, lines))


@app.command()
def sites() -> None:
    """Try the connection to every site; exit status 1 when one fails."""
    from tasks.sites import try_site

    settings = load_settings()
    table = Table(
        Column("site", no_wrap=True),
        Column("address", no_wrap=True),
        "version",
        Column("login", overflow="fold"),
        "locales",
        "state",
    )
    with prefect_server(settings):
        tried = [try_site(name) for name in settings.annotate.sites]
    for site in tried:
        state = "[green]answers[/]" if site.problem is None else "[red]fails[/]"
        locales = ", ".join(site.locales) if site.locales or not site.url else "all"
        cells = (site.name, site.url, site.version, site.login, locales)
        table.add_row(*map(escape, cells), state)
    console.print(table)
    for problem in [site.problem for site in tried if site.problem is not None]:
        console.print(f"[bold red]groundtruth:[/] {escape(problem)}", soft_wrap=True)
    raise typer.Exit(1 if any(site.problem is not None for site in tried) else 0)


@app.command()
def run(
    source: Source = None,
    locale: Locale = None,
    labelled: Annotated[
        str | None,
        typer.Option(help="Manifest (uri, locale, product) that the first model learns from."),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(help="Manifest of the truth: simulated people answer in place of people."),
    ] = None,
    error_rate: Annotated[
        list[float], typer.Option(help="A simulated annotator's chance of a slip, per picture.")
    ] = [0.02],  # noqa: B006
    dry_run: DryRun = False,
) -> None:
    """Run the whole loop once: ingest, cluster, annotate, collect, retrain; 3: the gate holds."""
    if dry_run:
        from deployments.dry_run import show_push, show_source

        for each in (labelled, source) if labelled is not None else (source,):
            show_source(load_settings(), each, locale if each == source else None)
        show_push(load_settings())
        return
    from flows.groundtruth import groundtruth
    from tasks.simulate import SimulatedPeople

    simulated = SimulatedPeople(truth=truth, error_rates=tuple(error_rate)) if truth else None
    with prefect_server(load_settings()):
        turned = groundtruth(source, locale, labelled, simulated)
    show_summary()
    raise typer.Exit(HELD if turned.held else 0)


@app.command()
def ingest(source: Source = None, locale: Locale = None) -> None:
    """Bring new pictures into the catalogue."""
    from flows.ingest import ingest

    with prefect_server(load_settings()):
        ingest(source, locale)


@app.command()
def cluster() -> None:
    """Form candidate clusters of the images that wait for a label."""
    from flows.cluster import cluster

    with prefect_server(load_settings()):
        cluster()


@app.command()
def annotate(dry_run: DryRun = False) -> None:
    """Put the questions about new clusters on the site."""
    if dry_run:
        from deployments.dry_run import show_push

        show_push(load_settings())
        return
    from flows.annotate import annotate

    with prefect_server(load_settings()):
        annotate()


@app.command()
def collect() -> None:
    """Read the answers, pass the gate, commit a training set version; 3: the gate holds."""
    from flows.collect import collect

    with prefect_server(load_settings()):
        collected = collect()
    raise typer.Exit(HELD if collected.held else 0)


@app.command()
def retrain() -> None:
    """Train a challenger and promote it when it is better."""
    from flows.retrain import retrain

    with prefect_server(load_settings()):
        retrain()


@app.command()
def reconcile() -> None:
    """Compare every site with the catalogue, mend what drifted, and say what it was."""
    from flows.reconcile import reconcile

    with prefect_server(load_settings()):
        mended = reconcile()
    for place, found in mended.items():
        console.print(f"{place}: {found}", markup=False)


@app.command()
def annotators() -> None:
    """Show how each annotator does, what to look into, and how fast each vendor is."""
    from tasks.annotators import ALPHAS, HEADER, annotators, cells
    from tasks.pace import PACE, pace, pace_cells

    found = annotators()
    table = Table(*HEADER, title="annotators")
    for record in found.records:
        table.add_row(*map(escape, cells(record)))
    console.print(table)
    alphas = Table(*ALPHAS, title="Krippendorff's alpha")
    for locale in found.verdicts:
        alphas.add_row(locale, str(found.verdicts[locale]), str(found.pictures[locale]))
    console.print(alphas)
    seconds = Table(*PACE, title="pace, with 95 % intervals")
    for line in pace_cells(pace()):
        seconds.add_row(*map(escape, line))
    console.print(seconds)


@app.command()
def decisions(
    image: Annotated[
        str | None, typer.Option(help="Only those about this image, by its identity.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only about questions of this kind: merge, for example.")
    ] = None,
    newest: Annotated[int, typer.Option(help="How many of the newest.")] = 30,
) -> None:
    """List the decisions that stand, the newest first."""
    from tasks.log import decided

    columns = ("when", "locale", "asked", "decided", "name", "images", "sure", "by")
    table = Table(Column("decision", no_wrap=True), *columns)
    for line in decided(image, kind)[:newest]:
        table.add_row(*map(escape, line))
    console.print(table)


@app.command()
def undo(
    decision: Annotated[str, typer.Argument(help="As `groundtruth decisions` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    by: Annotated[str, typer.Option(default_factory=getuser, help="Who undoes it.")],
) -> None:
    """Take a decision back, and all that followed from it."""
    from flows.undo import undo

    with prefect_server(load_settings()):
        undo(decision, by, reason)
    show_summary()


@app.command()
def summary(
    truth: Annotated[
        str | None, typer.Option(help="Manifest of the truth, to score the clusters against.")
    ] = None,
) -> None:
    """Count images, questions, answers and labels, and show the models."""
    show_summary()
    if truth is not None:
        show_scores(truth)


@app.command()
def demo(
    people: Annotated[bool, typer.Option(help="Leave the questions to you.")] = False,
) -> None:
    """Run two rounds of the loop on pictures that the project makes."""
    from deployments.demo import demo

    settings = load_settings()
    servers = demo(settings, people=people, console=console)
    show_summary()
    if not people:
        show_scores(str(settings.data / "sample" / "truth.csv"))
    show_status(servers)
    if people:
        console.print(
            "The questions wait in Label Studio. When you have answered some, run `groundtruth"
            " collect` and `groundtruth retrain`, or wait for their schedules."
        )


@app.command()
def fingerprint() -> None:
    """Digest every table of the catalogue, to compare two catalogues line by line."""
    from catalog.fingerprint import fingerprint

    with load_settings().catalog.begin() as transaction:
        for each in fingerprint(transaction):
            print(f"{each.table:<20}{each.n_rows:>9}  {each.digest}")


def show_status(found: stack.StackStatus) -> None:
    table = Table(
        Column("server", no_wrap=True),
        Column("address", no_wrap=True),
        "state",
        Column("log", overflow="fold"),
    )
    for server in found.servers:
        state = "[green]healthy[/]" if server.healthy else "[red]not running[/]"
        table.add_row(server.name, server.url or "", state, str(server.log))
    console.print(table)
    for login in found.logins:
        console.print(
            f"Label Studio {login.site}: {login.url}  login: {login.email}  password: "
            f"{login.password}  (its annotators' logins: {login.file})",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def show_scores(manifest: str) -> None:
    from tasks.scoring import score_rounds
    from tasks.simulate import read_truth

    scores = score_rounds({image: name for image, (_, name) in read_truth(manifest).items()})
    table = Table("round", "images", "clusters", "pairwise F", "BCubed F", "NMI")
    table.title = "candidate clusters against the truth"
    for score in scores:
        table.add_row(
            str(score.round),
            str(score.n_images),
            str(score.n_clusters),
            f"{score.pairwise_f:.3f}",
            f"{score.bcubed_f:.3f}",
            f"{score.nmi:.3f}",
        )
    console.print(table)


def show_summary() -> None:
    from catalog.summary import summarise

    with load_settings().catalog.begin() as transaction:
        found = summarise(transaction)
    table = Table("", "", title="groundtruth", show_header=False)
    rows: tuple[tuple[str, object], ...] = (
        ("rounds", found.rounds),
        ("images", found.images),
        ("set aside", found.set_aside),
        ("candidate clusters", found.clusters),
        ("questions", found.questions),
        ("answers", found.answers),
        ("human seconds", f"{found.human_seconds:.0f}"),
        ("labels accepted", found.labels_accepted),
        ("labels quarantined", found.labels_quarantined),
        ("training set versions", found.training_sets),
    )
    for name, value in rows:
        table.add_row(name, str(value))
    console.print(table)
    compared = Table("model", "training set", "BCubed F", "pairwise F", "outcome", title="models")
    for model in found.models:
        compared.add_row(
            model.model_id[:8],
            str(model.training_set),
            f"{model.bcubed_f:.3f}",
            f"{model.pairwise_f:.3f}",
            "promoted" if model.promoted else "kept as challenger",
        )
    console.print(compared)
