"""What an operator watches, by queries that cost as much as a day holds, not as all days hold.

What is counted is counted since a moment, that of the last midnight: rows are only added, so
whoever asks gets the same.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, extract, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from catalog.labels import is_current, is_judged
from catalog.models import champion
from catalog.schema import (
    Answer,
    AnswerState,
    GateRun,
    Judgement,
    Model,
    Observation,
    Promotion,
    Question,
    VerifiedLabel,
)


@dataclass(frozen=True)
class Collected:
    """Answers of a site in a locale to one kind of question, and how late they were collected.

    `within` counts, for each of the bounds that were asked for, those that were collected at most
    so many seconds after they were given; `seconds` is the sum over all.
    """

    site: str
    locale: str
    kind: str
    n: int
    within: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Judged:
    """What the gate made of labels: accepted, quarantined, and batches that were held.

    `failures` counts the passages in which a rule failed, by its name and the locale (empty: in
    all); 0 for a rule that has only passed.
    """

    n_accepted: int
    n_quarantined: int
    n_held: int
    failures: dict[tuple[str, str], int]


@dataclass(frozen=True)
class Champion:
    """The model in force, and since when it is."""

    model: Model
    since: dt.datetime


def collected(session: Session, since: dt.datetime, bounds: Sequence[float]) -> list[Collected]:
    """The answers that were collected since a moment; `bounds` are seconds, ascending."""
    delay = _seconds(session, Answer.answered_at, Answer.pulled_at)
    within = [func.sum(case((delay <= bound, 1), else_=0)) for bound in bounds]
    # The clock of a site may be ahead of ours.
    late = func.sum(case((delay > 0, delay), else_=0.0))
    place = (Question.site, Question.locale, Question.kind)
    query = (
        select(*place, func.count(), late, *within)
        .join(Answer, Answer.question_id == Question.id)
        .where(Answer.pulled_at >= since, Answer.state == AnswerState.GIVEN)
        .group_by(*place)
        .order_by(*place)
    )
    return [
        Collected(site, locale, kind, n, tuple(counts), float(seconds))
        for site, locale, kind, n, seconds, *counts in session.execute(query)
    ]


def judged(session: Session, since: dt.datetime) -> Judged:
    """What the gate did since a moment."""
    recent = GateRun.judged_at >= since
    sums = select(
        func.sum(case((GateRun.held, 0), else_=GateRun.n_accepted)),
        func.sum(case((GateRun.held, 0), else_=GateRun.n_quarantined)),
        func.sum(case((GateRun.held, 1), else_=0)),
    )
    accepted, quarantined, held = session.execute(sums.where(recent)).one()
    rule = (Observation.rule, Observation.locale)
    failures = (
        select(*rule, func.sum(case((Observation.state == "failed", 1), else_=0)))
        .join(GateRun, GateRun.id == Observation.gate_run_id)
        .where(recent)
        .group_by(*rule)
    )
    return Judged(
        accepted or 0,
        quarantined or 0,
        held or 0,
        {(name, locale): n for name, locale, n in session.execute(failures)},
    )


def in_quarantine(session: Session) -> dict[str, int]:
    """How many current labels the gate has stopped, by locale."""
    query = (
        select(VerifiedLabel.locale, func.count())
        .join(Judgement, is_judged())
        .where(~Judgement.accepted, is_current(VerifiedLabel))
        .group_by(VerifiedLabel.locale)
    )
    return dict(session.execute(query).tuples().all())


def champion_now(session: Session) -> Champion | None:
    """The champion; None where no model was promoted yet."""
    model = champion(session)
    if model is None:
        return None
    since = session.scalars(
        select(Promotion.decided_at)
        .where(Promotion.promoted, Promotion.challenger_id == model.id)
        .order_by(Promotion.number.desc())
        .limit(1)
    ).one()
    return Champion(model, since)


def _seconds(
    session: Session, begin: InstrumentedAttribute[Any], end: InstrumentedAttribute[Any]
) -> ColumnElement[Any]:
    """The seconds from one moment to another."""
    if session.get_bind().dialect.name == "postgresql":
        return extract("epoch", end) - extract("epoch", begin)
    return (func.julianday(end) - func.julianday(begin)) * literal_column("86400.0")
