"""The audits that are drawn to certify a locale's partition, and the certificates made of them."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.database import add_new
from catalog.paging import ranges
from catalog.schema import Answer, Audit, AuditDraw, Certificate, Question

PURPOSE = "certificate"


def newest_draw(session: Session, locale: str) -> AuditDraw | None:
    """The last draw of a locale."""
    query = select(AuditDraw).where(AuditDraw.locale == locale)
    return session.scalar(query.order_by(AuditDraw.round.desc()).limit(1))


def asked(draw: AuditDraw) -> list[str]:
    """The questions about the pairs of a draw."""
    return [question_id for stratum in draw.strata for question_id in stratum["question_ids"]]


def record_draw(session: Session, draw: AuditDraw, audits: Sequence[Audit]) -> None:
    """Record a draw; a pair that was audited before keeps its first audit."""
    add_new(session, [draw])
    add_new(session, audits)


def audits_asked(session: Session) -> set[str]:
    """Every question that was asked to certify a partition."""
    return set(session.scalars(select(Audit.question_id).where(Audit.purpose == PURPOSE)))


def record(session: Session, certificate: Certificate) -> None:
    add_new(session, [certificate])


def history(session: Session, locale: str) -> list[Certificate]:
    """The last certificate of each round of a locale, the oldest round first."""
    query = select(Certificate).where(Certificate.locale == locale)
    order = (Certificate.round, Certificate.decided_at, Certificate.id)
    last = {each.round: each for each in session.scalars(query.order_by(*order))}
    return list(last.values())


def work(session: Session, locale: str) -> tuple[float, dt.datetime | None, dt.datetime | None]:
    """Seconds that all answers of a locale took, and when the first and the last were given."""
    of_locale = Question.locale == locale
    seconds, moments = 0.0, []
    for ids in ranges(session, Question.id, of_locale):
        query = (
            select(
                func.sum(Answer.seconds), func.min(Answer.answered_at), func.max(Answer.answered_at)
            )
            .join(Question, Question.id == Answer.question_id)
            .where(of_locale, ids.holds(Question.id), ids.holds(Answer.question_id))
        )
        spent, first, last = session.execute(query).one()
        seconds += spent or 0.0
        moments += [moment for moment in (first, last) if moment is not None]
    return seconds, min(moments, default=None), max(moments, default=None)
