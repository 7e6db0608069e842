"""Decisions follow from answers, whatever their order, and supersede each other."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import Ruling, Votes, current_answers, rule, undo
from catalog.schema import (
    Answer,
    AnswerState,
    Decision,
    DecisionKind,
    Desk,
    Question,
    QuestionKind,
    Verdict,
)
from tests.annotation.answers_of import answer, question

SHEET = "abcd"
VERIFY = question(SHEET)
ATTACH = question("cd", QuestionKind.ATTACH, references="ab")
MERGE = question("cd", QuestionKind.MERGE, references="ab")
SPLIT = question("abcde", QuestionKind.SPLIT)

answers = st.builds(
    answer,
    verdict=st.sampled_from([Verdict.CONFIRM, Verdict.MIXED, Verdict.UNUSABLE, Verdict.UNSURE]),
    intruders=st.sets(st.sampled_from(SHEET)).map(lambda images: "".join(sorted(images))),
    name=st.sampled_from([None, "Kaffee", "kaffee", "Tee"]),
    revision=st.integers(0, 2),
    annotator=st.sampled_from(["ada", "bo", "chen", "dina"]),
    state=st.sampled_from(AnswerState),
    seconds=st.none() | st.floats(0, 60),
    minute=st.integers(0, 3),
)
histories = st.lists(answers, max_size=6, unique_by=lambda answer: answer.id)


def ruled(
    asked: Question,
    given: Sequence[Answer],
    previous: Decision | None = None,
    votes: Votes | None = None,
) -> Ruling:
    standing = {asked.id: previous} if previous else {}
    return rule([asked], {asked.id: given}, standing, votes or Votes())[asked.id]


def decide(asked: Question, *given: Answer, previous: Decision | None = None) -> Decision:
    decision = ruled(asked, given, previous).decision
    assert decision is not None
    return decision


def outcome(decision: Decision | None) -> object:
    """All that a decision says, but for when it was taken."""
    if decision is None:
        return None
    facts = dict(vars(decision))
    return {key: facts[key] for key in facts if key not in ("_sa_instance_state", "decided_at")}


class TestEveryHistory:
    @settings(max_examples=40)
    @given(histories, st.randoms(use_true_random=False))
    def test_the_order_of_the_answers_does_not_matter(
        self, history: list[Answer], random: object
    ) -> None:
        shuffled = list(history)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert outcome(ruled(VERIFY, shuffled).decision) == outcome(ruled(VERIFY, history).decision)

    @settings(max_examples=40)
    @given(histories)
    def test_kept_and_removed_images_are_the_sheet(self, history: list[Answer]) -> None:
        decision = ruled(VERIFY, history).decision
        if decision:
            kept = [image for group in decision.groups for image in group]
            assert sorted(kept + decision.removed_ids) == list(SHEET)
            assert bool(kept) == (decision.kind == DecisionKind.SAME)
            assert len(decision.memberships) == len(SHEET)
            assert 0 <= decision.agreement <= 1
            assert 0 <= decision.confidence <= 1

    @settings(max_examples=40)
    @given(histories)
    def test_decisions_form_a_chain_of_distinct_links(self, history: list[Answer]) -> None:
        chain: list[Decision] = []
        for n_known in range(len(history) + 1):
            previous = chain[-1] if chain else None
            decision = ruled(VERIFY, history[:n_known], previous).decision
            if decision:
                chain.append(decision)
        assert len({decision.id for decision in chain}) == len(chain)
        assert [b.supersedes_id for a, b in pairwise(chain)] == [a.id for a in chain[:-1]]

    @settings(max_examples=40)
    @given(histories)
    def test_a_repeated_ruling_decides_nothing_new(self, history: list[Answer]) -> None:
        first = ruled(VERIFY, history).decision
        assert ruled(VERIFY, history, first).decision is None


class TestWhoIsHeard:
    def test_no_answer_decides_nothing(self) -> None:
        skipped = answer(state=AnswerState.SKIPPED, verdict=None)
        assert ruled(VERIFY, []) == ruled(VERIFY, [skipped]) == Ruling()

    def test_the_newest_answer_of_an_annotator_counts(self) -> None:
        first, second = answer(intruders="a"), answer(intruders="b", revision=1)
        assert current_answers([first, second]) == [second]

    def test_when_the_only_answer_is_withdrawn_an_unsure_decision_supersedes(self) -> None:
        before = decide(VERIFY, answer())
        gone = answer(state=AnswerState.WITHDRAWN, verdict=None, revision=1)
        after = decide(VERIFY, answer(), gone, previous=before)
        assert (after.kind, after.groups, after.supersedes_id) == ("unsure", [], before.id)

    def test_the_lead_decides_alone(self) -> None:
        crowd = [answer(name) for name in ("ada", "bo", "chen")]
        lead = answer("eve", Verdict.MIXED, desk=Desk.LEAD)
        decision = decide(VERIFY, *crowd, lead)
        assert (decision.kind, decision.annotators) == (DecisionKind.DIFFERENT, ["eve"])


class TestVerify:
    def test_one_answer_decides(self) -> None:
        decision = decide(VERIFY, answer(intruders="b", name="Kaffee"))
        assert (decision.kind, decision.groups) == (DecisionKind.SAME, [["a", "c", "d"]])
        assert (decision.removed_ids, decision.name) == (["b"], "Kaffee")
        assert (decision.agreement, decision.seconds) == (1.0, 8.0)
        assert decision.annotators == ["ada"]

    def test_most_annotators_decide_about_a_picture(self) -> None:
        decision = decide(VERIFY, answer("ada", intruders="ab"), answer("bo", intruders="a"))
        assert decision.removed_ids[0] == "a"
        three = decide(
            VERIFY, answer("ada", intruders="ab"), answer("bo", intruders="a"), answer("chen")
        )
        assert three.removed_ids == ["a"]

    def test_the_name_that_most_gave_stands_in_its_usual_spelling(self) -> None:
        decision = decide(
            VERIFY,
            answer("ada", name="Tee"),
            answer("bo", name="Kaffee 500 g"),
            answer("chen", name="kaffee 500g"),
            answer("dina", name="Kaffee 500 g"),
        )
        assert decision.name == "Kaffee 500 g"

    def test_a_sheet_of_which_everything_is_ticked_is_unsure(self) -> None:
        assert decide(VERIFY, answer(intruders=SHEET)).kind == DecisionKind.UNSURE

    def test_of_a_mixed_sheet_nothing_is_known_but_of_two_pictures_that_they_differ(self) -> None:
        assert decide(VERIFY, answer(verdict=Verdict.MIXED)).groups == []
        pair = question("ab")
        assert decide(pair, answer(verdict=Verdict.MIXED)).groups == [["a"], ["b"]]

    def test_who_is_not_sure_does_not_outvote_who_is(self) -> None:
        unsure = [answer(name, Verdict.UNSURE) for name in ("bo", "chen")]
        assert decide(VERIFY, answer("ada"), *unsure).kind == DecisionKind.SAME


class TestTheOtherKinds:
    def test_attached_pictures_join_the_references(self) -> None:
        decision = decide(ATTACH, answer(intruders="d"))
        assert decision.groups == [["a", "b"], ["c"]]
        assert (decision.kind, decision.removed_ids) == (DecisionKind.SAME, ["d"])

    def test_pictures_of_another_product_are_all_told_from_the_references(self) -> None:
        decision = decide(ATTACH, answer(verdict=Verdict.DIFFERENT))
        assert (decision.kind, decision.groups) == (DecisionKind.DIFFERENT, [["a", "b"]])
        assert decision.removed_ids == ["c", "d"]

    def test_a_merge_relates_both_galleries(self) -> None:
        same, other = decide(MERGE, answer()), decide(MERGE, answer(verdict=Verdict.DIFFERENT))
        assert same.groups == other.groups == [["a", "b"], ["c", "d"]]
        assert (same.kind, other.kind) == (DecisionKind.SAME, DecisionKind.DIFFERENT)

    def test_a_variant_and_a_difference_agree_that_it_is_not_the_same(self) -> None:
        votes = [
            answer("ada", Verdict.VARIANT),
            answer("bo", Verdict.DIFFERENT),
            answer("chen", Verdict.CONFIRM),
        ]
        assert decide(MERGE, *votes).kind == DecisionKind.DIFFERENT

    def test_a_split_keeps_the_groups_that_most_made(self) -> None:
        decision = decide(
            SPLIT,
            answer("ada", groups=["ab", "cd"]),
            answer("bo", groups=["ab", "cd"]),
            answer("chen", groups=["abc", "de"]),
        )
        assert (decision.kind, decision.groups) == (
            DecisionKind.DIFFERENT,
            [["a", "b"], ["c", "d"]],
        )
        assert decision.removed_ids == ["e"]
        assert 0.5 < decision.agreement < 1


class TestRisk:
    TEAM = Votes(first=2, most=3, risk=0.2, lead=True)

    def test_annotators_who_contradict_each_other_call_for_another(self) -> None:
        ruling = ruled(VERIFY, [answer("ada"), answer("bo", Verdict.MIXED)], votes=self.TEAM)
        assert (ruling.decision, ruling.votes) == (None, 3)

    def test_annotators_who_agree_are_enough(self) -> None:
        ruling = ruled(VERIFY, [answer("ada"), answer("bo")], votes=self.TEAM)
        assert ruling.decision is not None
        assert ruling.votes == 0

    def test_what_all_could_not_settle_goes_to_the_lead(self) -> None:
        verdicts = (Verdict.CONFIRM, Verdict.MIXED, Verdict.UNUSABLE)
        given_ = [answer(f"annotator {n}", verdict) for n, verdict in enumerate(verdicts)]
        assert ruled(VERIFY, given_, votes=self.TEAM).escalated

    def test_without_a_lead_what_nobody_could_settle_is_unsure(self) -> None:
        verdicts = (Verdict.CONFIRM, Verdict.MIXED, Verdict.UNUSABLE)
        given_ = [answer(f"annotator {n}", verdict) for n, verdict in enumerate(verdicts)]
        alone = Votes(first=2, most=3, risk=0.2)
        decision = ruled(VERIFY, given_, votes=alone).decision
        assert decision is not None
        assert decision.kind == DecisionKind.UNSURE

    def test_gold_questions_are_not_ruled_on(self) -> None:
        gold = question(SHEET, expected={"verdict": "confirm", "intruder_ids": []})
        assert rule([gold], {gold.id: [answer()]}, {}, Votes()) == {}


class TestUndo:
    def test_an_undone_decision_says_nothing_and_is_not_decided_again(self) -> None:
        before = decide(VERIFY, answer())
        undone = undo(before, by="operator", reason="a slip")
        assert (undone.supersedes_id, undone.groups, undone.reason) == (before.id, [], "a slip")
        assert ruled(VERIFY, [answer()], undone) == Ruling()

    def test_a_new_answer_decides_again(self) -> None:
        undone = undo(decide(VERIFY, answer()), by="operator", reason="a slip")
        again = decide(VERIFY, answer(), answer("bo"), previous=undone)
        assert (again.kind, again.supersedes_id) == (DecisionKind.SAME, undone.id)
