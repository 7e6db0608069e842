"""How good a model is: its clusters of the holdout, formed as in the loop, and the truth."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import TypeAdapter

from annotation import Expected, expected_effort
from catalog import holdout, images, measurements
from catalog.holdout import TooFewLabels
from catalog.measurements import Placements
from catalog.previews import Previews
from catalog.schema import Measurement, Model
from clustering import Encoder, HiLander, nmi
from clustering.comparison import Scores, scores
from clustering.confidence import belongs
from clustering.plots import measure_reliability
from tasks.models import load
from tasks.settings import Settings


@dataclass(frozen=True)
class Calibration:
    """What was promised of links or places in bins, and what came true; `error` is the ECE."""

    promised: tuple[float, ...]
    came_true: tuple[float, ...]
    counts: tuple[int, ...]
    error: float

    @classmethod
    def of(cls, probability: np.ndarray, outcome: np.ndarray) -> "Calibration | None":
        """None where nothing was promised."""
        if not len(probability):
            return None
        found = measure_reliability(probability, outcome)
        return cls(
            tuple(found.predicted.tolist()),
            tuple(found.true.tolist()),
            tuple(found.counts.tolist()),
            found.expected_error,
        )


@dataclass(frozen=True)
class Figures:
    """What was measured of a model on one state of the holdout.

    `linkage` is the calibration of the probability that two images are of one product, `membership`
    that of the probability that an image belongs where it was put, singles left out; `effort` is
    what it would take people to verify the clusters.
    """

    overall: Scores
    per_locale: Mapping[str, Scores]
    nmi: float
    linkage: Calibration | None
    membership: Calibration | None
    effort: Expected


@dataclass(frozen=True)
class Speed:
    """How fast this machine embedded and clustered the holdout."""

    images_per_second: float
    clustering_seconds: float


FIGURES = TypeAdapter(Figures)
SPEED = TypeAdapter(Speed)


def compared_on(settings: Settings) -> tuple[dict[str, str], str]:
    """The product of each image that models are compared on, and the name of this state.

    Raises `TooFewLabels` where there is no such image.
    """
    with settings.catalog.read() as transaction:
        found = holdout.measured(transaction, settings.blob_store)
    if not found:
        raise TooFewLabels(
            "no image is left to compare models on: none was set apart yet, or every label in the"
            " holdout was withdrawn or corrected since. Ingest a manifest with products that are"
            " new (columns uri, locale and product), then run `groundtruth collect`"
        )
    return found, holdout.state(found)


def measurement(
    settings: Settings, model: Model, truth: Mapping[str, str], state: str
) -> Measurement:
    """How `model` does on one state of the holdout; measured, unless that was done before."""
    with settings.catalog.read() as transaction:
        known = measurements.find(transaction, model.id, state)
    if known is not None:
        return known
    fresh = measure(settings, model, *load(model.location), truth, state)
    with settings.catalog.begin() as transaction:
        measurements.record(transaction, fresh)
    return fresh


def measure(
    settings: Settings,
    model: Model,
    encoder: Encoder,
    lander: HiLander,
    truth: Mapping[str, str],
    state: str,
) -> Measurement:
    """Cluster the images of `truth` as the loop would, one locale at a time, and score that."""
    with settings.catalog.read() as transaction:
        locale_of = images.locales_of(transaction, list(truth))
    of_locale: dict[str, list[str]] = defaultdict(list)
    for image in sorted(truth):
        of_locale[locale_of[image]].append(image)
    rows: list[tuple[str, str, str, int, float]] = []
    probabilities, outcomes = [], []
    n_clusters = 0
    embedding = clustering = 0.0
    for locale, ids in sorted(of_locale.items()):
        start = time.perf_counter()
        vectors = encoder.transform(Previews(settings.blob_store, ids))
        embedded = time.perf_counter()
        clusters = lander.predict(vectors)
        embedding += embedded - start
        clustering += time.perf_counter() - embedded
        products = [truth[image] for image in ids]
        places = (clusters + n_clusters).tolist()
        n_clusters += len(lander.purity_)
        rows += zip(
            ids, products, [locale] * len(ids), places, lander.membership_.tolist(), strict=True
        )
        ends, others, probability = lander.linkage_.edges()
        shown = np.array(products)
        probabilities.append(probability)
        outcomes.append(shown[ends] == shown[others])
    placements = Placements(*zip(*rows, strict=True))
    overall, per_locale = scores(
        placements.product_ids,
        placements.locales,
        placements.clusters,
        seed=settings.retrain.seed,
    )
    figures = Figures(
        overall=overall,
        per_locale=per_locale,
        nmi=nmi(_classes(placements), placements.clusters),
        linkage=Calibration.of(np.concatenate(probabilities), np.concatenate(outcomes)),
        membership=_membership(placements),
        effort=expected_effort(
            _as_clusters(placements),
            truth,
            settings.annotate.effort,
            pictures_per_sheet=settings.annotate.asking.pictures_per_sheet,
        ),
    )
    return Measurement(
        model_id=model.id,
        holdout=state,
        location=measurements.write(settings.blob_store, placements),
        figures=asdict(figures),
        speed=asdict(Speed(len(truth) / max(embedding, 1e-9), clustering)),
    )


def _classes(placements: Placements) -> list[str]:
    """What each image is of: a product in its locale, for clusters never span two."""
    return [
        f"{locale} {product}"
        for locale, product in zip(placements.locales, placements.product_ids, strict=True)
    ]


def _membership(placements: Placements) -> Calibration | None:
    clusters = np.array(placements.clusters)
    _, truth = np.unique(_classes(placements), return_inverse=True)
    shared = np.bincount(clusters)[clusters] > 1
    return Calibration.of(
        np.array(placements.memberships)[shared], belongs(clusters, truth)[shared]
    )


def _as_clusters(placements: Placements) -> list[list[str]]:
    """The images of each cluster, the surest first, as they are asked about."""
    found: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for image, cluster, membership in zip(
        placements.image_ids, placements.clusters, placements.memberships, strict=True
    ):
        found[cluster].append((-membership, image))
    return [[image for _, image in sorted(members)] for _, members in sorted(found.items())]
