"""What a locale was clustered into last is what the champion's last clustering came to."""

import pytest

from catalog import clusters, models
from catalog.schema import Model, Partition
from tasks.cluster import form_clusters, share_out
from tasks.settings import Settings
from tests.flows.world import LOCALE, World


@pytest.fixture
def world(settings: Settings) -> World:
    return World.made(settings)


def champion(world: World) -> Model:
    with world.settings.catalog.read() as transaction:
        found = models.champion(transaction)
    assert found is not None
    return found


def cluster(world: World, model: Model) -> Partition:
    """Cluster the locale, as the flow `cluster` does."""
    shared = share_out.fn(model, LOCALE)
    assert shared is not None
    return shared if isinstance(shared, Partition) else form_clusters.fn(model, LOCALE, shared)


def latest(world: World) -> Partition:
    with world.settings.catalog.read() as transaction:
        return clusters.latest_partitions(transaction)[LOCALE]


def test_after_a_rollback_it_is_the_partition_of_the_earlier_model_again(world: World) -> None:
    first = champion(world)
    before = cluster(world, first)
    world.promote("second")
    after = cluster(world, champion(world))
    assert latest(world) == after

    assert cluster(world, first) == before
    assert latest(world) == before


def test_a_locale_is_clustered_anew_each_time_though_nothing_changed(world: World) -> None:
    times = set()
    for _ in range(2):
        cluster(world, champion(world))
        with world.settings.catalog.read() as transaction:
            times.add(clusters.last_times(transaction)[LOCALE])

    [(earlier, n_waiting), (later, n_still_waiting)] = sorted(times)
    assert earlier < later
    assert n_waiting == n_still_waiting > 0


def test_a_locale_where_nothing_waits_is_clustered_as_well(world: World) -> None:
    model = champion(world)
    before = cluster(world, model)
    for product, shown in (*world.more.items(), *world.new.items()):
        world.bench.label(product, shown, LOCALE)

    assert share_out.fn(model, LOCALE) is None

    with world.settings.catalog.read() as transaction:
        _, n_waiting = clusters.last_times(transaction)[LOCALE]
    assert n_waiting == 0
    assert latest(world) == before
