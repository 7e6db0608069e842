"""What people rule by hand: about labels that the gate stopped, and about who is suspended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.database import add_new, chunks, one_at_a_time
from catalog.decisions import decision_stands
from catalog.schema import (
    NO_SITE,
    Decision,
    Question,
    QuestionImage,
    SettledLabel,
    Settlement,
    SettlementKind,
    Suspension,
    VerifiedLabel,
)

# What numbers the rulings of people.
SETTLING = "settling"


def stands() -> ColumnElement[bool]:
    """True of a `Settlement` that no other takes back."""
    later = aliased(Settlement)
    return ~exists().where(later.retracts == Settlement.number)


@dataclass(frozen=True)
class Overruled:
    """What manifests say no more: anything of `images`, and that `shows` of images and products."""

    images: frozenset[str]
    shows: frozenset[tuple[str, str | None]]

    def holds(self, image_id: str, product_id: str | None) -> bool:
        """Whether no manifest says any more that an image shows a product."""
        return image_id in self.images or (image_id, product_id) in self.shows


def overruled(session: Session) -> Overruled:
    """What manifests say no more, by the settlements that stand.

    Nothing of an image that people were asked about again, or that somebody named by hand; of one
    that was corrected without a name, not that it shows the product of the label that was wrong.
    """
    settled = session.execute(
        select(Settlement.kind, VerifiedLabel.image_id, VerifiedLabel.product_id)
        .join(SettledLabel, SettledLabel.settlement_number == Settlement.number)
        .join(VerifiedLabel, VerifiedLabel.id == SettledLabel.label_id)
        .where(Settlement.kind.in_((SettlementKind.CORRECT, SettlementKind.ASK)), stands())
    ).all()
    named = session.scalars(
        select(QuestionImage.image_id)
        .join(Question, Question.id == QuestionImage.question_id)
        .join(Decision, Decision.question_id == Question.id)
        .where(Question.site == NO_SITE, Decision.supersedes_id.is_(None), decision_stands())
    )
    asked = {image for kind, image, _ in settled if kind == SettlementKind.ASK}
    return Overruled(
        frozenset(asked.union(named)), frozenset((image, product) for _, image, product in settled)
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


def retraction(session: Session, number: int) -> Settlement | None:
    """The settlement that takes another one back."""
    return session.scalar(select(Settlement).where(Settlement.retracts == number))


def standing(session: Session) -> list[tuple[Settlement, int]]:
    """Every settlement that stands, with how many labels it is about, the newest first."""
    about = (
        select(func.count())
        .where(SettledLabel.settlement_number == Settlement.number)
        .scalar_subquery()
    )
    query = select(Settlement, about).where(Settlement.kind != SettlementKind.RETRACT, stands())
    return list(session.execute(query.order_by(Settlement.number.desc())).tuples())


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
    one_at_a_time(session, SETTLING)
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
    one_at_a_time(session, SETTLING)
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
