"""Products, verified labels, and the gate's judgement on each label."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from catalog.database import add_new, one_at_a_time
from catalog.identity import digest
from catalog.paging import EVERYTHING, Range, ranges
from catalog.removals import is_removed
from catalog.schema import (
    GateRun,
    Judgement,
    Origin,
    Product,
    VerifiedLabel,
)
from catalog.settlements import overruled, release_number


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


def is_current(label: type[VerifiedLabel], ids: Range = EVERYTHING) -> ColumnElement[bool]:
    """True of a label, of those with `ids`, that is neither withdrawn nor superseded by another."""
    return and_(~label.withdrawn, _is_newest(label, ids))


def _is_newest(label: type[VerifiedLabel], ids: Range = EVERYTHING) -> ColumnElement[bool]:
    later = aliased(VerifiedLabel)
    return ~exists().where(later.supersedes_id == label.id, ids.holds(later.supersedes_id))


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
    listed = VerifiedLabel.origin == Origin.MANIFEST
    corrected = overruled(session)
    return [
        label
        for ids in ranges(session, VerifiedLabel.id, listed)
        for label in session.scalars(
            select(VerifiedLabel)
            .where(listed, ids.holds(VerifiedLabel.id))
            .order_by(VerifiedLabel.id)
        )
        if not corrected.holds(label.image_id, label.product_id)
    ]


def newest(session: Session) -> list[VerifiedLabel]:
    """The last label of every image's chain, withdrawn ones as well."""
    return [label for page in newest_pages(session) for label in page]


def newest_pages(session: Session) -> Iterator[Sequence[VerifiedLabel]]:
    """The same, a page at a time, in the order of the images; all those of an image on one page."""
    for images in ranges(session, VerifiedLabel.image_id):
        query = select(VerifiedLabel).where(
            images.holds(VerifiedLabel.image_id), _is_newest(VerifiedLabel)
        )
        yield session.scalars(query.order_by(VerifiedLabel.image_id, VerifiedLabel.id)).all()


def unjudged(session: Session) -> list[LabelRow]:
    """Current labels that the gate has not judged, or not since somebody released them.

    Neither these nor those that are accepted are of images that were removed.
    """
    return _rows(session, lambda ids: ~exists().where(is_judged(ids)))


def accepted(session: Session) -> list[LabelRow]:
    """Current labels that the gate has accepted."""
    return _rows(session, lambda ids: exists().where(is_judged(ids), Judgement.accepted))


def galleries(session: Session, at_most: int, locale: str | None = None) -> dict[str, list[str]]:
    """Up to `at_most` images, of one locale or of all, of each product that labels name.

    Removed images are left out.
    """
    return dict(gallery for page in gallery_pages(session, at_most, locale) for gallery in page)


def gallery_pages(
    session: Session, at_most: int, locale: str | None = None
) -> Iterator[list[tuple[str, list[str]]]]:
    """The same, a page at a time, in the order of the products."""
    named = VerifiedLabel.product_id.is_not(None)
    for products in ranges(session, VerifiedLabel.product_id, named):
        shown = select(
            VerifiedLabel.product_id,
            VerifiedLabel.image_id,
            func.row_number()
            .over(partition_by=VerifiedLabel.product_id, order_by=VerifiedLabel.image_id)
            .label("place"),
        ).where(
            named,
            products.holds(VerifiedLabel.product_id),
            is_current(VerifiedLabel),
            ~is_removed(VerifiedLabel.image_id),
        )
        if locale is not None:
            shown = shown.where(VerifiedLabel.locale == locale)
        numbered = shown.subquery()
        rows = session.execute(
            select(numbered.c.product_id, numbered.c.image_id)
            .where(numbered.c.place <= at_most)
            .order_by(numbered.c.product_id, numbered.c.place)
        )
        yield [
            (product_id, [image_id for _, image_id in gallery])
            for product_id, gallery in groupby(rows, key=itemgetter(0))
        ]


def is_judged(ids: Range = EVERYTHING) -> ColumnElement[bool]:
    """True of the judgement of a label that counts: the one made for its release, if any."""
    return and_(
        Judgement.label_id == VerifiedLabel.id,
        ids.holds(Judgement.label_id),
        Judgement.release_number == release_number(VerifiedLabel.id),
    )


def _rows(session: Session, condition: Callable[[Range], ColumnElement[bool]]) -> list[LabelRow]:
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
        for ids in ranges(session, VerifiedLabel.id)
        for label in session.execute(
            select(VerifiedLabel.__table__)
            .where(ids.holds(VerifiedLabel.id), is_current(VerifiedLabel, ids), condition(ids))
            .where(~is_removed(VerifiedLabel.image_id))
            .order_by(VerifiedLabel.id)
        )
    ]


def gate_run_id(
    accepted_ids: Iterable[str],
    quarantined: Iterable[str],
    held: bool,
    releases: Mapping[str, int],
) -> str:
    """The identity of what the gate said: the same each time it says the same of the same."""
    return digest(
        "gate",
        *(str(held), *sorted(accepted_ids), "quarantined", *sorted(quarantined)),
        *(f"{label} {number}" for label, number in sorted(releases.items())),
    )


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
    one_at_a_time(session, "gate")
    last = session.scalars(select(func.coalesce(func.max(GateRun.number), 0))).one()
    run = GateRun(
        id=gate_run_id(accepted_ids, quarantined, held, releases),
        n_accepted=len(accepted_ids),
        n_quarantined=len(quarantined),
        held=held,
        rules=rules,
        number=last + 1,
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
