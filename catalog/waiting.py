"""The questions that wait for a decision, counted by the day on which they were asked."""

import datetime as dt
from collections import Counter
from typing import NamedTuple

from sqlalchemy import exists, select, union
from sqlalchemy.orm import Session

from catalog.decisions import is_open, is_withdrawn
from catalog.schema import NO_SITE, Decision, DecisionKind, Question


class Waiting(NamedTuple):
    """Questions of one kind in one locale that a site was asked on a day (UTC), and how many."""

    site: str
    locale: str
    kind: str
    on: dt.date
    n: int


def waiting(session: Session) -> list[Waiting]:
    """Neither gold nor withdrawn questions wait, nor those that nobody is asked."""
    # Most questions are decided, and no decision that stands was ever undone: few rows are read.
    never_decided = select(Question.id).where(~exists().where(Decision.question_id == Question.id))
    once_undone = select(Decision.question_id).where(Decision.kind == DecisionKind.UNDONE)
    query = select(Question.site, Question.locale, Question.kind, Question.asked_at).where(
        Question.id.in_(union(never_decided, once_undone)),
        is_open(Question),
        ~is_withdrawn(),
        Question.site != NO_SITE,
    )
    counts = Counter(
        (site, locale, kind, at.date()) for site, locale, kind, at in session.execute(query)
    )
    return [Waiting(*key, n) for key, n in sorted(counts.items())]
