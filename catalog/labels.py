"""Products, verified labels, and the gate's judgement on each label."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session, aliased

from catalog.database import add_new
from catalog.identity import digest
from catalog.schema import (
    GateRun,
    Judgement,
    Origin,
    Product,
    SettlementKind,
    VerifiedLabel,
)
from catalog.settlements import is_settled, release_number


@dataclass(frozen=True)
class LabelRow:
    """A verified label as the gate and the training set read it."""

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
    """True of a label that is neither withdrawn nor superseded by another."""
    later = aliased(VerifiedLabel)
    return and_(~label.withdrawn, ~exists().where(later.supersedes_id == label.id))


def add_products(session: Session, product_ids: Iterable[str]) -> None:
    """Record products that are not known yet."""
    add_new(session, [Product(id=product_id) for product_id in sorted(set(product_ids))])


def add_labels(session: Session, labels: Sequence[VerifiedLabel]) -> int:
    return add_new(session, labels)


def manifest_product(key: str) -> str:
    """The identity of the product whose folded name or number in a manifest is `key`."""
    return digest("product", key)


def manifest_label(image_id: str, product_id: str, name: str, locale: str) -> VerifiedLabel:
    """The label of an image whose product the customer's manifest calls `name`."""
    return VerifiedLabel(
        id=digest("label", image_id, product_id, Origin.MANIFEST),
        image_id=image_id,
        product_id=product_id,
        name=name,
        locale=locale,
        origin=Origin.MANIFEST,
        decision_id=None,
        annotators=[Origin.MANIFEST],
        agreement=1.0,
        seconds=None,
    )


def manifest_labels(session: Session) -> list[VerifiedLabel]:
    """What the customer's manifests say, whether or not a decision has corrected it since.

    What somebody corrected or asked about by hand, no manifest says any more.
    """
    by_hand = (SettlementKind.CORRECT, SettlementKind.ASK)
    query = select(VerifiedLabel).where(
        VerifiedLabel.origin == Origin.MANIFEST, ~is_settled(VerifiedLabel.id, *by_hand)
    )
    return list(session.scalars(query.order_by(VerifiedLabel.id)))


def newest(session: Session) -> list[VerifiedLabel]:
    """The last label of every image's chain, withdrawn ones as well."""
    later = aliased(VerifiedLabel)
    query = select(VerifiedLabel).where(~exists().where(later.supersedes_id == VerifiedLabel.id))
    return list(session.scalars(query.order_by(VerifiedLabel.id)))


def unjudged(session: Session) -> list[LabelRow]:
    """Current labels that the gate has not judged, or not since somebody released them."""
    return _rows(session, ~exists().where(is_judged()))


def accepted(session: Session) -> list[LabelRow]:
    """Current labels that the gate has accepted."""
    return _rows(session, exists().where(is_judged(), Judgement.accepted))


def galleries(session: Session, at_most: int, locale: str | None = None) -> dict[str, list[str]]:
    """Up to `at_most` images, of one locale or of all, of each product that labels name."""
    found: dict[str, list[str]] = defaultdict(list)
    query = select(VerifiedLabel.product_id, VerifiedLabel.image_id).where(
        is_current(VerifiedLabel), VerifiedLabel.product_id.is_not(None)
    )
    if locale is not None:
        query = query.where(VerifiedLabel.locale == locale)
    for product_id, image_id in session.execute(query.order_by(VerifiedLabel.image_id)):
        if len(found[product_id]) < at_most:
            found[product_id].append(image_id)
    return dict(sorted(found.items()))


def is_judged() -> ColumnElement[bool]:
    """True of the judgement of a label that counts: the one made for its release, if any."""
    return and_(
        Judgement.label_id == VerifiedLabel.id,
        Judgement.release_number == release_number(VerifiedLabel.id),
    )


def _rows(session: Session, condition: ColumnElement[bool]) -> list[LabelRow]:
    query = select(VerifiedLabel).where(is_current(VerifiedLabel), condition)
    return [
        LabelRow(
            label_id=label.id,
            image_id=label.image_id,
            product_id=label.product_id,
            name=label.name,
            locale=label.locale,
            origin=label.origin,
            decision_id=label.decision_id,
            annotators=tuple(label.annotators),
            agreement=label.agreement,
            seconds=label.seconds,
        )
        for label in session.scalars(query.order_by(VerifiedLabel.id))
    ]


def record_gate_run(
    session: Session,
    *,
    accepted_ids: Sequence[str],
    quarantined: Mapping[str, Sequence[str]],
    held: bool,
    rules: list[dict[str, Any]],
    releases: Mapping[str, int] = MappingProxyType({}),
) -> GateRun:
    """Record what the gate said of a batch; a held batch is judged again with the next one.

    `releases` is the number of the settlement for which a label was judged again.
    """
    judged = [
        "gate",
        *(str(held), *sorted(accepted_ids), "quarantined", *sorted(quarantined)),
        *(f"{label} {number}" for label, number in sorted(releases.items())),
    ]
    run = GateRun(
        id=digest(*judged),
        n_accepted=len(accepted_ids),
        n_quarantined=len(quarantined),
        held=held,
        rules=rules,
    )
    add_new(session, [run])
    if not held:
        passed = [
            Judgement(
                label_id=label_id,
                gate_run_id=run.id,
                accepted=True,
                reasons=[],
                release_number=releases.get(label_id, 0),
            )
            for label_id in accepted_ids
        ]
        stopped = [
            Judgement(
                label_id=label_id,
                gate_run_id=run.id,
                accepted=False,
                reasons=list(reasons),
                release_number=releases.get(label_id, 0),
            )
            for label_id, reasons in quarantined.items()
        ]
        add_new(session, [*passed, *stopped])
    return run


def quarantined(session: Session) -> list[Judgement]:
    """The judgements against current labels."""
    return [judgement for judgement, _ in quarantined_labels(session)]


def quarantined_labels(session: Session) -> list[tuple[Judgement, VerifiedLabel]]:
    """The current labels that the gate has stopped, each with the judgement against it."""
    query = (
        select(Judgement, VerifiedLabel)
        .join(VerifiedLabel, is_judged())
        .where(~Judgement.accepted, is_current(VerifiedLabel))
        .order_by(Judgement.label_id)
    )
    return list(session.execute(query).tuples())
