"""Decisions follow from answers by majority, whatever their order, and supersede each other."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from annotation import current_answers, decide, verified_labels
from catalog.schema import Answer, AnswerState, Decision, DecisionKind, Verdict
from tests.annotation.conftest import make_question

SHEET = ["a", "b", "c", "d"]
QUESTION = make_question(*SHEET)
MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def answer(
    annotator: str = "ada",
    verdict: Verdict | None = Verdict.CONFIRM,
    intruders: str = "",
    name: str | None = None,
    revision: int = 0,
    state: AnswerState = AnswerState.GIVEN,
    seconds: float | None = 8.0,
) -> Answer:
    return Answer(
        id=f"{annotator}-{revision}",
        question_id=QUESTION.id,
        annotation=f"7/{annotator}",
        revision=revision,
        annotator=annotator,
        state=state,
        verdict=verdict,
        intruder_ids=list(intruders),
        name=name,
        flags=[],
        seconds=seconds,
        answered_at=MONDAY,
    )


answers = st.builds(
    answer,
    verdict=st.sampled_from(Verdict),
    intruders=st.sets(st.sampled_from(SHEET)).map(lambda images: "".join(sorted(images))),
    name=st.sampled_from([None, "Kaffee", "kaffee", "Tee"]),
    revision=st.integers(0, 2),
    annotator=st.sampled_from(["ada", "bo", "chen", "dina"]),
    state=st.sampled_from(AnswerState),
    seconds=st.none() | st.floats(0, 60),
)
histories = st.lists(answers, max_size=8, unique_by=lambda answer: answer.id)


def outcome(decision: Decision | None) -> object:
    """All that a decision says, but for when it was taken."""
    if decision is None:
        return None
    facts = dict(vars(decision))
    return {key: facts[key] for key in facts if key not in ("_sa_instance_state", "decided_at")}


@given(histories, st.randoms())
def test_the_order_of_the_answers_does_not_matter(history: list[Answer], random: object) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(decide(QUESTION, shuffled)) == outcome(decide(QUESTION, history))


@given(histories)
def test_kept_and_removed_images_are_the_sheet(history: list[Answer]) -> None:
    decision = decide(QUESTION, history)
    if decision:
        assert sorted(decision.kept_ids + decision.removed_ids) == SHEET
        assert bool(decision.kept_ids) == (decision.kind == DecisionKind.SAME)
        assert 0 <= decision.agreement <= 1


@given(histories)
def test_decisions_form_a_chain_of_distinct_links(history: list[Answer]) -> None:
    chain: list[Decision] = []
    for n_known in range(len(history) + 1):
        decision = decide(QUESTION, history[:n_known], chain[-1] if chain else None)
        if decision:
            chain.append(decision)
    assert len({decision.id for decision in chain}) == len(chain)
    assert [b.supersedes_id for a, b in pairwise(chain)] == [a.id for a in chain[:-1]]


@given(histories)
def test_a_repeated_decision_says_nothing_new(history: list[Answer]) -> None:
    assert decide(QUESTION, history, decide(QUESTION, history)) is None


def test_no_answer_decides_nothing() -> None:
    assert decide(QUESTION, []) is None
    assert decide(QUESTION, [answer(state=AnswerState.SKIPPED, verdict=None)]) is None


def test_one_answer_decides() -> None:
    decision = decide(QUESTION, [answer(intruders="b", name="Kaffee")])
    assert decision.kind == DecisionKind.SAME
    assert (decision.kept_ids, decision.removed_ids) == (["a", "c", "d"], ["b"])
    assert (decision.name, decision.agreement, decision.seconds) == ("Kaffee", 1.0, 8.0)
    assert (decision.answer_ids, decision.annotators) == (["ada-0"], ["ada"])


def test_each_verdict_has_its_kind_of_decision() -> None:
    kinds = [decide(QUESTION, [answer(verdict=verdict)]).kind for verdict in Verdict]
    assert kinds == ["same", "different", "unusable", "unsure"]


def test_a_verdict_without_a_majority_is_unsure() -> None:
    decision = decide(QUESTION, [answer("ada"), answer("bo", Verdict.MIXED)])
    assert (decision.kind, decision.agreement) == (DecisionKind.UNSURE, 0.0)


def test_a_picture_that_only_half_of_the_annotators_keep_is_removed() -> None:
    decision = decide(QUESTION, [answer("ada", intruders="ab"), answer("bo", intruders="b")])
    assert (decision.kept_ids, decision.removed_ids) == (["c", "d"], ["a", "b"])
    assert decision.agreement == (0.5 + 1 + 1 + 1) / 4


def test_ticking_every_picture_shows_no_product() -> None:
    assert decide(QUESTION, [answer(intruders="abcd")]).kind == DecisionKind.UNSURE


def test_agreement_counts_those_who_gave_another_verdict_as_disagreeing() -> None:
    votes = [answer("ada"), answer("bo"), answer("chen", Verdict.MIXED)]
    assert decide(QUESTION, votes).agreement == 2 / 3


def test_spelling_habits_vote_together_and_the_usual_spelling_wins() -> None:
    names = {"ada": "Coca Cola", "bo": "Coca-Cola", "chen": "Coca-Cola", "dina": "Pepsi"}
    decision = decide(QUESTION, [answer(who, name=name) for who, name in names.items()])
    assert decision.name == "Coca-Cola"


def test_a_name_without_a_majority_is_no_name() -> None:
    assert decide(QUESTION, [answer("ada", name="Tee"), answer("bo", name="Saft")]).name is None


def test_an_annotator_has_one_voice_and_the_newest_counts() -> None:
    first = answer("ada", Verdict.MIXED)
    again = answer("ada", Verdict.CONFIRM)
    again.id, again.annotation = "later", "7/another"
    again.answered_at = MONDAY + dt.timedelta(minutes=5)
    assert current_answers([again, first]) == [again]


def test_a_changed_mind_supersedes() -> None:
    before = decide(QUESTION, [answer()])
    after = decide(QUESTION, [answer(), answer(verdict=Verdict.MIXED, revision=1)], before)
    assert (after.kind, after.supersedes_id) == (DecisionKind.DIFFERENT, before.id)


def test_withdrawing_every_answer_supersedes_with_unsure() -> None:
    history = [answer(), answer(verdict=None, revision=1, state=AnswerState.WITHDRAWN)]
    before = decide(QUESTION, history[:1])
    after = decide(QUESTION, history, before)
    assert (after.kind, after.kept_ids, after.supersedes_id) == ("unsure", [], before.id)
    assert decide(QUESTION, history, after) is None


def test_every_kept_image_gets_a_label_with_its_share_of_the_time() -> None:
    decision = decide(QUESTION, [answer(intruders="b")])
    labels = verified_labels(decision, "en-US", "product")
    assert [label.image_id for label in labels] == ["a", "c", "d"]
    assert {label.seconds for label in labels} == {2.0}
    assert {label.decision_id for label in labels} == {decision.id}
    assert len({label.id for label in labels}) == 3


def test_only_one_product_makes_labels() -> None:
    decision = decide(QUESTION, [answer(verdict=Verdict.MIXED)])
    assert verified_labels(decision, "en-US", None) == []
