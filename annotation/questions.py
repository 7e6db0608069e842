"""The questions of every kind, each named by what it asks, so that it is asked once.

Whichever model proposes it, the same sheet is the same question, and so is the same pair of
products.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from annotation.partition import Contradiction, Decided
from catalog.identity import digest, set_digest
from catalog.schema import DecisionKind, Question, QuestionKind

ANCHORS = 6
GALLERY = 12
LARGEST_SPLIT = 24


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

    `about` names the two products, or the decisions that contradict each other.
    """
    return Question(
        id=digest(QuestionKind.MERGE, set_digest(about)),
        kind=QuestionKind.MERGE,
        locale=locale,
        site="",
        image_ids=list(second[:GALLERY]),
        reference_ids=list(first[:GALLERY]),
    )


def split_question(mixed: Question) -> Question:
    """Ask how the images of a mixed sheet are to be sorted, its first ones where they are many."""
    images = mixed.image_ids[:LARGEST_SPLIT]
    return Question(
        id=digest(QuestionKind.SPLIT, set_digest(images)),
        kind=QuestionKind.SPLIT,
        locale=mixed.locale,
        site="",
        image_ids=list(images),
        cluster_id=mixed.cluster_id,
    )


def follow_ups(
    decided: Sequence[Decided], contradictions: Sequence[Contradiction]
) -> list[Question]:
    """What is to be asked next because of the decisions that stand.

    How to split what is mixed, and which of two contradicting decisions is right.
    """
    mixed = [
        split_question(question)
        for question, decision in decided
        if question.kind == QuestionKind.VERIFY
        and decision.kind == DecisionKind.DIFFERENT
        and len(question.image_ids) > 2
    ]
    doubtful = [
        merge_question(each.left, each.right, about=each.decision_ids, locale=each.locale)
        for each in contradictions
    ]
    return [*mixed, *doubtful]


def _even_parts(images: Sequence[str], at_most: int) -> list[Sequence[str]]:
    n_parts = math.ceil(len(images) / at_most)
    bounds = [len(images) * part // n_parts for part in range(n_parts + 1)] if n_parts else []
    return [images[start:end] for start, end in pairwise(bounds)]
