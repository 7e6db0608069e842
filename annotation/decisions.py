"""What follows from the answers to a question, by majority; never deleted, only superseded."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from statistics import fmean
from typing import TypeVar

from annotation.answers import newest_revisions
from annotation.names import name_key
from catalog.identity import digest, set_digest
from catalog.schema import (
    Answer,
    AnswerState,
    Decision,
    DecisionKind,
    Origin,
    Question,
    Verdict,
    VerifiedLabel,
)

T = TypeVar("T", bound=Hashable)

KIND_OF: dict[str | None, DecisionKind] = {
    Verdict.CONFIRM: DecisionKind.SAME,
    Verdict.MIXED: DecisionKind.DIFFERENT,
    Verdict.UNUSABLE: DecisionKind.UNUSABLE,
    Verdict.UNSURE: DecisionKind.UNSURE,
}


def current_answers(answers: Iterable[Answer]) -> list[Answer]:
    """The answers that stand: each annotator's newest, neither skipped nor withdrawn."""
    voices: dict[str, Answer] = {}
    given = (
        answer for answer in newest_revisions(answers).values() if answer.state == AnswerState.GIVEN
    )
    for answer in sorted(given, key=lambda answer: (answer.answered_at, answer.id)):
        voices[answer.annotator] = answer
    return sorted(voices.values(), key=lambda answer: answer.id)


def decide(
    question: Question, answers: Iterable[Answer], previous: Decision | None = None
) -> Decision | None:
    """What the answers to `question` amount to, or None where that is what `previous` says.

    The verdict, each picture and the name go with more than half of the annotators; a verdict
    without such a majority is unsure, and a picture without it is removed. The images of the sheet
    are split into kept ones, which show the product, and removed ones. Agreement is the mean share
    of annotators who agree with the outcome: over the pictures of a sheet that shows one product,
    otherwise in the verdict. When every answer was withdrawn, an unsure decision supersedes.
    """
    answers = list(answers)
    voices = current_answers(answers)
    if [answer.id for answer in voices] == (previous.answer_ids if previous else []):
        return None
    kind = _kind(question, voices)
    kept = _kept(question, voices) if kind == DecisionKind.SAME else []
    seconds = [answer.seconds for answer in voices if answer.seconds is not None]
    return Decision(
        # The newest revisions of all annotations, withdrawn ones too, never come back to an
        # earlier state, so a decision never takes the name of one that it follows.
        id=digest(question.id, set_digest(a.id for a in newest_revisions(answers).values())),
        question_id=question.id,
        supersedes_id=previous.id if previous else None,
        kind=kind,
        name=_name(voices) if kept else None,
        kept_ids=kept,
        removed_ids=[image for image in question.image_ids if image not in set(kept)],
        answer_ids=[answer.id for answer in voices],
        annotators=sorted(answer.annotator for answer in voices),
        agreement=_agreement(question, voices, kind, kept),
        seconds=fmean(seconds) if seconds else 0.0,
    )


def verified_labels(decision: Decision, locale: str, product_id: str | None) -> list[VerifiedLabel]:
    """One label for each image that `decision` keeps; its pictures share the sheet's time."""
    if decision.kind != DecisionKind.SAME:
        return []
    n_pictures = len(decision.kept_ids) + len(decision.removed_ids)
    return [
        VerifiedLabel(
            id=digest(image_id, product_id or "", decision.id),
            image_id=image_id,
            product_id=product_id,
            locale=locale,
            origin=Origin.DECISION,
            decision_id=decision.id,
            annotators=decision.annotators,
            agreement=decision.agreement,
            seconds=decision.seconds / n_pictures,
        )
        for image_id in decision.kept_ids
    ]


def _majority(votes: Sequence[T]) -> T | None:
    """What more than half of `votes` say."""
    for vote, count in Counter(votes).most_common(1):
        if 2 * count > len(votes):
            return vote
    return None


def _kind(question: Question, voices: Sequence[Answer]) -> DecisionKind:
    verdict = _majority([answer.verdict for answer in voices])
    kind = KIND_OF[verdict or Verdict.UNSURE]
    if kind == DecisionKind.SAME and not _kept(question, voices):
        return DecisionKind.UNSURE
    return kind


def _confirming(voices: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in voices if answer.verdict == Verdict.CONFIRM]


def _kept(question: Question, voices: Sequence[Answer]) -> list[str]:
    confirming = _confirming(voices)
    return [
        image_id
        for image_id in question.image_ids
        if _majority([image_id not in answer.intruder_ids for answer in confirming])
    ]


def _name(voices: Sequence[Answer]) -> str | None:
    names = sorted(answer.name for answer in _confirming(voices) if answer.name)
    key = _majority([name_key(name) for name in names])
    spellings = [name for name in names if name_key(name) == key]
    return Counter(spellings).most_common(1)[0][0] if spellings else None


def _agreement(
    question: Question, voices: Sequence[Answer], kind: DecisionKind, kept: Sequence[str]
) -> float:
    if not voices:
        return 0.0
    agreeing = [answer for answer in voices if KIND_OF.get(answer.verdict) == kind]
    if kind != DecisionKind.SAME:
        return len(agreeing) / len(voices)
    return fmean(
        sum((image_id in answer.intruder_ids) != (image_id in kept) for answer in agreeing)
        / len(voices)
        for image_id in question.image_ids
    )
