"""Form candidate clusters of the images that wait for a label, locale by locale."""

from collections.abc import Sequence
from functools import partial

from prefect import flow, get_run_logger

from catalog.schema import Model, Partition
from tasks.artifacts import progress, publish, table
from tasks.cluster import (
    embed_shard,
    form_clusters,
    latest_partitions,
    locales_with_images,
    shards_to_embed,
    share_out,
)
from tasks.compute import ChosenRunner
from tasks.events import Happened, pass_on
from tasks.linkage import Shards, measured_recall, steps
from tasks.models import champion
from tasks.pictures import surest_and_least_sure
from tasks.shards import results_of
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(partitions: Sequence[Partition]) -> Figures:
    return {
        "locales": len(partitions),
        "images": sum(each.n_images for each in partitions),
        "clusters": sum(each.n_clusters for each in partitions),
    }


@summarised(figures)
@flow(name="cluster", task_runner=ChosenRunner(), timeout_seconds=24 * HOUR)
def cluster() -> list[Partition]:
    """Embed what is new with the champion's encoder and partition it with Hi-LANDER."""
    model = champion()
    locales = locales_with_images()
    shards = [shard for locale in locales for shard in shards_to_embed(model, locale)]
    with progress(f"Embedding {sum(map(len, shards))} images") as report:
        for n_done, _ in enumerate(results_of(partial(embed_shard.submit, model), shards), 1):
            report(n_done / len(shards))
    before = latest_partitions()
    partitions = [
        partition for locale in locales if (partition := _partition(model, locale)) is not None
    ]
    for partition in partitions:
        get_run_logger().info(
            "%s: %d images in %d candidate clusters",
            partition.locale,
            partition.n_images,
            partition.n_clusters,
        )
    publish(
        "clusters",
        "Candidate clusters",
        f"By model `{model.id}`, trained on training set version {model.training_set}.",
        table(
            ("locale", "images", "candidate clusters"),
            ((p.locale, p.n_images, p.n_clusters) for p in partitions),
        ),
        *surest_and_least_sure([partition.id for partition in partitions]),
    )
    if fresh := [each for each in partitions if each.id not in before]:
        pass_on(Happened.CLUSTERED, {"n_clusters": sum(each.n_clusters for each in fresh)})
    return partitions


def _partition(model: Model, locale: str) -> Partition | None:
    """Form the clusters of one locale, shard by shard where it has many images."""
    shards = share_out(model, locale)
    if shards is None or isinstance(shards, Partition):
        return shards
    link(shards)
    return form_clusters.submit(model, locale, shards).result()


def link(shards: Shards) -> None:
    """Find which images belong together, step by step, all shards at once."""
    for step, calls in steps(shards):
        for _ in results_of(lambda arguments, step=step: step.submit(*arguments), calls):
            pass
    if not shards.in_one_piece:
        get_run_logger().info(
            "the search finds %.1f %% of the nearest neighbours", 100 * measured_recall(shards)
        )
