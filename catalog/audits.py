"""Questions that were drawn to measure, what people said of them, and what was accepted unasked."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from catalog.database import add_new
from catalog.decisions import decision_stands, is_accepted, is_withdrawn
from catalog.paging import ranges
from catalog.schema import Audit, AuditPurpose, Decision, DecisionKind, Question


def add_audits(session: Session, drawn: Sequence[Audit]) -> int:
    """Record what was drawn; a question that was drawn before stays as it was."""
    return add_new(session, drawn)


def answered(session: Session, purpose: AuditPurpose) -> list[tuple[Audit, Question, Decision]]:
    """The audits on whose questions a decision of people stands, by the question's identity."""
    of_purpose = Audit.purpose == purpose
    return [
        row
        for ids in ranges(session, Audit.question_id, of_purpose)
        for row in session.execute(
            select(Audit, Question, Decision)
            .join(Question, Question.id == Audit.question_id)
            .join(Decision, Decision.question_id == Audit.question_id)
            .where(of_purpose, ids.holds(Audit.question_id), _people_say())
            .order_by(Audit.question_id)
        ).tuples()
    ]


def waiting(session: Session, purpose: AuditPurpose) -> Counter[tuple[str, str]]:
    """How many audits wait for people, by locale and subject."""
    said = exists().where(Decision.question_id == Audit.question_id, _people_say())
    query = (
        select(Audit.locale, Audit.subject, func.count())
        .join(Question, Question.id == Audit.question_id)
        .where(Audit.purpose == purpose, ~said, ~is_withdrawn())
        .group_by(Audit.locale, Audit.subject)
    )
    return Counter({(locale, subject): n for locale, subject, n in session.execute(query)})


def accepted(session: Session) -> list[tuple[Question, Decision]]:
    """Every question that was accepted without asking people, with the decision that stands."""
    of_models = Decision.model_id.is_not(None)
    return [
        row
        for ids in ranges(session, Decision.id, of_models)
        for row in session.execute(
            select(Question, Decision)
            .join(Decision, Decision.question_id == Question.id)
            .where(is_accepted(), ids.holds(Decision.id))
            .order_by(Decision.id)
        ).tuples()
    ]


def _people_say() -> ColumnElement[bool]:
    """True of a `Decision` that stands and says what people said."""
    return and_(
        Decision.model_id.is_(None), Decision.kind != DecisionKind.UNDONE, decision_stands()
    )
