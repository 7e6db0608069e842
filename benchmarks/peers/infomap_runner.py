"""Run Infomap over a neighbour graph, once for each setting.

    python infomap_runner.py JOB

The folder JOB holds `graph.npz`: indices and cosines (n, k), the nearest first, and settings
(S, 2), each a number of neighbours and a least cosine. `clusters.npy`, int64 (S, n), is written
there. This is a process of its own because infomap and faiss are both made by SWIG and share that
tool's tables of types: where faiss is imported after infomap, reading the modules ends in a
segmentation fault.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from infomap import Infomap
from numpy.typing import NDArray


def main(job: Path) -> None:
    graph = np.load(job / "graph.npz")
    partitions = [
        modules(graph["indices"][:, : int(k)], graph["cosines"][:, : int(k)], least)
        for k, least in graph["settings"]
    ]
    np.save(job / "clusters.npy", np.array(partitions, dtype=np.int64))


def modules(
    indices: NDArray[np.int64], cosines: NDArray[np.float32], least: float
) -> NDArray[np.int64]:
    """Return the module of each image; an image without edges is a module of its own."""
    i, place = np.nonzero(cosines >= least)
    network = Infomap(two_level=True, directed=True, silent=True, seed=1)
    network.add_nodes(range(len(indices)))
    network.add_links(np.column_stack([i, indices[i, place], cosines[i, place]]))
    found = network.run().modules()
    return np.array([found[node] for node in range(len(indices))], dtype=np.int64)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
