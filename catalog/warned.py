"""What people were warned of: once, again where it became worse, and that it is over."""

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from catalog.database import add_new
from catalog.schema import Warned

Name = tuple[str, str]
"""The kind of a warning, and what it is about."""


def newest(session: Session) -> dict[Name, Warned]:
    """The last that was said of each, those that are over too, by kind and what it is about."""
    last = (
        select(Warned.kind, Warned.about, func.max(Warned.number).label("number"))
        .group_by(Warned.kind, Warned.about)
        .subquery()
    )
    query = select(Warned).join(
        last,
        and_(
            Warned.kind == last.c.kind,
            Warned.about == last.c.about,
            Warned.number == last.c.number,
        ),
    )
    return {(each.kind, each.about): each for each in session.scalars(query)}


def standing(session: Session) -> list[Warned]:
    """What was warned of and is not over, the most urgent first."""
    found = [each for each in newest(session).values() if each.urgency is not None]
    return sorted(found, key=lambda each: (-(each.urgency or 0), each.kind, each.about))


def add(session: Session, rows: Sequence[Warned]) -> int:
    """Record what people were told; how much of it was not known."""
    return add_new(session, rows)
