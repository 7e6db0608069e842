"""What a model would answer itself: the candidates for acceptance, each image in one of them.

Scores are the model's own probabilities, never corrected by what people said, so that a score of a
model keeps its meaning for as long as the model does. Which images are candidates for what depends
on the model and on the recorded clustering alone, not on what anybody answers.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.acceptance import Acceptable
from annotation.outlook import Outlook
from annotation.partition import Partition
from annotation.planner import REFERENCES
from annotation.questions import (
    ANCHORS,
    Asking,
    attach_questions,
    merge_question,
    suggested_name,
    verify_questions,
)
from catalog.schema import AuditSubject, Cluster

TAKEN = 0.5
"""From this probability on an image is taken to show a known product, not a new one."""


@dataclass(frozen=True)
class Stand:
    """What is known of a locale's images at one moment: `waiting` are those without a product."""

    known: Partition
    waiting: Collection[str]
    galleries: Mapping[str, Sequence[str]]
    asking: Asking


def acceptable_clusters(
    ahead: Outlook, clusters: Iterable[tuple[Cluster, Sequence[str]]], now: Stand
) -> list[Acceptable]:
    """Candidate clusters that wait whole, the purest first, at the score of their purity.

    A cluster that fits into the row of pictures which people name it by is left out, for nothing
    would be saved; so is one larger than a sheet, whose rest is soon attached to what a sheet of it
    shows; and one most of whose images are taken to show known products.
    """
    found = []
    for cluster, images in clusters:
        fits = ANCHORS < len(images) <= now.asking.pictures_per_sheet
        if not fits or not all(_waits(image, ahead, now) for image in images):
            continue
        if 2 * sum(_is_taken(ahead, ahead.place_of[image]) for image in images) >= len(images):
            continue
        [question] = verify_questions(
            images,
            locale=ahead.locale,
            cluster_id=cluster.id,
            per_sheet=now.asking.pictures_per_sheet,
        )
        found.append(Acceptable(question, AuditSubject.CLUSTER, cluster.purity))
    return sorted(found, key=_surest_first)


def acceptable_images(ahead: Outlook, now: Stand, beside: Collection[str]) -> Iterator[Acceptable]:
    """Single images that show a known product, the surest first; those `beside` are left out."""
    for place in np.lexsort((np.arange(len(ahead.image_ids)), -ahead.probability)).tolist():
        if not _is_taken(ahead, place):
            continue
        image, product = ahead.image_ids[place], ahead.product_ids[ahead.likeliest[place]]
        if image in beside or not _waits(image, ahead, now) or now.known.differ(image, product):
            continue
        [question] = attach_questions(
            [image],
            product_id=product,
            references=now.galleries[product][:REFERENCES],
            locale=ahead.locale,
            cluster_id=ahead.cluster_of.get(image),
            per_sheet=now.asking.pictures_per_sheet,
            suggestion=suggested_name(now.known, product, ahead.locale),
        )
        yield Acceptable(question, AuditSubject.ATTACHMENT, float(ahead.probability[place]))


def acceptable_merges(ahead: Outlook, now: Stand) -> list[Acceptable]:
    """Known products that look alike, the likeliest first."""
    found: dict[str, Acceptable] = {}
    for each in ahead.alike:
        if now.known.may_be_same(each.first, each.second):
            question = merge_question(
                now.galleries[each.first],
                now.galleries[each.second],
                about=[each.first, each.second],
                locale=ahead.locale,
            )
            found.setdefault(
                question.id, Acceptable(question, AuditSubject.MERGE, each.probability)
            )
    return sorted(found.values(), key=_surest_first)


def _waits(image: str, ahead: Outlook, now: Stand) -> bool:
    return image in ahead.place_of and image in now.waiting and image not in now.known.product_of


def _is_taken(ahead: Outlook, place: int) -> bool:
    return bool(ahead.likeliest[place] >= 0 and ahead.probability[place] >= TAKEN)


def _surest_first(each: Acceptable) -> tuple[float, str]:
    return -each.score, each.question.id
