"""Rounds of the loop: which steps of the round at hand are done."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.database import add_new
from catalog.schema import RoundStep

LAST_STEP = "retrain"


def open_round(session: Session, sources: str) -> int:
    """The number of the round over `sources` that was begun and not finished, or of a new one."""
    newest = session.scalar(select(func.max(RoundStep.round))) or 0
    unfinished = (
        session.scalar(
            select(RoundStep.sources)
            .where(RoundStep.round == newest, RoundStep.sources == sources)
            .limit(1)
        )
        is not None
        and session.get(RoundStep, (newest, LAST_STEP)) is None
    )
    return newest if unfinished else newest + 1


def n_finished(session: Session, sources: str) -> int:
    """How many rounds over `sources` have done every step."""
    query = select(func.count()).where(RoundStep.sources == sources, RoundStep.step == LAST_STEP)
    return session.scalar(query) or 0


def is_done(session: Session, number: int, step: str) -> bool:
    return session.get(RoundStep, (number, step)) is not None


def finish(session: Session, number: int, step: str, sources: str) -> None:
    add_new(session, [RoundStep(round=number, step=step, sources=sources)])
