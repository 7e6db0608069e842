"""Tasks that train a challenger and let it replace the champion only when it is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog import images, models, removals, training_sets
from catalog.previews import Previews
from catalog.schema import Model, Promotion, TrainingSet
from clustering import Encoder, HiLander, bcubed, embed_unseen, nmi, pairwise
from tasks.artifacts import progress
from tasks.settings import Settings, load_settings

DECIDING_FIGURE = "bcubed_f"


@dataclass(frozen=True)
class Comparison:
    """A challenger beside the champion of its day, on the same holdout."""

    challenger: Model
    champion: Model | None
    promotion: Promotion


@task(cache_policy=NO_CACHE)
def newest_training_set() -> TrainingSet:
    """The newest version; raises `training_sets.TooFewLabels` where there is none."""
    with load_settings().catalog.begin() as transaction:
        found = training_sets.newest(transaction)
    if found is None:
        raise training_sets.TooFewLabels(
            "there is no training set yet: ingest a manifest with the columns uri, locale and"
            " product, then run `groundtruth collect`, which commits the first version"
        )
    return found


@task(cache_policy=NO_CACHE)
def train(training_set: TrainingSet) -> Model:
    """Train an encoder and a linkage model on a version, and measure them on the holdout."""
    settings = load_settings()
    config = _config(settings)
    identity = models.model_id(training_set, config)
    with settings.catalog.begin() as transaction:
        known = models.model(transaction, identity)
        gone = removals.removed(transaction)
        frozen = training_sets.holdout(transaction)
        holdout = {image: product for image, product in frozen.items() if image not in gone}
        locale_of = images.locales_of(transaction, list(holdout))
    if known is not None:
        return known
    rows = [
        row
        for row in training_sets.rows(settings.blob_store, training_set)
        if row.image_id not in gone
    ]
    previews = Previews(settings.blob_store, [row.image_id for row in rows])
    _, classes = np.unique([row.product_id for row in rows], return_inverse=True)
    encoder = Encoder(**settings.encoder.model_dump(), seed=settings.retrain.seed)
    lander = HiLander(**settings.hilander.model_dump(), seed=settings.retrain.seed)
    with progress(f"Linkage on half of training set {training_set.version}") as report:
        unseen, half = embed_unseen(
            encoder, previews, classes, on_epoch=lambda epoch, _: report(epoch / encoder.epochs)
        )
        lander.fit(unseen, classes[half])
    with progress(f"Encoder on training set {training_set.version}") as report:
        encoder.fit(previews, classes, on_epoch=lambda epoch, _: report(epoch / encoder.epochs))
    with TemporaryDirectory() as scratch:
        encoder.save(Path(scratch, "encoder"))
        lander.save(Path(scratch, "hilander"))
        location = settings.blob_store.put_directory(f"models/{identity}", Path(scratch))
    model = Model(
        id=identity,
        training_set=training_set.version,
        location=location,
        config=config,
        metrics=_measure(encoder, lander, settings, holdout, locale_of),
    )
    with settings.catalog.begin() as transaction:
        models.record_model(transaction, model)
    return model


@task(cache_policy=NO_CACHE)
def compare(challenger: Model) -> Comparison:
    """Promote `challenger` when it is better than the champion; the reason is kept either way."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        champion = models.champion(transaction)
        for past in models.promotions(transaction):
            if past.challenger_id == challenger.id:
                return Comparison(challenger, champion, past)
        promoted, reason = _weigh(challenger, champion, settings.retrain.smallest_gain)
        promotion = models.record_promotion(
            transaction, challenger, champion, promoted=promoted, reason=reason
        )
    return Comparison(challenger, champion, promotion)


def _weigh(challenger: Model, champion: Model | None, smallest_gain: float) -> tuple[bool, str]:
    ours = challenger.metrics[DECIDING_FIGURE]
    if champion is None:
        return True, f"the first model: BCubed F {ours:.3f} on the holdout"
    theirs = champion.metrics[DECIDING_FIGURE]
    comparison = f"BCubed F {ours:.3f} on the holdout against the champion's {theirs:.3f}"
    return ours - theirs > smallest_gain, comparison


def _config(settings: Settings) -> dict[str, Any]:
    """Everything besides the training set that decides what the model becomes."""
    return {
        "encoder": settings.encoder.model_dump(),
        "hilander": settings.hilander.model_dump(),
        "seed": settings.retrain.seed,
    }


def _measure(
    encoder: Encoder,
    lander: HiLander,
    settings: Settings,
    holdout: dict[str, str],
    locale_of: dict[str, str],
) -> dict[str, Any]:
    """Cluster the holdout as the loop would, one locale at a time, and compare with the truth."""
    truth: list[NDArray[np.int64]] = []
    found: list[NDArray[np.int64]] = []
    per_locale: dict[str, dict[str, float]] = {}
    n_products = n_clusters = 0
    for locale in sorted(set(locale_of.values())):
        ids = sorted(image_id for image_id in holdout if locale_of[image_id] == locale)
        products, classes = np.unique([holdout[image_id] for image_id in ids], return_inverse=True)
        clusters = lander.predict(encoder.transform(Previews(settings.blob_store, ids)))
        per_locale[locale] = _figures(classes, clusters)
        truth.append(classes + n_products)
        found.append(clusters + n_clusters)
        n_products += len(products)
        n_clusters += int(clusters.max()) + 1
    whole = _figures(np.concatenate(truth), np.concatenate(found))
    return {
        **whole,
        "n_images": len(holdout),
        "n_products": n_products,
        "n_clusters": n_clusters,
        "per_locale": per_locale,
    }


def _figures(
    truth: Sequence[int] | NDArray[np.int64], found: NDArray[np.int64]
) -> dict[str, float]:
    pairs, items = pairwise(truth, found), bcubed(truth, found)
    return {
        "pairwise_precision": pairs.precision,
        "pairwise_recall": pairs.recall,
        "pairwise_f": pairs.f,
        "bcubed_f": items.f,
        "nmi": nmi(truth, found),
    }
