"""Processes that share each batch learn what one process learns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from queue import SimpleQueue

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from clustering import Encoder
from clustering.augment import Draws, augment
from clustering.convnet import ConvolutionalNetwork, CosineClassifier
from clustering.crew import Crew, crew_of
from clustering.encoder_training import Objective

from .test_encoder_checkpoint import ROOT, encoder, world

# Sums in another order are rounded otherwise, and every step builds on those before.
TOLERANCE = 0.01

GROUPS: list[dist.ProcessGroup | None] = []
"""Keeps a group of processes in use, as a network that was trained by it does."""

KILLED = """
import os, signal, sys
from tests.clustering.test_encoder_checkpoint import encoder, world

def on_epoch(epoch, loss):
    if epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    encoder().fit(*world(), checkpoint=sys.argv[1], on_epoch=on_epoch, processes=2)
"""


def gradients(crew: Crew, told: SimpleQueue[list[Tensor]]) -> None:
    """Tell the gradient of a batch of 15, of which each process sees its share."""
    random = torch.Generator().manual_seed(0)
    views, classes = torch.rand(15, 3, 32, 32, generator=random), torch.arange(15) % 4
    torch.manual_seed(0)
    network = ConvolutionalNetwork(8).double()
    classifier = CosineClassifier(8, 4, scale=16.0, margin=0.1)
    objective = crew.together(Objective(network, classifier, crew))
    objective(crew.share(views.double()), classes).backward()
    state = [*network.parameters(), *classifier.parameters()]
    if crew.leads:
        buffers = [each for each in network.buffers() if each.is_floating_point()]
        told.put([each.grad for each in state] + buffers)


def test_the_gradient_of_a_shared_batch_is_that_of_the_whole():
    found = []
    for size in (1, 2):
        told: SimpleQueue[list[Tensor]] = SimpleQueue()
        with crew_of(size, others_gradients) as crew:
            gradients(crew, told)
        found.append(told.get())
    for alone, shared in zip(*found, strict=True):
        torch.testing.assert_close(shared, alone, rtol=1e-4, atol=1e-6)


def others_gradients(crew: Crew) -> None:
    gradients(crew, SimpleQueue())


def leave_tensors_to_gloo(crew: Crew) -> None:
    """End as soon as a sum is told, while gloo's thread still lets go of its many rows."""
    GROUPS.append(dist.group.WORLD)
    rows = [torch.ones(1) for _ in range(20_000)]
    dist.all_reduce_coalesced(rows, async_op=True)
    while rows[-1] != crew.size:
        pass


@pytest.mark.filterwarnings("ignore:.*all_reduce_coalesced.*:FutureWarning")
def test_a_process_that_has_done_its_work_ends_well_while_gloo_is_still_clearing_up():
    with crew_of(2, leave_tensors_to_gloo) as crew:
        leave_tensors_to_gloo(crew)


def assert_learnt_the_same(first: Encoder, second: Encoder) -> None:
    images, _ = world()
    np.testing.assert_allclose(first.losses_, second.losses_, rtol=TOLERANCE)
    np.testing.assert_allclose(first.history_, second.history_, atol=TOLERANCE)
    cosines = (first.transform(images) * second.transform(images)).sum(axis=1)
    assert cosines.min() > 1 - TOLERANCE


def test_two_processes_learn_what_one_does_and_a_killed_pair_is_gone_on_from(tmp_path):
    alone = encoder().fit(*world())
    told: list[int] = []
    pair = encoder().fit(*world(), processes=2, on_epoch=lambda epoch, _: told.append(epoch))
    assert_learnt_the_same(pair, alone)
    assert told == [1, 2, 3, 4]

    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    process = subprocess.run(
        [sys.executable, script, tmp_path / "kept"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    told.clear()
    resumed = encoder().fit(
        *world(),
        checkpoint=tmp_path / "kept",
        processes=2,
        on_epoch=lambda epoch, _: told.append(epoch),
    )
    assert told == [3, 4]
    np.testing.assert_array_equal(resumed.transform(world()[0]), pair.transform(world()[0]))
    assert list((tmp_path / "kept").iterdir()) == []


def test_the_shares_of_a_batch_are_the_views_of_the_whole():
    images = torch.rand(7, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    def views(crew: Crew) -> torch.Tensor:
        draws = Draws(torch.Generator().manual_seed(1), len(images), crew.share)
        return augment(crew.share(images), draws)

    whole = views(Crew())
    shares = torch.cat([views(Crew(rank, 3)) for rank in range(3)])
    torch.testing.assert_close(shares, whole)
