"""`groundtruth dataset`: the training set's versions, what changed, exports, and lineage."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.tree import Tree

from catalog import training_sets
from catalog.changes import Change, ChangeKind, changes, per_locale, per_product
from catalog.holdout import holdout
from catalog.labels import LabelRow
from catalog.lineage import (
    AnswerStep,
    DecisionStep,
    LabelStep,
    Lineage,
    ModelStep,
    QuestionStep,
    lineage,
)
from catalog.models import learnt_from
from catalog.schema import TrainingSet
from tasks.settings import load_settings

HEAD = 20
FIGURES = tuple(ChangeKind)

app = typer.Typer(no_args_is_help=True, help="The training set: versions, exports, lineage.")
console = Console()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a machine.")]
Version = Annotated[int | None, typer.Argument(help="Number of the version; none: the newest.")]


@app.command("list")
def list_versions(as_json: AsJson = False) -> None:
    """List every version, the newest last."""
    with load_settings().catalog.begin() as transaction:
        found = training_sets.versions(transaction)
    if as_json:
        _print_json([_facts(version) for version in found])
        return
    table = Table("version", "parent", "committed", "images", "products", "locales", "digest")
    for version in found:
        table.add_row(
            str(version.version),
            str(version.parent or ""),
            f"{version.committed_at:%Y-%m-%d %H:%M}",
            f"{version.n_images:,}",
            f"{version.n_products:,}",
            escape(", ".join(version.per_locale)),
            version.digest[:16],
        )
    console.print(table)


@app.command()
def show(version: Version = None, as_json: AsJson = False) -> None:
    """Show one version: what is in it by locale and product, and what has learnt from it."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        found = training_sets.version(transaction, version)
        apart = holdout(transaction)
        models = [model.id for model in learnt_from(transaction, [found.version])]
    images: Counter[str] = Counter()
    names: dict[str, dict[str, str]] = {}
    for label in training_sets.rows(settings.blob_store, found):
        images[label.product_id or ""] += 1
        names.setdefault(label.product_id or "", {})[label.locale] = label.name or ""
    facts = {
        **_facts(found),
        "kept_out_for_the_holdout": {
            "images": len(apart),
            "products": len(set(apart.values())),
        },
        "models": models,
    }
    if as_json:
        products = [
            {"product_id": product, "names": names[product], "images": count}
            for product, count in images.most_common()
        ]
        _print_json({**facts, "products": products})
        return
    table = Table("", "", title=f"training set version {found.version}", show_header=False)
    for key, value in facts.items():
        table.add_row(key.replace("_", " "), escape(_in_words(value)))
    console.print(table)
    largest = Table("product", "name", "images", title=f"the {HEAD} largest products")
    for product, count in images.most_common(HEAD):
        largest.add_row(product[:12], escape(" / ".join(names[product].values())), str(count))
    console.print(largest)


