"""Embeddings of images, and the candidate clusters that were formed from them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from catalog.database import add_new, chunks
from catalog.identity import digest, set_digest
from catalog.paging import PAGE, ranges
from catalog.removals import is_removed
from catalog.schema import Cluster, ClusterMember, Embedding, FeatureFile, Image, Partition


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
    return session.get_one(Partition, partition.id)


def latest_partitions(session: Session) -> dict[str, Partition]:
    """The newest clustering of each locale."""
    newest = (
        select(Partition.locale, func.max(Partition.created_at).label("at"))
        .group_by(Partition.locale)
        .subquery()
    )
    query = select(Partition).join(
        newest, (Partition.locale == newest.c.locale) & (Partition.created_at == newest.c.at)
    )
    by_locale = query.order_by(Partition.locale, Partition.id)
    return {partition.locale: partition for partition in session.scalars(by_locale)}


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
