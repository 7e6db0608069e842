"""LANDER as published: the official code, trained and run by its own scripts in another process.

Two recipes of the official README (Xing et al., ICCV 2021): the one for faces, graph convolution
that also reads cluster features, and the one for species, graph attention without them. Both: nine
graphs (k 10, 5, 3 with 2, 3, 4 levels), one convolution, hidden 512, SGD at .01, balanced loss.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.peers.tuning import Features, Labels, Trained

EPOCHS = 250
TAUS = tuple(np.round(np.arange(0.05, 1.0, 0.05), 2).tolist())
FACES = ("--hidden", "512", "--num_conv", "1", "--use_cluster_feat")
SPECIES = ("--hidden", "512", "--num_conv", "1", "--gat")
TRAINING = (
    *("--knn_k", "10,5,3", "--levels", "2,3,4", "--balance"),
    *("--lr", "0.01", "--batch_size", "4096"),
)
INFERENCE = ("--knn_k", "10", "--levels", "10", "--early_stop", "--batch_size", "4096")
RUNNER = Path(__file__).with_name("official_runner.py")


def lander_as_published(checkout: Path, *, epochs: int = EPOCHS) -> list[Trained[bytes, float]]:
    """Return both recipes.

    Parameters
    ----------
    checkout : Path
        Folder `examples/pytorch/hilander` of the repository dmlc/dgl.
    epochs : int, default=250
        As published.

    Raises
    ------
    FileNotFoundError
        If the folder does not hold the official scripts.
    """
    if not (checkout / "train_subg.py").is_file():
        raise FileNotFoundError(
            f"{checkout} holds no train_subg.py; give the folder examples/pytorch/hilander of a "
            "checkout of github.com/dmlc/dgl."
        )
    return [
        _recipe("LANDER as published (faces)", checkout, FACES, epochs),
        _recipe("LANDER as published (species)", checkout, SPECIES, epochs),
    ]


def _recipe(
    name: str, checkout: Path, network: Sequence[str], epochs: int
) -> Trained[bytes, float]:
    def train(features: Features, labels: Labels, groups: Labels) -> bytes:
        with TemporaryDirectory() as folder:
            job = Path(folder)
            arguments = [*TRAINING, *network, "--epochs", str(epochs)]
            task = {"script": "train_subg.py", "arguments": arguments}
            _run(checkout, job, task, features, labels, groups)
            return (job / "lander.pth").read_bytes()

    def sweep(model: bytes, features: Features, taus: Sequence[float]) -> Iterable[Labels]:
        with TemporaryDirectory() as folder:
            job = Path(folder)
            (job / "lander.pth").write_bytes(model)
            unknown = np.zeros(len(features), dtype=np.int64)
            arguments = [*INFERENCE, *network]
            task = {"script": "test_subg.py", "arguments": arguments, "taus": list(taus)}
            _run(checkout, job, task, features, unknown, unknown)
            return list(np.load(job / "clusters.npy"))

    return Trained(name, TAUS, train, sweep)


def _run(
    checkout: Path,
    job: Path,
    task: dict[str, Any],
    features: Features,
    labels: Labels,
    groups: Labels,
) -> None:
    (job / "job.json").write_text(json.dumps({**task, "seed": 0}))
    np.savez(job / "data.npz", features=features, labels=labels, groups=groups)
    # -P: modules beside the runner must not hide those of the checkout.
    command = [sys.executable, "-P", str(RUNNER), str(checkout.resolve()), str(job)]
    environment = {**os.environ, "DGLBACKEND": "pytorch"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{task['script']} of {checkout} failed with\n{done.stderr[-2000:]}\n"
            "Is it an unchanged checkout of dmlc/dgl, examples/pytorch/hilander?"
        )
