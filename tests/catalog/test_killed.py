"""A process that is killed at any moment, and started again, ends as one that was left alone."""

import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sqlalchemy import select

from catalog import (
    BlobStore,
    Catalog,
    clusters,
    decisions,
    digest,
    features,
    holdout,
    images,
    labels,
    models,
    training_sets,
)
from catalog.fingerprint import Fingerprint, fingerprint
from catalog.schema import (
    Answer,
    AnswerState,
    Cluster,
    ClusterMember,
    Decision,
    DecisionKind,
    Desk,
    Image,
    Model,
    Partition,
    Question,
    SiteProject,
    TrainingSet,
    VerifiedLabel,
)
from tests.catalog.processes import SERVED, Clock, run
from tests.catalog.rows import NOON, image

Step = Callable[[Catalog, BlobStore], None]

LABELLED = [f"labelled {n}" for n in range(20)]
NEW = [f"new {n}" for n in range(12)]
SHEETS = [NEW[start : start + 3] for start in range(0, len(NEW), 3)]


def ids(names: list[str]) -> list[str]:
    return [image(name).id for name in names]


def question(sheet: list[str]) -> str:
    return digest("verify", *ids(sheet))


def ingest(catalog: Catalog, blobs: BlobStore) -> None:
    for names in (LABELLED, NEW):
        rows = [image(name) for name in names]
        for row in rows:
            blobs.put(images.image_key(row.id), row.id.encode() * 1000)
        with catalog.begin() as transaction:
            images.record(transaction, rows, [])
            images.set_aside(transaction, [(f"{names[0]}.txt", "not a picture")])


