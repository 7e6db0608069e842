"""The questions of every kind, each named by what it asks, so that it is asked once.

Whichever model proposes it, the same sheet is the same question, and so is the same pair of
products. A question that was made here stands on no site yet.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from pydantic import BaseModel, Field

from annotation.names import tidy_name
from annotation.partition import Decided, Partition
from catalog.identity import digest, set_digest
from catalog.schema import Decision, DecisionKind, Question, QuestionKind

ANCHORS = 6
GALLERY = 12
LARGEST_SPLIT = 24


class Asking(BaseModel, extra="forbid", frozen=True):
    """What is asked, and how much at a time.

    Attributes
    ----------
    open_share, open_at_least
        Share of the images that wait that may stand in open questions, and number that may in any
        case: what is answered teaches what to ask next.
    worth_seconds
        Human seconds that an image with a product is worth; dearer ones wait for a better model.
    mend_seconds
        Human seconds that it is worth to find an image in a wrong product.
    precision_at_least
        Expected precision of the products, up to which second questions are asked about them.
    """

    pictures_per_sheet: int = Field(60, ge=2 * GALLERY, le=60)
    smallest_cluster: int = Field(2, ge=1)
    suggest_at_least: float = Field(0.3, ge=0, le=1)
    merge_at_least: float = Field(0.5, ge=0, le=1)
    gold_share: float = Field(0.05, ge=0, lt=1)
    open_share: float = Field(0.25, gt=0, le=1)
    open_at_least: int = Field(100, ge=1)
    worth_seconds: float = Field(12.0, gt=0)
    mend_seconds: float = Field(25.0, gt=0)
    precision_at_least: float = Field(0.995, gt=0, lt=1)


def suggested_name(known: Partition, product_id: str, locale: str) -> str | None:
    """What a product is called in a locale, or else in the first other one."""
    names = known.called.get(product_id, {})
    name = names.get(locale) or next((names[place] for place in sorted(names)), None)
    return tidy_name(name) if name else None


def verify_questions(
    images: Sequence[str],
    *,
    locale: str,
    cluster_id: str | None,
    per_sheet: int,
    suggestion: str | None = None,
) -> list[Question]:
    """Ask whether `images`, the surest first, show one product, on as few sheets as possible.

    Sheets are of even size, and all begin with the same row of anchors, the surest images: what is
    said of each sheet is said of one product.
    """
    anchors = list(images[:ANCHORS]) if len(images) > per_sheet else []
    rest = images[len(anchors) :]
    return [
        Question(
            id=digest(QuestionKind.VERIFY, set_digest([*anchors, *sheet])),
            kind=QuestionKind.VERIFY,
            locale=locale,
            site="",
            image_ids=[*anchors, *sheet],
            cluster_id=cluster_id,
            suggestion=suggestion,
        )
        for sheet in _even_parts(rest, per_sheet - len(anchors))
    ]


def attach_questions(
    images: Sequence[str],
    *,
    product_id: str,
    references: Sequence[str],
    locale: str,
    cluster_id: str | None,
    per_sheet: int,
    suggestion: str | None = None,
) -> list[Question]:
    """Ask which of `images` show the known product of `references`."""
    return [
        Question(
            id=digest(QuestionKind.ATTACH, product_id, set_digest(sheet)),
            kind=QuestionKind.ATTACH,
            locale=locale,
            site="",
            image_ids=list(sheet),
            cluster_id=cluster_id,
            reference_ids=list(references[:GALLERY]),
            suggestion=suggestion,
        )
        for sheet in _even_parts(images, per_sheet - GALLERY)
    ]


def merge_question(
    first: Sequence[str], second: Sequence[str], *, about: Sequence[str], locale: str
) -> Question:
    """Ask whether two galleries, each of one product, show the same.

    `about` names the two products, or the contradiction between them.
    """
    return Question(
        id=digest(QuestionKind.MERGE, set_digest(about)),
        kind=QuestionKind.MERGE,
        locale=locale,
        site="",
        image_ids=list(second[:GALLERY]),
        reference_ids=list(first[:GALLERY]),
    )


def split_question(images: Sequence[str], *, locale: str, cluster_id: str | None) -> Question:
    """Ask how `images` are to be sorted."""
    return Question(
        id=digest(QuestionKind.SPLIT, set_digest(images)),
        kind=QuestionKind.SPLIT,
        locale=locale,
        site="",
        image_ids=list(images),
        cluster_id=cluster_id,
    )


def mixed_sheets(decided: Iterable[Decided]) -> list[Question]:
    """The sheets of which people said that no product has the majority."""
    return [
        question
        for question, decision in decided
        if question.kind == QuestionKind.VERIFY
        and decision.kind == DecisionKind.DIFFERENT
        and not decision.groups
    ]


def follow_ups(
    decided: Sequence[Decided],
    known: Partition,
    asking: Asking,
    removed: Collection[str] = frozenset(),
) -> list[Question]:
    """What is to be asked next because of the decisions that stand.

    What the products of a split, of what was accepted unasked and of what was given a wrong name
    are called, and which of two contradicting decisions is right. No question shows an image that
    was `removed`.
    """
    asked = []
    for question, decision in decided:
        if question.kind == QuestionKind.VERIFY and decision.kind == DecisionKind.SAME:
            [shown] = decision.groups
            nameless = (known.product_of.get(shown[0]), question.locale) not in known.names
            if nameless and (decision.name or decision.model_id is not None):
                asked.append(_naming(question, decision, _left(shown, removed)[:ANCHORS]))
        if question.kind == QuestionKind.SPLIT:
            for group in decision.groups:
                if (known.product_of.get(group[0]), question.locale) not in known.names:
                    asked += verify_questions(
                        _left(group, removed),
                        locale=question.locale,
                        cluster_id=question.cluster_id,
                        per_sheet=asking.pictures_per_sheet,
                    )
    doubtful = [
        merge_question(
            _left(each.beside[0], removed) or _left(each.left, removed),
            _left(each.beside[1], removed) or _left(each.right, removed),
            about=[each.key],
            locale=each.locale,
        )
        for each in known.contradictions
    ]
    return [each for each in [*asked, *doubtful] if _can_be_asked(each)]


def _naming(question: Question, decision: Decision, images: list[str]) -> Question:
    """Ask what the product of a few images is called."""
    return Question(
        id=digest("name", decision.id, set_digest(images)),
        kind=QuestionKind.VERIFY,
        locale=question.locale,
        site="",
        image_ids=images,
        cluster_id=question.cluster_id,
    )


def _left(images: Iterable[str], removed: Collection[str]) -> list[str]:
    return [image for image in images if image not in removed]


def _can_be_asked(question: Question) -> bool:
    """Whether there is still something to look at, and to compare it with."""
    match QuestionKind(question.kind):
        case QuestionKind.SPLIT:
            return len(question.image_ids) > 1
        case QuestionKind.MERGE:
            return bool(question.image_ids and question.reference_ids)
        case _:
            return bool(question.image_ids)


def _even_parts(images: Sequence[str], at_most: int) -> list[Sequence[str]]:
    n_parts = math.ceil(len(images) / at_most)
    bounds = [len(images) * part // n_parts for part in range(n_parts + 1)] if n_parts else []
    return [images[start:end] for start, end in pairwise(bounds)]
