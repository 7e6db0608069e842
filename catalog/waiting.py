"""The questions that wait for a decision, counted by the day on which they were asked."""

import datetime as dt
from collections import Counter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.decisions import is_open, is_withdrawn
from catalog.schema import NO_SITE, Question


class Waiting(NamedTuple):
    """Questions of one kind in one locale that a site was asked on a day (UTC), and how many."""

    site: str
    locale: str
    kind: str
    on: dt.date
    n: int


def waiting(session: Session) -> list[Waiting]:
    """Neither gold nor withdrawn questions wait, nor those that nobody is asked."""
    query = select(Question.site, Question.locale, Question.kind, Question.asked_at).where(
        is_open(Question), ~is_withdrawn(), Question.site != NO_SITE
    )
    counts = Counter(
        (site, locale, kind, at.date()) for site, locale, kind, at in session.execute(query)
    )
    return [Waiting(*key, n) for key, n in sorted(counts.items())]
