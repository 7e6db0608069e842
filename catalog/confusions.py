"""What was said that an image shows, beside what is known now: what confusions are counted of."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.database import chunks
from catalog.decisions import decision_stands
from catalog.labels import is_current
from catalog.paging import ranges
from catalog.removals import is_removed
from catalog.schema import (
    Answer,
    AnswerState,
    Decision,
    Desk,
    Question,
    QuestionKind,
    VerifiedLabel,
)

Span = tuple[dt.datetime, dt.datetime]
"""The first moment that counts, and the first one after that does not."""


class Relabelled(NamedTuple):
    """A product that a decision of a site's people gave an image, beside the one of now."""

    site: str
    locale: str
    image_id: str
    said: str
    now: str


class Judged(NamedTuple):
    """A newest answer of the crowd to a question whose right answer is known.

    `expected` is that of gold, `decided` the decision that stands on any other.
    """

    question: Question
    answer: Answer
    decided: str | None


def relabelled(session: Session, span: Span) -> Iterator[Relabelled]:
    """What was said of images in a time, each word of a site about an image once.

    Where the product that was said is no product any more, it was joined with another: nothing was
    confused, and the image is left out.
    """
    now, other = aliased(VerifiedLabel), aliased(VerifiedLabel)
    still_there = exists().where(other.product_id == VerifiedLabel.product_id, is_current(other))
    said = (VerifiedLabel.decision_id.is_not(None), VerifiedLabel.product_id.is_not(None))
    for images in ranges(session, VerifiedLabel.image_id, *said):
        query = (
            select(
                *(Question.site, VerifiedLabel.locale, VerifiedLabel.image_id),
                *(VerifiedLabel.product_id, now.product_id),
            )
            .join(Decision, Decision.id == VerifiedLabel.decision_id)
            .join(Question, Question.id == Decision.question_id)
            .join(now, now.image_id == VerifiedLabel.image_id)
            .where(*said, images.holds(VerifiedLabel.image_id), images.holds(now.image_id))
            .where(_within(VerifiedLabel.labelled_at, span), ~VerifiedLabel.withdrawn)
            .where(Decision.model_id.is_(None), is_current(now), now.product_id.is_not(None))
            .where(or_(VerifiedLabel.product_id == now.product_id, still_there))
            .distinct()
        )
        for row in session.execute(query).tuples():
            yield Relabelled(*cast(tuple[str, str, str, str, str], row))


def judged(session: Session, span: Span) -> Iterator[Judged]:
    """Answers to gold, and to merges that were decided, of a time; page by page."""
    later = aliased(Answer)
    superseded = exists().where(
        later.question_id == Answer.question_id,
        later.annotation == Answer.annotation,
        later.revision > Answer.revision,
    )
    known = or_(
        Question.expected.is_not(None),
        and_(Question.kind == QuestionKind.MERGE, Decision.id.is_not(None)),
    )
    for ids in ranges(session, Answer.question_id):
        query = (
            select(Question, Answer, Decision.kind)
            .join(Question, Question.id == Answer.question_id)
            .outerjoin(
                Decision,
                and_(Decision.question_id == Question.id, decision_stands()),
            )
            .where(ids.holds(Answer.question_id), ids.holds(Question.id), known)
            .where(Answer.state == AnswerState.GIVEN, Answer.desk == Desk.CROWD, ~superseded)
            .where(_within(Answer.answered_at, span))
        )
        for row in session.execute(query).tuples():
            yield Judged(*row)


def products_of(session: Session, image_ids: Collection[str]) -> dict[str, str]:
    """The product that each of `image_ids` is known to show now; those of none are left out."""
    found: dict[str, str] = {}
    for chunk in chunks(sorted(image_ids)):
        query = select(VerifiedLabel.image_id, VerifiedLabel.product_id).where(
            VerifiedLabel.image_id.in_(chunk),
            VerifiedLabel.product_id.is_not(None),
            is_current(VerifiedLabel),
        )
        found.update((image, product) for image, product in session.execute(query) if product)
    return found


class Shown(NamedTuple):
    """What a product is called, and an image of it."""

    name: str | None
    image_id: str


def shown(session: Session, product_ids: Sequence[str]) -> dict[str, Shown]:
    """A name and an image of each of `product_ids`; removed images are left out."""
    found: dict[str, Shown] = {}
    for product_id in product_ids:
        query = (
            select(VerifiedLabel.name, VerifiedLabel.image_id)
            .where(VerifiedLabel.product_id == product_id, is_current(VerifiedLabel))
            .where(~is_removed(VerifiedLabel.image_id))
            .order_by(VerifiedLabel.name.is_(None), VerifiedLabel.image_id)
        )
        row = session.execute(query.limit(1)).first()
        if row is not None:
            found[product_id] = Shown(*row)
    return found


def _within(moment: InstrumentedAttribute[dt.datetime], span: Span) -> ColumnElement[bool]:
    return and_(moment >= span[0], moment < span[1])
