"""Clustering in shards on 1, 2 and 4 Dask workers: time, memory, efficiency, the same partition.

    python -m benchmarks.scale --n 1000000

Features are seeded and like those of `benchmarks.clustering_speed`, 128 wide; the linkage model has
learnt other classes. Workers are processes of this machine with one thread each, and Prefect maps
the steps over them as the flow `cluster` does.

Where there are fewer cores than workers, the clock says little. So each step is also given as the
CPU seconds of the worker that needed most: its time on machines that do nothing else. Efficiency is
that of one worker, by the number of workers times that of several, decoding on one machine left out
and then counted in.
"""

import hashlib
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.clustering_speed import TRAINING_SIZE, long_tailed

RESULTS = Path(__file__).with_name("results") / "scale.md"
DIM = 128
SHARDS = 16

Turn = tuple[float, list[float]]
"""How long a step took: seconds by the clock, and CPU seconds of each worker."""


def usage() -> tuple[float, float]:
    """CPU seconds of this process so far, and the most MB that it took since `forget_peak`."""
    [peak] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return time.process_time(), int(peak) / 1024


def forget_peak() -> None:
    """Count the most memory of this process from now on."""
    Path("/proc/self/clear_refs").write_text("5")


def in_a_process(work: Callable[..., Any], *arguments: object) -> Any:
    """What `work` returns in a process of its own, so that memory is counted for it alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
        return own.submit(work, *arguments).result()


def digest(labels: NDArray[np.int64]) -> str:
    return hashlib.sha256(labels.tobytes()).hexdigest()[:12]


@contextmanager
def settings_in(folder: Path, **values: str) -> Iterator[None]:
    """Settings of groundtruth for this process and its workers."""
    from tasks.settings import load_settings

    given = {"GROUNDTRUTH_DATA": str(folder)} | values
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    load_settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        load_settings.cache_clear()


def keep_model(folder: Path) -> None:
    """An encoder, which is not asked here, and a linkage model."""
    from clustering import Encoder, HiLander

    images = list(np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8))
    Encoder(32, epochs=1).fit(images, np.arange(8) // 2).save(folder / "encoder")
    HiLander(epochs=10).fit(*long_tailed(TRAINING_SIZE, DIM, seed=1)).save(folder / "hilander")


def keep_features(model: Path, n: int) -> Any:
    """The blob store as `cluster` leaves it when images are embedded and shared out."""
    from catalog import features
    from clustering.blocks import BLOCK
    from tasks.cluster import SHARD
    from tasks.linkage import Shards
    from tasks.settings import load_settings

    blobs = load_settings().blob_store
    per_shard = -(-n // (SHARDS * BLOCK)) * BLOCK
    shards = Shards("benchmark", blobs.put_directory("models", model), n, per_shard)
    units, _ = long_tailed(n, DIM, seed=2)
    ids = [f"{number:032}" for number in range(n)]
    places = {}
    for start in range(0, n, SHARD):
        part = slice(start, start + SHARD)
        file = features.write(blobs, "benchmark", ids[part], units[part])
        places |= {each: (file.location, row) for row, each in enumerate(ids[part])}
    shards.share_out(blobs, ids, places)
    return shards


def in_one_process(model: Path, n: int) -> dict[str, Any]:
    """What `HiLander.predict` makes of all, and what that takes."""
    from clustering import HiLander

    forget_peak()
    units, _ = long_tailed(n, DIM, seed=2)
    lander = HiLander.load(model / "hilander")
    lander.predict(units[:100])
    clock, (cpu, _) = time.perf_counter(), usage()
    labels = lander.predict(units)
    return {
        "clock": time.perf_counter() - clock,
        "cpu": usage()[0] - cpu,
        "peak": usage()[1],
        "digest": digest(labels),
    }


def on_workers(n_workers: int, model: Path, n: int, folder: Path, api: str) -> dict[str, Any]:
    """The steps on a cluster of processes: for each, the clock and the CPU seconds of each."""
    from distributed import LocalCluster
    from prefect import flow
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from tasks.compute import ChosenRunner
    from tasks.linkage import linkage_of
    from tasks.models import load
    from tasks.settings import load_settings

    with settings_in(folder):
        shards = in_a_process(keep_features, model, n)
    local = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with (
        settings_in(folder, PREFECT_API_URL=api),
        temporary_settings({PREFECT_API_URL: api}),
        LocalCluster(n_workers=n_workers, **local) as cluster,
        settings_in(
            folder,
            GROUNDTRUTH_COMPUTE__RUNNER="dask",
            GROUNDTRUTH_COMPUTE__ADDRESS=cluster.scheduler_address,
        ),
    ):
        linking = flow(link, task_runner=ChosenRunner(), validate_parameters=False)
        took, peak = linking(shards, cluster.scheduler_address)
        clock, (cpu, _) = time.perf_counter(), usage()
        _, lander = load(shards.model)
        blobs = load_settings().blob_store
        labels = lander.partition(linkage_of(blobs, shards))
        took["form_clusters"] = [(time.perf_counter() - clock, [usage()[0] - cpu])]
        read = sum(len(blobs.get(key)) for key in blobs.every_key(shards.below))
    return {"took": took, "peak": peak, "digest": digest(labels), "bytes": read}


def link(shards: Any, address: str) -> tuple[dict[str, list[Turn]], float]:
    """How long each step took, each time, and the most MB of a worker."""
    from distributed import Client
    from prefect.futures import wait

    from tasks.linkage import steps
    from tasks.models import load

    took = defaultdict(list)
    # Prefect sends the flow to the workers: whatever it closes over would have to be pickled.
    with Client(address, set_as_default=False) as client:
        client.run(load, shards.model)
        client.run(forget_peak)
        for step, calls in steps(shards):
            clock, before = time.perf_counter(), client.run(usage)
            futures = [step.submit(*arguments) for arguments in calls]
            wait(futures)
            for future in futures:
                future.result()
            spent = [cpu - before[name][0] for name, (cpu, _) in client.run(usage).items()]
            took[step.name].append((time.perf_counter() - clock, spent))
        return took, max(peak for _, peak in client.run(usage).values())


def page(n: int, command: str, whole: dict[str, Any], found: dict[int, dict[str, Any]]) -> str:
    """Markdown: each step, then the sums."""
    counts = list(found)
    first = found[counts[0]]["took"]
    lines = [
        "# Clustering in shards",
        "",
        f"`{command}` on {os.cpu_count()} cores: {n:,} images, {DIM} wide, {SHARDS} shards.",
        *((__doc__ or "").split("\n", 4)[4].splitlines()),
        "",
        "Seconds by the clock, and in brackets the CPU seconds of the worker that needed most.",
        "",
        "| step | " + " | ".join(f"{count} worker(s)" for count in counts) + " |",
        "|---|" + "---|" * len(counts),
    ]
    clock, longest, cpu = (
        {
            count: {step: sum(map(of, turns)) for step, turns in each["took"].items()}
            for count, each in found.items()
        }
        for of in (lambda turn: turn[0], lambda turn: max(turn[1]), lambda turn: sum(turn[1]))
    )
    for step in first:
        shown = [f"{clock[count][step]:.1f} ({longest[count][step]:.1f})" for count in counts]
        lines.append("| " + " | ".join([f"`{step}`", *shown]) + " |")
    total = {count: sum(each.values()) for count, each in longest.items()}
    shared = {count: total[count] - longest[count]["form_clusters"] for count in counts}
    one = counts[0]
    rows: list[tuple[str, list[str]]] = [
        ("**all, s**", [f"{sum(clock[c].values()):.1f} ({total[c]:.1f})" for c in counts]),
        ("CPU seconds of all workers", [f"{sum(cpu[c].values()):.1f}" for c in counts]),
        ("most memory of a worker, MB", [f"{found[c]['peak']:,.0f}" for c in counts]),
        ("MB handed from step to step", [f"{found[c]['bytes'] / 1e6:,.0f}" for c in counts]),
        ("efficiency of the shards", [f"{shared[one] * one / shared[c] / c:.2f}" for c in counts]),
        ("with decoding", [f"{total[one] * one / total[c] / c:.2f}" for c in counts]),
        ("partition", [f"`{found[c]['digest']}`" for c in counts]),
    ]
    lines += ["| " + " | ".join([name, *cells]) + " |" for name, cells in rows]
    lines += [
        "",
        f"`HiLander.predict` in one process with its threads: {whole['clock']:.1f} s by the clock,"
        f" {whole['cpu']:.1f} CPU seconds, {whole['peak']:,.0f} MB at most with the features;"
        f" partition `{whole['digest']}`.",
        "",
    ]
    return "\n".join(lines)


def main(
    n: int = 1_000_000,
    workers: Annotated[list[int] | None, typer.Option()] = None,
    out: Path = RESULTS,
) -> None:
    """Measure, and write the page."""
    from benchmarks.prefect_server import prefect_server

    counts = workers or [1, 2, 4]
    with TemporaryDirectory() as name, prefect_server(Path(name) / "prefect") as (api, _):
        folder = Path(name)
        model = folder / "model"
        keep_model(model)
        found = {
            count: on_workers(count, model, n, folder / f"on-{count}", api) for count in counts
        }
        whole = in_a_process(in_one_process, model, n)
    out.write_text(page(n, f"python -m benchmarks.scale --n {n}", whole, found))
    same = {each["digest"] for each in [whole, *found.values()]}
    if len(same) > 1:
        raise SystemExit(f"the partitions differ: {', '.join(sorted(same))}")


if __name__ == "__main__":
    typer.run(main)
