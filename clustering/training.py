"""How the linkage network learns: from links whose two ends are known to be of one class or not.

The loss is plain cross-entropy over all links as they come. It is a proper score and nothing is
balanced, so the outputs are probabilities on graphs as hard as those of training. How large classes
are differs from set to set, so the network also sees graphs in which they are thinned out; and a
few labelled images teach too little, so it sees some small graphs of imagined classes as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from clustering.network import LinkageNetwork

Int = NDArray[np.int64]

BATCH = 4096
WEIGHT_DECAY = 1e-3


def train(
    network: LinkageNetwork,
    evidence: Tensor,
    same: Tensor,
    *,
    epochs: int,
    learning_rate: float,
    generator: torch.Generator,
    on_epoch: Callable[[int, float], None] | None = None,
    verbose: bool = False,
) -> list[float]:
    """Fit the network to evidence (E, 6) and whether both ends are of one class, bool (E,).

    Returns the mean loss of each epoch, and tells it to `on_epoch` with the number of the epoch.
    """
    network.standardize.measure(evidence)
    targets = same.to(torch.float32)
    n_batches = -(-len(targets) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * n_batches)
    losses = []
    network.train()
    for epoch in tqdm(range(1, epochs + 1), "training", disable=not verbose, unit="epoch"):
        total = 0.0
        order = torch.randperm(len(targets), generator=generator)
        for batch in torch.split(order, BATCH):
            loss = F.binary_cross_entropy_with_logits(network(evidence[batch]), targets[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(batch)
        losses.append(total / max(len(targets), 1))
        if on_epoch is not None:
            on_epoch(epoch, losses[-1])
    network.eval()
    return losses


def thin(classes: Int, random: np.random.Generator) -> Int:
    """Choose rows such that every class 0..C-1 keeps a random number of its images.

    Sizes are log-uniform from 2 to the whole class. Returns row numbers, in order.
    """
    sizes = np.bincount(classes)
    logs = np.log(np.maximum(sizes, 2))
    kept = np.exp(random.uniform(np.log(2), logs)).round().astype(np.int64)
    order = random.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    place = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[classes[order]]
    return np.sort(order[place < kept[classes[order]]])


def imagine(random: np.random.Generator) -> tuple[NDArray[np.float32], Int]:
    """Draw a few small classes, more or less clear: rows of length one (n, 32) and classes (n,)."""
    sizes = np.exp(random.uniform(np.log(2), np.log(16), size=random.integers(2, 13)))
    classes = np.repeat(np.arange(len(sizes)), sizes.round().astype(np.int64))
    centres = random.normal(size=(len(sizes), 32))
    rows = centres[classes] + random.uniform(0.4, 1.4) * random.normal(size=(len(classes), 32))
    units: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units.astype(np.float32), classes


def same_class(neighbours: NDArray[np.integer[Any]], classes: Int) -> NDArray[np.bool_]:
    """Whether each node (n,) and each of its neighbours (n, k) are of one class, (n, k)."""
    same: NDArray[np.bool_] = classes[neighbours] == classes[:, None]
    return same
