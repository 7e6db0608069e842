"""Questions, the answers to them, and the decisions that stand."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from catalog.database import add_new, chunks
from catalog.schema import Answer, Decision, DecisionKind, Pull, Question, SiteTask


def add_questions(session: Session, questions: Sequence[Question]) -> int:
    """Ask what has not been asked yet; how many that is."""
    return add_new(session, questions)


def locales_to_push(session: Session, site: str) -> list[str]:
    """The locales of a site that have questions not known to stand there."""
    query = select(Question.locale).where(Question.site == site, ~_is_pushed())
    return list(session.scalars(query.distinct().order_by(Question.locale)))


def questions_to_push(session: Session, site: str, locale: str) -> list[Question]:
    """Questions of a site's locale that are not known to stand there, oldest first."""
    return list(
        session.scalars(
            select(Question)
            .where(Question.site == site, Question.locale == locale, ~_is_pushed())
            .order_by(Question.asked_at, Question.id)
        )
    )


def record_tasks(session: Session, project_id: int, task_ids: Mapping[str, int]) -> None:
    """Record under which task of which project each question stands on its site."""
    add_new(
        session,
        [
            SiteTask(question_id=question_id, project_id=project_id, task_id=task_id)
            for question_id, task_id in task_ids.items()
        ],
    )


def asked_locales(session: Session, site: str) -> dict[str, int]:
    """The locales of `site` that have questions on it, with the project of each."""
    rows = session.execute(
        select(Question.locale, func.max(SiteTask.project_id))
        .join(SiteTask, SiteTask.question_id == Question.id)
        .where(Question.site == site)
        .group_by(Question.locale)
        .order_by(Question.locale)
    )
    return dict(rows.tuples().all())


def questions(session: Session, ids: Sequence[str]) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for chunk in chunks(ids):
        for question in session.scalars(select(Question).where(Question.id.in_(chunk))):
            found[question.id] = question
    return found


def undecided_questions(session: Session, locale: str | None = None) -> list[Question]:
    """Questions on which no decision stands."""
    decided = exists().where(Decision.question_id == Question.id)
    query = select(Question).where(~decided).order_by(Question.id)
    return list(
        session.scalars(query if locale is None else query.where(Question.locale == locale))
    )


def pulled_through(session: Session, site: str, locale: str) -> dt.datetime | None:
    """Up to which moment the answers of a site's locale have been read."""
    query = select(Pull.through).where(Pull.site == site, Pull.locale == locale)
    return session.scalar(query.order_by(Pull.through.desc()).limit(1))


def record_pull(session: Session, site: str, locale: str, through: dt.datetime) -> None:
    add_new(session, [Pull(site=site, locale=locale, through=through)])


def answers_to(session: Session, question_ids: Sequence[str]) -> dict[str, list[Answer]]:
    """Every answer ever given to each of `question_ids`, oldest revision first."""
    found: dict[str, list[Answer]] = defaultdict(list)
    for chunk in chunks(question_ids):
        query = select(Answer).where(Answer.question_id.in_(chunk))
        for answer in session.scalars(query.order_by(Answer.annotation, Answer.revision)):
            found[answer.question_id].append(answer)
    return found


def add_answers(session: Session, answers: Sequence[Answer]) -> int:
    return add_new(session, answers)


def decision_stands() -> ColumnElement[bool]:
    """True of a `Decision` that no other supersedes."""
    later = aliased(Decision)
    return ~exists().where(later.supersedes_id == Decision.id)


def current_decisions(
    session: Session,
    *,
    kind: DecisionKind | None = None,
    question_ids: Sequence[str] | None = None,
) -> list[Decision]:
    """The decisions that stand, of one kind or on some questions."""
    query = select(Decision).where(decision_stands()).order_by(Decision.id)
    if kind is not None:
        query = query.where(Decision.kind == kind)
    if question_ids is not None:
        query = query.where(Decision.question_id.in_(question_ids))
    return list(session.scalars(query))


def _is_pushed() -> ColumnElement[bool]:
    return exists().where(SiteTask.question_id == Question.id)


def add_decision(session: Session, decision: Decision) -> bool:
    """Record a decision; False where it was known."""
    return add_new(session, [decision]) == 1
