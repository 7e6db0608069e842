"""What annotators said, as answers that are only ever added.

An annotation that changes on its site becomes another answer with the next revision; one that
vanishes becomes a withdrawn answer.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from annotation.contact_sheet import FLAGS, INTRUDERS, NAME, VERDICT
from annotation.names import name_key, tidy_name
from annotation.wording import Flag
from catalog.identity import digest
from catalog.schema import Answer, AnswerState, Question, Verdict


class InvalidAnnotation(ValueError):
    """An annotation does not answer its question."""


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One annotation as its site holds it: raw facts."""

    id: int
    annotator: str
    result: Sequence[dict[str, Any]]
    cancelled: bool
    seconds: float | None
    updated_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One task as its site holds it at one moment: all annotations, and how many are wanted."""

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
    name: str | None = None
    flags: tuple[Flag, ...] = ()


def new_answers(
    submission: Submission, question: Question, known: Iterable[Answer]
) -> list[Answer]:
    """The answers in `submission` that are not among the `known` ones of the same question.

    Raises
    ------
    InvalidAnnotation
        When an annotation ticks a picture that is not on the sheet, or lacks a valid verdict.
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
                **when,
            )
        )
        n_said[annotator] += 1

    for key, annotation in standing.items():
        content = _content(annotation, question)
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
        name=answer.name,
        flags=tuple(Flag(flag) for flag in answer.flags),
    )


def _content(annotation: Annotation, question: Question) -> _Content:
    if annotation.cancelled:
        return _Content(state=AnswerState.SKIPPED)
    values = {region["from_name"]: region["value"] for region in annotation.result}

    def chosen(control: str, allowed: Iterable[str]) -> list[str]:
        choices = values.get(control, {}).get("choices", [])
        strange = sorted(set(choices).difference(allowed))
        if strange:
            raise InvalidAnnotation(
                f"annotation {annotation.id} of question {question.id} on site {question.site!r} "
                f"holds {', '.join(map(repr, strange))} under {control!r}, which its sheet does "
                "not offer: delete the annotation there, and have the sheet answered again"
            )
        return [choice for choice in allowed if choice in set(choices)]

    verdicts = chosen(VERDICT, Verdict)
    if len(verdicts) != 1:
        raise InvalidAnnotation(
            f"annotation {annotation.id} of question {question.id} on site {question.site!r} has "
            f"{len(verdicts)} verdicts instead of one: correct or delete the annotation there"
        )
    text = values.get(NAME, {}).get("text", [])
    name = tidy_name(text if isinstance(text, str) else " ".join(text))
    return _Content(
        state=AnswerState.GIVEN,
        verdict=Verdict(verdicts[0]),
        intruder_ids=tuple(chosen(INTRUDERS, question.image_ids)),
        name=name if name_key(name) else None,
        flags=tuple(Flag(flag) for flag in chosen(FLAGS, Flag)),
    )
