"""How long clustering takes, stage by stage, beside the official code in the same run.

    python -m benchmarks.clustering_speed --n 10000 100000 --official CHECKOUT

where CHECKOUT is `examples/pytorch/hilander` of a checkout of dmlc/dgl. Nothing of it is changed.

Features are seeded: classes of long-tailed sizes, gathered in families. Each measurement has a
process of its own, so that its peak of memory is its own. Cells are wall seconds, with the CPU
seconds of all threads in brackets: on a busy machine these tell more. The official code is given
tau; ours chooses it, and is also measured with tau given.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import os
import pstats
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESULTS = Path(__file__).with_name("results")
TRAINING_SIZE = 3_000
TAU = 0.5
EPOCHS = 5
STAGES = ("search", "evidence", "network", "decoding", "other levels", "rest", "metrics")
OFFICIAL = {"official": "test_subg.py", "official, whole graph": "test.py"}
OURS = {"ours": None, "ours, tau given": TAU}

Features = NDArray[np.float32]
Labels = NDArray[np.int64]


def long_tailed(n: int, dim: int, seed: int) -> tuple[Features, Labels]:
    """Unit rows (n, dim) of classes of log-normal sizes, 30 images on average, and the classes."""
    draw = np.random.default_rng(seed)
    n_classes = max(2, n // 30)
    shares = draw.lognormal(0.0, 1.2, n_classes)
    labels = draw.choice(n_classes, size=n, p=shares / shares.sum())
    families = draw.standard_normal((max(1, n_classes // 20), dim), dtype=np.float32)
    centres = families[draw.integers(0, len(families), n_classes)]
    centres += 0.8 * draw.standard_normal(centres.shape, dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    features = centres[labels]
    features += draw.standard_normal((n, dim), dtype=np.float32) / np.float32(np.sqrt(dim))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features, labels


class Stopwatch:
    """Adds up wall and CPU seconds per stage; a stage within another counts only as itself."""

    def __init__(self) -> None:
        self.seconds: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(2))
        self._inner: list[NDArray[np.float64]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._inner.append(np.zeros(2))
        start = self._now()
        try:
            yield
        finally:
            spent = self._now() - start
            self.seconds[name] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent

    def watch(self, owner: Any, function: str, stage: str, *, once: bool = False) -> None:
        """Time a function wherever it is called; with `once`, later calls are other levels'."""
        plain: Callable[..., Any] = getattr(owner, function)
        calls = 0

        def timed(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            with self.stage("other levels" if once and calls > 1 else stage):
                return plain(*arguments, **options)

        setattr(owner, function, timed)

    @staticmethod
    def _now() -> NDArray[np.float64]:
        return np.array([time.perf_counter(), time.process_time()])


def train_ours(folder: Path, dim: int) -> None:
    from clustering import HiLander

    HiLander(epochs=10).fit(*long_tailed(TRAINING_SIZE, dim, seed=1)).save(folder / "ours")


def measure_ours(folder: Path, n: int, dim: int, tau: float | None) -> Stopwatch:
    import clustering.lander
    import clustering.linkage
    from clustering import HiLander, bcubed, nmi, pairwise

    features, labels = long_tailed(n, dim, seed=2)
    lander = HiLander.load(folder / "ours").set_params(tau=tau)
    lander.predict(features[:100])  # what is compiled on first use is not counted
    watch = Stopwatch()
    watch.watch(clustering.lander, "find_neighbours", "search")
    watch.watch(clustering.linkage, "overlap_evidence", "evidence")
    watch.watch(clustering.lander, "link", "network")
    watch.watch(clustering.lander, "find_communities", "decoding")
    with watch.stage("rest"):
        clusters = lander.predict(features)
    with watch.stage("metrics"):
        for score in (pairwise, bcubed, nmi):
            score(labels, clusters)
    return watch


def train_official(folder: Path, dim: int, checkout: Path) -> None:
    from benchmarks.peers.official_runner import execute, prepare

    features, labels = long_tailed(TRAINING_SIZE, dim, seed=1)
    prepare(checkout, np.zeros(TRAINING_SIZE, dtype=np.int64))
    training = ["--knn_k", "10", "--levels", "1", "--balance", "--lr", "0.1", "--epochs", "150"]
    execute(
        checkout / "train_subg.py",
        [*_official_paths(folder, features, labels), *OFFICIAL_NETWORK, *training],
        seed=0,
    )


OFFICIAL_NETWORK = ("--hidden", "512", "--num_conv", "1", "--use_cluster_feat")
OFFICIAL_INFERENCE = ("--knn_k", "10", "--levels", "10", "--early_stop")


def measure_official(folder: Path, n: int, dim: int, script: Path) -> Stopwatch:
    """Run an official script: `test_subg.py`, which the authors use, or `test.py`."""
    from benchmarks.peers.official_runner import execute, prepare

    features, labels = long_tailed(n, dim, seed=2)
    paths = _official_paths(folder, features, labels)
    prepare(script.parent, np.zeros(n, dtype=np.int64))
    import dataset  # type: ignore[import-not-found]
    import models  # type: ignore[import-not-found]
    import utils  # type: ignore[import-not-found]

    watch = Stopwatch()
    watch.watch(dataset.dataset, "build_knns", "search", once=True)
    watch.watch(dataset, "LanderDataset", "evidence", once=True)
    watch.watch(models.LANDER, "forward", "network")
    watch.watch(utils, "decode", "decoding", once=True)
    watch.watch(utils, "build_next_level", "other levels")
    arguments = [*paths, *OFFICIAL_NETWORK, *OFFICIAL_INFERENCE, "--tau", str(TAU)]
    with watch.stage("rest"):
        found = execute(script, arguments, seed=0)
    with watch.stage("metrics"):
        for score in (utils.metrics.pairwise, utils.metrics.bcubed, utils.metrics.nmi):
            score(labels, found["global_pred_labels"])
    return watch


def _official_paths(folder: Path, features: Features, labels: Labels) -> list[str]:
    import pickle

    with (folder / "data.pkl").open("wb") as file:
        pickle.dump((features, labels), file)
    return [
        *("--data_path", str(folder / "data.pkl")),
        *("--model_filename", str(folder / "official.pth")),
    ]


def profile(folder: Path, n: int, dim: int) -> str:
    """The functions in which inference spends most time of its own, all on one thread."""
    from clustering import HiLander, cells, linkage, neighbours

    for module in (cells, linkage, neighbours):
        vars(module)["side_by_side"] = _one_by_one
    features, _ = long_tailed(n, dim, seed=2)
    lander = HiLander.load(folder / "ours")
    lander.predict(features[:100])
    profiler, text = cProfile.Profile(), io.StringIO()
    profiler.runcall(lander.predict, features)
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(25)
    return text.getvalue()


def _one_by_one(work: Callable[[int], None], blocks: Iterable[int], **_: Any) -> None:
    for block in blocks:
        work(block)


def measure_training(dim: int, checkout: Path | None) -> dict[str, list[float]]:
    """Wall and CPU seconds of one step of training on a whole graph, the mean of some epochs."""
    from clustering import HiLander
    from clustering.published import Lander

    features, labels = long_tailed(TRAINING_SIZE, dim, seed=1)
    found = {
        "HiLander": _step(lambda: HiLander(epochs=EPOCHS).fit(features, labels)),
        "Lander (as published, our engine)": _step(
            lambda: Lander(epochs=EPOCHS).fit(features, labels)
        ),
    }
    if checkout:
        found["official"] = _step(lambda: _train_official(features, labels, checkout))
    return found


def _step(train: Callable[[], Any]) -> list[float]:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    times: list[tuple[float, float]] = []
    hook = register_optimizer_step_post_hook(
        lambda *_: times.append((time.perf_counter(), time.process_time()))
    )
    train()
    hook.remove()
    steps: list[float] = ((np.array(times[-1]) - times[0]) / (len(times) - 1)).tolist()
    return steps


def _train_official(features: Features, labels: Labels, checkout: Path) -> None:
    """The loop of the official training script, without its evaluation after every epoch."""
    from benchmarks.peers.official_runner import prepare

    prepare(checkout, np.zeros(len(features), dtype=np.int64))
    import torch
    from dataset import LanderDataset  # type: ignore[import-not-found]
    from models import LANDER  # type: ignore[import-not-found]

    graphs = [
        graph
        for k, levels in ((10, 2), (5, 3), (3, 4))
        for graph in LanderDataset(features=features, labels=labels, k=k, levels=levels).gs
    ]
    model = LANDER(features.shape[1], 512, num_conv=1, use_GAT=False, use_focal_loss=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    for _ in range(EPOCHS):
        for graph in graphs:
            optimizer.zero_grad()
            loss, *_ = model.compute_loss(model(graph))
            loss.backward()
            optimizer.step()


def in_own_process(folder: Path, what: str, n: int, dim: int, official: Path | None) -> Any:
    command = [sys.executable, "-m", "benchmarks.clustering_speed", "--measure", what]
    command += ["--folder", str(folder), "--n", str(n), "--dim", str(dim)]
    command += ["--official", str(official)] if official else []
    subprocess.run(command, check=True, stdout=sys.stderr)
    return json.loads((folder / "measured.json").read_text())


def measure(folder: Path, what: str, n: int, dim: int, official: Path | None) -> None:
    """Do one measurement in this process and leave it in the folder."""
    answer: Any = None
    if what == "train":
        train_ours(folder, dim)
        if official:
            train_official(folder, dim, official)
    elif what == "training":
        answer = measure_training(dim, official)
    elif what == "profile":
        answer = profile(folder, n, dim)
    else:
        if what in OURS:
            watch = measure_ours(folder, n, dim, OURS[what])
        else:
            assert official is not None
            watch = measure_official(folder, n, dim, official / OFFICIAL[what])
        answer = {name: spent.tolist() for name, spent in watch.seconds.items()}
        answer["peak GiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    (folder / "measured.json").write_text(json.dumps(answer))


def table(n: int, dim: int, measured: dict[str, dict[str, Any]]) -> str:
    """Markdown: a row for each measurement, and how many times as fast as the official code."""
    besides = [stage for stage in STAGES if stage not in ("search", "metrics")]
    totals = {
        name: {
            "besides": sum(np.array(found.get(stage, (0.0, 0.0))) for stage in besides),
            "with": sum(np.array(found.get(stage, (0.0, 0.0))) for stage in (*besides, "search")),
        }
        for name, found in measured.items()
    }
    heads = ["", *STAGES, "besides search", "with search", "besides / search", "peak GiB"]
    heads += ["faster besides", "faster with"]
    lines = [f"### N = {n:,}, D = {dim}", "", _row(heads), _row(["---"] * len(heads))]
    for name, found in measured.items():
        cells = [_seconds(found.get(stage, (0.0, 0.0))) for stage in STAGES]
        total = totals[name]
        cells += [_seconds(total["besides"]), _seconds(total["with"])]
        share = total["besides"] / np.maximum(found["search"], 1e-9)
        cells += [f"{share[0]:.2f} ({share[1]:.2f})", f"{found['peak GiB']:.1f}"]
        if "official" in totals:
            for part in ("besides", "with"):
                ratio = totals["official"][part] / total[part]
                cells.append(_times(ratio))
        lines.append(_row([name, *cells]))
    return "\n".join(lines) + "\n"


def training_table(dim: int, steps: dict[str, list[float]]) -> str:
    """Markdown: seconds of a step, and how many times as fast as the official code's."""
    lines = [f"### Training on {TRAINING_SIZE:,} images, D = {dim}", ""]
    lines += [_row(["", "seconds a step", "faster"]), _row(["---"] * 3)]
    for name, spent in steps.items():
        ratio = np.array(steps.get("official", spent)) / spent
        lines.append(_row([name, f"{spent[0]:.3f} ({spent[1]:.3f})", _times(ratio)]))
    return "\n".join(lines) + "\n"


def _times(ratio: Any) -> str:
    return f"{ratio[0]:.1f}x ({ratio[1]:.1f}x)"


def _seconds(spent: Any) -> str:
    return f"{spent[0]:.2f} ({spent[1]:.2f})"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dim", type=int, nargs="+", default=[128])
    parser.add_argument("--official", type=Path, help="examples/pytorch/hilander of dmlc/dgl")
    parser.add_argument("--official-up-to", type=int, default=100_000)
    parser.add_argument("--profile", type=int, help="also profile inference on so many images")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.folder, given.measure, given.n[0], given.dim[0], given.official)
        return

    shown = ["CHECKOUT" if word == str(given.official) else word for word in sys.argv[1:]]
    command = " ".join(["python -m benchmarks.clustering_speed", *shown])
    threads = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    report = f"# Speed of clustering\n\n{__doc__}\n`{command}` with {threads} thread(s)\n\n"
    for dim in given.dim:
        with TemporaryDirectory() as name:
            folder = Path(name)
            in_own_process(folder, "train", TRAINING_SIZE, dim, given.official)
            steps = in_own_process(folder, "training", TRAINING_SIZE, dim, given.official)
            report += training_table(dim, steps) + "\n"
            for n in given.n:
                beside = given.official and n <= given.official_up_to
                names = [*OURS, *OFFICIAL] if beside else list(OURS)
                found = {
                    what: in_own_process(folder, what, n, dim, given.official) for what in names
                }
                report += table(n, dim, found) + "\n"
                print(table(n, dim, found), flush=True)
                (RESULTS / "clustering_speed.md").write_text(report)
            if given.profile and dim == given.dim[0]:
                text = in_own_process(folder, "profile", given.profile, dim, None)
                (RESULTS / "clustering_profile.md").write_text(
                    f"# Inference on {given.profile:,} images, profiled\n\n`{command}`\n\n"
                    f"```\n{text.strip()}\n```\n"
                )


if __name__ == "__main__":
    main()
