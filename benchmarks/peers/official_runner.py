"""Run the scripts of a checkout of dmlc/dgl's `examples/pytorch/hilander` as they are.

    python official_runner.py CHECKOUT JOB

The folder JOB holds `job.json` (script, arguments of the script, seed and, to predict, the values
of tau) and `data.npz` (features, labels, groups); results are written there. The scripts are
executed unchanged, in a process of their own, in surroundings in which they run today:

- names that numpy 2 removed exist again;
- `utils` can be imported: a name that its own modules ask for too early is there beforehand, and
  its evaluation, which needs a package that no index carries, is left out;
- neighbours at a cosine below 1e-6 count as 1e-6: negative ones fail an assertion, and at 0 the
  sparse product drops the edge and with it, at times, a node;
- where there are at most k nodes left the hierarchy ends;
- each group of training images has its own graphs.
"""

from __future__ import annotations

import json
import pickle
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dgl
import numpy as np
import torch
from numpy.typing import NDArray

FARTHEST = np.float32(1.0 - 1e-6)


class HierarchyEndsError(Exception):
    """There are too few nodes for a graph of k neighbours."""


def main(checkout: Path, job: Path) -> None:
    task = json.loads((job / "job.json").read_text())
    data = np.load(job / "data.npz")
    prepare(checkout, data["groups"])
    with (job / "data.pkl").open("wb") as file:
        pickle.dump((data["features"], data["labels"]), file)
    paths = ["--data_path", str(job / "data.pkl"), "--model_filename", str(job / "lander.pth")]
    arguments = [*paths, *task["arguments"]]
    if task["script"] == "train_subg.py":
        execute(checkout / task["script"], arguments, task["seed"])
        if not (job / "lander.pth").exists():
            sys.exit(f"{len(data['features'])} training images are too few for graphs of 10.")
        return
    everyone = np.arange(len(data["features"]))
    partitions = [
        execute(checkout / task["script"], [*arguments, "--tau", str(tau)], task["seed"]).get(
            "global_pred_labels", everyone
        )
        for tau in task["taus"]
    ]
    np.save(job / "clusters.npy", np.stack(partitions).astype(np.int64))


def execute(script: Path, arguments: list[str], seed: int) -> dict[str, Any]:
    """Run a script to its end, or to the end of the hierarchy, and return its variables."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    dgl.seed(seed)
    sys.argv = [str(script), *arguments]
    variables: dict[str, Any] = {"__name__": "__main__", "__file__": str(script)}
    with suppress(HierarchyEndsError):
        exec(compile(script.read_text(), script, "exec"), variables)
    return variables


def prepare(checkout: Path, groups: NDArray[Any]) -> None:
    """Make the checkout's packages importable, with the changes of the module's docstring."""
    vars(np).update(long=np.int64, Inf=np.inf)
    sys.path.insert(0, str(checkout))
    absent: Any = ModuleType("clustering_benchmark")
    absent.ClusteringBenchmark = None
    sys.modules["clustering_benchmark"] = absent
    utils = _import_utils(checkout / "utils")
    utils.evaluation = lambda *_: None
    dataset: Any = import_module("dataset")
    dataset.dataset.build_knns = _with_positive_cosines(dataset.dataset.build_knns)
    dataset.LanderDataset = _by_group(dataset.LanderDataset, groups)


def _import_utils(folder: Path) -> Any:
    spec = spec_from_file_location(
        "utils", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package; is the checkout complete?")
    utils: Any = module_from_spec(spec)
    sys.modules["utils"] = utils
    misc = import_module("utils.misc")
    utils.Timer, utils.TextColors = misc.Timer, misc.TextColors
    spec.loader.exec_module(utils)
    return utils


def _with_positive_cosines(search: Callable[..., Any]) -> Callable[..., Any]:
    def clipped(*arguments: Any, **options: Any) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        found = search(*arguments, **options)
        return [(indices, distances.clip(0.0, FARTHEST)) for indices, distances in found]

    return clipped


def _by_group(build: Callable[..., Any], groups: NDArray[Any]) -> Callable[..., Any]:
    """Build a dataset for each group and join their graphs."""

    def build_all(features: NDArray[Any], labels: NDArray[Any], k: int, **options: Any) -> Any:
        if len(features) <= k:
            raise HierarchyEndsError
        if len(np.unique(groups)) == 1:
            return build(features=features, labels=labels, k=k, **options)
        parts = [
            build(features=features[groups == name], labels=labels[groups == name], k=k, **options)
            for name in np.unique(groups)
        ]
        return SimpleNamespace(
            gs=[graph for part in parts for graph in part.gs],
            nbrs=[neighbours for part in parts for neighbours in part.nbrs],
        )

    return build_all


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
