"""An image waits until something is known of it or somebody is asked about it."""

from catalog import images, labels
from catalog.schema import DecisionKind
from tests.catalog.rows import Bench


def waiting(bench: Bench, locale: str = "de-DE") -> list[str]:
    with bench.catalog.begin() as transaction:
        return images.waiting(transaction, locale)


def test_a_new_image_waits_in_its_locale_only(bench: Bench) -> None:
    [image_id] = bench.ingest("a", locale="ja-JP")
    assert waiting(bench, "ja-JP") == [image_id]
    assert waiting(bench, "de-DE") == []


def test_a_labelled_image_does_not_wait(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    bench.label("Milk", [a])
    assert waiting(bench) == [b]


def test_an_image_on_an_open_question_does_not_wait(bench: Bench) -> None:
    a, b, c = bench.ingest("a", "b", "c")
    bench.ask([a, b])
    assert waiting(bench) == [c]


def test_an_intruder_waits_again_once_the_question_is_decided(bench: Bench) -> None:
    a, b, c = bench.ingest("a", "b", "c")
    bench.decide(bench.ask([a, b, c]), DecisionKind.SAME, kept=[a, b])
    assert waiting(bench) == [c]


def test_images_of_a_mixed_sheet_wait_again(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    bench.decide(bench.ask([a, b]), DecisionKind.DIFFERENT, kept=[])
    assert waiting(bench) == sorted([a, b])


def test_unusable_images_never_wait_again(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    bench.decide(bench.ask([a, b]), DecisionKind.UNUSABLE, kept=[])
    assert waiting(bench) == []


def test_an_image_whose_label_is_withdrawn_waits_again(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    question = bench.ask([a, b])
    first = bench.decide(question, DecisionKind.SAME, kept=[a, b])
    assert waiting(bench) == []
    bench.decide(question, DecisionKind.UNSURE, kept=[], supersedes=first)
    with bench.catalog.begin() as transaction:
        given = labels.newest(transaction)
    for label in given:
        bench.succeed(label, withdrawn=True)
    assert waiting(bench) == sorted([a, b])


def test_a_gold_question_keeps_no_image_from_waiting(bench: Bench) -> None:
    a, b = bench.ingest("a", "b")
    gold = {"verdict": "confirm", "intruder_ids": []}
    bench.ask([a, b], expected=gold)
    assert waiting(bench) == sorted([a, b])
