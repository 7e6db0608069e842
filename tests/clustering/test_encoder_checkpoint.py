"""A training that was killed goes on where it was, and ends in the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clustering import Encoder, embed_unseen

ROOT = Path(__file__).parents[2]
EPOCHS = 4

TRAIN = """
import json, os, signal, sys
from tests.clustering.test_encoder_checkpoint import EPOCHS, encoder, world

def on_epoch(epoch, loss):
    print(epoch, flush=True)
    if epoch == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

encoder().fit(*world(), checkpoint=sys.argv[1], on_epoch=on_epoch)
"""


def world():
    """Enough classes that some are held back, each a colour of its own."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(100), 2)
    colours = random.integers(0, 256, size=(100, 3))
    noise = random.integers(-20, 20, size=(len(labels), 20, 16, 3))
    images = np.clip(colours[labels][:, None, None] + noise, 0, 255).astype(np.uint8)
    return list(images), labels


def encoder(**changed):
    return Encoder(16, dim=8, epochs=EPOCHS, **changed)


@pytest.fixture(scope="module")
def unkilled():
    return encoder().fit(*world())


def killed_after(epoch: int, folder: Path) -> None:
    """Train in a process of its own that is killed when it has told of an epoch."""
    process = subprocess.run(
        [sys.executable, "-c", TRAIN, str(folder), str(epoch)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


def assert_equal(first: Encoder, second: Encoder) -> None:
    images, _ = world()
    np.testing.assert_array_equal(first.transform(images), second.transform(images))
    assert (first.losses_, first.history_, first.best_epoch_) == (
        second.losses_,
        second.history_,
        second.best_epoch_,
    )


def test_a_killed_training_goes_on_and_ends_as_one_that_was_not(tmp_path, unkilled):
    killed_after(2, tmp_path)
    told = []
    resumed = encoder().fit(
        *world(), checkpoint=tmp_path, on_epoch=lambda epoch, _: told.append(epoch)
    )
    assert told == [3, 4]
    assert_equal(resumed, unkilled)
    assert list(tmp_path.iterdir()) == []


class Stopped(Exception):
    pass


def stop_after(epoch: int):
    def on_epoch(reached: int, _: float) -> None:
        if reached == epoch:
            raise Stopped

    return on_epoch


def test_a_training_with_its_checkpoint_is_one_without(tmp_path, unkilled):
    assert_equal(encoder().fit(*world(), checkpoint=tmp_path / "made"), unkilled)


@pytest.mark.parametrize("change", ["parameters", "images", "labels", "start"])
def test_what_another_training_left_is_ignored(tmp_path, unkilled, change):
    images, labels = world()
    left, start = encoder(), None
    if change == "parameters":
        left.set_params(seed=1)
    elif change == "images":
        images[0] = 255 - images[0]
    elif change == "labels":
        labels = labels[::-1]
    else:
        start = unkilled
    with pytest.raises(Stopped):
        left.fit(images, labels, start=start, checkpoint=tmp_path, on_epoch=stop_after(1))
    assert list(tmp_path.iterdir())
    assert_equal(encoder().fit(*world(), checkpoint=tmp_path), unkilled)


def test_a_file_that_is_no_checkpoint_is_ignored(tmp_path, unkilled):
    with pytest.raises(Stopped):
        encoder().fit(*world(), checkpoint=tmp_path, on_epoch=stop_after(1))
    (left,) = tmp_path.iterdir()
    left.write_bytes(left.read_bytes()[:100])
    assert_equal(encoder().fit(*world(), checkpoint=tmp_path), unkilled)


def test_the_training_for_unseen_classes_goes_on_as_well(tmp_path):
    images, labels = world()
    told: list[int] = []
    with pytest.raises(Stopped):
        embed_unseen(encoder(), images, labels, checkpoint=tmp_path, on_epoch=stop_after(3))
    resumed, _ = embed_unseen(
        encoder(),
        images,
        labels,
        checkpoint=tmp_path,
        on_epoch=lambda epoch, _: told.append(epoch),
    )
    assert told == [4]
    np.testing.assert_array_equal(resumed, embed_unseen(encoder(), images, labels)[0])
