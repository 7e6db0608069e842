"""Many images are clustered in shards, and no number of shards or workers changes the partition."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import boto3
import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from numpy.typing import NDArray
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.settings import PREFECT_API_URL, temporary_settings
from s3fs import S3FileSystem

from catalog import BlobStore, features
from clustering import Encoder, HiLander
from clustering.blocks import BLOCK
from clustering.neighbours import EXACT_UP_TO
from deployments.orchestration import prefect_environment
from flows.cluster import link
from tasks.compute import ChosenRunner
from tasks.linkage import Shards, forget, linkage_of, steps
from tasks.settings import Settings, load_settings
from tests.clustering.conftest import blobs as classes_of

N = EXACT_UP_TO + 1_500
PER_FILE = 5_000
BUCKET = "features"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, which nothing asks here, and a linkage model that learnt on other classes."""
    folder = tmp_path_factory.mktemp("models")
    random = np.random.default_rng(0)
    images = list(random.integers(0, 256, (8, 16, 16, 3), dtype=np.uint8))
    Encoder(16, dim=4, epochs=1).fit(images, np.arange(8) // 2).save(folder / "encoder")
    HiLander(10, epochs=5).fit(*classes_of(30, 16, noise=0.8, seed=1)).save(folder / "hilander")
    return folder


@pytest.fixture(scope="module")
def units() -> NDArray[np.float32]:
    """Features of more images than are compared all with all, some of them the same."""
    found, _ = classes_of(N // 20 + 1, 20, noise=0.9, seed=2)
    found[1000:1010] = found[0]
    return found[:N]


@pytest.fixture(scope="module")
def whole(models: Path, units: NDArray[np.float32]) -> HiLander:
    """What one machine makes of them."""
    lander = HiLander.load(models / "hilander")
    lander.predict(units)
    return lander


def keep(blobs: BlobStore, models: Path, units: NDArray[np.float32], per_shard: int) -> Shards:
    """The blob store as it is when all images are embedded and shared out."""
    shards = Shards("a-partition", blobs.put_directory("models", models), len(units), per_shard)
    ids = [f"image-{number:06}" for number in range(len(units))]
    places = {}
    for start in range(0, len(units), PER_FILE):
        part = slice(start, start + PER_FILE)
        file = features.write(blobs, "a-model", ids[part], units[part])
        places |= {each: (file.location, row) for row, each in enumerate(ids[part])}
    shards.share_out(blobs, ids, places)
    return shards


def assert_same_clusters(blobs: BlobStore, shards: Shards, models: Path, whole: HiLander) -> None:
    linkage = linkage_of(blobs, shards)
    np.testing.assert_array_equal(linkage.neighbours, whole.linkage_.neighbours)
    np.testing.assert_array_equal(linkage.probability, whole.linkage_.probability)
    lander = HiLander.load(models / "hilander")
    np.testing.assert_array_equal(lander.partition(linkage), whole.labels_)
    np.testing.assert_array_equal(lander.membership_, whole.membership_)


@given(st.integers(1, N // BLOCK + 2), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_number_of_shards_in_any_order_gives_the_partition_of_one_machine(
    settings: Settings,
    models: Path,
    units: NDArray[np.float32],
    whole: HiLander,
    blocks: int,
    random: Random,
) -> None:
    blobs = settings.blob_store
    shards = keep(blobs, models, units, max(blocks, 2) * BLOCK)
    for step, calls in steps(shards):
        for arguments in random.sample(calls, len(calls)):
            step.fn(*arguments)
    assert_same_clusters(blobs, shards, models, whole)
    forget(blobs, shards.partition_id)
    assert list(blobs.every_key(shards.below)) == []


def test_a_run_of_cells_without_an_image_changes_nothing(
    settings: Settings, models: Path, units: NDArray[np.float32]
) -> None:
    blobs, few = settings.blob_store, units[: EXACT_UP_TO // BLOCK * BLOCK + BLOCK + 1]
    shards = keep(blobs, models, few, BLOCK)
    for step, calls in steps(shards):
        for arguments in calls:
            step.fn(*arguments)
    assert len(shards.every(blobs, "hoods")[-1]) == 0
    lander = HiLander.load(models / "hilander")
    lander.predict(few)
    assert_same_clusters(blobs, shards, models, lander)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real S3 API on loopback, which every process of this test keeps its blobs on."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "owner",
        "AWS_SECRET_ACCESS_KEY": "owner",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://{}:{}".format(*server.get_host_and_port()),
        "GROUNDTRUTH_BLOBS": f"s3://{BUCKET}/blobs",
    }.items():
        monkeypatch.setenv(name, value)
    # fsspec keeps the file systems of earlier tests, whose servers are gone.
    S3FileSystem.clear_instance_cache()
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    yield BUCKET
    server.stop()
    S3FileSystem.clear_instance_cache()


@task(cache_policy=NO_CACHE)
def kill_this_worker(once: Path) -> None:
    """SIGKILL the process that this runs in, the first time."""
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)


@flow(task_runner=ChosenRunner())
def link_while_a_worker_is_killed(shards: Shards, once: Path) -> None:
    killed = kill_this_worker.submit(once)
    link(shards)
    killed.result()


def test_a_worker_killed_in_the_middle_changes_nothing(
    s3: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    prefect: Settings,
    models: Path,
    units: NDArray[np.float32],
    whole: HiLander,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("GROUNDTRUTH_COMPUTE__RUNNER", "dask")
    load_settings.cache_clear()
    blobs = load_settings().blob_store
    shards = keep(blobs, models, units, 6 * BLOCK)
    api = prefect_environment(prefect)["PREFECT_API_URL"]
    with temporary_settings({PREFECT_API_URL: api}):
        link_while_a_worker_is_killed(shards, tmp_path / "killed")
    assert (tmp_path / "killed").exists()
    said = re.search(r"the search finds ([\d.]+) % of the nearest neighbours", caplog.text)
    assert said is not None
    assert float(said[1]) == pytest.approx(100 * shards.division(blobs).recall, abs=0.05)
    assert_same_clusters(blobs, shards, models, whole)
