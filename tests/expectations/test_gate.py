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
from expectations.policy import LabelPolicy
from expectations.verdict import Verdict
from expectations.verified_labels import row_rules, set_rules
from tests.expectations.rows import (
    KNOWN_LOCALES,
    NO_CURRENT,
    frame_of,
    good_batch,
    good_label,
    images_of,
    judged,
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


@settings(max_examples=3, deadline=None)
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

    judge(*frames, LabelPolicy(), KNOWN_LOCALES)

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
    facts = with_facts(MIXED, images_of(MIXED), NO_CURRENT, policy, KNOWN_LOCALES)

    findings = run_suite(facts.drop(columns=["ingested", "seconds_per_picture"]), row_rules(policy))
    broken = {
        finding.outcome.rule: finding.outcome.holds
        for finding in findings
        if finding.outcome.state == "inconclusive"
    }

    assert broken == {
        "the image is ingested": True,
        "a decision takes between 0.05 and 60.0 seconds per picture": False,
    }


def test_the_outcomes_are_json(verdict: Verdict) -> None:
    outcomes = json.loads(json.dumps([asdict(rule) for rule in verdict.rules], allow_nan=False))

    assert {rule["state"] for rule in outcomes} == {"ok", "failed", "inconclusive"}


def test_every_rule_has_a_text_of_its_own() -> None:
    suites = row_rules(LabelPolicy()), set_rules(LabelPolicy(), KNOWN_LOCALES)
    texts = [rule.configuration.description for suite in suites for rule in suite.expectations]

    assert len(set(texts)) == len(texts)
    assert not any("{" in text for text in texts)


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

    judge(MIXED, images_of(MIXED), NO_CURRENT, LabelPolicy(), KNOWN_LOCALES, docs=docs)

    assert {page.name for page in docs.iterdir()} == {
        "each-verified-label.html",
        "verified-labels-together.html",
    }


def test_policy_and_report_do_not_wait_for_great_expectations() -> None:
    code = (
        "import sys, expectations.policy, expectations.report;"
        " sys.exit('great_expectations' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
