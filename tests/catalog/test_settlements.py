"""A release opens a label for another judgement; taken back, the first one stands again."""

from catalog import labels, settlements
from catalog.schema import SettlementKind
from tests.catalog.rows import Bench

BY = {"by": "lead", "reason": "looked at it"}


def waiting_label(bench: Bench, name: str) -> str:
    [image_id] = bench.ingest(name)
    with bench.catalog.begin() as transaction:
        product = labels.manifest_product(name)
        labels.add_products(transaction, [product])
        row = labels.manifest_label(image_id, product, name, "de-DE")
        labels.add_labels(transaction, [row])
    return row.id


def quarantined_label(bench: Bench, name: str) -> str:
    label = waiting_label(bench, name)
    judge(bench, quarantined={label: ("bad",)})
    return label


def judge(bench: Bench, **verdict: object) -> str:
    given = {"accepted_ids": [], "quarantined": {}, "held": False, "rules": [], **verdict}
    with bench.catalog.begin() as transaction:
        return labels.record_gate_run(transaction, **given).id


def states(bench: Bench) -> tuple[list[str], list[str], list[str]]:
    """The labels that wait, that are accepted, and that are quarantined."""
    with bench.catalog.begin() as transaction:
        return (
            [row.label_id for row in labels.unjudged(transaction)],
            [row.label_id for row in labels.accepted(transaction)],
            [each.label_id for each in labels.quarantined(transaction)],
        )


def release(bench: Bench, label: str) -> int:
    with bench.catalog.begin() as transaction:
        kind = SettlementKind.RELEASE
        return settlements.settle(transaction, kind, {label: ["bad"]}, **BY).number


def test_a_released_label_waits_again_and_no_other_does(bench: Bench) -> None:
    released, other = quarantined_label(bench, "a"), quarantined_label(bench, "b")
    release(bench, released)
    assert states(bench) == ([released], [], [other])


def test_a_released_label_is_accepted_until_the_release_is_taken_back(bench: Bench) -> None:
    label, other = quarantined_label(bench, "a"), quarantined_label(bench, "b")
    number = release(bench, label)
    judge(bench, accepted_ids=[label], releases={label: number})
    assert states(bench) == ([], [label], [other])
    with bench.catalog.begin() as transaction:
        kind = SettlementKind.RETRACT
        settlements.settle(transaction, kind, {label: []}, retracts=number, **BY)
    assert states(bench) == ([], [], sorted([label, other]))


def test_a_release_says_what_it_overrules(bench: Bench) -> None:
    label = quarantined_label(bench, "a")
    number = release(bench, label)
    with bench.catalog.begin() as transaction:
        assert settlements.releases(transaction, [label, "other"]) == {label: (number, ["bad"])}


def test_a_corrected_manifest_says_nothing_any_more(bench: Bench) -> None:
    label, other = quarantined_label(bench, "a"), quarantined_label(bench, "b")
    with bench.catalog.begin() as transaction:
        settlements.settle(transaction, SettlementKind.CORRECT, {label: []}, **BY)
    with bench.catalog.begin() as transaction:
        assert [each.id for each in labels.manifest_labels(transaction)] == [other]


def test_an_annotator_is_suspended_until_that_is_lifted(bench: Bench) -> None:
    with bench.catalog.begin() as transaction:
        for annotator, lifted in (("ann", False), ("bo", False), ("ann", True)):
            settlements.suspend(transaction, annotator, lifted=lifted, **BY)
            transaction.flush()
        assert [*settlements.suspended(transaction)] == ["bo"]


def test_what_stands_is_listed_newest_first_until_it_is_taken_back(bench: Bench) -> None:
    first, second = quarantined_label(bench, "a"), quarantined_label(bench, "b")
    numbers = [release(bench, label) for label in (first, second)]
    with bench.catalog.begin() as transaction:
        found = [(each.number, n) for each, n in settlements.standing(transaction)]
        assert found == [(number, 1) for number in reversed(numbers)]
        kind = SettlementKind.RETRACT
        back = settlements.settle(transaction, kind, {first: []}, retracts=numbers[0], **BY)
    with bench.catalog.begin() as transaction:
        assert [each.number for each, _ in settlements.standing(transaction)] == numbers[1:]
        taken = settlements.retraction(transaction, numbers[0])
    assert taken is not None
    assert taken.number == back.number


def test_an_image_that_was_asked_about_again_is_in_no_manifest(bench: Bench) -> None:
    label, other = quarantined_label(bench, "a"), quarantined_label(bench, "b")
    with bench.catalog.begin() as transaction:
        [wrong] = [each for each in labels.newest(transaction) if each.id == label]
    bench.succeed(wrong, name="A")
    with bench.catalog.begin() as transaction:
        [newest] = [each for each in labels.newest(transaction) if each.id not in (label, other)]
        settlements.settle(transaction, SettlementKind.ASK, {newest.id: []}, **BY)
    with bench.catalog.begin() as transaction:
        assert [each.id for each in labels.manifest_labels(transaction)] == [other]
