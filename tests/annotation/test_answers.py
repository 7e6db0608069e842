"""Answers are only ever added: each new state of an annotation is another answer."""

import datetime as dt
from dataclasses import replace
from typing import Any

from annotation import Annotation, Flag, Submission, invalid_annotations, new_answers, result
from catalog.schema import AnswerState, Desk, QuestionKind, Verdict
from tests.annotation.conftest import make_question

QUESTION = make_question("a", "b", "c")
MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def annotation(said: list[dict[str, Any]], number: int = 1, **facts: Any) -> Annotation:
    return Annotation(
        **{
            "id": number,
            "annotator": "ada@example.org",
            "result": said,
            "cancelled": False,
            "seconds": 12.5,
            "updated_at": MONDAY,
            **facts,
        }
    )


def submission(*annotations: Annotation, task_id: int = 7) -> Submission:
    return Submission(
        question_id=QUESTION.id,
        task_id=task_id,
        overlap=1,
        annotations=annotations,
        updated_at=MONDAY + dt.timedelta(hours=1),
    )


CONFIRMED = annotation(
    result(
        QuestionKind.VERIFY,
        Verdict.CONFIRM,
        intruder_ids=["c", "a"],
        name="Kaffee",
        flags=[Flag.BLURRY],
    )
)
MIXED = result(QuestionKind.VERIFY, Verdict.MIXED)


def test_an_annotation_becomes_an_answer() -> None:
    (answer,) = new_answers(submission(CONFIRMED), QUESTION, [])
    assert answer.question_id == QUESTION.id
    assert (answer.annotation, answer.revision, answer.annotator) == ("7/1", 0, "ada@example.org")
    assert (answer.state, answer.verdict) == (AnswerState.GIVEN, Verdict.CONFIRM)
    assert (answer.intruder_ids, answer.name, answer.flags) == (["a", "c"], "Kaffee", ["blurry"])
    assert (answer.seconds, answer.answered_at) == (12.5, MONDAY)


def test_what_was_not_touched_is_empty() -> None:
    (answer,) = new_answers(submission(annotation(MIXED)), QUESTION, [])
    assert (answer.intruder_ids, answer.name, answer.flags) == ([], None, [])


def test_what_is_known_is_not_new() -> None:
    known = new_answers(submission(CONFIRMED), QUESTION, [])
    assert new_answers(submission(CONFIRMED), QUESTION, known) == []


def test_the_same_annotation_makes_the_same_answer_whenever_it_is_pulled() -> None:
    first, second = (new_answers(submission(CONFIRMED), QUESTION, [])[0].id for _ in range(2))
    assert first == second


def test_a_changed_mind_is_another_answer_and_changing_back_a_third() -> None:
    known = new_answers(submission(CONFIRMED), QUESTION, [])
    changed = replace(CONFIRMED, result=MIXED)
    for state in (changed, CONFIRMED):
        known += new_answers(submission(state), QUESTION, known)
    assert [answer.revision for answer in known] == [0, 1, 2]
    assert [answer.verdict for answer in known] == ["confirm", "mixed", "confirm"]
    assert len({answer.id for answer in known}) == 3


def test_a_skip_says_nothing_even_with_a_result() -> None:
    skipped = replace(CONFIRMED, cancelled=True)
    (answer,) = new_answers(submission(skipped), QUESTION, [])
    assert (answer.state, answer.verdict, answer.intruder_ids) == (AnswerState.SKIPPED, None, [])


def test_an_annotation_that_vanished_is_withdrawn_once() -> None:
    known = new_answers(submission(CONFIRMED), QUESTION, [])
    known += new_answers(submission(), QUESTION, known)
    assert [answer.state for answer in known] == [AnswerState.GIVEN, AnswerState.WITHDRAWN]
    assert known[1].annotator == "ada@example.org"
    assert known[1].answered_at == submission().updated_at
    assert new_answers(submission(), QUESTION, known) == []


def test_the_annotations_of_another_task_are_not_withdrawn() -> None:
    known = new_answers(submission(CONFIRMED), QUESTION, [])
    assert new_answers(submission(task_id=70), QUESTION, known) == []


def test_an_answer_keeps_the_desk_where_it_was_given() -> None:
    (of_the_crowd,) = new_answers(submission(CONFIRMED), QUESTION, [])
    (of_the_lead,) = new_answers(submission(CONFIRMED), QUESTION, [], Desk.LEAD)
    assert (of_the_crowd.desk, of_the_lead.desk) == (Desk.CROWD, Desk.LEAD)


def test_an_answer_keeps_the_groups_of_a_split() -> None:
    question = make_question("a", "b", "c", kind=QuestionKind.SPLIT)
    said = result(QuestionKind.SPLIT, Verdict.CONFIRM, groups=[["c"], ["b", "a"]])
    given = replace(submission(annotation(said)), question_id=question.id)
    known = new_answers(given, question, [])
    assert known[0].groups == [["a", "b"], ["c"]]
    assert new_answers(given, question, known) == []


def test_what_does_not_answer_the_question_is_named_with_its_place() -> None:
    [problem] = invalid_annotations(submission(annotation([])), QUESTION)
    place = f"annotation 1 of question {QUESTION.id} on site 'local' has 0 verdicts"
    assert problem.startswith(place)
    assert problem.endswith(": correct or delete the annotation there")


def test_an_annotation_that_answers_nothing_holds_back_no_other_of_its_task() -> None:
    nonsense = replace(annotation([]), id=2, annotator="eve@example.org")
    (answer,) = new_answers(submission(nonsense, CONFIRMED), QUESTION, [])
    assert answer.annotator == "ada@example.org"


def test_an_answer_that_turns_into_nonsense_stands_as_it_was() -> None:
    known = new_answers(submission(CONFIRMED), QUESTION, [])
    spoilt = submission(replace(CONFIRMED, result=[]))
    assert new_answers(spoilt, QUESTION, known) == []
    assert len(list(invalid_annotations(spoilt, QUESTION))) == 1
