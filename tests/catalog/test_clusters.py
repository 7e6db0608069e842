"""Clusters of one partition are those of one run, whoever else has partitioned the same images."""

from itertools import chain

from catalog import clusters, digest
from catalog.schema import Cluster, ClusterMember, Partition
from tests.catalog.rows import Bench


def clustering(
    model_id: str, *groups: list[str]
) -> tuple[Partition, list[Cluster], list[ClusterMember]]:
    image_ids = sorted(chain(*groups))
    partition = Partition(
        id=clusters.partition_id(model_id, "de-DE", image_ids),
        model_id=model_id,
        locale="de-DE",
        n_images=len(image_ids),
        n_clusters=len(groups),
    )
    found = [
        Cluster(
            id=digest("cluster", *group),
            partition_id=partition.id,
            locale="de-DE",
            size=len(group),
            purity=0.9,
            peak_id=group[0],
        )
        for group in groups
    ]
    members = [
        ClusterMember(cluster_id=cluster.id, image_id=image_id, membership=0.9)
        for cluster, group in zip(found, groups, strict=True)
        for image_id in group
    ]
    return partition, found, members


def test_another_clustering_of_the_same_images_changes_nothing(bench: Bench) -> None:
    a, b, c = bench.ingest("a", "b", "c")
    model = bench.model()
    with bench.catalog.begin() as transaction:
        first = clusters.record_partition(transaction, *clustering(model.id, [a, b], [c]))
    with bench.catalog.begin() as transaction:
        standing = clusters.record_partition(transaction, *clustering(model.id, [a], [b], [c]))
        of_images = clusters.cluster_of_images(transaction, first.id)
        n_clusters = len(list(clusters.clusters_of(transaction, first.id)))
    assert (standing.id, standing.n_clusters, n_clusters) == (first.id, 2, 2)
    assert of_images[a] == of_images[b] != of_images[c]
