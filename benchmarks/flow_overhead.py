"""What a flow costs beyond its own work: `python -m benchmarks.flow_overhead --shards 10000`.

A Prefect server of its own is started. A flow submits shards that do nothing, in a process of its
own, once as the flows of this project do (`tasks.shards`) and once all at the start. Beside it
stands the work of a shard of pictures that are embedded (`tasks.cluster`) or ingested
(`tasks.ingest`).
"""

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import psutil
import torch
import typer
from PIL import Image
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner

from benchmarks.prefect_server import prefect_server
from catalog.appearance import measure
from catalog.pictures import read_picture
from clustering import Encoder
from tasks.artifacts import progress
from tasks.cluster import SHARD
from tasks.ingest import BATCH
from tasks.shards import AT_ONCE, results_of
from tasks.trying import repeatable

RESULTS = Path(__file__).parent / "results" / "flow_overhead.md"
THREADS = 2
SIDE = 1200
"""Pixels of the side of a photo that is ingested."""


@dataclass(frozen=True)
class Cost:
    """What a flow of so many empty shards took."""

    way: str
    n_shards: int
    seconds: float
    peak_mb: float

    @property
    def per_shard(self) -> float:
        return self.seconds / self.n_shards


@repeatable
def nothing(number: int) -> int:
    """A shard without work."""
    return number


@flow(name="empty-shards", task_runner=ThreadPoolTaskRunner(max_workers=THREADS))
def empty_shards(n_shards: int, at_once: int) -> int:
    with progress("Nothing") as report:
        for n_done, _ in enumerate(results_of(nothing.submit, range(n_shards), at_once), 1):
            report(n_done / n_shards)
    return n_done


def cost(api: str, way: str, n_shards: int, at_once: int) -> Cost:
    """Run the flow in this process; what it took beyond a flow of one shard."""
    with temporary_settings({PREFECT_API_URL: api}):
        empty_shards(1, 1)
        before = time.perf_counter()
        empty_shards(n_shards, at_once)
        seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(way, n_shards, seconds, peak)


def seconds_of(work: Callable[[], Any], times: int = 3) -> float:
    """CPU seconds of work, whatever else the machine does: the fewest of some runs."""
    taken = []
    for _ in range(times):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def embedded() -> float:
    """Seconds to embed a shard by an encoder of the default size, on one thread."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    pictures = list(random.integers(0, 256, size=(SHARD, 64, 64, 3), dtype=np.uint8))
    encoder = Encoder(64, dim=128, epochs=1).fit(pictures[:64], np.repeat(np.arange(32), 2))
    return seconds_of(lambda: encoder.transform(pictures))


def ingested() -> float:
    """Seconds to read, check and measure a batch of photos, without the disk."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, size=(SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(coarse).resize((SIDE, SIDE)).save(buffer, "JPEG", quality=90)
    content = buffer.getvalue()

    def one() -> None:
        picture = read_picture(content, max_pixels=60_000_000, preview_side=320)
        measure(picture.id, content, picture.preview)

    return BATCH * seconds_of(one, times=10)


def main(shards: Annotated[int, typer.Option(help="How many shards.")] = 10_000) -> None:
    """Measure, and write the page."""
    with TemporaryDirectory() as folder, prefect_server(Path(folder)) as (api, running):
        ways = {f"{AT_ONCE} at once": AT_ONCE, "all at the start": shards}
        costs, busy = [], []
        for way, at_once in ways.items():
            process = running.process()
            assert process is not None
            before = sum(process.cpu_times()[:2])
            spawned = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawned) as own:
                found = own.submit(cost, api, way, shards, at_once).result()
            costs.append(found)
            busy.append(sum(process.cpu_times()[:2]) - before)
    RESULTS.write_text(page(costs, busy, {"embed": embedded(), "ingest": ingested()}))


def page(costs: list[Cost], busy: list[float], work: dict[str, float]) -> str:
    ours = costs[0].per_shard
    lines = [
        "# What a flow costs beyond its own work",
        "",
        f"`python -m benchmarks.flow_overhead --shards {costs[0].n_shards}`:"
        f" {costs[0].n_shards:,} shards that do nothing, on {THREADS} threads of"
        f" {psutil.cpu_count()} cores, on a Prefect server with SQLite on the same machine.",
        "",
        "| submitted | seconds | ms a shard | server, CPU seconds | peak memory of the flow, MB |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {each.way} | {each.seconds:.1f} | {1000 * each.per_shard:.1f} | {cpu:.1f} |"
            f" {each.peak_mb:,.0f} |"
            for each, cpu in zip(costs, busy, strict=True)
        ),
        "",
        "Beside the work of a shard, on one thread:",
        "",
        "| shard | CPU seconds of work | overhead |",
        "| --- | --- | --- |",
        *(
            f"| {said} | {work[key]:.2f} | {ours / (work[key] / THREADS):.2%} |"
            for key, said in (
                ("embed", f"{SHARD} pictures embedded"),
                ("ingest", f"{BATCH} photos of {SIDE} pixels ingested, without the disk"),
            )
        ),
        "",
        f"The overhead is what a shard costs the flow, over the work of a shard shared by {THREADS}"
        " threads. It falls with real encoders and larger photos, whose shards take longer.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
