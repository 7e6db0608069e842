"""What must go is asked for once, shown to nobody, and proven to be gone."""

import numpy as np
import pytest

from catalog import clusters, decisions, digest, features, images, labels, removals
from catalog.schema import Desk, ImageSource, Model, Question, TrainingSet
from tests.catalog.rows import Bench


def remove(bench: Bench, *image_ids: str, by: str = "lead", versions: tuple[int, ...] = ()) -> int:
    with bench.catalog.begin() as transaction:
        wanted = {image_id: list(versions) for image_id in image_ids}
        new = removals.record(transaction, wanted, by=by, reason="asked by its owner")
        removals.withdraw_questions(transaction, removals.pending(transaction))
    return new


def compare(bench: Bench, shown: list[str], references: list[str]) -> Question:
    question = Question(
        id=digest("merge", *shown, *references),
        kind="merge",
        locale="de-DE",
        site="local",
        image_ids=shown,
        reference_ids=references,
    )
    with bench.catalog.begin() as transaction:
        decisions.add_questions(transaction, [question])
    return question


def test_an_image_is_removed_once_and_the_first_to_ask_is_named(bench: Bench) -> None:
    [a] = bench.ingest("a")
    assert remove(bench, a) == 1
    assert remove(bench, a, by="somebody else") == 0
    with bench.catalog.begin() as transaction:
        [found] = removals.removals(transaction)
        assert (found.image_id, found.by, found.reason) == (a, "lead", "asked by its owner")
        assert removals.why(found).endswith("these bytes are not taken in again")


def test_the_models_that_have_learnt_from_it_are_kept_with_it(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    model = bench.model()
    remove(bench, a, versions=(1,))
    remove(bench, b)
    with bench.catalog.begin() as transaction:
        found = {row.image_id: row for row in removals.removals(transaction)}
    assert (found[a].versions, found[a].model_ids) == ([1], [model.id])
    assert (found[b].versions, found[b].model_ids) == ([], [])


def test_a_removed_image_does_not_wait(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    remove(bench, a)
    with bench.catalog.begin() as transaction:
        assert images.waiting(transaction, "de-DE") == [b]


def test_a_question_that_shows_it_is_withdrawn_and_its_other_images_wait_again(
    bench: Bench,
) -> None:
    a, b, c, d = bench.ingest("a", "b", "c", "d")
    withdrawn, kept = bench.ask([a, b]), bench.ask([c, d])
    remove(bench, a)
    with bench.catalog.begin() as transaction:
        assert decisions.to_push(transaction, "local", kept.locale, kept.kind) == [kept]
        assert decisions.undecided_questions(transaction) == [kept]
        assert decisions.withdrawn_questions(transaction) == {withdrawn.id}
        assert images.waiting(transaction, "de-DE") == [b]


def test_a_question_that_compares_with_it_is_withdrawn_as_well(bench: Bench) -> None:
    a, b, c = bench.ingest("a", "b", "c")
    withdrawn, kept = compare(bench, [a], [b]), compare(bench, [a], [c])
    remove(bench, b)
    with bench.catalog.begin() as transaction:
        assert decisions.to_push(transaction, "local", kept.locale, kept.kind) == [kept]
        assert decisions.withdrawn_questions(transaction) == {withdrawn.id}


def test_a_task_of_a_withdrawn_question_is_to_be_deleted_and_never_asked_again(
    bench: Bench,
) -> None:
    a, b, c, d = bench.ingest("a", "b", "c", "d")
    withdrawn, kept = bench.ask([a, b]), bench.ask([c, d])
    with bench.catalog.begin() as transaction:
        decisions.record_tasks(transaction, Desk.CROWD, 7, {withdrawn.id: 70, kept.id: 71})
        decisions.record_tasks(transaction, Desk.LEAD, 8, {withdrawn.id: 80})
    remove(bench, a)
    with bench.catalog.begin() as transaction:
        standing = removals.standing_tasks(transaction, [a])
        assert [(task.project_id, task.task_id) for task in standing] == [(7, 70), (8, 80)]
        assert decisions.tasks_of_project(transaction, "local", 7) == {kept.id: 71}


def test_its_label_is_neither_judged_nor_trained_on_nor_shown(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    product = bench.label("Milk", [a, b])
    remove(bench, a)
    with bench.catalog.begin() as transaction:
        assert [row.image_id for row in labels.accepted(transaction)] == [b]
        assert labels.galleries(transaction, 12) == {product: [b]}
        [shown] = [row for row in labels.newest(transaction) if row.image_id == a]
    bench.succeed(shown, name="Oat milk")
    with bench.catalog.begin() as transaction:
        assert labels.unjudged(transaction) == []


def test_it_is_pending_until_it_is_erased(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    remove(bench, a, b)
    with bench.catalog.begin() as transaction:
        assert removals.pending(transaction) == sorted([a, b])
        removals.record_erased(transaction, [a])
        assert removals.pending(transaction) == [b]


def test_its_vector_is_overwritten_and_the_others_keep_their_place(bench: Bench) -> None:
    ids = bench.ingest("a", "b", "c")
    vectors = np.eye(3, 5, dtype=np.float32)
    model = bench.model()
    file = features.write(bench.blobs, model.id, ids, vectors)
    with bench.catalog.begin() as transaction:
        clusters.record_features(transaction, file, ids)
        found = removals.vectors_of(transaction, [ids[1]])
        places = clusters.features_of(transaction, model.id, ids)
    assert found == {file.location: [1]}
    for location, rows in found.items():
        features.forget(bench.blobs, location, rows)
    vectors[1] = 0
    assert np.array_equal(features.read(bench.blobs, ids, places), vectors)


class TestWhichImageIsMeant:
    def test_by_identity_by_its_beginning_or_by_where_it_was_found(self, bench: Bench) -> None:
        a, b = bench.ingest("a", "b")
        bench.add(ImageSource(id="s", image_id=b, uri="file:///photos/100%.jpg", locale="de-DE"))
        with bench.catalog.begin() as transaction:
            for name in (a, a[:12], a[:12].upper()):
                assert images.identify(transaction, name) == a
            assert images.identify(transaction, "file:///photos/100%.jpg") == b

    @pytest.mark.parametrize("name", ["", "no such", "%", "_"])
    def test_not_if_it_means_none_or_several(self, bench: Bench, name: str) -> None:
        bench.ingest("a", "b")
        with (
            bench.catalog.begin() as transaction,
            pytest.raises(images.NoSuchImage, match="enough of its beginning"),
        ):
            images.identify(transaction, name)


def test_models_trained_on_other_versions_are_not_named(bench: Bench) -> None:
    [a] = bench.ingest("a")
    bench.model()
    bench.add(
        TrainingSet(
            version=2,
            digest="1" * 64,
            parent=1,
            location="training-sets/1",
            n_images=0,
            n_products=0,
            per_locale={},
        ),
        Model(id="second", training_set=2, location="models/1", config={}, metrics={}),
    )
    remove(bench, a, versions=(2,))
    with bench.catalog.begin() as transaction:
        [found] = removals.removals(transaction)
    assert found.model_ids == ["second"]
