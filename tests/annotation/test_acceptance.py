"""Nothing is accepted before audits show the precision, and no longer than they do."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from annotation import Acceptable, Audited, Guarantee, History
from annotation.acceptance import (
    accepted,
    chance_of,
    history,
    precision_bound,
    right_share,
    sort_out,
)
from annotation.questions import ANCHORS
from catalog.schema import AuditSubject, Decision, DecisionKind, QuestionKind
from tests.annotation.answers_of import MONDAY, question

GUARANTEE = Guarantee()
CLUSTER = AuditSubject.CLUSTER


def audits(right: Sequence[float], scores: Sequence[float] | None = None) -> list[Audited]:
    """Audits a minute apart, each answered half a minute after it was drawn."""
    drawn = [MONDAY + dt.timedelta(minutes=n) for n in range(len(right))]
    return [
        Audited(score, share, at, at + dt.timedelta(seconds=30))
        for at, share, score in zip(drawn, right, scores or [0.9] * len(right), strict=True)
    ]


def after(n_audits: int) -> dt.datetime:
    return MONDAY + dt.timedelta(minutes=n_audits)


def candidate(n_images: int = 20, score: float = 0.99, identity: str = "q") -> Acceptable:
    asked = question("", identity=identity)
    asked.image_ids = [f"{identity} {n}" for n in range(n_images)]
    return Acceptable(asked, CLUSTER, score)


class TestTheThreshold:
    def test_without_audits_nothing_is_accepted_and_the_missing_ones_are_counted(self) -> None:
        found = history([], GUARANTEE).threshold
        assert found.value is None
        assert f"{found.missing} clean audits are missing" in str(found)

    def test_as_many_clean_audits_as_are_missing_turn_it_on_and_one_less_does_not(self) -> None:
        missing = history([], GUARANTEE).threshold.missing
        assert history(audits([1.0] * (missing - 1)), GUARANTEE).threshold.missing == 1
        assert history(audits([1.0] * missing), GUARANTEE).threshold.value == 0.9

    def test_a_defect_costs_more_audits(self) -> None:
        clean, spoilt = (
            history(audits(said), GUARANTEE) for said in ([1.0] * 200, [1.0] * 199 + [0])
        )
        assert spoilt.threshold.missing > clean.threshold.missing

    def test_scores_below_which_precision_is_low_are_not_accepted(self) -> None:
        rng = np.random.default_rng(0)
        scores = rng.random(2000)
        right = np.where(scores < 0.4, rng.random(2000) < 0.8, True).astype(float)
        value = history(audits(right.tolist(), scores.tolist()), GUARANTEE).threshold.value
        assert value is not None
        assert 0.4 <= value < 0.6

    def test_precision_below_the_promise_turns_it_on_as_rarely_as_promised(self) -> None:
        """Whenever one looks: each stream is looked at after each audit."""
        rng = np.random.default_rng(0)
        n_on = 0
        for _ in range(120):
            scores, right = rng.random(900), (rng.random(900) < 0.99).astype(float)
            n_on += bool(history(audits(right.tolist(), scores.tolist()), GUARANTEE).spans)
        assert binomtest(n_on, 120, 1 - GUARANTEE.confidence, alternative="greater").pvalue > 0.01

    @given(st.lists(st.floats(0, 1), max_size=60), st.floats(0.01, 0.2))
    def test_the_bound_never_exceeds_the_mean_and_rises_with_the_risk(
        self, right: list[float], risk: float
    ) -> None:
        bound = precision_bound(right, risk)
        assert 0 <= bound <= (np.mean(right) if right else 0) + 1e-6
        assert bound <= precision_bound(right, 2 * risk) + 1e-6


class TestWhatStands:
    def test_what_was_just_accepted_waits(self) -> None:
        enough = history([], GUARANTEE).threshold.missing
        found = history(audits([1.0] * enough), GUARANTEE)
        assert found.covers(0.9, after(enough + 1))
        assert not found.held(0.9, after(enough + 1))

    def test_as_many_clean_audits_of_it_as_are_owed_show_it_and_one_less_does_not(self) -> None:
        enough = history([], GUARANTEE).threshold.missing
        first = history(audits([1.0] * (enough + 1)), GUARANTEE)
        moment = after(enough)
        for n, shown in ((first.owed - 1, False), (first.owed, True)):
            assert history(audits([1.0] * (enough + 1 + n)), GUARANTEE).held(0.9, moment) == shown

    def test_what_stands_goes_on_standing_while_later_ones_wait(self) -> None:
        shown = history(audits([1.0] * 1000), GUARANTEE)
        later = history(audits([1.0] * 1000 + [0.0]), GUARANTEE)
        assert later.begun is None
        assert later.shown_until == shown.shown_until

    def test_what_waited_when_acceptance_ended_never_stands(self) -> None:
        found = history(audits([1.0] * 700 + [0.0] * 20 + [1.0] * 1500), GUARANTEE)
        assert found.begun is not None
        assert not found.covers(0.9, after(650))

    def test_of_audits_that_were_drawn_at_once_none_counts_without_the_others(self) -> None:
        enough = history([], GUARANTEE).threshold.missing
        evidence, owed = audits([1.0] * enough), history(audits([1.0] * (enough + 1)), GUARANTEE)
        at = after(enough)
        batch = [
            Audited(0.9, share, at, at + dt.timedelta(seconds=number))
            for number, share in enumerate([1.0] * (owed.owed + 1) + [0.0])
        ]
        assert history([*evidence, *batch[:-1]], GUARANTEE).held(0.9, at)
        assert not history([*evidence, *batch], GUARANTEE).held(0.9, at)

    @pytest.mark.parametrize("worse", [0.0, 0.9, 0.97])
    def test_what_stands_is_as_precise_as_promised_however_precision_falls(
        self, worse: float
    ) -> None:
        """At any moment but for the risk: looked at after each 100 audits, from the fall on."""
        rng = np.random.default_rng(0)
        broken = []
        for _ in range(15):
            fall = int(rng.integers(600, 1400))
            precision = np.where(np.arange(1800) < fall, 0.999, worse)
            said = audits((rng.random(1800) < precision).astype(float).tolist())
            for n in range(fall, 1800, 100):
                found = history(said[:n], GUARANTEE)
                standing = [k for k in range(n) if found.held(0.9, said[k].drawn_at)]
                broken.append(bool(standing) and precision[standing].mean() < 0.99)
        assert np.mean(broken) <= GUARANTEE.risk


class TestWhatNoLongerHolds:
    @staticmethod
    def drifted() -> History:
        """1,000 clean audits, then one in five is wrong."""
        return history(audits([1.0] * 1000 + [1, 1, 1, 1, 0] * 40), GUARANTEE)

    def test_a_drift_turns_it_off(self) -> None:
        assert self.drifted().threshold.value is None

    def test_what_was_accepted_since_the_last_good_moment_does_not_hold(self) -> None:
        assert not self.drifted().held(0.95, after(1003))

    def test_what_was_accepted_long_before_holds(self) -> None:
        assert self.drifted().held(0.95, after(800))

    def test_nothing_holds_from_before_there_was_enough_evidence(self) -> None:
        assert not self.drifted().held(0.95, after(300))

    def test_what_scored_below_the_threshold_never_held(self) -> None:
        assert not self.drifted().held(0.85, after(800))

    def test_after_a_drift_the_evidence_starts_anew(self) -> None:
        missing = history([], GUARANTEE).threshold.missing
        said = [1.0] * 1000 + [0.0] * 2 + [1.0] * missing
        found = history(audits(said), GUARANTEE)
        assert found.threshold.value == 0.9
        assert found.threshold.n == missing

    @settings(max_examples=30)
    @given(st.randoms(use_true_random=False))
    def test_the_order_in_which_audits_are_given_does_not_matter(self, random: object) -> None:
        given_order = audits([1.0] * 700 + [0, 1] * 10)
        other = list(given_order)
        random.shuffle(other)  # type: ignore[attr-defined]
        assert history(other, GUARANTEE) == history(given_order, GUARANTEE)

    @settings(max_examples=30)
    @given(st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.5]), max_size=100), st.integers(500, 700))
    def test_later_audits_do_not_add_to_what_was_accepted_before(
        self, later: list[float], n_clean: int
    ) -> None:
        before = history(audits([1.0] * n_clean), GUARANTEE)
        now = history(audits([1.0] * n_clean + later), GUARANTEE)
        for minute in range(0, n_clean, 10):
            if now.covers(0.9, after(minute)):
                assert before.covers(0.9, after(minute))


class TestWhatBecomesOfAQuestion:
    def test_without_a_threshold_none_is_accepted(self) -> None:
        found = sort_out([candidate(identity=str(n)) for n in range(50)], {}, GUARANTEE)
        assert not found.accepted
        assert len(found.drawn) + len(found.left) == 50

    @pytest.mark.parametrize(("score", "n_accepted"), [(0.97, 1), (0.96, 0)])
    def test_it_is_accepted_from_the_threshold_on(self, score: float, n_accepted: int) -> None:
        found = sort_out([candidate(score=score)], {("de-DE", CLUSTER): 0.97}, GUARANTEE)
        assert len(found.accepted) == n_accepted

    def test_a_threshold_of_another_locale_accepts_nothing(self) -> None:
        assert not sort_out([candidate()], {("ja-JP", CLUSTER): 0.5}, GUARANTEE).accepted

    def test_what_the_policy_does_not_name_is_not_accepted(self) -> None:
        merges_only = Guarantee(subjects=(AuditSubject.MERGE,))
        assert not sort_out([candidate()], {("de-DE", CLUSTER): 0.5}, merges_only).accepted

    def test_a_cluster_that_is_looked_at_to_be_named_anyway_is_asked(self) -> None:
        small = candidate(n_images=ANCHORS)
        assert not sort_out([small], {("de-DE", CLUSTER): 0.5}, GUARANTEE).accepted

    def test_the_same_questions_are_drawn_every_time(self) -> None:
        candidates = [candidate(identity=str(n)) for n in range(100)]
        thresholds = {("de-DE", CLUSTER): 0.5}
        first, again = (
            {each.question.id for each, _ in sort_out(given, thresholds, GUARANTEE).drawn}
            for given in (candidates, candidates[::-1])
        )
        assert first == again

    def test_as_many_of_the_accepted_are_drawn_as_their_chances_say(self) -> None:
        candidates = [candidate(7 + n % 30, identity=str(n)) for n in range(3000)]
        found = sort_out(candidates, {("de-DE", CLUSTER): 0.5}, GUARANTEE)
        chances = np.array(
            [chance_of(each, GUARANTEE.audit_share, GUARANTEE) for each in candidates]
        )
        spread = np.sqrt((chances * (1 - chances)).sum())
        assert len(found.accepted) == 3000
        assert abs(len(found.drawn) - chances.sum()) < 4 * spread

    def test_what_the_holdout_left_may_still_be_audited(self) -> None:
        candidates = [candidate(identity=str(n)) for n in range(2000)]
        left = sort_out(candidates, {}, GUARANTEE).left
        assert sort_out(left, {("de-DE", CLUSTER): 0.5}, GUARANTEE).drawn


class TestRightOrWrong:
    @staticmethod
    def said(kind: DecisionKind, *groups: str) -> Decision:
        decision = accepted(candidate(), "model")
        decision.kind, decision.groups = kind, [list(group) for group in groups]
        return decision

    def test_of_a_sheet_the_share_that_people_keep_is_right(self) -> None:
        assert right_share(question("abcd"), self.said(DecisionKind.SAME, "abc")) == 0.75

    def test_references_do_not_count(self) -> None:
        asked = question("cd", QuestionKind.ATTACH, references="ab")
        assert right_share(asked, self.said(DecisionKind.SAME, "ab", "c")) == 0.5

    def test_a_merge_is_right_as_a_whole(self) -> None:
        asked = question("cd", QuestionKind.MERGE, references="ab")
        assert right_share(asked, self.said(DecisionKind.SAME, "ab", "cd")) == 1

    @pytest.mark.parametrize(
        "kind", [DecisionKind.DIFFERENT, DecisionKind.UNSURE, DecisionKind.UNUSABLE]
    )
    def test_what_people_do_not_confirm_is_wrong(self, kind: DecisionKind) -> None:
        assert right_share(question("ab"), self.said(kind)) == 0


def test_an_accepted_decision_says_what_was_asked_and_whose_word_it_is() -> None:
    asked = question("cd", QuestionKind.ATTACH, references="ab")
    decision = accepted(Acceptable(asked, AuditSubject.ATTACHMENT, 0.98), "model")
    assert decision.groups == [["a", "b"], ["c", "d"]]
    assert decision.memberships == [1.0, 1.0, 0.98, 0.98]
    assert (decision.model_id, decision.annotators, decision.answer_ids) == ("model", [], [])
