"""The holdout: what is set apart stays apart, and only customers' manifests add to it."""

import pytest

from catalog import holdout, labels, removals, training_sets
from catalog.schema import DecisionKind, Question, TrainingSet
from tests.catalog.rows import Bench
from tests.catalog.test_training_sets import commit, label_products


def set_apart(bench: Bench) -> dict[str, str]:
    with bench.catalog.begin() as transaction:
        return holdout.holdout(transaction)


def measured(bench: Bench) -> dict[str, str]:
    with bench.catalog.begin() as transaction:
        return holdout.measured(transaction, bench.blobs)


def trained(bench: Bench, version: TrainingSet) -> set[str | None]:
    return {row.product_id for row in training_sets.read(bench.blobs, version)}


def label_more(bench: Bench, n_products: int, locale: str = "de-DE") -> dict[str, list[str]]:
    """More products of a later manifest, labelled: the images of each."""
    found = {}
    for product in range(n_products):
        image_ids = bench.ingest(*(f"late {locale} {product} {n}" for n in (1, 2)), locale=locale)
        found[bench.label(f"Latecomer {locale} {product}", image_ids, locale)] = image_ids
    return found


def test_holdout_and_training_set_share_no_product_and_no_image(bench: Bench) -> None:
    label_products(bench, 8)
    rows = training_sets.read(bench.blobs, commit(bench))
    frozen = set_apart(bench)
    assert len(set(frozen.values())) == 2
    assert not {row.image_id for row in rows} & set(frozen)
    assert not {row.product_id for row in rows} & set(frozen.values())


def test_later_manifests_add_their_share_and_take_nothing_away(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    before = set_apart(bench)
    late = label_more(bench, 8)
    version = commit(bench)
    now = set_apart(bench)
    assert before.items() <= now.items()
    joined = set(now.values()) - set(before.values())
    assert len(joined) == 2
    assert joined <= late.keys()
    assert not trained(bench, version) & set(now.values())


def test_each_locale_has_a_share_of_its_own(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    late = label_more(bench, 4, "sv-SE")
    commit(bench)
    assert len(set(set_apart(bench).values()) & late.keys()) == 1


def test_setting_apart_again_draws_nothing(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    label_more(bench, 3)
    commit(bench)
    before = set_apart(bench)
    commit(bench)
    assert set_apart(bench) == before


def test_a_product_that_was_trained_on_never_joins(bench: Bench) -> None:
    label_products(bench, 8)
    version = commit(bench)
    commit(bench, share=0.9)
    assert not trained(bench, version) & set(set_apart(bench).values())


def test_a_product_that_people_were_asked_about_never_joins(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    asked = bench.ingest("asked 1", "asked 2")
    bench.ask(asked)
    product = bench.label("Asked about", asked)
    commit(bench, share=0.9)
    assert product not in set_apart(bench).values()


def test_what_people_decided_never_joins(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    for number in range(4):
        shown = bench.ingest(f"new {number} a", f"new {number} b")
        question: Question = bench.ask(shown)
        bench.decide(question, DecisionKind.SAME, kept=shown)
    before = set_apart(bench)
    with bench.catalog.begin() as transaction:
        waiting = labels.unjudged(transaction)
        labels.record_gate_run(
            transaction,
            accepted_ids=[row.label_id for row in waiting],
            quarantined={},
            held=False,
            rules=[],
        )
    commit(bench, share=0.9)
    assert set_apart(bench) == before


def test_a_holdout_product_that_is_labelled_again_still_stays_out(bench: Bench) -> None:
    products = label_products(bench, 8)
    first = commit(bench)
    frozen = next(iter(set_apart(bench).values()))
    name = f"Product {list(products).index(frozen)}"
    assert bench.label(name, bench.ingest("another photo")) == frozen
    assert commit(bench).version == first.version


def test_all_that_was_set_apart_is_measured_at_first(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    assert measured(bench) == set_apart(bench)


def test_an_image_whose_label_is_withdrawn_is_no_longer_measured_but_stays_apart(
    bench: Bench,
) -> None:
    label_products(bench, 8)
    commit(bench)
    before = set_apart(bench)
    image = min(before)
    with bench.catalog.begin() as transaction:
        [label] = [each for each in labels.newest(transaction) if each.image_id == image]
    bench.succeed(label, withdrawn=True)
    assert set(measured(bench)) == set(before) - {image}
    assert set_apart(bench) == before


def test_a_removed_image_is_no_longer_measured_but_stays_apart(bench: Bench) -> None:
    label_products(bench, 8)
    commit(bench)
    before = set_apart(bench)
    image = min(before)
    with bench.catalog.begin() as transaction:
        removals.record(transaction, {image: []}, by="ann", reason="a face")
    assert set(measured(bench)) == set(before) - {image}
    assert set_apart(bench) == before


def test_a_product_that_only_an_earlier_version_was_trained_on_never_joins(bench: Bench) -> None:
    label_products(bench, 8)
    version = commit(bench)
    learnt = {row.product_id for row in training_sets.read(bench.blobs, version)}
    bench.label("Latecomer", bench.ingest("late 1", "late 2"))
    with bench.catalog.begin() as transaction:
        accepted = labels.accepted(transaction)
        later = [row for row in accepted if row.product_id not in learnt]
        training_sets.commit(transaction, bench.blobs, later)
        holdout.set_apart(transaction, bench.blobs, accepted, 0.9)
    assert not learnt & set(set_apart(bench).values())


def test_a_product_that_turns_out_to_be_one_trained_on_is_no_longer_measured(bench: Bench) -> None:
    label_products(bench, 8)
    version = commit(bench)
    learnt = training_sets.read(bench.blobs, version)[0]
    merged = min(set_apart(bench).values())
    with bench.catalog.begin() as transaction:
        [label] = [row for row in labels.newest(transaction) if row.image_id == learnt.image_id]
    bench.succeed(label, product_id=merged)
    assert merged not in measured(bench).values()
    assert merged in set_apart(bench).values()


def test_a_state_is_named_by_its_images_and_products(bench: Bench) -> None:
    assert holdout.state({"a": "x", "b": "y"}) == holdout.state({"b": "y", "a": "x"})
    assert holdout.state({"a": "x"}) != holdout.state({"a": "y"})


def test_too_few_labelled_products_say_how_many_are_needed(bench: Bench) -> None:
    label_products(bench, 7)
    with pytest.raises(holdout.TooFewLabels, match="at least 8 labelled products"):
        commit(bench)
