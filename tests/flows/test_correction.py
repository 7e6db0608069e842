"""A label that is found wrong is superseded in the next version, never edited."""

from typer.testing import CliRunner

from annotation import name_key
from catalog import BlobStore, Transaction, decisions, digest, images, labels, training_sets
from catalog.changes import ChangeKind, changes
from catalog.lineage import lineage
from catalog.schema import Decision, DecisionKind, Image, Question, TrainingSet
from deployments.cli import app
from tasks.collect import commit_training_set, relabel
from tasks.judge import judge
from tasks.settings import Settings
from tests.catalog.rows import image


def ingest(transaction: Transaction, blobs: BlobStore, *names: str) -> list[Image]:
    """Images whose bytes are their names."""
    rows = [image(name) for name in names]
    for name, row in zip(names, rows, strict=True):
        blobs.put(images.image_key(row.id), name.encode())
    images.record(transaction, rows, [])
    return rows


def list_products(
    transaction: Transaction, blobs: BlobStore, n_products: int, n_images: int
) -> None:
    for number in range(n_products):
        name = f"Product {number}"
        product = labels.manifest_product(name_key(name))
        rows = ingest(transaction, blobs, *(f"{number} {each}" for each in range(n_images)))
        labels.add_products(transaction, [product])
        listed = [labels.manifest_label(row.id, product, name, "de-DE") for row in rows]
        labels.add_labels(transaction, listed)


def decide(
    transaction: Transaction, question: Question, name: str, follows: Decision | None = None
) -> Decision:
    decision = Decision(
        id=digest(question.id, name),
        question_id=question.id,
        supersedes_id=follows.id if follows else None,
        kind=DecisionKind.SAME,
        name=name,
        groups=[list(question.image_ids)],
        removed_ids=[],
        memberships=[0.99] * len(question.image_ids),
        answer_ids=[],
        annotators=["ann"],
        agreement=1.0,
        confidence=0.99,
        seconds=8.0,
    )
    decisions.add_decisions(transaction, [decision])
    return decision


def next_version() -> TrainingSet:
    """What `collect` does after the answers are ruled on."""
    relabel.fn()
    judge.fn()
    committed = commit_training_set.fn()
    assert committed is not None
    return committed


def test_the_next_version_has_it_and_the_first_stays_as_it_was(settings: Settings) -> None:
    with settings.catalog.begin() as transaction:
        list_products(transaction, settings.blob_store, 10, 3)
        shown = ingest(transaction, settings.blob_store, "x", "y")
        question = Question(
            id=digest("sheet"),
            kind="verify",
            locale="de-DE",
            site="local",
            image_ids=[row.id for row in shown],
        )
        decisions.add_questions(transaction, [question])
        wrong = decide(transaction, question, "Schwarzer Tee")
    first = next_version()
    before = training_sets.read(settings.blob_store, first)
    with settings.catalog.begin() as transaction:
        right = decide(transaction, question, "Grüner Tee", follows=wrong)
    second = next_version()

    assert second.parent == first.version
    found = list(changes(before, training_sets.read(settings.blob_store, second)))
    assert {change.image_id for change in found} == set(question.image_ids)
    assert {change.kind for change in found} == {ChangeKind.RELABELLED}
    assert training_sets.read(settings.blob_store, first) == before
    training_sets.verify(settings.blob_store, first)

    told = lineage(settings.catalog, settings.blob_store, question.image_ids[0])
    old, new = told.labels
    assert (old.name, old.superseded_by) == ("Schwarzer Tee", new.label_id)
    assert (new.name, new.superseded_by) == ("Grüner Tee", None)
    assert old.decision is not None
    assert old.decision.superseded_by == right.id
    assert [held.name for held in told.versions] == ["Schwarzer Tee", "Grüner Tee"]

    printed = CliRunner().invoke(app, ["dataset", "diff", "1", "2"], env={"COLUMNS": "200"}).output
    assert "2 relabelled" in printed
    assert "Schwarzer Tee" in printed
    assert "Grüner Tee" in printed
    tree = CliRunner().invoke(app, ["dataset", "lineage", question.image_ids[0][:16]]).output
    assert tree.count("label") >= 2
    assert "superseded by" in tree
