"""What each rule of the gate saw in every passage, for bounds that come from experience.

Passages come one after the other by their numbers, whatever the clock said.
"""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.database import add_new
from catalog.schema import GateRun, Observation


def record(session: Session, observations: Iterable[Observation]) -> None:
    """Append what the rules saw; a passage that is known already adds nothing."""
    add_new(session, list(observations))


def passages(session: Session, newest: int) -> list[GateRun]:
    """The `newest` last passages whose batch was not held, the oldest first."""
    query = select(GateRun).where(~GateRun.held)
    runs = session.scalars(query.order_by(GateRun.number.desc(), GateRun.id).limit(newest))
    return list(runs)[::-1]


def last_passage(session: Session) -> int:
    """The number of the last passage whose batch was not held, 0 before the first."""
    newest = select(func.coalesce(func.max(GateRun.number), 0)).where(~GateRun.held)
    return session.scalars(newest).one()


def observations(session: Session, runs: Iterable[GateRun]) -> list[tuple[int, Observation]]:
    """What was seen in `runs`, each with the place of its run."""
    place = {run.id: number for number, run in enumerate(runs)}
    query = select(Observation).where(Observation.gate_run_id.in_(place))
    order = (Observation.rule, Observation.locale)
    return sorted(
        ((place[each.gate_run_id], each) for each in session.scalars(query.order_by(*order))),
        key=lambda found: found[0],
    )
