"""An encoder that the first version of the format holds is still read, and embeds as it did."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from clustering import Encoder

DESCRIPTION = {
    "format": 3,
    "kind": "Encoder",
    "params": {
        "dim": 4,
        "epochs": 2,
        "image_size": 16,
        "learning_rate": 0.002,
        "margin": 0.1,
        "seed": 0,
        "weight_decay": 0.05,
    },
    "state": {"losses": [7.5, 7.0], "n_classes": 3},
}
CONVOLUTIONS = {
    "stem.0": (24, 3, 3, 3),
    **{
        f"{block}.{layer}": shape
        for block, into, out in (("first", 24, 48), ("second", 48, 96), ("third", 96, 192))
        for layer, shape in (
            ("body.0", (out, into, 3, 3)),
            ("body.3", (out, out, 3, 3)),
            ("shortcut.1", (out, into, 1, 1)),
        )
    },
    "head.1": (4, 288),
}
NORMS = {
    "stem.1": 24,
    **{
        f"{block}.{layer}": width
        for block, width in (("first", 48), ("second", 96), ("third", 192))
        for layer in ("body.1", "body.4", "shortcut.2")
    },
    "head.0": 288,
}
IMAGE = (np.arange(16 * 16 * 3) * 7 % 256).astype(np.uint8).reshape(16, 16, 3)
EMBEDDING = [-0.38174, -0.29359, 0.36536, -0.79661]
"""Of IMAGE, by the version that wrote this format."""


@pytest.fixture
def kept(tmp_path):
    random = np.random.default_rng(0)
    tensors = {
        f"{layer}.weight": random.normal(size=shape) * 0.1 for layer, shape in CONVOLUTIONS.items()
    }
    for layer, width in NORMS.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{layer}.{part}"] = random.uniform(0.5, 1.5, size=width)
    tensors = {name: values.astype(np.float32) for name, values in tensors.items()}
    tensors |= {f"{layer}.num_batches_tracked": np.array(1) for layer in NORMS}
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "model.json").write_text(json.dumps(DESCRIPTION))
    return tmp_path


def test_it_embeds_as_it_did(kept):
    (embedding,) = Encoder.load(kept).transform([IMAGE])
    np.testing.assert_allclose(embedding, EMBEDDING, atol=1e-4)


def test_it_learnt_every_class_to_the_last_epoch(kept):
    encoder = Encoder.load(kept)
    assert (encoder.n_classes_, encoder.best_epoch_, encoder.history_) == (3, 2, [])
    assert len(encoder.held_out_) == 0


def test_it_is_the_start_of_another(kept):
    random = np.random.default_rng(0)
    images = list(random.integers(0, 256, size=(6, 16, 16, 3), dtype=np.uint8))
    start = Encoder.load(kept)
    still = Encoder(16, dim=4, epochs=1, learning_rate=1e-12, weight_decay=0.0)
    still.fit(images, [0, 0, 1, 1, 2, 2], start=start)
    for name, value in still.network_.named_parameters():
        np.testing.assert_allclose(
            value.detach(), start.network_.get_parameter(name).detach(), atol=1e-6
        )
