"""The gate as a whole: it splits, it explains, it never alters or loses a label."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.facts import with_facts
from expectations.gate import judge, run_suite
from expectations.policy import LabelPolicy, Severities, Severity
from expectations.rules import USUAL_RULES
from expectations.verdict import Verdict
from expectations.verified_labels import row_rules, set_rules, usual_rules
from tests.expectations.rows import (
    KNOWN_LOCALES,
    frame_of,
    good_batch,
    good_label,
    images_of,
    judged,
    known_of,
    outcome,
)

MIXED = frame_of(
    good_label(0),
    good_label(1, name="?", agreement=0.2),
    good_label(2, product_id=None, name=None),
    good_label(3),
    good_label(3, product_id="product-9"),
    good_label(5, seconds=900.0),
    good_label(6, locale="ja-JP", name="ココア", agreement=0.7),
)


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return judged(MIXED)


@settings(max_examples=3)
@given(order=st.permutations(range(len(MIXED))))
def test_the_order_of_the_labels_does_not_matter(verdict: Verdict, order: list[int]) -> None:
    shuffled = judged(MIXED.iloc[order])

    assert set(shuffled.accepted) == set(verdict.accepted)
    assert shuffled.quarantined == verdict.quarantined
    assert shuffled.rules == verdict.rules
    assert shuffled.held == verdict.held


def test_every_label_is_accepted_or_quarantined_in_the_order_of_the_batch(
    verdict: Verdict,
) -> None:
    assert verdict.accepted == ("label-0", "label-5", "label-6")
    assert list(verdict.quarantined) == ["label-1", "label-2", "label-3", "label-4"]


def test_no_frame_is_altered() -> None:
    frames = MIXED.copy(), images_of(MIXED), MIXED[["image_id", "product_id", "locale"]]
    before = [frame.copy(deep=True) for frame in frames]
    labels, images, current = frames

    judge(labels, known_of(labels, images=images, current=current), LabelPolicy())

    for frame, copy in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_an_empty_batch_is_declared_and_not_held() -> None:
    verdict = judged(good_batch(1)[:0])
    [only] = verdict.rules

    assert (verdict.accepted, dict(verdict.quarantined), verdict.held) == ((), {}, False)
    assert (only.state, only.observed) == ("inconclusive", "no data to judge")


def test_a_batch_of_bad_labels_only_is_quarantined_and_not_held() -> None:
    verdict = judged(good_batch(3, name="?"))

    assert len(verdict.quarantined) == 3
    assert outcome(verdict, "at least one label").state == "failed"
    assert not verdict.held


def test_a_critical_rule_that_breaks_is_inconclusive_and_holds() -> None:
    policy = LabelPolicy()
    facts = with_facts(MIXED, known_of(MIXED), policy)

    findings = run_suite(
        facts.drop(columns=["ingested", "seconds_are_plausible"]), row_rules(policy)
    )
    broken = {
        finding.outcome.rule: finding.outcome.holds
        for finding in findings
        if finding.outcome.state == "inconclusive"
        and finding.outcome.observed != "no data to judge"
    }

    assert broken == {
        "the image is ingested": True,
        "a decision takes 0.05 to 60 seconds per picture": False,
    }


def test_the_outcomes_are_json(verdict: Verdict) -> None:
    outcomes = json.loads(json.dumps([asdict(rule) for rule in verdict.rules], allow_nan=False))

    assert {rule["state"] for rule in outcomes} == {"ok", "failed", "inconclusive"}


def test_every_rule_has_a_text_of_its_own() -> None:
    limits = {(rule.named(), tag): None for rule in USUAL_RULES for tag in KNOWN_LOCALES}
    suites = (
        row_rules(LabelPolicy()),
        set_rules(LabelPolicy(), KNOWN_LOCALES),
        usual_rules(LabelPolicy(), limits),
    )
    texts = [rule.configuration.description for suite in suites for rule in suite.expectations]

    assert len(set(texts)) == len(texts)
    assert not any("{" in text for text in texts)


def test_every_rule_has_a_severity_and_every_severity_a_rule() -> None:
    named = {rule.name for rule in judged(MIXED).rules}

    assert named == set(Severities.model_fields)


def test_the_policy_says_how_much_a_rule_matters() -> None:
    lax = LabelPolicy(severity=Severities(name_says_something=Severity.WARNING))

    assert not judged(good_batch(1, name="?"), policy=lax).quarantined
    assert outcome(judged(good_batch(1, name="?"), policy=lax), "placeholder").rows == 1


def test_a_released_label_is_accepted_in_spite_of_the_reasons_that_were_overruled() -> None:
    batch = good_batch(2, name="?")
    [reason] = judged(batch).quarantined["label-0"]

    verdict = judged(batch, overruled={"label-0": (reason,)})

    assert verdict.accepted == ("label-0",)
    assert list(verdict.quarantined) == ["label-1"]


def test_a_released_label_is_still_quarantined_for_another_reason() -> None:
    [reason] = judged(good_batch(1, name="?")).quarantined["label-0"]

    verdict = judged(good_batch(1, name="?", agreement=0.1), overruled={"label-0": (reason,)})

    assert verdict.quarantined["label-0"] == (
        "the annotators' agreement is below the bar of the locale",
    )


def test_a_released_label_does_not_hold_its_batch_for_what_was_overruled() -> None:
    batch = good_batch(1, agreement=0.1)
    [reason] = judged(batch).quarantined["label-0"]

    verdict = judged(batch, overruled={"label-0": (reason,)})

    assert verdict.accepted == ("label-0",)
    assert not verdict.held


def test_what_each_rule_saw_is_counted_by_locale(verdict: Verdict) -> None:
    seen = {(each.rule, each.locale): (each.value, each.n) for each in verdict.observations}

    assert seen["name_says_something", "de-DE"] == (pytest.approx(1 / 5), 5)
    assert seen["name_says_something", ""] == (pytest.approx(1 / 6), 6)
    assert seen["quarantined_share_is_usual", "de-DE"] == (pytest.approx(4 / 6), 6)
    assert seen["mean_agreement_is_usual", "ja-JP"] == (pytest.approx(0.7), 1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (MIXED.drop(columns="agreement"), "lacks agreement"),
        (pd.concat([MIXED, MIXED]), "label 'label-0' is there twice"),
        (MIXED.rename_axis("label_id"), "rename_axis"),
    ],
)
def test_a_frame_that_cannot_be_judged_says_what_to_mend(
    labels: pd.DataFrame, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        judged(labels)


def test_an_image_that_is_there_twice_is_refused() -> None:
    images = pd.concat([images_of(MIXED), images_of(MIXED)])

    with pytest.raises(ValueError, match="image 'image-0' is there twice"):
        judged(MIXED, images=images)


def test_pages_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    docs = tmp_path / "docs"

    judge(MIXED, known_of(MIXED), LabelPolicy(), docs=docs)

    assert {page.name for page in docs.iterdir()} == {
        "each-verified-label.html",
        "verified-labels-together.html",
        "locales-beside-their-history.html",
    }


def test_policy_and_report_do_not_wait_for_great_expectations() -> None:
    code = (
        "import sys, expectations.policy, expectations.report;"
        " sys.exit('great_expectations' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
