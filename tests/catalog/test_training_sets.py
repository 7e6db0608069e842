"""A training set version is immutable, and never touches the holdout."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import content_digest, holdout, labels, training_sets
from catalog.changes import ChangeKind, changes, per_locale, per_product
from catalog.labels import LabelRow
from catalog.schema import TrainingSet
from tests.catalog.rows import Bench


def label_products(bench: Bench, n_products: int, n_images: int = 3) -> dict[str, list[str]]:
    """`n_products` labelled products: the images of each."""
    found = {}
    for product in range(n_products):
        image_ids = bench.ingest(*(f"{product} {number}" for number in range(n_images)))
        found[bench.label(f"Product {product}", image_ids)] = image_ids
    return found


def commit(bench: Bench, share: float = 0.25) -> TrainingSet:
    with bench.catalog.begin() as transaction:
        accepted = labels.accepted(transaction)
        holdout.set_apart(transaction, bench.blobs, accepted, share)
        return training_sets.commit(transaction, bench.blobs, accepted)


def test_committing_the_same_labels_again_makes_no_version(bench: Bench) -> None:
    label_products(bench, 8)
    assert commit(bench).version == commit(bench).version == 1


def test_more_labels_make_the_next_version_and_leave_the_first_as_it_was(bench: Bench) -> None:
    label_products(bench, 8)
    first = commit(bench)
    before = training_sets.read(bench.blobs, first)
    bench.label("Latecomer", bench.ingest("late 1", "late 2"))
    second = commit(bench)
    assert (second.version, second.parent) == (2, 1)
    assert second.n_images == first.n_images + 2
    assert training_sets.read(bench.blobs, first) == before


def test_a_quarantined_label_stays_out_with_its_reasons(bench: Bench) -> None:
    label_products(bench, 8)
    [image_id] = bench.ingest("doubtful")
    with bench.catalog.begin() as transaction:
        product_id = labels.manifest_product("?")
        labels.add_products(transaction, [product_id])
        label = labels.manifest_label(image_id, product_id, "?", "de-DE")
        labels.add_labels(transaction, [label])
        labels.record_gate_run(
            transaction,
            accepted_ids=[],
            quarantined={label.id: ("its name is a placeholder",)},
            held=False,
            rules=[],
        )
    rows = training_sets.read(bench.blobs, commit(bench))
    assert image_id not in {row.image_id for row in rows}
    with bench.catalog.begin() as transaction:
        [judgement] = labels.quarantined(transaction)
        assert judgement.reasons == ["its name is a placeholder"]


def test_the_labels_of_a_held_batch_are_judged_again(bench: Bench) -> None:
    [image_id] = bench.ingest("a")
    with bench.catalog.begin() as transaction:
        product_id = labels.manifest_product("milk")
        labels.add_products(transaction, [product_id])
        label = labels.manifest_label(image_id, product_id, "Milk", "de-DE")
        labels.add_labels(transaction, [label])
        labels.record_gate_run(
            transaction, accepted_ids=[label.id], quarantined={}, held=True, rules=[]
        )
        assert [row.label_id for row in labels.unjudged(transaction)] == [label.id]
        assert labels.accepted(transaction) == []


def test_a_label_that_is_superseded_or_withdrawn_is_no_longer_current(bench: Bench) -> None:
    [image_id] = bench.ingest("a")
    bench.label("Milk", [image_id])
    with bench.catalog.begin() as transaction:
        [milk] = labels.newest(transaction)
    bench.succeed(milk, name="Oat milk")
    with bench.catalog.begin() as transaction:
        [oat] = labels.newest(transaction)
        assert [row.name for row in labels.unjudged(transaction)] == ["Oat milk"]
        assert labels.accepted(transaction) == []
    bench.succeed(oat, withdrawn=True)
    with bench.catalog.begin() as transaction:
        assert labels.unjudged(transaction) == []
        assert labels.galleries(transaction, 10) == {}
        assert [label.name for label in labels.manifest_labels(transaction)] == ["Milk"]


def test_a_gallery_shows_a_few_images_of_each_product(bench: Bench) -> None:
    tea, coffee = bench.ingest("a", "b", "c"), bench.ingest("d", locale="sv-SE")
    tea_id, coffee_id = bench.label("Tea", tea), bench.label("Coffee", coffee, locale="sv-SE")
    with bench.catalog.begin() as transaction:
        found = labels.galleries(transaction, 2)
        assert found == {tea_id: sorted(tea)[:2], coffee_id: coffee}
        assert labels.galleries(transaction, 2, "sv-SE") == {coffee_id: coffee}


class TestVerify:
    def test_a_version_that_is_as_committed_passes(self, bench: Bench) -> None:
        label_products(bench, 8)
        training_sets.verify(bench.blobs, commit(bench))

    def test_a_version_of_an_earlier_groundtruth_is_said_to_be_one(self, bench: Bench) -> None:
        label_products(bench, 8)
        committed = commit(bench)
        lines = (
            f"{row.image_id} {row.product_id} {row.label_id}\n"
            for row in training_sets.read(bench.blobs, committed)
        )
        committed.digest = content_digest("".join(lines).encode())
        with pytest.raises(training_sets.EarlierDigest, match="as it was committed"):
            training_sets.verify(bench.blobs, committed)

    def test_a_version_with_another_content_does_not(self, bench: Bench) -> None:
        label_products(bench, 8)
        first = commit(bench)
        bench.label("Latecomer", bench.ingest("late 1", "late 2"))
        second = commit(bench)
        bench.blobs.replace(first.location, bench.blobs.get(second.location))
        with pytest.raises(training_sets.VersionDamaged, match="was committed with"):
            training_sets.verify(bench.blobs, first)

    @pytest.mark.parametrize("content", [None, b"not Parquet"])
    def test_a_version_that_cannot_be_read_does_not(
        self, bench: Bench, content: bytes | None
    ) -> None:
        label_products(bench, 8)
        version = commit(bench)
        bench.blobs.delete(version.location)
        if content is not None:
            bench.blobs.put(version.location, content)
        with pytest.raises(training_sets.VersionDamaged, match="from a backup"):
            training_sets.verify(bench.blobs, version)


def test_a_version_that_is_not_there_says_which_is_the_newest(bench: Bench) -> None:
    def ask_for(number: int | None) -> None:
        with bench.catalog.begin() as transaction:
            training_sets.version(transaction, number)

    with pytest.raises(training_sets.NoSuchVersion, match="no training set yet"):
        ask_for(None)
    label_products(bench, 8)
    commit(bench)
    with pytest.raises(training_sets.NoSuchVersion, match="the newest is 1"):
        ask_for(7)


def test_the_labels_of_some_images_are_those_of_the_whole_version(bench: Bench) -> None:
    label_products(bench, 8)
    version = commit(bench)
    rows = training_sets.read(bench.blobs, version)
    wanted = [row.image_id for row in rows[::3]]
    assert training_sets.labels_of(bench.blobs, version, [*wanted, "f" * 64]) == rows[::3]


def label(image: str, product: str = "p", name: str | None = "Tea") -> LabelRow:
    return LabelRow(
        label_id=f"label of {image}: {product} {name}",
        image_id=image,
        product_id=product,
        name=name,
        locale="de-DE" if image < "e" else "ja-JP",
        origin="decision",
        decision_id="d",
        annotators=("ann",),
        agreement=1.0,
        seconds=1.0,
    )


LABELS = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.sampled_from("pqr"), st.sampled_from(["Tea", None]))
).map(lambda said: {image: label(image, *said[image]) for image in sorted(said)})


class TestDigest:
    @pytest.mark.parametrize("field", ["label_id", "image_id", "product_id", "name", "locale"])
    def test_it_covers_what_a_label_says(self, field: str) -> None:
        before = label("a")
        changed = replace(before, **{field: f"{getattr(before, field)} "})
        assert training_sets.manifest_digest([before]) != training_sets.manifest_digest([changed])

    def test_two_fields_are_never_taken_for_one(self) -> None:
        one = replace(label("a"), name='x", "y', locale="z")
        other = replace(label("a"), name="x", locale='y", "z')
        assert training_sets.manifest_digest([one]) != training_sets.manifest_digest([other])


class TestChanges:
    @given(LABELS, LABELS)
    def test_they_lead_from_one_version_to_the_other(
        self, before: dict[str, LabelRow], after: dict[str, LabelRow]
    ) -> None:
        found = list(changes(before.values(), after.values()))
        applied = dict(before)
        for change in found:
            assert change.before == applied.pop(change.image_id, None)
            if change.after is not None:
                applied[change.image_id] = change.after
        assert applied == after
        assert list(changes(after.values(), after.values())) == []

    @given(LABELS, LABELS)
    def test_each_is_counted_once_by_locale_and_once_by_product(
        self, before: dict[str, LabelRow], after: dict[str, LabelRow]
    ) -> None:
        found = list(changes(before.values(), after.values()))
        for counted in (per_locale(found), per_product(found)):
            assert sum(each.total() for each in counted.values()) == len(found)

    def test_their_kinds(self) -> None:
        said_again = replace(label("d"), label_id="said again")
        before = [label("a"), label("b"), label("c", "p"), label("d")]
        after = [label("a"), label("c", "q"), said_again, label("e")]
        assert {each.image_id: each.kind for each in changes(before, after)} == {
            "b": ChangeKind.REMOVED,
            "c": ChangeKind.RELABELLED,
            "d": ChangeKind.RESTATED,
            "e": ChangeKind.ADDED,
        }

    def test_a_correction_reaches_the_next_version_and_leaves_the_first(self, bench: Bench) -> None:
        label_products(bench, 8)
        first = commit(bench)
        before = training_sets.read(bench.blobs, first)
        with bench.catalog.begin() as transaction:
            wrong = next(
                each for each in labels.newest(transaction) if each.id == before[0].label_id
            )
        bench.succeed(wrong, product_id=before[-1].product_id, name=before[-1].name)
        with bench.catalog.begin() as transaction:
            [fresh] = labels.unjudged(transaction)
            labels.record_gate_run(
                transaction, accepted_ids=[fresh.label_id], quarantined={}, held=False, rules=[]
            )
        second = commit(bench)
        [change] = changes(before, training_sets.read(bench.blobs, second))
        assert change.kind == ChangeKind.RELABELLED
        assert change.before == before[0]
        assert change.after is not None
        assert change.after.product_id == before[-1].product_id
        assert training_sets.read(bench.blobs, first) == before
        training_sets.verify(bench.blobs, first)
