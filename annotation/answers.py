"""What annotators said, as answers that are only ever added.

An annotation that changes on its site becomes another answer with the next revision; one that
vanishes becomes a withdrawn answer.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from annotation.results import InvalidResult, read
from annotation.wording import Flag
from catalog.identity import digest
from catalog.schema import Answer, AnswerState, Desk, Question, Verdict


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One annotation as its site holds it: raw facts, and `result` as somebody sent it."""

    id: int
    annotator: str
    result: Any
    cancelled: bool
    seconds: float | None
    updated_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One task as its site holds it at one moment, with all its annotations.

    `overlap` is how many annotators are asked.
    """

    question_id: str
    task_id: int
    overlap: int
    annotations: tuple[Annotation, ...]
    updated_at: dt.datetime

    def key_of(self, annotation: Annotation) -> str:
        """The natural key of an annotation within its site, kept in `Answer.annotation`."""
        return f"{self.task_id}/{annotation.id}"


@dataclass(frozen=True, kw_only=True)
class _Content:
    state: AnswerState
    verdict: Verdict | None = None
    intruder_ids: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    name: str | None = None
    flags: tuple[Flag, ...] = ()


def new_answers(
    submission: Submission, question: Question, known: Iterable[Answer], desk: Desk = Desk.CROWD
) -> list[Answer]:
    """The answers given at `desk` in `submission` that are not among the question's `known` ones.

    Annotations that do not answer the question are passed over: `invalid_annotations` names them.
    Of one that answered it before, that answer stands.
    """
    known = list(known)
    latest = newest_revisions(known)
    n_said = Counter(answer.annotator for answer in known)
    standing = {submission.key_of(annotation): annotation for annotation in submission.annotations}
    fresh: list[Answer] = []

    def add(content: _Content, key: str, annotator: str, **when: Any) -> None:
        before = latest.get(key)
        fresh.append(
            Answer(
                # Named by who says it for the how-manyth time, not by the site's numbers, so that
                # the same answers on another site are the same rows.
                id=digest(question.id, annotator, n_said[annotator], *asdict(content).values()),
                question_id=question.id,
                annotation=key,
                revision=before.revision + 1 if before else 0,
                annotator=annotator,
                state=content.state,
                verdict=content.verdict,
                intruder_ids=list(content.intruder_ids),
                name=content.name,
                flags=list(content.flags),
                desk=desk,
                groups=[list(group) for group in content.groups],
                **when,
            )
        )
        n_said[annotator] += 1

    for key, annotation in standing.items():
        try:
            content = _content(annotation, question)
        except InvalidResult:
            continue
        before = latest.get(key)
        if before is None or _said(before) != content:
            add(
                content,
                key,
                annotation.annotator,
                seconds=annotation.seconds,
                answered_at=annotation.updated_at,
            )
    for key, before in latest.items():
        of_this_task = key.startswith(f"{submission.task_id}/")
        if of_this_task and key not in standing and before.state != AnswerState.WITHDRAWN:
            add(
                _Content(state=AnswerState.WITHDRAWN),
                key,
                before.annotator,
                seconds=None,
                answered_at=submission.updated_at,
            )
    return fresh


def invalid_annotations(submission: Submission, question: Question) -> Iterator[str]:
    """What is wrong with annotations that do not answer the question, and how to mend it.

    They lack a valid verdict, or hold what their desk does not offer.
    """
    for annotation in submission.annotations:
        try:
            _content(annotation, question)
        except InvalidResult as problem:
            yield (
                f"annotation {annotation.id} of question {question.id} on site {question.site!r} "
                f"{problem}: correct or delete the annotation there"
            )


def newest_revisions(answers: Iterable[Answer]) -> dict[str, Answer]:
    """The newest answer of each annotation, by the annotation's key."""
    newest: dict[str, Answer] = {}
    for answer in answers:
        if answer.annotation not in newest or answer.revision > newest[answer.annotation].revision:
            newest[answer.annotation] = answer
    return newest


def _said(answer: Answer) -> _Content:
    return _Content(
        state=AnswerState(answer.state),
        verdict=Verdict(answer.verdict) if answer.verdict else None,
        intruder_ids=tuple(answer.intruder_ids),
        groups=tuple(tuple(group) for group in answer.groups),
        name=answer.name,
        flags=tuple(Flag(flag) for flag in answer.flags),
    )


def _content(annotation: Annotation, question: Question) -> _Content:
    if annotation.cancelled:
        return _Content(state=AnswerState.SKIPPED)
    said = read(annotation.result, question)
    return _Content(
        state=AnswerState.GIVEN,
        verdict=said.verdict,
        intruder_ids=said.intruder_ids,
        groups=said.groups,
        name=said.name,
        flags=said.flags,
    )
