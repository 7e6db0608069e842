"""Questions and answers in few words, for tests of what follows from them."""

import datetime as dt
from collections.abc import Sequence

from catalog.schema import Answer, AnswerState, Desk, Question, QuestionKind, Verdict

MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def question(
    images: str,
    kind: QuestionKind = QuestionKind.VERIFY,
    *,
    identity: str = "q",
    references: str = "",
    expected: dict[str, object] | None = None,
    locale: str = "de-DE",
) -> Question:
    """A question about images of one letter each."""
    return Question(
        id=identity,
        kind=kind,
        locale=locale,
        site="local",
        image_ids=list(images),
        reference_ids=list(references),
        expected=expected,
    )


def answer(
    annotator: str = "ada",
    verdict: Verdict | None = Verdict.CONFIRM,
    intruders: str = "",
    *,
    groups: Sequence[str] = (),
    name: str | None = None,
    revision: int = 0,
    state: AnswerState = AnswerState.GIVEN,
    seconds: float | None = 8.0,
    desk: Desk = Desk.CROWD,
    to: str = "q",
    minute: int = 0,
) -> Answer:
    return Answer(
        id=f"{to} {annotator} {desk} {revision}",
        question_id=to,
        annotation=f"{desk}/{to}/{annotator}",
        revision=revision,
        annotator=annotator,
        state=state,
        verdict=verdict,
        intruder_ids=list(intruders),
        groups=[list(group) for group in groups],
        name=name,
        flags=[],
        seconds=seconds,
        answered_at=MONDAY + dt.timedelta(minutes=minute),
        desk=desk,
    )
