"""What a person rules of quarantined labels holds, also when the command was killed half way."""

import pytest

from catalog import images, labels, removals, settlements
from catalog.schema import Origin, VerifiedLabel
from tasks.collect import relabel
from tasks.errors import NoSuchLabel
from tasks.judge import judge
from tasks.settings import Settings
from tasks.settle import correct, release, retract, settled
from tests.catalog.rows import Bench

BY = ("lead", "looked at it")


@pytest.fixture
def overrides() -> dict[str, str]:
    """What is named "Sack" has no name."""
    return {"GROUNDTRUTH_GATE__PLACEHOLDERS": '["sack"]'}


def listed(settings: Settings, image: str, name: str) -> str:
    """The identity of an image whose bytes are its name, listed by a manifest."""
    [image_id] = Bench(settings.catalog, settings.blob_store).ingest(image)
    settings.blob_store.put(images.image_key(image_id), image.encode())
    with settings.catalog.begin() as transaction:
        product = labels.manifest_product(name)
        labels.add_products(transaction, [product])
        labels.add_labels(transaction, [labels.manifest_label(image_id, product, name, "de-DE")])
    return image_id


def what_follows() -> None:
    relabel.fn()
    judge.fn()


def stopped(settings: Settings) -> list[str]:
    with settings.catalog.read() as transaction:
        return [each.label_id for each in labels.quarantined(transaction)]


def shown(settings: Settings) -> dict[str, str | None]:
    """What accepted labels call each image's product."""
    with settings.catalog.read() as transaction:
        return {row.image_id: row.name for row in labels.accepted(transaction)}


def test_a_correction_that_was_killed_is_made_once(settings: Settings) -> None:
    image = listed(settings, "a", "Sack")
    what_follows()
    [label] = stopped(settings)
    first = correct.fn([label], "Kakao", *BY)
    again = correct.fn([label], "Kakao", *BY)
    what_follows()
    assert again.number == first.number
    assert shown(settings) == {image: "Kakao"}


def test_of_two_names_for_one_label_the_last_holds(settings: Settings) -> None:
    image = listed(settings, "a", "Sack")
    what_follows()
    [label] = stopped(settings)
    correct.fn([label], "Kaffee", *BY)
    correct.fn([label], "Kakao", *BY)
    what_follows()
    assert shown(settings) == {image: "Kakao"}


def test_a_release_that_was_killed_is_made_once(settings: Settings) -> None:
    image = listed(settings, "a", "Sack")
    what_follows()
    [label] = stopped(settings)
    first = release.fn([label], *BY)
    assert release.fn([label], *BY).number == first.number
    with pytest.raises(NoSuchLabel):
        release.fn([label], "somebody else", "another reason")
    what_follows()
    assert shown(settings) == {image: "Sack"}


def test_what_was_taken_back_before_a_kill_is_taken_back_once(settings: Settings) -> None:
    listed(settings, "a", "Sack")
    what_follows()
    made = correct.fn(stopped(settings), "Kakao", *BY)
    what_follows()
    first = retract.fn(made.number, *BY)
    assert retract.fn(made.number, *BY).number == first.number
    what_follows()
    assert shown(settings) == {}
    assert settled() == []


def test_an_image_that_two_manifests_name_has_the_name_that_somebody_gives_it(
    settings: Settings,
) -> None:
    image = listed(settings, "a", "Tee")
    listed(settings, "a", "Kaffee")
    what_follows()
    assert len(stopped(settings)) == 2
    correct.fn(stopped(settings), "Kakao", *BY)
    what_follows()
    assert shown(settings) == {image: "Kakao"}


def test_a_name_given_to_the_successor_of_a_manifests_label_holds(settings: Settings) -> None:
    image = listed(settings, "a", "Sack")
    other = listed(settings, "b", "Sack")
    with settings.catalog.begin() as transaction:
        [first] = [each for each in labels.newest(transaction) if each.image_id == image]
    Bench(settings.catalog, settings.blob_store).succeed(
        first, origin=Origin.MANIFEST, name="Alter Sack"
    )
    what_follows()
    with settings.catalog.read() as transaction:
        [tip] = [
            label.id
            for _, label in labels.quarantined_labels(transaction)
            if label.image_id == image
        ]
    correct.fn([tip], "Kakao", *BY)
    release.fn([each for each in stopped(settings) if each != tip], *BY)
    what_follows()
    assert shown(settings) == {image: "Kakao", other: "Sack"}


def test_the_label_of_a_removed_image_is_not_settled(settings: Settings) -> None:
    image = listed(settings, "a", "Sack")
    what_follows()
    [label] = stopped(settings)
    with settings.catalog.begin() as transaction:
        removals.record(transaction, {image: []}, by="customer", reason="a face")
    with pytest.raises(NoSuchLabel):
        correct.fn([label], "Kakao", *BY)


def test_a_label_that_was_named_by_hand_took_nobodys_seconds(settings: Settings) -> None:
    listed(settings, "a", "Sack")
    what_follows()
    correct.fn(stopped(settings), "Kakao", *BY)
    what_follows()
    with settings.catalog.read() as transaction:
        [row] = labels.accepted(transaction)
        made = transaction.get(VerifiedLabel, row.label_id)
        [(made_by_hand, n_labels)] = settlements.standing(transaction)
    assert made is not None
    assert made.seconds is None
    assert (made_by_hand.settled_by, n_labels) == ("lead", 1)
