"""Each row rule has a label that it catches, and one much like it that it lets pass."""

from typing import Any

import pytest

from expectations.verdict import Verdict
from tests.expectations.rows import frame_of, good_batch, good_label, images_of, judged, outcome

CAUGHT: dict[str, tuple[dict[str, Any], str]] = {
    "no product": ({"product_id": None}, "names no product"),
    "no name": ({"name": None}, "has no name"),
    "a decomposed letter": ({"name": "Kakao fu\u0308r alle"}, "normal form C"),
    "a question mark": ({"name": "?"}, "placeholder"),
    "a placeholder": ({"name": "xxx"}, "placeholder"),
    "a placeholder in capitals, in brackets": ({"name": " (UNKNOWN) "}, "placeholder"),
    "a Japanese placeholder": ({"name": "不明", "locale": "ja-JP"}, "placeholder"),
    "Japanese in Germany": ({"name": "ココア"}, "letters that its locale uses"),
    "Cyrillic in Egypt": ({"name": "Какао", "locale": "ar-EG"}, "letters that its locale uses"),
    "a locale without annotators": ({"locale": "fr-FR"}, "has annotators"),
    "an agreement above 1": ({"agreement": 1.5}, "between 0 and 1"),
    "no agreement": ({"agreement": float("nan")}, "between 0 and 1"),
    "a low agreement": ({"agreement": 0.59}, "is below 0.6"),
    "no annotator": ({"annotators": ()}, "annotator"),
    "an annotator without a name": ({"annotators": ("anna", " ")}, "annotator"),
}
PASSED: dict[str, dict[str, Any]] = {
    "a composed letter": {"name": "Kakao für alle"},
    "a name that contains a placeholder": {"name": "xxxl Unknown Pleasures"},
    "a name of digits": {"name": "4711"},
    "Japanese in Japan": {"name": "森永ココア", "locale": "ja-JP"},
    "Arabic in Egypt": {"name": "كاكاو", "locale": "ar-EG"},
    "a brand in Latin letters in Egypt": {"name": "Nutella", "locale": "ar-EG"},
    "a brand with one Greek letter in Japan": {"name": "ソフィーナα", "locale": "ja-JP"},
    "agreement at the bar": {"agreement": 0.6},
    "a manifest's label": {"origin": "manifest", "annotators": ("manifest",), "seconds": None},
    "annotators in a list": {"annotators": ["anna"]},
}


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    """The gate's word on a batch of every label above."""
    changes = {name: change for name, (change, _) in CAUGHT.items()} | PASSED
    labels = frame_of(*(good_label(n, **change) for n, change in enumerate(changes.values())))
    return judged(labels.set_axis(list(changes)))


@pytest.mark.parametrize(("label", "reason"), [(name, why) for name, (_, why) in CAUGHT.items()])
def test_a_bad_label_is_quarantined_for_one_reason(
    verdict: Verdict, label: str, reason: str
) -> None:
    [given] = verdict.quarantined[label]

    assert reason in given


@pytest.mark.parametrize("label", PASSED)
def test_a_label_that_is_only_unusual_is_accepted(verdict: Verdict, label: str) -> None:
    assert label in verdict.accepted


def test_a_label_of_an_image_that_was_not_ingested_is_quarantined() -> None:
    labels = good_batch(2)

    verdict = judged(labels, images=images_of(labels)[:1])

    assert dict(verdict.quarantined) == {"label-1": ("the image was never ingested",)}


def test_a_label_in_another_locale_than_its_images_is_quarantined() -> None:
    labels = good_batch(2)
    images = images_of(labels).assign(locale=["de-DE", "ar-EG"])

    verdict = judged(labels, images=images)

    assert dict(verdict.quarantined) == {"label-1": ("the label's locale is not the image's",)}


def test_two_products_for_one_image_quarantine_every_label_of_the_image() -> None:
    labels = frame_of(
        good_label(0),
        good_label(1),
        good_label(1, product_id="product-9"),
        good_label(1),
    )

    verdict = judged(labels)

    assert verdict.accepted == ("label-0",)
    assert list(verdict.quarantined) == ["label-1", "label-2", "label-3"]


def test_one_product_said_twice_of_an_image_is_no_conflict() -> None:
    verdict = judged(frame_of(good_label(0), good_label(0)))

    assert verdict.accepted == ("label-0", "label-1")


def test_a_label_that_contradicts_the_training_set_is_quarantined() -> None:
    labels = good_batch(2)
    current = labels[["image_id", "product_id", "locale"]].assign(
        product_id=["product-0", "product-9"]
    )

    verdict = judged(labels, current=current)

    assert verdict.accepted == ("label-0",)
    assert list(verdict.quarantined) == ["label-1"]


def test_an_implausible_duration_is_reported_and_stops_nothing() -> None:
    labels = frame_of(*(good_label(n, seconds=seconds) for n, seconds in enumerate((0.01, 2, 90))))

    verdict = judged(labels)
    duration = outcome(verdict, "seconds per picture")

    assert (duration.rows, duration.on_fail, duration.severity) == (2, "report", "warning")
    assert len(verdict.accepted) == 3
    assert not verdict.held


def test_the_duration_of_a_manifests_label_is_not_judged() -> None:
    verdict = judged(good_batch(2, origin="manifest", seconds=900.0))

    assert outcome(verdict, "seconds per picture").observed == "no data to judge"


def test_every_reason_against_a_label_is_given() -> None:
    verdict = judged(frame_of(good_label(0), good_label(1, name="?", agreement=0.1, annotators=())))

    assert len(verdict.quarantined["label-1"]) == 3
