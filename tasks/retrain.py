"""Tasks that train a challenger: from the champion's weights where asked, and on after a kill."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from catalog import measurements, models, removals, training_sets
from catalog.holdout import TooFewLabels
from catalog.labels import LabelRow
from catalog.previews import Previews
from catalog.schema import Model, TrainingSet
from clustering import Encoder, HiLander, embed_unseen
from clustering.backbones import OURS
from tasks.artifacts import progress
from tasks.measure import FIGURES, compared_on, measure
from tasks.models import load
from tasks.settings import Settings, load_settings


@task(cache_policy=NO_CACHE)
def newest_training_set() -> TrainingSet:
    """The newest version; raises `TooFewLabels` where there is none."""
    with load_settings().catalog.read() as transaction:
        found = training_sets.newest(transaction)
    if found is None:
        raise TooFewLabels(
            "there is no training set yet: ingest a manifest with the columns uri, locale and"
            " product, then run `groundtruth collect`, which commits the first version"
        )
    return found


@task(cache_policy=NO_CACHE)
def train(training_set: TrainingSet) -> Model:
    """Train an encoder and a linkage model on a version, and measure them on the holdout.

    What a version and the settings make is made once: the champion is returned where it was made of
    the same, and a model that is known already.
    """
    settings = load_settings()
    with settings.catalog.read() as transaction:
        champion = models.champion(transaction)
    if champion is not None and _is_made_of(champion, training_set, settings):
        return champion
    start = _start(champion, settings)
    config = _config(settings) | ({"start": start.id} if start is not None else {})
    identity = models.model_id(training_set, config)
    with settings.catalog.read() as transaction:
        known = models.model(transaction, identity)
        gone = removals.removed(transaction)
    unfinished = settings.data / "training" / identity
    if known is not None:
        shutil.rmtree(unfinished, ignore_errors=True)
        return known
    compared_on(settings)  # without a holdout the training would be for nothing
    rows = [
        row
        for row in training_sets.rows(settings.blob_store, training_set)
        if row.image_id not in gone
    ]
    # An image that is removed after a kill makes it another training.
    folder = unfinished / training_sets.manifest_digest(rows)
    encoder, lander = _fit(settings, training_set.version, rows, start, folder)
    with TemporaryDirectory() as scratch:
        encoder.save(Path(scratch, "encoder"))
        lander.save(Path(scratch, "hilander"))
        location = settings.blob_store.put_directory(f"models/{identity}", Path(scratch))
    model = Model(
        id=identity,
        training_set=training_set.version,
        location=location,
        config=config,
        metrics={},
    )
    with progress("Clustering the holdout"):
        measured = measure(settings, model, encoder, lander, *compared_on(settings))
    figures = FIGURES.validate_python(measured.figures)
    model.metrics = {
        "bcubed_f": figures.overall.bcubed_f.value,
        "pairwise_f": figures.overall.pairwise_f.value,
        "nmi": figures.nmi,
    }
    with settings.catalog.begin() as transaction:
        models.record_model(transaction, model)
        measurements.record(transaction, measured)
    shutil.rmtree(unfinished, ignore_errors=True)
    return model


def _start(champion: Model | None, settings: Settings) -> Model | None:
    """The champion, where training is to start from its encoder, and can."""
    if champion is None or not settings.retrain.warm_start:
        return None
    theirs, ours = champion.config["encoder"], settings.encoder
    # Champions had no backbone but this one before there was a choice.
    if (theirs.get("backbone", OURS), theirs["dim"]) == (ours.backbone, ours.dim):
        return champion
    get_run_logger().warning(
        "training starts from nothing, not from champion %s: encoder.backbone or encoder.dim was"
        " changed since it was trained, and its weights do not fit",
        champion.id[:8],
    )
    return None


def _fit(
    settings: Settings, version: int, rows: Sequence[LabelRow], start: Model | None, folder: Path
) -> tuple[Encoder, HiLander]:
    """Train both models on the labels of a version.

    Each has a part of `folder`, where it is laid down epoch by epoch and kept when it is trained: a
    killed run is gone on from. The linkage model learns from classes that no encoder has seen, so
    the encoder that embeds these never starts from a champion that has.
    """
    previews = Previews(settings.blob_store, [row.image_id for row in rows])
    _, classes = np.unique([row.product_id for row in rows], return_inverse=True)
    encoder = Encoder(**settings.encoder.model_dump(), seed=settings.retrain.seed)
    lander = HiLander(**settings.hilander.model_dump(), seed=settings.retrain.seed)
    in_lander, in_encoder = folder / "hilander", folder / "encoder"
    try:
        lander = HiLander.load(in_lander)
    except FileNotFoundError:
        with progress(f"Linkage on half of training set {version}") as report:
            unseen, half = embed_unseen(
                encoder,
                previews,
                classes,
                checkpoint=in_lander,
                on_epoch=lambda epoch, _: report(epoch / encoder.epochs),
                processes=settings.compute.training_processes,
            )
            lander.fit(unseen, classes[half]).save(in_lander)
    try:
        encoder = Encoder.load(in_encoder)
    except FileNotFoundError:
        with progress(f"Encoder on training set {version}") as report:
            encoder.fit(
                previews,
                classes,
                start=load(start.location)[0] if start is not None else None,
                checkpoint=in_encoder,
                on_epoch=lambda epoch, _: report(epoch / encoder.epochs),
                processes=settings.compute.training_processes,
            ).save(in_encoder)
    return encoder, lander


def _is_made_of(model: Model, training_set: TrainingSet, settings: Settings) -> bool:
    """Whether `model` was trained on this version by these settings, whatever it started from."""
    config = {name: value for name, value in model.config.items() if name != "start"}
    return model.training_set == training_set.version and config == _config(settings)


def _config(settings: Settings) -> dict[str, Any]:
    """Everything besides the training set and the start that decides what the model becomes."""
    return {
        "encoder": settings.encoder.model_dump(),
        "hilander": settings.hilander.model_dump(),
        "seed": settings.retrain.seed,
    }
