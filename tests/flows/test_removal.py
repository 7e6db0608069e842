"""An image that must go is gone from everywhere, and its history says why."""

import signal
import time
from collections.abc import Sequence

import numpy as np
import pytest

from annotation import SitePictures
from annotation.questions import merge_question
from catalog import clusters, decisions, digest, features, images, labels, models, training_sets
from catalog.schema import Erasure, Model, Removal, SetAside
from deployments.sample import Sample
from flows.annotate import annotate
from flows.collect import collect
from flows.ingest import ingest
from flows.reconcile import reconcile
from flows.remove import remove
from tasks.artifacts import publish
from tests.flows.conftest import Workspace
from tests.flows.test_decisions import run

PATIENCE_S = 120.0


@pytest.fixture
def asked(workspace: Workspace, sample: Sample) -> str:
    """An image that is labelled, in a training set, in a model, and before the annotators."""
    ingest(str(sample.labelled))
    training_set = collect().training_set
    assert training_set is not None
    blobs = workspace.settings.blob_store
    rows = training_sets.read(blobs, training_set)
    [image_id, *others] = [row.image_id for row in rows if row.locale == "en-US"]
    with workspace.settings.catalog.begin() as transaction:
        known = labels.galleries(transaction, 12, "en-US")
        product = next(key for key, shown in known.items() if image_id in shown)
        other = next(key for key in known if key != product)
        question = merge_question(
            known[product], known[other], about=[product, other], locale="en-US"
        )
        question.site = "local"
        decisions.add_questions(transaction, [question])
        model = Model(
            id=digest("a model"),
            training_set=training_set.version,
            location="models/none",
            config={},
            metrics={},
        )
        models.record_model(transaction, model)
    ids = [image_id, *others]
    file = features.write(blobs, model.id, ids, np.ones((len(ids), 4), dtype=np.float32))
    with workspace.settings.catalog.begin() as transaction:
        clusters.record_features(transaction, file, ids)
    annotate()
    publish("clusters", "Candidate clusters", "with pictures")
    return image_id


def tasks_on_site(workspace: Workspace) -> int:
    return sum(project.task_number or 0 for project in workspace.label_studio.projects.list())


def kept_of(workspace: Workspace, image_id: str) -> list[str]:
    """The keys under which a picture of the image is kept."""
    shown = SitePictures("local", workspace.settings.blob_store)
    keys = [images.image_key(image_id), images.preview_key(image_id), shown._key(image_id)]
    return [key for key in keys if workspace.settings.blob_store.exists(key)]


def vectors(workspace: Workspace, image_ids: Sequence[str]) -> np.ndarray:
    with workspace.settings.catalog.begin() as transaction:
        places = clusters.features_of(transaction, digest("a model"), image_ids)
    return features.read(workspace.settings.blob_store, image_ids, places)


def kill_once_asked(workspace: Workspace, *arguments: str) -> None:
    """Start a removal and send SIGKILL when its first row appears."""
    process = workspace.start(*arguments)
    deadline = time.monotonic() + PATIENCE_S
    while not is_asked(workspace):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def is_asked(workspace: Workspace) -> bool:
    with workspace.settings.catalog.begin() as transaction:
        return transaction.query(Removal).count() > 0


def test_it_goes_from_everywhere_though_the_first_try_was_killed(
    workspace: Workspace, sample: Sample, asked: str
) -> None:
    blobs = workspace.settings.blob_store
    with workspace.settings.catalog.begin() as transaction:
        [first] = training_sets.versions(transaction)
    before = training_sets.read(blobs, first)
    neighbour = next(
        row.image_id for row in before if row.locale == "en-US" and row.image_id != asked
    )
    assert len(kept_of(workspace, asked)) == 3
    assert tasks_on_site(workspace) == 1
    command = ("remove", asked[:20], "--by", "lead", "--reason", "a face is on it")

    kill_once_asked(workspace, *command)
    printed = run(workspace, *command)

    assert f"{asked} is removed" in printed
    assert f"models that have learnt from it: {digest('a model')}" in printed
    assert kept_of(workspace, asked) == []
    assert tasks_on_site(workspace) == 0
    assert not vectors(workspace, [asked]).any()
    assert vectors(workspace, [neighbour]).all()
    with workspace.settings.catalog.begin() as transaction:
        assert transaction.get(Erasure, asked) is not None
        assert asked not in {row.image_id for row in labels.accepted(transaction)}
        versions = training_sets.versions(transaction)
    second = training_sets.read(blobs, versions[-1])
    assert {row.image_id for row in before} - {row.image_id for row in second} == {asked}
    assert training_sets.read(blobs, versions[0]) == before
    training_sets.verify(blobs, versions[0])

    # The same again, and everything that the loop does by itself, brings nothing of it back.
    after = workspace.fingerprint()
    [same] = remove([asked], by="somebody else", reason="another")
    assert (same.removal.by, same.removal.versions) == ("lead", [first.version])
    annotate()
    reconcile()
    assert tasks_on_site(workspace) == 0
    assert workspace.fingerprint() == after
    again = ingest(str(sample.labelled))
    assert (again.n_new, len(again.set_aside)) == (0, 1)
    assert kept_of(workspace, asked) == []
    with workspace.settings.catalog.begin() as transaction:
        [refused] = transaction.query(SetAside)
        assert "removed on" in refused.reason
        assert "a face is on it" in refused.reason
