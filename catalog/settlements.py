"""What people rule by hand: about labels that the gate stopped, and about who is suspended."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.database import add_new, chunks
from catalog.schema import SettledLabel, Settlement, SettlementKind, Suspension


def stands() -> ColumnElement[bool]:
    """True of a `Settlement` that no other takes back."""
    later = aliased(Settlement)
    return ~exists().where(later.retracts == Settlement.number)


def is_settled(label_id: InstrumentedAttribute[str], *kinds: SettlementKind) -> ColumnElement[bool]:
    """True of a label about which a settlement of one of `kinds` stands."""
    return exists().where(
        SettledLabel.label_id == label_id,
        SettledLabel.settlement_number == Settlement.number,
        Settlement.kind.in_(kinds),
        stands(),
    )


def release_number(label_id: InstrumentedAttribute[str]) -> ScalarSelect[int]:
    """The number of the newest release of a label that stands, or 0."""
    newest = (
        select(func.coalesce(func.max(Settlement.number), 0))
        .join(SettledLabel, SettledLabel.settlement_number == Settlement.number)
        .where(Settlement.kind == SettlementKind.RELEASE, stands())
    )
    of_label = newest.where(SettledLabel.label_id == label_id)
    return of_label.correlate(label_id.class_).scalar_subquery()


def settlement(session: Session, number: int) -> Settlement | None:
    """A settlement that stands."""
    return session.scalar(select(Settlement).where(Settlement.number == number, stands()))


def settlements(session: Session) -> list[Settlement]:
    """Every settlement ever made, the oldest first."""
    return list(session.scalars(select(Settlement).order_by(Settlement.number)))


def labels_of(session: Session, number: int) -> dict[str, list[str]]:
    """The labels that a settlement is about, each with the reasons that it overrules."""
    query = select(SettledLabel).where(SettledLabel.settlement_number == number)
    return {
        each.label_id: each.overruled
        for each in session.scalars(query.order_by(SettledLabel.label_id))
    }


def releases(session: Session, label_ids: Sequence[str]) -> dict[str, tuple[int, list[str]]]:
    """The newest standing release of each of `label_ids` that has one, and what it overrules."""
    found: dict[str, tuple[int, list[str]]] = {}
    for chunk in chunks(label_ids):
        query = (
            select(SettledLabel)
            .join(Settlement, Settlement.number == SettledLabel.settlement_number)
            .where(Settlement.kind == SettlementKind.RELEASE, stands())
            .where(SettledLabel.label_id.in_(chunk))
            .order_by(SettledLabel.settlement_number)
        )
        found.update(
            (each.label_id, (each.settlement_number, each.overruled))
            for each in session.scalars(query)
        )
    return found


def settle(
    session: Session,
    kind: SettlementKind,
    overruled: Mapping[str, Sequence[str]],
    *,
    by: str,
    reason: str,
    decision_ids: Sequence[str] = (),
    question_id: str | None = None,
    retracts: int | None = None,
) -> Settlement:
    """Record a settlement about the labels of `overruled`, with the reasons that it overrules."""
    made = Settlement(
        number=(session.scalar(select(func.max(Settlement.number))) or 0) + 1,
        kind=kind,
        settled_by=by,
        reason=reason,
        decision_ids=list(decision_ids),
        question_id=question_id,
        retracts=retracts,
    )
    session.add(made)
    session.flush()
    add_new(
        session,
        [
            SettledLabel(settlement_number=made.number, label_id=label, overruled=list(reasons))
            for label, reasons in overruled.items()
        ],
    )
    return made


def suspend(session: Session, annotator: str, *, by: str, reason: str, lifted: bool) -> Suspension:
    """Record that `annotator` is suspended, or that the suspension is lifted."""
    said = Suspension(
        number=(session.scalar(select(func.max(Suspension.number))) or 0) + 1,
        annotator=annotator,
        lifted=lifted,
        said_by=by,
        reason=reason,
    )
    session.add(said)
    return said


def suspended(session: Session) -> dict[str, Suspension]:
    """The annotators who are suspended, each with the row that says so."""
    newest = {
        each.annotator: each
        for each in session.scalars(select(Suspension).order_by(Suspension.number))
    }
    return {annotator: said for annotator, said in sorted(newest.items()) if not said.lifted}