def label_by_manifest(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.begin() as transaction:
        products = [labels.manifest_product(str(n // 2)) for n in range(len(LABELLED))]
        labels.add_products(transaction, products)
        rows = [
            labels.manifest_label(image_id, product, product, "de-DE")
            for image_id, product in zip(ids(LABELLED), products, strict=True)
        ]
        labels.add_labels(transaction, rows)
    judge(catalog)


def judge(catalog: Catalog) -> None:
    with catalog.begin() as transaction:
        waiting = [label.label_id for label in labels.unjudged(transaction)]
        if waiting:
            labels.record_gate_run(
                transaction,
                accepted_ids=waiting[1:],
                quarantined={waiting[0]: ("too fast",)},
                held=False,
                rules=[],
            )


def commit(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.begin() as transaction:
        accepted = labels.accepted(transaction)
        holdout.set_apart(transaction, blobs, accepted, 0.25)
        training_sets.commit(transaction, blobs, accepted)


def cluster(catalog: Catalog, blobs: BlobStore) -> None:
    with catalog.begin() as transaction:
        first = transaction.get_one(TrainingSet, 1)
        model = Model(id=digest("model"), training_set=1, location="m", config={}, metrics={})
        models.record_model(transaction, model)
        assert first.n_images
    vectors = np.eye(len(NEW), 4, dtype=np.float32)
    file = features.write(blobs, model.id, ids(NEW), vectors)
    partition = Partition(
        id=clusters.partition_id(model.id, "de-DE", ids(NEW)),
        model_id=model.id,
        locale="de-DE",
        n_images=len(NEW),
        n_clusters=len(SHEETS),
    )
    found = [
        Cluster(
            id=digest("cluster", *ids(sheet)),
            partition_id=partition.id,
            locale="de-DE",
            size=len(sheet),
            purity=0.9,
            peak_id=ids(sheet)[0],
        )
        for sheet in SHEETS
    ]
    members = [
        ClusterMember(cluster_id=each.id, image_id=image_id, membership=0.9)
        for each, sheet in zip(found, SHEETS, strict=True)
        for image_id in ids(sheet)
    ]
    with catalog.begin() as transaction:
        clusters.record_features(transaction, file, ids(NEW))
    with catalog.begin() as transaction:
        clusters.record_partition(transaction, partition, found, members)


def ask(catalog: Catalog, blobs: BlobStore) -> None:
    asked = [
        Question(
            id=question(sheet),
            kind="verify",
            locale="de-DE",
            site="local",
            cluster_id=digest("cluster", *ids(sheet)),
            image_ids=ids(sheet),
        )
        for sheet in SHEETS
    ]
    with catalog.begin() as transaction:
        decisions.add_questions(transaction, asked)
    for sheet in SHEETS:
        for image_id in ids(sheet):
            blobs.share(images.image_key(image_id), f"sites/local/{image_id}")
    project = {"site": "local", "locale": "de-DE", "kind": "verify", "desk": Desk.CROWD}
    with catalog.begin() as transaction:
        decisions.record_project(transaction, SiteProject(**project, project_id=1))
        waiting = decisions.to_push(transaction, "local", "de-DE", "verify")
        decisions.record_tasks(
            transaction, Desk.CROWD, 1, {each.id: n for n, each in enumerate(waiting)}
        )


def answer(catalog: Catalog, blobs: BlobStore) -> None:
    given = [
        Answer(
            id=digest("answer", question(sheet)),
            question_id=question(sheet),
            annotation="1",
            revision=0,
            annotator="ann@example.com",
            state=AnswerState.GIVEN,
            verdict="confirm",
            intruder_ids=[],
            name="Milk",
            flags=[],
            seconds=10.0,
            answered_at=NOON,
        )
        for sheet in SHEETS
    ]
    with catalog.begin() as transaction:
        decisions.add_answers(transaction, given)
        decisions.record_pull(transaction, "local", 1, NOON)


def decide(catalog: Catalog, blobs: BlobStore) -> None:
    for sheet in SHEETS:
        with catalog.begin() as transaction:
            decision = Decision(
                id=digest("decision", question(sheet)),
                question_id=question(sheet),
                supersedes_id=None,
                kind=DecisionKind.SAME,
                name="Milk",
                groups=[ids(sheet)],
                removed_ids=[],
                memberships=[1.0] * len(sheet),
                answer_ids=[digest("answer", question(sheet))],
                annotators=["ann@example.com"],
                agreement=1.0,
                confidence=1.0,
                seconds=10.0,
            )
            decisions.add_decisions(transaction, [decision])


def relabel(catalog: Catalog, blobs: BlobStore) -> None:
    product = digest("product", "milk")
    with catalog.begin() as transaction:
        labels.add_products(transaction, [product])
        labels.add_labels(
            transaction,
            [
                VerifiedLabel(
                    id=digest("label", image_id),
                    image_id=image_id,
                    product_id=product,
                    name="Milk",
                    locale="de-DE",
                    origin="decision",
                    decision_id=digest("decision", question(sheet)),
                    annotators=["ann@example.com"],
                    agreement=1.0,
                    seconds=3.0,
                )
                for sheet in SHEETS
                for image_id in ids(sheet)
            ],
        )
    judge(catalog)
    commit(catalog, blobs)


STEPS: list[Step] = [
    *(ingest, label_by_manifest, commit, cluster, ask, answer, decide, relabel),
]


def work(url: str, blobs: str, killed_in: int | None, kill_at: int, told: Connection) -> None:
    """Open the catalogue and take all steps; tell how many calls each took, or be killed in one."""
    counts = []
    catalog, store = None, BlobStore(blobs)
    for number in range(len(STEPS) + 1):
        with Clock(kill_at if number == killed_in else None) as clock:
            if catalog is None:
                catalog = Catalog(url)
            else:
                STEPS[number - 1](catalog, store)
        counts.append(clock.calls)
    told.send(counts)


def content(url: str, blobs: str) -> tuple[list[Fingerprint], dict[str, bytes]]:
    store = BlobStore(blobs)
    with Catalog(url).read() as transaction:
        assert transaction.scalars(select(Image.id)).first()
        return fingerprint(transaction), {key: store.get(key) for key in store.every_key()}


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_in_every_kind_of_write_changes_nothing(
    seed: int, new_database: Callable[[], str], tmp_path: Path
) -> None:
    chance = Random(seed)
    told, tell = SERVED.Pipe(duplex=False)
    alone = new_database(), f"file://{tmp_path / 'alone'}"
    assert run(work, *alone, None, 0, tell) == 0
    counts = told.recv()
    disturbed = new_database(), f"file://{tmp_path / 'disturbed'}"
    for step, n_calls in enumerate(counts):
        assert run(work, *disturbed, step, chance.randint(1, n_calls), tell) == -signal.SIGKILL
    assert run(work, *disturbed, None, 0, tell) == 0
    assert content(*disturbed) == content(*alone)
