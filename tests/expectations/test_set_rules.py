"""What holds a batch, what is only reported, and what cannot be judged."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.policy import LabelPolicy, Severities, Severity
from expectations.shares import shift
from tests.expectations.rows import frame_of, good_batch, good_label, judged, outcome

ENOUGH = LabelPolicy().shares_judged_from


def current_set(**changes: str) -> pd.DataFrame:
    """A hundred labels of earlier images."""
    labels = good_batch(100, **changes)[["product_id", "locale"]]
    return labels.assign(image_id=[f"earlier-{n}" for n in range(100)])


def test_a_good_batch_is_accepted_whole_and_not_held() -> None:
    verdict = judged(good_batch(ENOUGH))

    assert len(verdict.accepted) == ENOUGH
    assert not verdict.quarantined
    assert not verdict.held


@pytest.mark.parametrize(("agreement", "held"), [(0.74, True), (0.75, False), (0.9, False)])
def test_a_low_mean_agreement_in_one_locale_holds_the_batch(agreement: float, held: bool) -> None:
    arabic = [good_label(n, locale="ar-EG", agreement=agreement) for n in range(10)]
    verdict = judged(frame_of(*arabic, *(good_label(n) for n in range(10, 40))))

    assert verdict.held is held
    assert outcome(verdict, "agreement in ar-EG is at least").observed == pytest.approx(agreement)
    assert outcome(verdict, "agreement in de-DE is at least").state == "ok"


def test_a_mean_at_the_bar_is_enough_whatever_its_rounding() -> None:
    verdict = judged(
        good_batch(30, agreement=0.9), policy=LabelPolicy(mean_agreement_per_locale=0.9)
    )

    assert not verdict.held


def test_a_locale_without_labels_is_declared_and_holds_nothing() -> None:
    verdict = judged(good_batch(2))
    absent = outcome(verdict, "agreement in ja-JP is at least")

    assert (absent.state, absent.on_fail) == ("inconclusive", "report")
    assert absent.observed == "no data to judge"
    assert not verdict.held


@pytest.mark.parametrize(("share", "held"), [(0.5, False), (0.6, True)])
def test_a_batch_of_mostly_one_product_is_held(share: float, held: bool) -> None:
    labels = good_batch(ENOUGH)
    labels.loc[labels.index[: round(share * ENOUGH)], "product_id"] = "product-of-the-day"

    verdict = judged(labels)

    assert verdict.held is held
    assert outcome(verdict, "of the batch").observed == pytest.approx(share)


def test_the_shares_of_a_small_batch_are_not_judged() -> None:
    verdict = judged(good_batch(ENOUGH - 1, product_id="product-of-the-day"))

    assert outcome(verdict, "of the batch").observed == "no data to judge"
    assert not verdict.held


def test_quarantined_labels_do_not_count_in_the_batch() -> None:
    bad = [good_label(n, locale="ar-EG", agreement=0.5) for n in range(5)]
    verdict = judged(frame_of(*bad, *(good_label(n) for n in range(5, 10))))

    assert len(verdict.quarantined) == 5
    assert outcome(verdict, "agreement in ar-EG is at least").observed == "no data to judge"
    assert not verdict.held


def test_a_batch_of_other_products_than_the_training_set_is_a_warning() -> None:
    verdict = judged(
        good_batch(ENOUGH * 10, locale="de-DE"), current=current_set(product_id="earlier")
    )
    moved = outcome(verdict, "training set's products")

    assert (moved.state, moved.severity, verdict.held) == ("failed", "warning", False)


def test_a_batch_of_another_locale_than_the_training_set_is_a_warning() -> None:
    verdict = judged(good_batch(ENOUGH * 2), current=current_set(locale="ja-JP"))
    moved = outcome(verdict, "training set's locales")

    assert (moved.state, moved.severity, verdict.held) == ("failed", "warning", False)


def test_a_batch_like_the_training_set_moves_nothing() -> None:
    verdict = judged(good_batch(100), current=current_set())

    assert outcome(verdict, "training set's products").observed == pytest.approx(0)
    assert outcome(verdict, "training set's locales").observed == pytest.approx(0)


def test_the_first_batch_has_no_training_set_to_move() -> None:
    verdict = judged(good_batch(ENOUGH))

    assert outcome(verdict, "training set's products").observed == "no data to judge"


def history_of(rule: str, *shares: float) -> pd.DataFrame:
    """What `rule` saw in de-DE in earlier passages, each time on 200 questions or labels."""
    rows = [(number, rule, "de-DE", share, 200) for number, share in enumerate(shares)]
    return pd.DataFrame(rows, columns=["passage", "rule", "locale", "value", "n"])


@pytest.mark.parametrize(
    ("before", "state"), [([0.9, 0.91] * 4, "failed"), ([0.6, 0.59] * 4, "ok")]
)
def test_an_unusual_share_of_confirmed_questions_is_a_warning(
    before: list[float], state: str
) -> None:
    decided = pd.DataFrame({"locale": ["de-DE"], "n_confirmed": [120], "n": [200]})
    history = history_of("confirmed_share_is_usual", *before)

    verdict = judged(good_batch(5), decided=decided, history=history)

    assert outcome(verdict, "confirmed in de-DE").state == state
    assert not verdict.held


def test_what_is_usual_is_not_known_after_a_few_passages_but_recorded_from_the_first() -> None:
    decided = pd.DataFrame({"locale": ["de-DE"], "n_confirmed": [10], "n": [200]})
    history = history_of("confirmed_share_is_usual", 0.9, 0.9)

    found = outcome(judged(good_batch(5), decided=decided, history=history), "confirmed in de-DE")

    assert (found.state, found.observed) == ("inconclusive", pytest.approx(0.05))


def test_an_unusual_share_can_be_made_to_hold_the_batch() -> None:
    policy = LabelPolicy(severity=Severities(quarantined_share_is_usual=Severity.CRITICAL))
    bad = [good_label(n, name="?") for n in range(50)]
    labels = frame_of(*bad, *(good_label(n) for n in range(50, 200)))
    history = history_of("quarantined_share_is_usual", *[0.01, 0.02] * 4)

    assert judged(labels, policy=policy, history=history).held
    assert not judged(good_batch(200), policy=policy, history=history).held


KEYS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40)


@given(batch=KEYS, current=KEYS)
def test_the_mean_shift_is_the_total_variation_between_the_set_before_and_after(
    batch: list[str], current: list[str]
) -> None:
    def share(key: str, labels: list[str]) -> float:
        return labels.count(key) / len(labels)

    after = current + batch
    distance = sum(abs(share(key, after) - share(key, current)) for key in "abcdef") / 2

    found = shift(pd.Series(batch, dtype="str"), pd.Series(current, dtype="str")).mean()

    assert math.isclose(found, distance, abs_tol=1e-12)
