"""Products, verified labels, and the gate's judgement on each label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from catalog.database import add_new
from catalog.identity import digest
from catalog.schema import (
    Decision,
    GateRun,
    Judgement,
    Origin,
    Product,
    ProductName,
    VerifiedLabel,
)


@dataclass(frozen=True)
class LabelRow:
    """A verified label with the name that its product has in its locale."""

    label_id: str
    image_id: str
    product_id: str | None
    name: str | None
    locale: str
    origin: str
    decision_id: str | None
    annotators: tuple[str, ...]
    agreement: float
    seconds: float | None


def is_current(label: type[VerifiedLabel]) -> ColumnElement[bool]:
    """True of a label from a manifest, or from a decision that no other supersedes."""
    later = aliased(Decision)
    return or_(
        label.decision_id.is_(None), ~exists().where(later.supersedes_id == label.decision_id)
    )


def product_named(session: Session, locale: str, name: str, key: str, *, identity: str) -> str:
    """The product that is called `name` in `locale`; `identity` names it where it is new."""
    known = session.scalar(
        select(ProductName.product_id).where(ProductName.locale == locale, ProductName.key == key)
    )
    if known is not None:
        return known
    product_id = digest("product", identity)
    add_new(session, [Product(id=product_id)])
    add_new(session, [ProductName(product_id=product_id, locale=locale, key=key, name=name)])
    return product_id


def add_labels(session: Session, labels: Sequence[VerifiedLabel]) -> int:
    return add_new(session, labels)


def manifest_label(image_id: str, product_id: str, locale: str) -> VerifiedLabel:
    """The label of an image whose product the customer's manifest names."""
    return VerifiedLabel(
        id=digest("label", image_id, product_id, Origin.MANIFEST),
        image_id=image_id,
        product_id=product_id,
        locale=locale,
        origin=Origin.MANIFEST,
        decision_id=None,
        annotators=[Origin.MANIFEST],
        agreement=1.0,
        seconds=None,
    )


def unjudged(session: Session) -> list[LabelRow]:
    """Current labels that the gate has not judged."""
    judged = exists().where(Judgement.label_id == VerifiedLabel.id)
    return _rows(session, ~judged)


def accepted(session: Session) -> list[LabelRow]:
    """Current labels that the gate has accepted."""
    passed = exists().where(Judgement.label_id == VerifiedLabel.id, Judgement.accepted)
    return _rows(session, passed)


def _rows(session: Session, condition: ColumnElement[bool]) -> list[LabelRow]:
    rows = session.execute(
        select(VerifiedLabel, ProductName.name)
        .outerjoin(
            ProductName,
            (ProductName.product_id == VerifiedLabel.product_id)
            & (ProductName.locale == VerifiedLabel.locale),
        )
        .where(is_current(VerifiedLabel), condition)
        .order_by(VerifiedLabel.id)
    )
    return [
        LabelRow(
            label_id=label.id,
            image_id=label.image_id,
            product_id=label.product_id,
            name=name,
            locale=label.locale,
            origin=label.origin,
            decision_id=label.decision_id,
            annotators=tuple(label.annotators),
            agreement=label.agreement,
            seconds=label.seconds,
        )
        for label, name in rows
    ]


def record_gate_run(
    session: Session,
    *,
    accepted_ids: Sequence[str],
    quarantined: dict[str, tuple[str, ...]],
    held: bool,
    rules: list[dict[str, Any]],
) -> GateRun:
    """Record what the gate said of a batch; a held batch is judged again with the next one."""
    run = GateRun(
        id=digest("gate", held, *sorted(accepted_ids), *sorted(quarantined)),
        n_accepted=len(accepted_ids),
        n_quarantined=len(quarantined),
        held=held,
        rules=rules,
    )
    add_new(session, [run])
    if not held:
        passed = [
            Judgement(label_id=label_id, gate_run_id=run.id, accepted=True, reasons=[])
            for label_id in accepted_ids
        ]
        stopped = [
            Judgement(label_id=label_id, gate_run_id=run.id, accepted=False, reasons=list(reasons))
            for label_id, reasons in quarantined.items()
        ]
        add_new(session, [*passed, *stopped])
    return run


def quarantined(session: Session) -> list[Judgement]:
    """The judgements against current labels."""
    query = (
        select(Judgement)
        .join(VerifiedLabel, VerifiedLabel.id == Judgement.label_id)
        .where(~Judgement.accepted, is_current(VerifiedLabel))
        .order_by(Judgement.label_id)
    )
    return list(session.scalars(query))
