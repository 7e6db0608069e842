"""What people named and nobody has looked at twice: a wrong name shows by what it is put beside."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.partition import Decided, Partition
from annotation.questions import GALLERY
from catalog.schema import QuestionKind


@dataclass(frozen=True)
class Piece:
    """Images that one decision put together, of a product that has others as well or has not."""

    product: str
    images: tuple[str, ...]
    others: tuple[str, ...]


def named_pieces(log: Sequence[Decided], known: Partition, locale: str) -> list[Piece]:
    """What people named in a locale and nobody has looked at twice.

    A piece that was compared with its product already is not among them.
    """
    compared = {
        frozenset(question.image_ids) for question, _ in log if question.kind == QuestionKind.MERGE
    }
    images_of = known.images()
    found = []
    for question, decision in log:
        if question.locale != locale or question.kind != QuestionKind.VERIFY or not decision.name:
            continue
        images = tuple(image for image in decision.groups[0] if image in known.product_of)
        if images and frozenset(images[:GALLERY]) not in compared:
            product = known.product_of[images[0]]
            mine = set(images)
            others = tuple(image for image in images_of[product] if image not in mine)
            found.append(Piece(product, images, others))
    return found
