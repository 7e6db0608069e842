"""Embeddings of images, and the candidate clusters that were formed from them."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from catalog.database import add_new, chunks, one_at_a_time
from catalog.identity import digest, set_digest
from catalog.paging import PAGE, ranges
from catalog.removals import is_removed
from catalog.schema import (
    Cluster,
    Clustering,
    ClusterMember,
    Embedding,
    FeatureFile,
    Image,
    Partition,
)


def partition_id(model_id: str, locale: str, image_ids: Sequence[str]) -> str:
    """The identity of the clustering of these images by this model."""
    return digest("partition", model_id, locale, set_digest(image_ids))


def partition(session: Session, identity: str) -> Partition | None:
    return session.get(Partition, identity)


def record_partition(
    session: Session,
    partition: Partition,
    clusters: Sequence[Cluster],
    members: Sequence[ClusterMember],
) -> Partition:
    """Record a clustering whole, unless one of the same images stands already; the one that stands.

    Its clusters follow from what was known of the images as well, which its identity does not say.
    """
    if add_new(session, [partition]):
        add_new(session, clusters)
        add_new(session, members)
    record_clustering(session, partition.locale, partition.id)
    return session.get_one(Partition, partition.id)


def record_clustering(session: Session, locale: str, partition_id: str | None) -> None:
    """Record that a locale was clustered now, into which partition; None: no image waited."""
    one_at_a_time(session, "clustering")
    before = select(func.coalesce(func.max(Clustering.number), 0)).where(
        Clustering.locale == locale
    )
    number = session.scalars(before).one() + 1
    add_new(session, [Clustering(locale=locale, number=number, partition_id=partition_id)])


def latest_partitions(session: Session) -> dict[str, Partition]:
    """What each locale was clustered into last."""
    with_images = _last_times(session, Clustering.partition_id.is_not(None))
    return {partition.locale: partition for _, partition in with_images if partition is not None}


def last_times(session: Session) -> dict[str, tuple[dt.datetime, int]]:
    """When each locale was clustered last, and how many images waited then."""
    return {
        clustering.locale: (clustering.clustered_at, partition.n_images if partition else 0)
        for clustering, partition in _last_times(session)
    }


def _last_times(
    session: Session, *which: ColumnElement[bool]
) -> Iterator[tuple[Clustering, Partition | None]]:
    """The last of some of the clusterings of each locale."""
    last = (
        select(Clustering.locale, func.max(Clustering.number).label("number"))
        .where(*which)
        .group_by(Clustering.locale)
        .subquery()
    )
    query = (
        select(Clustering, Partition)
        .join(last, (Clustering.locale == last.c.locale) & (Clustering.number == last.c.number))
        .outerjoin(Partition, Partition.id == Clustering.partition_id)
        .order_by(Clustering.locale)
    )
    yield from session.execute(query).tuples()


def partitions(session: Session) -> list[Partition]:
    """Every clustering so far, oldest first."""
    return list(session.scalars(select(Partition).order_by(Partition.created_at, Partition.id)))


def cluster_of_images(session: Session, partition_id: str) -> dict[str, str]:
    """The cluster of each image of one partition."""
    rows = session.execute(
        select(ClusterMember.image_id, ClusterMember.cluster_id)
        .join(Cluster, Cluster.id == ClusterMember.cluster_id)
        .where(Cluster.partition_id == partition_id)
        .order_by(ClusterMember.image_id)
    )
    return dict(rows.tuples().all())


def clusters_of(session: Session, partition_id: str) -> Iterator[tuple[Cluster, list[str]]]:
    """Each cluster of one partition with the images of its members, the surest first."""
    of_partition = Cluster.partition_id == partition_id
    for ids in ranges(session, Cluster.id, of_partition):
        rows = session.execute(
            select(Cluster, ClusterMember.image_id)
            .join(ClusterMember, ClusterMember.cluster_id == Cluster.id)
            .where(of_partition, ids.holds(Cluster.id))
            .order_by(Cluster.id, ClusterMember.membership.desc(), ClusterMember.image_id)
        )
        for cluster, members in groupby(rows, key=itemgetter(0)):
            yield cluster, [image_id for _, image_id in members]


def surest(session: Session, partition_ids: Sequence[str], at_most: int) -> list[Cluster]:
    """The purest clusters of two images or more of some partitions."""
    query = _of_several_images(partition_ids).order_by(Cluster.purity.desc(), Cluster.id)
    return list(session.scalars(query.limit(at_most)))


def least_sure(session: Session, partition_ids: Sequence[str], at_most: int) -> list[Cluster]:
    """The least pure clusters of two images or more of some partitions."""
    query = _of_several_images(partition_ids).order_by(Cluster.purity, Cluster.id.desc())
    return list(session.scalars(query.limit(at_most)))


def _of_several_images(partition_ids: Sequence[str]) -> Select[tuple[Cluster]]:
    return select(Cluster).where(Cluster.partition_id.in_(partition_ids), Cluster.size > 1)


def members_of(session: Session, cluster_id: str) -> list[ClusterMember]:
    """The members of a cluster, the surest first."""
    query = select(ClusterMember).where(ClusterMember.cluster_id == cluster_id)
    return list(
        session.scalars(query.order_by(ClusterMember.membership.desc(), ClusterMember.image_id))
    )


def record_features(session: Session, file: FeatureFile, image_ids: Sequence[str]) -> None:
    """Record that row i of `file` is the embedding of `image_ids[i]`."""
    add_new(session, [file])
    add_new(
        session,
        [
            Embedding(
                image_id=image_id, model_id=file.model_id, feature_file_id=file.id, row=number
            )
            for number, image_id in enumerate(image_ids)
        ],
    )


def embedded(session: Session, model_id: str, locale: str) -> list[str]:
    """The images of `locale` that have an embedding by a model and were not removed, sorted."""
    query = (
        select(Embedding.image_id)
        .join(Image, Image.id == Embedding.image_id)
        .where(Embedding.model_id == model_id, Image.locale == locale, ~is_removed(Image.id))
    )
    return sorted(session.scalars(query))


def features_of(
    session: Session, model_id: str, image_ids: Sequence[str]
) -> dict[str, tuple[str, int]]:
    """Where each image's embedding lies: (location of the file, row); missing ones left out."""
    found: dict[str, tuple[str, int]] = {}
    for chunk in chunks(image_ids, PAGE):
        rows = session.execute(
            select(Embedding.image_id, FeatureFile.location, Embedding.row)
            .join(FeatureFile, FeatureFile.id == Embedding.feature_file_id)
            .where(Embedding.model_id == model_id)
            .where(Embedding.image_id.in_(chunk))
        )
        found.update((image_id, (location, row)) for image_id, location, row in rows)
    return found
