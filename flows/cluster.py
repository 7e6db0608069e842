"""Form candidate clusters of the images that wait for a label, locale by locale."""

from collections.abc import Sequence
from functools import partial

from prefect import flow, get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.schema import Partition
from tasks.artifacts import progress, publish, table
from tasks.cluster import (
    embed_shard,
    form_clusters,
    latest_partitions,
    locales_with_images,
    shards_to_embed,
)
from tasks.events import Happened, pass_on
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
@flow(name="cluster", task_runner=ThreadPoolTaskRunner(max_workers=2), timeout_seconds=24 * HOUR)
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
        partition for locale in locales if (partition := form_clusters(model, locale)) is not None
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
