"""What follows from the answers to a question; never deleted, only superseded."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from pydantic import BaseModel, Field

from annotation.answers import newest_revisions
from annotation.consensus import Opinion, Pair, opinions, speaks_of_pictures, ticked
from annotation.names import name_key
from catalog.identity import digest, set_digest
from catalog.schema import (
    KIND_OF,
    Answer,
    AnswerState,
    Decision,
    DecisionKind,
    Desk,
    Question,
    QuestionKind,
    Verdict,
)


class Votes(BaseModel, extra="forbid", frozen=True):
    """How many annotators are asked, and when that is enough."""

    first: int = Field(1, ge=1, description="Annotators who answer every question.")
    most: int = Field(1, ge=1, description="As many where the risk stays above what is allowed.")
    risk: float = Field(
        0.2, ge=0, le=1, description="Allowed probability of a wrong verdict or place."
    )
    lead: bool = Field(False, description="Whether a lead decides what the annotators could not.")


@dataclass(frozen=True)
class Ruling:
    """What is to be done about a question that has been answered.

    `decision` is new, or None where nothing new follows. `votes` is the number of annotators who
    are to answer the question, as far as that is more than have; `escalated` is true where the
    lead is to decide.
    """

    decision: Decision | None = None
    votes: int = 0
    escalated: bool = False


@dataclass(frozen=True)
class _Outcome:
    kind: DecisionKind
    groups: list[list[str]]
    removed: list[str]
    memberships: list[float]
    confidence: float

    @property
    def risk(self) -> float:
        return 1 - min([self.confidence, *self.memberships])


def standing_answers(answers: Iterable[Answer]) -> list[Answer]:
    """The answers that stand: each annotator's newest, neither skipped nor withdrawn."""
    voices: dict[tuple[str, str], Answer] = {}
    given = (
        answer for answer in newest_revisions(answers).values() if answer.state == AnswerState.GIVEN
    )
    for answer in sorted(given, key=lambda answer: (answer.answered_at, answer.id)):
        voices[answer.desk, answer.annotator] = answer
    return sorted(voices.values(), key=lambda answer: answer.id)


def current_answers(answers: Iterable[Answer]) -> list[Answer]:
    """The answers that count: those that stand, or only the lead's where the lead has answered."""
    standing = standing_answers(answers)
    return [answer for answer in standing if answer.desk == Desk.LEAD] or standing


def from_lead(voices: Sequence[Answer]) -> bool:
    """Whether the answers that stand are the lead's."""
    return any(answer.desk == Desk.LEAD for answer in voices)


def rule(
    questions: Sequence[Question],
    answers: Mapping[str, Sequence[Answer]],
    standing: Mapping[str, Decision],
    votes: Votes,
    *,
    method: str = "dawid-skene",
) -> dict[str, Ruling]:
    """What is to be done about each of `questions`, all of one kind and locale.

    Parameters
    ----------
    questions
        Gold ones as well: they tell who is to be trusted, and nothing is ruled of them.
    answers
        Every answer ever given, by the id of its question.
    standing
        The decision that stands, by the id of its question.
    method
        One of `consensus.AGGREGATORS`.
    """
    voices = {key: current_answers(given) for key, given in answers.items()}
    found = opinions(questions, voices, method=method)

    def opinion_on(question: Question) -> Opinion:
        said = voices[question.id]
        if from_lead(said):
            return opinions([question], {question.id: said}, method="majority")[question.id]
        return found.get(question.id, Opinion())

    return {
        question.id: _ruling(
            question,
            answers[question.id],
            voices[question.id],
            opinion_on(question),
            standing.get(question.id),
            votes,
        )
        for question in questions
        if question.expected is None and question.id in answers
    }


def undo(decision: Decision, *, by: str, reason: str) -> Decision:
    """The decision that nothing follows from `decision` any more, until there is a new answer."""
    return Decision(
        id=digest("undo", decision.id),
        question_id=decision.question_id,
        supersedes_id=decision.id,
        kind=DecisionKind.UNDONE,
        name=None,
        groups=[],
        removed_ids=[],
        memberships=[],
        answer_ids=decision.answer_ids,
        annotators=[by],
        agreement=0.0,
        confidence=1.0,
        seconds=0.0,
        reason=reason,
        model_id=decision.model_id,
    )


def _ruling(
    question: Question,
    answers: Sequence[Answer],
    voices: Sequence[Answer],
    opinion: Opinion,
    previous: Decision | None,
    votes: Votes,
) -> Ruling:
    heard = [answer.id for answer in voices]
    ruled_unheard = previous is None or previous.reason is not None or previous.model_id is not None
    if ruled_unheard and heard == (previous.answer_ids if previous else []):
        return Ruling()
    outcome = _outcome(question, opinion)
    if voices and not from_lead(voices) and outcome.risk > votes.risk:
        if len(voices) < votes.most:
            return Ruling(votes=len(voices) + 1)
        if votes.lead:
            return Ruling(escalated=True)
    name = _name(voices) if outcome.groups else None
    said = (heard, outcome.kind, outcome.groups, outcome.removed, name)
    if previous is not None and said == _said(previous):
        return Ruling()
    seconds = [answer.seconds for answer in voices if answer.seconds is not None]
    return Ruling(
        Decision(
            # Named by all annotations' newest revisions, withdrawn ones too, and by what it
            # follows, so that no decision takes the name of an earlier one.
            id=digest(
                question.id,
                set_digest(answer.id for answer in newest_revisions(answers).values()),
                previous.id if previous else "",
            ),
            question_id=question.id,
            supersedes_id=previous.id if previous else None,
            kind=outcome.kind,
            name=name,
            groups=outcome.groups,
            removed_ids=outcome.removed,
            memberships=outcome.memberships,
            answer_ids=heard,
            annotators=sorted({answer.annotator for answer in voices}),
            agreement=_agreement(question, voices, outcome),
            confidence=outcome.confidence,
            seconds=fmean(seconds) if seconds else 0.0,
        )
    )


