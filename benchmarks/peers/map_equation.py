"""Infomap on the raw neighbour graph: clusters are where a random walk stays for long.

Rosvall and Bergstrom, *Maps of random walks on complex networks reveal community structure*, PNAS
2008, by the authors' own package. Edges run to the k nearest neighbours whose cosine reaches a
least value and weigh as much as their cosine, as is usual for faces.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.peers.neighbours import nearest
from benchmarks.peers.tuning import Features, Labels, Tuned

NEIGHBOURS = (5, 10, 20, 40)
LEAST_COSINES = (0.05, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
RUNNER = Path(__file__).with_name("infomap_runner.py")


def infomap() -> Tuned[tuple[int, float]]:
    """Settings: k and the least cosine of an edge."""
    return Tuned("Infomap", list(product(NEIGHBOURS, LEAST_COSINES)), sweep)


def sweep(features: Features, settings: Sequence[tuple[int, float]]) -> Iterable[Labels]:
    graph = nearest(features, max(k for k, _ in settings))
    with TemporaryDirectory() as folder:
        job = Path(folder)
        np.savez(job / "graph.npz", indices=graph.indices, cosines=graph.cosines, settings=settings)
        # -P: modules beside the runner must not hide those that it imports.
        command = [sys.executable, "-P", str(RUNNER), str(job)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"Infomap failed with\n{done.stderr[-2000:]}\n"
                "Is the package `infomap` installed in this environment?"
            )
        return list(np.load(job / "clusters.npy"))
