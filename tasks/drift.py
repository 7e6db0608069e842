"""How new images differ from those that the champion learnt from, and which are the strangest."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from pydantic import TypeAdapter

from catalog import clusters, digest, features, holdout, images, labels, models, training_sets
from catalog.schema import Model
from clustering.drift import Drift, drift, strangeness
from tasks.artifacts import PICTURES_PER_ROW, ROWS_PER_SHEET, contact_sheet, picture, table
from tasks.settings import Settings, load_settings

STRANGEST = PICTURES_PER_ROW * ROWS_PER_SHEET
MOST_IMAGES = 20_000
"""Of a locale on either side. Images are named by a digest, so that the first by name are any."""


@dataclass(frozen=True)
class LocaleDrift:
    """New images of a locale beside those that the champion learnt from, in its own embeddings.

    `found` is None where there are too few products to tell. `strangest` are the new images that
    are farthest from everything learnt, the strangest first.
    """

    locale: str
    n_learnt: int
    n_new: int
    found: Drift | None
    strangest: tuple[str, ...]


@dataclass(frozen=True)
class Sides:
    """What is compared: embeddings by a model, of images that it learnt from and of new ones.

    `learnt_products` and `new_products` are their products, or what stands for them, in order.
    """

    model_id: str
    locale: str
    learnt: Sequence[str]
    learnt_products: Sequence[str]
    new: Sequence[str]
    new_products: Sequence[str]
    seed: int


LOCALE_DRIFT = TypeAdapter(LocaleDrift)


def content_of(_context: Any, parameters: Mapping[str, Any]) -> str:
    """The digest of all that a comparison depends on."""
    sides: Sides = parameters["sides"]
    columns = (sides.learnt, sides.learnt_products, sides.new, sides.new_products)
    return digest("drift", sides.model_id, sides.locale, sides.seed, *map(_digest_of, columns))


@task(cache_policy=NO_CACHE)
def drifts() -> list[LocaleDrift]:
    """The drift in each locale where the champion has embedded images that it did not learn."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        champion = models.champion(transaction)
        if champion is None:
            return []
        version = models.training_set_of(transaction, champion)
        locales = images.locales(transaction)
        set_apart = holdout.holdout(transaction)
        known = {
            label.image_id: label.product_id
            for label in labels.accepted(transaction)
            if label.product_id is not None
        }
    learnt = {
        row.image_id: row.product_id or row.image_id
        for row in training_sets.rows(settings.blob_store, version)
    }
    compared = (_sides(settings, champion, locale, learnt, known, set_apart) for locale in locales)
    return [
        LOCALE_DRIFT.validate_python(drift_between(sides))
        for sides in compared
        if sides is not None
    ]


@task(
    cache_policy=CacheKeyFnPolicy(cache_key_fn=content_of),
    persist_result=True,
    result_serializer="json",
)
def drift_between(sides: Sides) -> dict[str, Any]:
    """The `LocaleDrift` of two sides, as JSON.

    It is asked for every hour and after every training set version, and kept nowhere in the
    catalogue: what was compared before is not compared again.
    """
    settings = load_settings()
    with settings.catalog.read() as transaction:
        places = clusters.features_of(transaction, sides.model_id, [*sides.learnt, *sides.new])
    before = features.read(settings.blob_store, sides.learnt, places)
    since = features.read(settings.blob_store, sides.new, places)
    found = drift(
        before, list(sides.learnt_products), since, list(sides.new_products), seed=sides.seed
    )
    order = (-strangeness(before, since)).argsort(kind="stable")[:STRANGEST]
    strangest = tuple(sides.new[row] for row in order)
    told = LocaleDrift(sides.locale, len(sides.learnt), len(sides.new), found, strangest)
    kept: dict[str, Any] = LOCALE_DRIFT.dump_python(told, mode="json")
    return kept


def _digest_of(column: Sequence[str]) -> str:
    return digest(*column)


def _sides(
    settings: Settings,
    champion: Model,
    locale: str,
    learnt: Mapping[str, str],
    known: Mapping[str, str],
    set_apart: Container[str],
) -> Sides | None:
    """None where the champion has embedded nothing new in `locale`, or nothing that it learnt.

    A new image is of its product, which `known` tells, or else of its candidate cluster.
    """
    with settings.catalog.read() as transaction:
        embedded = clusters.embedded(transaction, champion.id, locale)
        old = [image for image in embedded if image in learnt][:MOST_IMAGES]
        new = [each for each in embedded if each not in learnt and each not in set_apart]
        new = new[:MOST_IMAGES]
        latest = clusters.latest_partitions(transaction).get(locale)
        group_of = clusters.cluster_of_images(transaction, latest.id) if latest else {}
    if not old or not new:
        return None
    return Sides(
        champion.id,
        locale,
        old,
        [learnt[image] for image in old],
        new,
        [known.get(image) or group_of.get(image, image) for image in new],
        settings.retrain.seed,
    )


def drift_page(found: list[LocaleDrift]) -> list[str]:
    """Sections that show the drift of each locale, with pictures of what is strangest."""
    if not found:
        return ["The champion has seen nothing yet that it did not learn from."]
    settings = load_settings()
    return [
        table(
            ("locale", "images learnt from", "new images", "told apart (AUC)", "p"),
            (
                (
                    each.locale,
                    each.n_learnt,
                    each.n_new,
                    each.found.auc if each.found else "too few products",
                    each.found.p_value if each.found else "",
                )
                for each in found
            ),
        ),
        *(
            picture(
                contact_sheet(
                    settings.blob_store,
                    [
                        each.strangest[start : start + PICTURES_PER_ROW]
                        for start in range(0, len(each.strangest), PICTURES_PER_ROW)
                    ],
                ),
                f"{each.locale}: the new images that are least like what was learnt",
            )
            for each in found
        ),
    ]
