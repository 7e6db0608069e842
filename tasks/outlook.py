"""What the champion makes of the images of a locale that wait for a product."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation import (
    GALLERY,
    Alike,
    Cut,
    Decided,
    Misfit,
    Outlook,
    Partition,
    Stray,
    named_pieces,
    right_all_the_same,
)
from catalog import clusters, features, models, training_sets
from catalog.schema import Model, QuestionKind
from clustering import RelevantComponents
from clustering.prospects import foresee
from tasks.models import load
from tasks.settings import Settings


@dataclass(frozen=True)
class Seen:
    """Embeddings by the champion: row `row_of[image]` of `vectors` is that of an image."""

    model: Model
    row_of: Mapping[str, int]
    vectors: NDArray[np.float32]

    @classmethod
    def by_champion(cls, settings: Settings, image_ids: Sequence[str]) -> "Seen | None":
        """None where there is no champion; images without an embedding by it are left out."""
        with settings.catalog.read() as transaction:
            model = models.champion(transaction)
            if model is None:
                return None
            places = clusters.features_of(transaction, model.id, image_ids)
        seen = sorted(places)
        vectors = features.read(settings.blob_store, seen, places)
        return cls(model, {image: row for row, image in enumerate(seen)}, vectors)

    def of(self, image_ids: Sequence[str]) -> NDArray[np.float32]:
        """The embeddings of `image_ids`, float32 (N, D)."""
        return self.vectors[[self.row_of[image] for image in image_ids]]


def learnt_from(settings: Settings, model: Model) -> set[str]:
    """The images that a model was trained on."""
    with settings.catalog.read() as transaction:
        version = models.training_set_of(transaction, model)
    return {row.image_id for row in training_sets.rows(settings.blob_store, version)}


def outlook(
    seen: Seen,
    learnt: set[str],
    *,
    locale: str,
    waiting: Sequence[str],
    cluster_of: Mapping[str, str],
    known: Partition,
    log: Sequence[Decided],
    galleries: Mapping[str, Sequence[str]],
    alike_at_least: float,
) -> Outlook:
    """What the champion makes of `waiting`, beside the galleries of all known products."""
    _, lander = load(seen.model.location)
    images = [image for image in waiting if image in seen.row_of]
    shown = [
        (image, product)
        for product, gallery in galleries.items()
        for image in gallery
        if image in seen.row_of
    ]
    names = sorted({product for _, product in shown})
    number = {product: place for place, product in enumerate(names)}
    products = np.array([number[product] for _, product in shown], dtype=np.int64)
    gallery = seen.of([image for image, _ in shown])
    _, cannot_link = known.constraints(images)
    found = foresee(
        lander,
        seen.of(images),
        gallery,
        products,
        teaches=np.array([image not in learnt for image, _ in shown], dtype=bool),
        cannot_link=cannot_link or None,
    )
    alike = []
    if len(names) > 1:
        resembling = lander.resemble(gallery, products)
        alike = [
            Alike(names[first], names[second], float(probability))
            for first, (second, probability) in enumerate(
                zip(resembling.products, resembling.probability, strict=True)
            )
            if second >= 0 and probability >= alike_at_least
        ]
    return Outlook(
        locale,
        images,
        [Cut(*cut) for cut in found.cuts],
        cluster_of,
        names,
        found.products,
        found.probability,
        tuple(alike),
        tuple(_misfits(seen, known, log, locale)),
        tuple(_strays(seen, learnt, known, log, locale)),
    )


def _misfits(seen: Seen, known: Partition, log: Sequence[Decided], locale: str) -> list[Misfit]:
    """Pieces of a product that look more like another one than like the rest of their own."""
    _, lander = load(seen.model.location)
    pieces = [
        piece
        for piece in named_pieces(log, known, locale)
        if any(image in seen.row_of for image in piece.images)
    ]
    shown = [
        (image, number)
        for number, piece in enumerate(pieces)
        for image in piece.images[:GALLERY]
        if image in seen.row_of
    ]
    if len({number for _, number in shown}) < 2:
        return []
    found = lander.resemble(
        seen.of([image for image, _ in shown]), np.array([number for _, number in shown])
    )
    misfits = []
    for piece, other, probability in zip(pieces, found.products, found.probability, strict=True):
        if piece.others and other >= 0 and pieces[other].product != piece.product:
            right = right_all_the_same(float(probability))
            misfits.append(Misfit(piece.images, piece.others[:GALLERY], right))
    return misfits


def _strays(
    seen: Seen, learnt: set[str], known: Partition, log: Sequence[Decided], locale: str
) -> Iterator[Stray]:
    """Images that one answer placed, and that look more like another product than like theirs."""
    _, lander = load(seen.model.location)
    n_said = Counter(
        image
        for question, _ in log
        if question.locale == locale and question.kind in (QuestionKind.VERIFY, QuestionKind.ATTACH)
        for image in question.image_ids
    )
    images = sorted(image for image in n_said if image in seen.row_of and image in known.product_of)
    names = sorted({known.product_of[image] for image in images})
    if len(names) < 2:
        return
    number = {product: place for place, product in enumerate(names)}
    own = np.array([number[known.product_of[image]] for image in images], dtype=np.int64)
    fresh = np.array([image not in learnt for image in images], dtype=bool)
    vectors = seen.of(images)
    if fresh.any():
        vectors = RelevantComponents().fit(vectors[fresh], own[fresh]).transform(vectors)
    found = lander.place(vectors, own)
    shown = known.images()
    for image, mine, best, probability in zip(
        images, own, found.products, found.probability, strict=True
    ):
        if n_said[image] == 1 and best >= 0 and best != mine:
            product = names[mine]
            others = tuple(each for each in shown[product] if each != image)[:GALLERY]
            if others:
                yield Stray(image, product, others, right_all_the_same(float(probability)))