@app.command()
def diff(
    before: Annotated[int, typer.Argument(help="The earlier version.")],
    after: Annotated[int, typer.Argument(help="The later one.")],
    as_json: AsJson = False,
) -> None:
    """Show what one version has that another has not, and which labels were superseded."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        versions = [training_sets.version(transaction, number) for number in (before, after)]
    found = list(
        changes(*(training_sets.rows(settings.blob_store, version) for version in versions))
    )
    if as_json:
        _print_json(
            {
                "before": _facts(versions[0]),
                "after": _facts(versions[1]),
                "per_locale": per_locale(found),
                "per_product": per_product(found),
                "changes": [{"kind": change.kind, **asdict(change)} for change in found],
            }
        )
        return
    total = Counter(change.kind for change in found)
    figures = ", ".join(f"{total[kind]} {kind}" for kind in FIGURES)
    console.print(f"from version {before} to {after}: {figures}", soft_wrap=True)
    console.print(_counts("changes by locale", "locale", per_locale(found).items()))
    products = sorted(per_product(found).items(), key=lambda each: -each[1].total())
    console.print(_counts(f"the {HEAD} products that changed most", "product", products[:HEAD]))
    corrected = Table("image", "locale", "was", "is", title=f"the first {HEAD} relabelled")
    relabelled = (change for change in found if change.kind == ChangeKind.RELABELLED)
    for change in islice(relabelled, HEAD):
        corrected.add_row(change.image_id[:12], change.locale, *_was_and_is(change))
    console.print(corrected)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to; it must be empty or not be there.")],
    version: Annotated[int | None, typer.Option(help="Number of the version.")] = None,
    layout: Annotated[
        str, typer.Option(help="parquet, imagefolder, webdataset or huggingface.")
    ] = "parquet",
) -> None:
    """Write a version, the newest if none is named, as a folder that other tools read."""
    from catalog import exports

    settings = load_settings()
    with settings.catalog.begin() as transaction:
        found = training_sets.version(transaction, version)
    with _progress("Exporting", found.n_images) as advance:
        stamp = exports.export(
            settings.catalog,
            settings.blob_store,
            found,
            folder,
            layout,
            settings.dataset,
            on_image=advance,
        )
    left_out = f", {stamp.n_removed} removed images left out" if stamp.n_removed else ""
    console.print(
        f"version {stamp.version} as {layout} in {folder}{left_out}; digest {stamp.digest}",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def verify(
    what: Annotated[
        str | None,
        typer.Argument(help="The number of a version, or the folder of an export; none: newest."),
    ] = None,
) -> None:
    """Compute a version's digest again, from what is kept of it or from an export."""
    from catalog import exports

    settings = load_settings()
    if what is not None and not what.isdecimal():
        read = exports.read_back(Path(what))
        console.print(
            f"{what} holds version {read.stamp.version}: {read.n_images} images, {read.n_bytes:,}"
            f" bytes, {read.stamp.n_removed} removed; digest {read.digest}, as exported",
            markup=False,
            soft_wrap=True,
        )
        return
    with settings.catalog.begin() as transaction:
        found = training_sets.version(transaction, int(what) if what is not None else None)
    training_sets.verify(settings.blob_store, found)
    console.print(f"version {found.version}: digest {found.digest}, as committed", soft_wrap=True)


