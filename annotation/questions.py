"""The questions of every kind, each named by what it asks, so that it is asked once.

Whichever model proposes it, the same sheet is the same question, and so is the same pair of
products. A question that was made here stands on no site yet.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, Field

from annotation.partition import Decided, Partition
from catalog.identity import digest, set_digest
from catalog.schema import DecisionKind, Question, QuestionKind

ANCHORS = 6
GALLERY = 12
LARGEST_SPLIT = 24


class Asking(BaseModel, extra="forbid", frozen=True):
    """What is asked of a candidate cluster, and how sure the model must be of a known product."""

    pictures_per_sheet: int = Field(60, ge=2 * GALLERY, le=60)
    smallest_cluster: int = Field(2, ge=1)
    attach_at_least: float = Field(0.5, ge=0, le=1)
    suggest_at_least: float = Field(0.3, ge=0, le=1)
    merge_at_least: float = Field(0.5, ge=0, le=1)
    gold_share: float = Field(0.05, ge=0, lt=1)


@dataclass(frozen=True)
class Candidate:
    """A candidate cluster with its images, the surest first, and the known product it may show.

    `probability` is that its images belong to `product_id`, on average. An image that is asked
    about by itself belongs to no cluster.
    """

    cluster_id: str | None
    locale: str
    images: tuple[str, ...]
    product_id: str | None
    probability: float


def cluster_questions(
    candidate: Candidate,
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
    asking: Asking,
) -> list[Question]:
    """Ask whether a candidate cluster is one product, or whether it is one that is known.

    Parameters
    ----------
    known
        What has been decided: no image is compared with a product that it is known not to show.
    galleries
        Pictures of each known product.
    """
    product = candidate.product_id
    suggestion = None
    if product is not None and candidate.probability >= asking.suggest_at_least:
        suggestion = suggested_name(known, product, candidate.locale)
    if product is None or candidate.probability < asking.attach_at_least:
        return verify_questions(
            candidate.images,
            locale=candidate.locale,
            cluster_id=candidate.cluster_id,
            per_sheet=asking.pictures_per_sheet,
            suggestion=suggestion,
        )
    return attach_questions(
        [image for image in candidate.images if not known.differ(image, product)],
        product_id=product,
        references=galleries[product],
        locale=candidate.locale,
        cluster_id=candidate.cluster_id,
        per_sheet=asking.pictures_per_sheet,
        suggestion=suggestion,
    )


def suggested_name(known: Partition, product_id: str, locale: str) -> str | None:
    """What a product is called in a locale, or else in the first other one."""
    names = known.called.get(product_id, {})
    return names.get(locale) or next((names[place] for place in sorted(names)), None)


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


def split_question(mixed: Question, removed: Collection[str] = frozenset()) -> Question:
    """Ask how the images of a mixed sheet are to be sorted, its first ones where they are many."""
    images = _left(mixed.image_ids, removed)[:LARGEST_SPLIT]
    return Question(
        id=digest(QuestionKind.SPLIT, set_digest(images)),
        kind=QuestionKind.SPLIT,
        locale=mixed.locale,
        site="",
        image_ids=list(images),
        cluster_id=mixed.cluster_id,
    )


def follow_ups(
    decided: Sequence[Decided],
    known: Partition,
    asking: Asking,
    removed: Collection[str] = frozenset(),
) -> list[Question]:
    """What is to be asked next because of the decisions that stand.

    How to split what is mixed, what the products of a split and of what was accepted unasked are
    called, and which of two contradicting decisions is right. No question shows an image that was
    `removed`.
    """
    asked = []
    for question, decision in decided:
        mixed = decision.kind == DecisionKind.DIFFERENT and not decision.groups
        if question.kind == QuestionKind.VERIFY and mixed:
            asked.append(split_question(question, removed))
        unasked = decision.model_id is not None
        if question.kind == QuestionKind.VERIFY and unasked and decision.groups:
            # Its first row is enough to name what was accepted.
            [shown] = decision.groups
            if (known.product_of.get(shown[0]), question.locale) not in known.names:
                asked += verify_questions(
                    _left(shown, removed)[:ANCHORS],
                    locale=question.locale,
                    cluster_id=question.cluster_id,
                    per_sheet=asking.pictures_per_sheet,
                )
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
            _left(each.left, removed),
            _left(each.right, removed),
            about=[each.key],
            locale=each.locale,
        )
        for each in known.contradictions
    ]
    return [each for each in [*asked, *doubtful] if _can_be_asked(each)]


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
