"""A clustering is recorded once and whole, and what its steps kept is gone afterwards."""

from collections.abc import Mapping

import pytest

from catalog import BlobStore, clusters, digest
from catalog.schema import Model, Partition
from tasks.cluster import form_clusters, share_out
from tasks.linkage import Shards
from tasks.settings import Settings
from tests.flows.world import LOCALE, World


@pytest.fixture
def world(settings: Settings) -> World:
    return World.made(settings)


@pytest.fixture
def model(world: World) -> Model:
    with world.settings.catalog.read() as transaction:
        return transaction.get_one(Model, digest("model", "first"))


def shared_out(model: Model) -> Shards:
    shards = share_out.fn(model, LOCALE)
    assert isinstance(shards, Shards)
    return shards


def kept_by_steps(shards: Shards, blobs: BlobStore) -> dict[str, bytes]:
    """What lies below the key of the shards, by key."""
    return {key: blobs.get(key) for key in blobs.every_key(shards.below)}


def put_back(blobs: BlobStore, kept: Mapping[str, bytes]) -> None:
    for key, blob in kept.items():
        blobs.put(key, blob)


def content(world: World, partition: Partition) -> dict[str, list[str]]:
    with world.settings.catalog.read() as transaction:
        found = clusters.clusters_of(transaction, partition.id)
        return {cluster.id: members for cluster, members in found}


def test_of_two_runs_with_answers_between_them_the_clusters_of_the_first_stand(
    world: World, model: Model
) -> None:
    shards, blobs = shared_out(model), world.settings.blob_store
    kept = kept_by_steps(shards, blobs)
    first = form_clusters.fn(model, LOCALE, shards)
    before = content(world, first)
    world.ask()
    world.answer(world.to_answer(), error_rate=0.3)
    world.collect()
    put_back(blobs, kept)
    second = form_clusters.fn(model, LOCALE, shards)
    assert (second.id, second.n_clusters) == (first.id, first.n_clusters)
    assert content(world, first) == before


def test_what_a_kill_after_the_clusters_left_is_deleted_by_the_next_run(
    world: World, model: Model
) -> None:
    shards, blobs = shared_out(model), world.settings.blob_store
    kept = kept_by_steps(shards, blobs)
    formed = form_clusters.fn(model, LOCALE, shards)
    assert not list(blobs.every_key("scratch"))
    put_back(blobs, kept)
    found = share_out.fn(model, LOCALE)
    assert isinstance(found, Partition)
    assert found.id == formed.id
    assert not list(blobs.every_key("scratch"))