def _said(decision: Decision) -> tuple[list[str], str, list[list[str]], list[str], str | None]:
    return (
        decision.answer_ids,
        decision.kind,
        decision.groups,
        decision.removed_ids,
        decision.name,
    )


def _outcome(question: Question, opinion: Opinion) -> _Outcome:
    """The likeliest kind of decision with the likeliest place of each picture."""
    kinds: dict[DecisionKind, float] = defaultdict(float)
    for verdict, probability in opinion.verdicts.items():
        kinds[KIND_OF[verdict]] += probability
    kind = max(kinds, key=lambda kind: kinds[kind], default=DecisionKind.UNSURE)
    confidence = kinds[kind]
    everything = list(question.image_ids)
    known = [list(question.reference_ids)] if question.reference_ids else []
    if confidence <= 0.5 or kind == DecisionKind.UNUSABLE:
        ending = kind if confidence > 0.5 else DecisionKind.UNSURE
        return _Outcome(ending, [], everything, [1.0] * len(everything), confidence)
    if question.kind == QuestionKind.MERGE:
        places = [1.0] * (len(question.reference_ids) + len(everything))
        return _Outcome(kind, [*known, everything], [], places, confidence)
    if question.kind == QuestionKind.SPLIT:
        return _sorted_outcome(question, opinion, confidence)
    if question.kind == QuestionKind.VERIFY and kind == DecisionKind.DIFFERENT:
        if len(everything) == 2:
            return _Outcome(kind, [[image] for image in everything], [], [1.0, 1.0], confidence)
        return _Outcome(kind, [], everything, [1.0] * len(everything), confidence)
    belonging = {image: opinion.belonging.get(image, 0.0) for image in everything}
    kept = [image for image in everything if kind == DecisionKind.SAME and belonging[image] > 0.5]
    removed = [image for image in everything if image not in set(kept)]
    if kind == DecisionKind.SAME and not kept:
        kind = DecisionKind.DIFFERENT if known else DecisionKind.UNSURE
    places = [1.0] * len(question.reference_ids) + [
        *(belonging[image] for image in kept),
        *(1 - belonging[image] for image in removed),
    ]
    return _Outcome(kind, [*known, kept] if kept else known, removed, places, confidence)


def _sorted_outcome(question: Question, opinion: Opinion, confidence: float) -> _Outcome:
    """Groups of pictures that more likely than not show the same as most of their group."""
    groups: list[list[str]] = []
    for image in question.image_ids:
        best = max(groups, key=lambda group: _affinity(opinion, group, image), default=None)
        if best is not None and _affinity(opinion, best, image) > 0.5:
            best.append(image)
        else:
            groups.append([image])
    # One picture alone is not a product that somebody saw.
    products = [group for group in groups if len(group) > 1]
    removed = [group[0] for group in groups if len(group) == 1]
    placed = [
        _affinity(opinion, [other for other in group if other != image], image)
        for group in products
        for image in group
    ]
    apart = [
        1 - max((_affinity(opinion, group, image) for group in products), default=0.0)
        for image in removed
    ]
    if not products:
        return _Outcome(DecisionKind.UNSURE, [], removed, apart, confidence)
    kind = DecisionKind.SAME if len(products) == 1 else DecisionKind.DIFFERENT
    return _Outcome(kind, products, removed, placed + apart, confidence)


def _affinity(opinion: Opinion, group: Sequence[str], image: str) -> float:
    return fmean(
        opinion.pairs.get((other, image), opinion.pairs.get((image, other), 0.0)) for other in group
    )


def _name(voices: Sequence[Answer]) -> str | None:
    """The name that most annotators gave, in its usual spelling; of equals, the first given."""
    named = [
        answer
        for answer in sorted(voices, key=lambda answer: (answer.answered_at, answer.id))
        if answer.name and answer.verdict == Verdict.CONFIRM
    ]
    [(key, _)] = Counter(name_key(answer.name or "") for answer in named).most_common(1) or [
        ("", 0)
    ]
    spellings = Counter(answer.name for answer in named if name_key(answer.name or "") == key)
    return spellings.most_common(1)[0][0] if spellings else None


def _agreement(question: Question, voices: Sequence[Answer], outcome: _Outcome) -> float:
    """The mean share of annotators who agree with the outcome, over what they were asked to tell.

    Over the pictures of a sheet that shows one product, over the pairs of one that was sorted,
    otherwise in the verdict.
    """
    if not voices:
        return 0.0
    if question.kind == QuestionKind.SPLIT and outcome.groups:
        together = _pairs_together(outcome.groups)
        n_pairs = math.comb(len(question.image_ids), 2)
        return fmean(
            1 - len(together ^ _pairs_together(answer.groups)) / n_pairs
            if answer.verdict == Verdict.CONFIRM
            else 0.0
            for answer in voices
        )
    agreeing = [answer for answer in voices if KIND_OF[answer.verdict] == outcome.kind]
    if question.kind == QuestionKind.MERGE or outcome.kind != DecisionKind.SAME:
        return len(agreeing) / len(voices)
    removed = set(outcome.removed)
    return fmean(
        sum(
            speaks_of_pictures(answer) and (image in ticked(question, answer)) == (image in removed)
            for answer in agreeing
        )
        / len(voices)
        for image in question.image_ids
    )


def _pairs_together(groups: Sequence[Sequence[str]]) -> set[Pair]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}
