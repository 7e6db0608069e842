"""Each row rule has a label that it catches, and one much like it that it lets pass."""

from typing import Any

import pandas as pd
import pytest

from expectations.policy import Bars, LabelPolicy, Severities, Severity
from expectations.verdict import State, Verdict
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
    "a low agreement": ({"agreement": 0.59}, "agreement is below the bar"),
    "a low posterior": ({"posterior": 0.69}, "less probability"),
    "an unknown vendor": ({"site": "vendor-z"}, "site that is not in the settings"),
    "a decision that was undone": ({"verdict": "undone"}, "does not say what its images show"),
    "a cannot-link": ({"differs": True}, "does not show the product"),
    "a picture like another product's": ({"quality": 0.05}, "those of another product"),
    "nobody was asked, and no guarantee": (
        {"origin": "accepted", "annotators": (), "agreement": 0.0, "seconds": None},
        "nobody was asked",
    ),
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
    "a posterior at the bar": {"posterior": 0.7},
    "one of several products on a sheet": {"verdict": "different"},
    "an image that people are asked about": {"disputed": True},
    "an image like no other": {"typicality": 0.001},
    "a manifest's label": {
        **{"origin": "manifest", "annotators": ("manifest",), "seconds": None},
        **{"site": None, "verdict": None, "posterior": None, "quality": None, "typicality": None},
    },
    "nobody was asked while the guarantee held": {
        **{"origin": "accepted", "annotators": (), "agreement": 0.0, "seconds": None},
        "guaranteed": True,
    },
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


def test_an_image_whose_bytes_changed_is_quarantined_and_one_not_looked_at_is_not() -> None:
    labels = good_batch(3)
    images = images_of(labels).assign(unchanged=[1.0, 0.0, None])

    verdict = judged(labels, images=images)

    assert list(verdict.quarantined) == ["label-1"]


def test_a_bar_of_a_locale_holds_there_only() -> None:
    labels = frame_of(
        good_label(0, posterior=0.8), good_label(1, posterior=0.8, locale="ja-JP", name="ココア")
    )
    policy = LabelPolicy(locales={"ja-JP": Bars(posterior_at_least=0.9)})

    verdict = judged(labels, policy=policy)

    assert list(verdict.quarantined) == ["label-1"]
    assert outcome(verdict, "probability").rule.endswith("0.7 (ja-JP: 0.9)")


def test_the_labels_of_a_suspended_annotator_are_quarantined() -> None:
    labels = frame_of(good_label(0), good_label(1, annotators=("cy", "bo")))

    assert list(judged(labels, suspended=["cy"]).quarantined) == ["label-1"]


@pytest.mark.parametrize(
    ("n_right", "n", "state"),
    [(4, 20, "failed"), (12, 20, "ok"), (20, 20, "ok"), (0, 4, "inconclusive")],
)
def test_an_annotator_fails_only_when_gold_shows_it(n_right: int, n: int, state: str) -> None:
    gold = gold_of(("anna", "vendor-a", n_right, n))

    verdict = judged(good_batch(1), gold=gold)

    assert outcome(verdict, "no annotator of the label is shown").state == state


def test_a_vendor_is_judged_by_all_of_its_annotators_together() -> None:
    labels = frame_of(good_label(0, annotators=("dee",)), good_label(1, site="vendor-b"))
    gold = gold_of(("anna", "vendor-a", 2, 10), ("bo", "vendor-a", 2, 10), ("cy", "vendor-b", 9, 9))
    lax = LabelPolicy(severity=Severities(annotator_keeps_the_contract=Severity.WARNING))

    verdict = judged(labels, policy=lax, gold=gold, vendors=("vendor-a", "vendor-b"))

    assert list(verdict.quarantined) == ["label-0"]


STRICT_ABOUT_COPIES = LabelPolicy(severity=Severities(near_duplicates_agree=Severity.CRITICAL))


def test_near_duplicates_that_show_two_products_are_reported() -> None:
    labels = good_batch(4)
    images = images_of(labels).assign(near_duplicates=["g", "g", None, "h"])

    verdict = judged(labels, images=images)

    rule = outcome(verdict, "nearly the same")
    assert (rule.state, rule.rows) == (State.FAILED, 2)
    assert not verdict.quarantined


def test_near_duplicates_that_show_two_products_are_quarantined_where_the_policy_says_so() -> None:
    labels = good_batch(4)
    images = images_of(labels).assign(near_duplicates=["g", "g", None, "h"])

    verdict = judged(labels, STRICT_ABOUT_COPIES, images=images)

    assert list(verdict.quarantined) == ["label-0", "label-1"]


def test_a_near_duplicate_in_the_training_set_is_one_as_well() -> None:
    labels = good_batch(1)
    images = pd.DataFrame(
        {
            "image_id": ["image-0", "earlier"],
            "locale": "de-DE",
            "unchanged": 1.0,
            "near_duplicates": "g",
        }
    )
    current = pd.DataFrame(
        {"image_id": ["earlier"], "product_id": ["product-9"], "locale": ["de-DE"]}
    )

    assert judged(labels, STRICT_ABOUT_COPIES, images=images, current=current).quarantined
    assert not judged(labels, STRICT_ABOUT_COPIES, images=images).quarantined


def gold_of(*counted: tuple[str, str, int, int]) -> pd.DataFrame:
    """Of n gold questions, how many an annotator of a vendor answered rightly."""
    rows = [(annotator, site, "de-DE", right, n) for annotator, site, right, n in counted]
    return pd.DataFrame(rows, columns=["annotator", "site", "locale", "n_right", "n"])
