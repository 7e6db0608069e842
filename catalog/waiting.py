"""The questions that wait for a decision, counted: what a page shows that is made often."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.decisions import is_open, is_withdrawn
from catalog.schema import NO_SITE, Question


class Waiting(NamedTuple):
    """Questions of one kind in one locale that a site was asked on a day (UTC) and that wait."""

    site: str
    locale: str
    kind: str
    on: dt.date
    n: int


def waiting(session: Session) -> list[Waiting]:
    """Neither gold nor withdrawn questions wait, nor those that nobody is asked."""
    day = func.date(Question.asked_at)
    query = (
        select(Question.site, Question.locale, Question.kind, day, func.count())
        .where(is_open(Question), ~is_withdrawn(), Question.site != NO_SITE)
        .group_by(Question.site, Question.locale, Question.kind, day)
        .order_by(Question.site, Question.locale, Question.kind, day)
    )
    return [
        Waiting(site, locale, kind, _date(on), n)
        for site, locale, kind, on, n in session.execute(query).tuples()
    ]


def _date(day: dt.date | str) -> dt.date:
    """SQLite says a day as text."""
    return dt.date.fromisoformat(day) if isinstance(day, str) else day
