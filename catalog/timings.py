"""How long annotators took and what they did: what the time model and bills are made of."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from catalog.paging import ranges
from catalog.schema import Answer, AnswerState, Desk, Question


class Timing(NamedTuple):
    """One answer: what was asked, by whom, how much there was to do, and the seconds it took.

    `n_pictures` counts references too, `n_removed` the pictures that were ticked. `named` is
    whether the answer holds a name that was not suggested.
    """

    site: str
    locale: str
    kind: str
    n_pictures: int
    n_removed: int
    named: bool
    seconds: float


def timings(session: Session) -> Iterator[Timing]:
    """The time of every first answer at the crowd's desk, page by page; read them in the session.

    A changed answer counts the first time only: the site adds the time of the change to that of the
    answer. The lead is left out, who sees what others could not settle. Gold is not: it looks like
    any other question, and stands among them, so that nobody takes another time for it.
    """
    n_pictures = func.json_array_length(Question.image_ids) + func.json_array_length(
        Question.reference_ids
    )
    n_removed = func.json_array_length(Answer.intruder_ids)
    named = and_(
        Answer.name.is_not(None),
        or_(Question.suggestion.is_(None), Answer.name != Question.suggestion),
    )
    for ids in ranges(session, Answer.question_id):
        query = (
            select(
                Question.site,
                Question.locale,
                Question.kind,
                n_pictures,
                n_removed,
                named,
                Answer.seconds,
            )
            .join(Question, Question.id == Answer.question_id)
            .where(ids.holds(Answer.question_id), ids.holds(Question.id))
            .where(Answer.state == AnswerState.GIVEN, Answer.revision == 0)
            .where(Answer.desk == Desk.CROWD, Answer.seconds > 0)
        )
        for row in session.execute(query).tuples():
            yield Timing(*row)


class Worked(NamedTuple):
    """What a site's people did on a day (UTC), of one kind of question in one locale."""

    site: str
    on: dt.date
    locale: str
    kind: str
    n_answers: int
    n_pictures: int
    seconds: float


def worked(session: Session) -> list[Worked]:
    """What was answered, at both desks and gold as well; a changed answer is no second one."""
    n_pictures = func.json_array_length(Question.image_ids) + func.json_array_length(
        Question.reference_ids
    )
    found: dict[tuple[str, dt.date, str, str], tuple[int, int, float]] = {}
    for ids in ranges(session, Answer.question_id):
        query = (
            select(
                *(Question.site, Answer.answered_at, Question.locale, Question.kind),
                *(n_pictures, Answer.seconds),
            )
            .join(Question, Question.id == Answer.question_id)
            .where(ids.holds(Answer.question_id), ids.holds(Question.id))
            .where(Answer.state == AnswerState.GIVEN, Answer.revision == 0)
        )
        for site, answered_at, locale, kind, n, seconds in session.execute(query).tuples():
            key = site, answered_at.date(), locale, kind
            before = found.get(key, (0, 0, 0.0))
            found[key] = before[0] + 1, before[1] + n, before[2] + (seconds or 0.0)
    return [Worked(*key, *sums) for key, sums in sorted(found.items())]


def answers_of(
    session: Session, site: str, locale: str, kind: str, first: dt.date, last: dt.date
) -> list[str]:
    """The answers that `worked` counts for a site, locale and kind from one day to another."""
    begins = dt.datetime.combine(first, dt.time(), dt.UTC)
    over = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), dt.UTC)
    of_cell = (Question.site == site, Question.locale == locale, Question.kind == kind)
    found: list[str] = []
    for ids in ranges(session, Question.id, *of_cell):
        query = (
            select(Answer.id)
            .join(Question, Question.id == Answer.question_id)
            .where(*of_cell, ids.holds(Question.id), ids.holds(Answer.question_id))
            .where(Answer.state == AnswerState.GIVEN, Answer.revision == 0)
            .where(Answer.answered_at >= begins, Answer.answered_at < over)
        )
        found += session.scalars(query)
    return sorted(found)
