"""Tasks that embed images and form candidate clusters."""

from collections.abc import Sequence

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import GALLERY
from catalog import clusters, digest, features, images, labels
from catalog.previews import Previews
from catalog.schema import Cluster, ClusterMember, Model, Partition
from tasks.knowledge import knowledge
from tasks.linkage import Shards, forget, linkage_of
from tasks.models import load
from tasks.pool import pool
from tasks.settings import load_settings
from tasks.trying import repeatable

SHARD = 1024
"""Images of one task: of so many, what Prefect costs beside their embedding is under 5 %."""


@task(cache_policy=NO_CACHE)
def locales_with_images() -> list[str]:
    """The locales that have images."""
    with load_settings().catalog.read() as transaction:
        return images.locales(transaction)


@task(cache_policy=NO_CACHE)
def shards_to_embed(model: Model, locale: str) -> list[list[str]]:
    """The images that have no embedding by `model` and need one, in shards.

    They wait for a label and are not left out, or are pictures of a known product that new ones
    are compared with.
    """
    settings = load_settings()
    with settings.catalog.read() as transaction:
        known = labels.galleries(transaction, GALLERY, locale)
        waiting = pool(transaction, locale, settings.pictures)
        needed = [
            *sorted([*waiting.clustered, *waiting.doubtful]),
            *sorted(image_id for gallery in known.values() for image_id in gallery),
        ]
        embedded = clusters.features_of(transaction, model.id, needed)
    missing = [image_id for image_id in needed if image_id not in embedded]
    return [missing[start : start + SHARD] for start in range(0, len(missing), SHARD)]


@repeatable
def embed_shard(model: Model, image_ids: Sequence[str]) -> int:
    """Embed images by the encoder of `model`; how many."""
    settings = load_settings()
    encoder, _ = load(model.location)
    vectors = encoder.transform(Previews(settings.blob_store, image_ids))
    file = features.write(settings.blob_store, model.id, image_ids, vectors)
    with settings.catalog.begin() as transaction:
        clusters.record_features(transaction, file, image_ids)
    return len(image_ids)


@task(cache_policy=NO_CACHE)
def latest_partitions() -> set[str]:
    """The newest partition of each locale, by its identity."""
    with load_settings().catalog.read() as transaction:
        return {each.id for each in clusters.latest_partitions(transaction).values()}


@task(cache_policy=NO_CACHE)
def share_out(model: Model, locale: str) -> Shards | Partition | None:
    """What waits in `locale`, in shards; the clusters, where it has some; None where nothing waits.

    Pictures that are left out, or asked about one by one, are in no cluster. The shards name the
    images, so that all steps are about the same ones, whatever comes in meanwhile.
    """
    settings = load_settings()
    with settings.catalog.read() as transaction:
        image_ids = pool(transaction, locale, settings.pictures).clustered
        identity = clusters.partition_id(model.id, locale, image_ids)
        known = clusters.partition(transaction, identity)
        done = known is not None or not image_ids
        places = {} if done else clusters.features_of(transaction, model.id, image_ids)
    if done:
        with settings.catalog.begin() as transaction:
            clusters.record_clustering(transaction, locale, known.id if known is not None else None)
        # A kill after they were recorded may have left what their steps kept.
        forget(settings.blob_store, identity)
        return known
    shards = Shards(identity, model.location, len(image_ids), settings.compute.images_per_shard)
    shards.share_out(settings.blob_store, image_ids, places)
    return shards


@task(cache_policy=NO_CACHE)
def form_clusters(model: Model, locale: str, shards: Shards) -> Partition:
    """Partition the images of all shards, whose linkage is known where they are many.

    Where another run has recorded clusters of the same images meanwhile, those stand.
    """
    settings = load_settings()
    blobs = settings.blob_store
    image_ids = [image_id for shard in range(len(shards)) for image_id in shards.images(shard)]
    with settings.catalog.read() as transaction:
        must_link, cannot_link = knowledge(transaction).constraints(image_ids)
    known = {"must_link": must_link, "cannot_link": cannot_link}
    _, lander = load(shards.model)
    if shards.in_one_piece:
        vectors = np.concatenate([shards.features(blobs, n) for n in range(len(shards))])
        cluster_of_image = lander.predict(vectors, **known)
    else:
        cluster_of_image = lander.partition(linkage_of(blobs, shards), **known)
    identity = shards.partition_id
    partition = Partition(
        id=identity,
        model_id=model.id,
        locale=locale,
        n_images=len(image_ids),
        n_clusters=len(lander.purity_),
    )
    candidates, members = [], []
    by_cluster = np.argsort(cluster_of_image, kind="stable")
    ends = np.cumsum(np.bincount(cluster_of_image))
    for number, rows in enumerate(np.split(by_cluster, ends[:-1])):
        cluster_id = digest("cluster", identity, *(image_ids[row] for row in rows))
        candidates.append(
            Cluster(
                id=cluster_id,
                partition_id=identity,
                locale=locale,
                size=len(rows),
                purity=float(lander.purity_[number]),
                peak_id=image_ids[lander.peaks_[number]],
            )
        )
        members += [
            ClusterMember(
                cluster_id=cluster_id,
                image_id=image_ids[row],
                membership=float(lander.membership_[row]),
            )
            for row in rows
        ]
    with settings.catalog.begin() as transaction:
        standing = clusters.record_partition(transaction, partition, candidates, members)
    forget(blobs, identity)
    return standing
