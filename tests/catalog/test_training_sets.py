"""A training set version is immutable, and never touches the holdout."""

from catalog import holdout, labels, training_sets
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