@app.command("lineage")
def show_lineage(
    image: Annotated[
        str, typer.Argument(help="Identity, enough of its beginning, or where it was found.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what an image has been through, from its bytes to the models that learnt from it."""
    settings = load_settings()
    found = lineage(settings.catalog, settings.blob_store, image)
    if as_json:
        _print_json(found)
        return
    console.print(tree(found))


def tree(found: Lineage) -> Tree:
    """The lineage as a tree for the terminal."""
    root = Tree(
        f"[bold]image[/] {found.image_id}\n{found.media_type}, {found.width} x {found.height},"
        f" {found.n_bytes:,} bytes, {escape(found.locale)}, ingested {found.ingested_at:%Y-%m-%d}"
    )
    if found.removal is not None:
        removal = found.removal
        root.add(
            f"[bold red]removed[/] on {removal.requested_at:%Y-%m-%d} by {escape(removal.by)}:"
            f" {escape(removal.reason)}"
        )
    sources = root.add("[bold]found at[/]")
    for source in found.sources:
        origin = f" ({escape(source.source)})" if source.source else ""
        sources.add(f"{escape(source.uri)}{origin}")
    for label in found.labels:
        _add_label(root, label)
    for decision in found.other_decisions:
        _add_decision(root, decision)
    for question in found.open:
        _add_question(root, question)
    if found.holdout_product is not None:
        root.add(f"[bold]holdout[/] kept apart as product {found.holdout_product[:12]}")
    for version in found.versions:
        held = root.add(
            f"[bold]training set version {version.version}[/] as {_product(version)},"
            f" digest {version.digest[:12]}"
        )
        for model in found.models:
            if model.training_set == version.version:
                held.add(_model(model))
    holding = {version.version for version in found.versions}
    for model in found.models:
        if model.training_set not in holding:
            root.add(_model(model))
    return root


def _model(model: ModelStep) -> str:
    started = f", started from {model.started_from[:12]}" if model.started_from else ""
    promoted = ", promoted" if model.promoted else ""
    return (
        f"[bold]model[/] {model.model_id[:12]}, trained on training set version"
        f" {model.training_set}{started}{promoted}"
    )


def _add_label(parent: Tree, label: LabelStep) -> None:
    state = "withdrawn" if label.withdrawn else "stands"
    if label.superseded_by is not None:
        state = f"superseded by {label.superseded_by[:12]}"
    branch = parent.add(
        f"[bold]label[/] {label.label_id[:12]} {_product(label)}, by {label.origin},"
        f" {label.labelled_at:%Y-%m-%d %H:%M}: {state}"
    )
    if label.gate is not None:
        against = "; ".join(label.gate.reasons)
        said = "accepted" if label.gate.accepted else f"quarantined: {escape(against)}"
        branch.add(f"[bold]gate[/] {label.gate.gate_run_id[:12]} {said}")
    if label.decision is not None:
        _add_decision(branch, label.decision)


def _add_decision(parent: Tree, decision: DecisionStep) -> None:
    later = f", superseded by {decision.superseded_by[:12]}" if decision.superseded_by else ""
    why = f", {escape(decision.reason)}" if decision.reason else ""
    if decision.accepted_from is not None:
        why += f", accepted from model {decision.accepted_from[:12]} without asking"
    branch = parent.add(
        f"[bold]decision[/] {decision.decision_id[:12]} {decision.kind},"
        f" {decision.confidence:.0%} sure, {decision.decided_at:%Y-%m-%d %H:%M}{why}{later}"
    )
    _add_question(branch, decision.question)


def _add_question(parent: Tree, question: QuestionStep) -> None:
    branch = parent.add(
        f"[bold]question[/] {question.question_id[:12]} {question.kind} in {question.locale} at"
        f" {escape(question.site)}, {question.n_images} pictures"
    )
    for answer in question.answers:
        branch.add(_answer(answer))
    if question.cluster is not None:
        cluster = question.cluster
        branch.add(
            f"[bold]cluster[/] {cluster.cluster_id[:12]}, {cluster.size} images, purity"
            f" {cluster.purity:.2f}"
        ).add(
            f"[bold]model[/] {cluster.model_id[:12]}, trained on training set version"
            f" {cluster.training_set}"
        )


def _answer(answer: AnswerStep) -> str:
    seconds = f", {answer.seconds:.1f} s" if answer.seconds is not None else ""
    named = f' "{escape(answer.name)}"' if answer.name else ""
    ticked = ", the image ticked as an intruder" if answer.image_is_intruder else ""
    revision = f", revision {answer.revision}" if answer.revision else ""
    return (
        f"[bold]answer[/] {escape(answer.annotator)}: {answer.verdict or answer.state}{named}"
        f"{ticked}{seconds}{revision}"
    )


def _product(label: Any) -> str:
    name = f' "{escape(label.name)}"' if label.name else ""
    return f"product {(label.product_id or 'none')[:12]}{name}"


def _was_and_is(change: Change) -> Iterator[str]:
    for label in (change.before, change.after):
        assert isinstance(label, LabelRow)
        yield _product(label)


def _counts(title: str, what: str, rows: Iterable[tuple[str, Mapping[ChangeKind, int]]]) -> Table:
    table = Table(Column(what, no_wrap=True), *FIGURES, title=title)
    for key, counted in rows:
        table.add_row(escape(key), *(str(counted.get(kind, 0)) for kind in FIGURES))
    return table


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, list):
        return "\n".join(value) or "none"
    return "none" if value is None else str(value)


def _facts(version: TrainingSet) -> dict[str, Any]:
    return {
        "version": version.version,
        "parent": version.parent,
        "digest": version.digest,
        "committed_at": version.committed_at.isoformat(),
        "images": version.n_images,
        "products": version.n_products,
        "per_locale": version.per_locale,
    }


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def _print_json(value: Any) -> None:
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    print(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
