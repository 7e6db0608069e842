"""Every label leads back to the bytes behind it, and on to what has learnt from it."""

import datetime as dt
from dataclasses import asdict

import pytest
from sqlalchemy import Engine, event

from catalog import labels, removals, settlements, training_sets
from catalog.images import NoSuchImage
from catalog.lineage import GateStep, Lineage, lineage
from catalog.schema import DecisionKind, ImageSource, Model, SettlementKind, TrainingSet
from tests.catalog.rows import NOON, Bench


def commit(bench: Bench) -> TrainingSet:
    with bench.catalog.begin() as transaction:
        unjudged = labels.unjudged(transaction)
        labels.record_gate_run(
            transaction,
            accepted_ids=[row.label_id for row in unjudged],
            quarantined={},
            held=False,
            rules=[],
        )
        return training_sets.commit(transaction, bench.blobs, labels.accepted(transaction))


def of(bench: Bench, name: str) -> Lineage:
    return lineage(bench.catalog, bench.blobs, name)


def test_a_label_leads_to_answers_question_cluster_model_and_image(bench: Bench) -> None:
    a, b, c = bench.ingest("a", "b", "c")
    bench.add(ImageSource(id="s", image_id=a, uri="shelf/a.jpg", locale="de-DE", source="shop"))
    question = bench.ask([a, b, c])
    decision = bench.decide(question, DecisionKind.SAME, kept=[a, b])
    found = of(bench, a)
    assert [source.uri for source in found.sources] == ["shelf/a.jpg"]
    [label] = found.labels
    assert label.decision is not None
    assert label.decision.decision_id == decision.id
    asked = label.decision.question
    assert (asked.question_id, asked.n_images) == (question.id, 3)
    [answer] = asked.answers
    assert (answer.annotator, answer.seconds) == ("ann@example.com", 10.0)
    assert asked.cluster is not None
    assert asked.cluster.cluster_id == question.cluster_id
    assert asked.cluster.training_set == 1


def test_a_correction_shows_what_it_superseded(bench: Bench) -> None:
    [a] = bench.ingest("a")
    bench.label("Milk", [a])
    first = commit(bench)
    with bench.catalog.begin() as transaction:
        [milk] = labels.newest(transaction)
    bench.succeed(milk, name="Oat milk")
    second = commit(bench)
    found = of(bench, a)
    wrong, right = found.labels
    assert (wrong.name, wrong.superseded_by) == ("Milk", right.label_id)
    assert (right.name, right.superseded_by) == ("Oat milk", None)
    assert [(held.version, held.name) for held in found.versions] == [
        (first.version, "Milk"),
        (second.version, "Oat milk"),
    ]


def test_it_names_the_models_that_have_learnt_from_it_and_no_others(bench: Bench) -> None:
    [a] = bench.ingest("a")
    bench.label("Milk", [a])
    first = commit(bench)
    bench.add(
        Model(id="m1", training_set=first.version, location="models/1", config={}, metrics={})
    )
    [b] = bench.ingest("b")
    bench.label("Tea", [b])
    second = commit(bench)
    bench.add(
        Model(id="m2", training_set=second.version, location="models/2", config={}, metrics={})
    )
    assert {model.model_id for model in of(bench, a).models} == {"m1", "m2"}
    assert {model.model_id for model in of(bench, b).models} == {"m2"}


def test_a_model_that_started_from_one_that_learnt_from_it_has_learnt_from_it(
    bench: Bench,
) -> None:
    [a] = bench.ingest("a")
    label = bench.label("Milk", [a])
    first = commit(bench)
    with bench.catalog.begin() as transaction:
        [milk] = labels.newest(transaction)
    bench.succeed(milk, product_id=label, withdrawn=True)
    second = commit(bench)
    assert of(bench, a).versions[-1].version == first.version
    trained = [
        ("m1", first, None),
        ("m2", second, "m1"),
        ("m3", second, "m2"),
        ("m4", second, None),
    ]
    for number, (name, version, start) in enumerate(trained):
        bench.add(
            Model(
                id=name,
                training_set=version.version,
                location=f"models/{name}",
                config={"start": start} if start else {},
                metrics={},
                trained_at=NOON + dt.timedelta(hours=number),
            )
        )
    assert [model.model_id for model in of(bench, a).models] == ["m1", "m2", "m3"]


def test_a_label_whose_release_was_taken_back_shows_the_judgement_before_it(bench: Bench) -> None:
    [a] = bench.ingest("a")
    bench.label("Milk", [a])
    said = {"by": "lead", "reason": "seen"}
    with bench.catalog.begin() as transaction:
        [milk] = labels.newest(transaction)
        release = settlements.settle(transaction, SettlementKind.RELEASE, {milk.id: []}, **said)
        labels.record_gate_run(
            transaction,
            accepted_ids=[],
            quarantined={milk.id: ["blurred"]},
            held=False,
            rules=[],
            releases={milk.id: release.number},
        )
    assert [gate_of(bench, a).accepted, gate_of(bench, a).reasons] == [False, ("blurred",)]
    with bench.catalog.begin() as transaction:
        settlements.settle(transaction, SettlementKind.RETRACT, {}, retracts=release.number, **said)
    assert gate_of(bench, a).accepted


def gate_of(bench: Bench, image_id: str) -> GateStep:
    """The gate's word on the one label of an image."""
    [label] = of(bench, image_id).labels
    assert label.gate is not None
    return label.gate


def test_what_is_decided_or_asked_without_a_label_is_there_too(bench: Bench) -> None:
    a, b, c, d = bench.ingest("a", "b", "c", "d")
    decision = bench.decide(bench.ask([a, b, c]), DecisionKind.SAME, kept=[a, b])
    asked = bench.ask([c, d])
    found = of(bench, c)
    assert found.labels == ()
    assert [each.decision_id for each in found.other_decisions] == [decision.id]
    assert [each.question_id for each in found.open] == [asked.id]


def test_a_removed_image_keeps_its_history(bench: Bench) -> None:
    [a] = bench.ingest("a")
    bench.label("Milk", [a])
    version = commit(bench)
    with bench.catalog.begin() as transaction:
        removals.record(transaction, {a: [version.version]}, by="lead", reason="a face")
    found = of(bench, a)
    assert found.removal is not None
    assert (found.removal.by, found.removal.reason) == ("lead", "a face")
    assert [held.version for held in found.versions] == [1]


def test_an_image_that_nobody_ingested_is_refused(bench: Bench) -> None:
    with pytest.raises(NoSuchImage, match="no images"):
        of(bench, "f" * 64)


def test_a_long_history_takes_no_more_queries_than_a_short_one(bench: Bench) -> None:
    short, long, other = bench.ingest("short", "long", "other")
    bench.decide(bench.ask([short, other]), DecisionKind.SAME, kept=[short])
    for number in range(20):
        [company] = bench.ingest(f"company {number}")
        bench.decide(bench.ask([long, company]), DecisionKind.SAME, kept=[long])

    def n_queries(image_id: str) -> int:
        seen: list[str] = []

        def count(*arguments: object) -> None:
            seen.append(str(arguments[2]))

        event.listen(Engine, "before_cursor_execute", count)
        try:
            of(bench, image_id)
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        return sum(statement.startswith("SELECT") for statement in seen)

    assert n_queries(long) == n_queries(short)
    assert len(of(bench, long).labels) == 20


def test_it_is_plain_data(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    bench.decide(bench.ask([a, b]), DecisionKind.SAME, kept=[a, b])
    assert asdict(of(bench, a))["labels"][0]["decision"]["question"]["site"] == "local"
