"""What is asked in one turn and why: each question, what it should give, and what it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from annotation.acceptance import Acceptable
from annotation.effort import Paced, Work
from annotation.planner import Planned
from catalog.schema import AuditSubject, Question, QuestionKind


class Source(StrEnum):
    """Who wants to know.

    `FOLLOWS`: a decision left something open. `DOUBTFUL`: a picture is hard to see. `AUDIT`: it was
    drawn to measure the model. `PLANNER`: it places images. `SECOND`: what is decided may be wrong.
    """

    FOLLOWS = "follows from a decision"
    DOUBTFUL = "a doubtful picture"
    AUDIT = "audit"
    PLANNER = "places images"
    SECOND = "second answer"


@dataclass(frozen=True)
class Entry:
    """A question of the turn.

    Attributes
    ----------
    belonging
        The model's own probability that each of the question's images belongs to the product; empty
        where the question is not the model's idea.
    gain
        Images that are expected to get their product, or the right one.
    seconds
        Human seconds that one answer is expected to take.
    reason
        Why it is asked, in one sentence.
    """

    source: Source
    question: Question
    belonging: tuple[float, ...]
    gain: float
    seconds: float
    reason: str

    @property
    def price(self) -> float:
        """Human seconds per image."""
        return self.seconds / max(self.gain, 1e-9)


def planned_entry(planned: Planned) -> Entry:
    """What the planner asks."""
    return Entry(
        Source.PLANNER,
        planned.question,
        planned.belonging,
        planned.gain,
        planned.seconds,
        planned.reason,
    )


def audit_entry(drawn: Acceptable, chance: float, pace: Paced) -> Entry:
    """What was drawn with `chance` to measure how often the model is right when it is so sure."""
    question = drawn.question
    n = 1 if drawn.subject == AuditSubject.MERGE else len(question.image_ids)
    gain = drawn.score * n
    seconds = _seconds(question, pace, n - gain)
    return Entry(
        Source.AUDIT,
        question,
        (drawn.score,) * len(question.image_ids),
        gain,
        seconds,
        f"Drawn by chance ({chance:.0%}) to measure what the model says with {drawn.score:.0%}.",
    )


def following_entry(question: Question, pace: Paced) -> Entry:
    """What a decision left open."""
    match QuestionKind(question.kind):
        case QuestionKind.MERGE:
            reason = "Two decisions contradict each other: which of them is right?"
        case _:
            reason = f"What is the product of {len(question.image_ids)} pictures called?"
    return _entry(Source.FOLLOWS, question, pace, reason)


def doubtful_entry(question: Question, pace: Paced) -> Entry:
    """A picture that is hard to see, by itself."""
    return _entry(
        Source.DOUBTFUL, question, pace, "A doubtful picture: is it of use, and what is it?"
    )


def _entry(source: Source, question: Question, pace: Paced, reason: str) -> Entry:
    n = float(len(question.image_ids))
    return Entry(source, question, (), n, _seconds(question, pace, 0.0), reason)


def _seconds(question: Question, pace: Paced, n_removed: float) -> float:
    n_pictures = len(question.image_ids) + len(question.reference_ids)
    n_named = question.kind == QuestionKind.VERIFY and question.suggestion is None
    return pace.line(Work.of(question.kind, n_pictures)).seconds(n_pictures, n_removed, n_named)


def once(entries: Sequence[Entry]) -> list[Entry]:
    """Each question once: the first entry counts."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry.question.id, entry)
    return list(found.values())
