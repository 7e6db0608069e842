"""Encoders on networks that others have trained, from tiny weights made here."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional as F
from transformers import (
    CLIPConfig,
    CLIPModel,
    ResNetConfig,
    ResNetModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from clustering import Encoder

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
SEES = TINY | {"image_size": 32, "patch_size": 16}
READS = TINY | {"vocab_size": 20, "bos_token_id": 1, "eos_token_id": 2}


def world():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 4)
    return list(random.integers(0, 256, size=(12, 24, 20, 3), dtype=np.uint8)), labels


def vit():
    return ViTModel(ViTConfig(**SEES))


def resnet():
    return ResNetModel(
        ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    )


def clip():
    return CLIPModel(CLIPConfig(text_config=READS, vision_config=SEES))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backbone"


def encoder(backbone: str, **changed) -> Encoder:
    return Encoder(32, backbone=backbone, dim=8, epochs=2, **changed)


@pytest.mark.parametrize("model", [vit, resnet, clip])
def test_a_transformers_model_is_tuned_kept_and_read_without_its_folder(folder, tmp_path, model):
    images, labels = world()
    model().save_pretrained(folder)
    fitted = encoder(f"transformers:{folder}").fit(images, labels)
    fitted.save(tmp_path / "kept")
    shutil.rmtree(folder)
    kept = Encoder.load(tmp_path / "kept")
    features = fitted.transform(images)
    np.testing.assert_array_equal(kept.transform(images), features)
    assert features.shape == (12, 8)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1.0, rtol=1e-5)


def test_training_begins_with_the_pretrained_weights_and_changes_them(folder):
    model = vit()
    model.save_pretrained(folder)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    still = encoder(f"transformers:{folder}", learning_rate=1e-12, weight_decay=0.0).fit(*world())
    tuned = encoder(f"transformers:{folder}").fit(*world())
    name = "embeddings.patch_embeddings.projection.weight"
    torch.testing.assert_close(still.network_.body.state_dict()[name], before[name])
    assert not torch.equal(tuned.network_.body.state_dict()[name], before[name])


def test_images_are_given_as_the_model_wants_them(folder):
    model = vit()
    model.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    ViTImageProcessor(size=size, image_mean=[0.2] * 3, image_std=[0.1] * 3).save_pretrained(folder)
    network = Encoder(48, backbone=f"transformers:{folder}", dim=8)._first_network().eval()
    images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    small = F.interpolate(images, size=(32, 32), mode="bilinear", antialias=True)
    with torch.no_grad():
        seen = model.eval()(pixel_values=(small - 0.2) / 0.1).last_hidden_state.mean(dim=1)
        expected = F.normalize(network.head(seen), dim=1)
        torch.testing.assert_close(network(images), expected)


def test_pickled_weights_are_not_read(folder):
    model = vit()
    folder.mkdir()
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"cannot be read.*model\.safetensors"):
        encoder(f"transformers:{folder}").fit(*world())


def graph(path, *, batch="batch", channels=3):
    """Write a graph of one convolution, mapped to (B, 6, S, S)."""
    weights = np.random.default_rng(1).normal(size=(6, channels, 3, 3)).astype(np.float32)
    taken = helper.make_tensor_value_info(
        "pixels", TensorProto.FLOAT, [batch, channels, "height", "width"]
    )
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, None)
    nodes = [
        helper.make_node("Conv", ["pixels", "weights"], ["seen"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["seen"], ["features"]),
    ]
    made = helper.make_graph(
        nodes, "tiny", [taken], [given], [numpy_helper.from_array(weights, "weights")]
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(made, opset_imports=[opset], ir_version=9), path)
    return torch.from_numpy(weights)


def test_an_onnx_graph_stays_as_it_is_below_a_head_that_learns(folder, tmp_path):
    images, labels = world()
    folder.mkdir()
    weights = graph(folder / "model.onnx")
    preprocessor = {"image_mean": [0.4] * 3, "image_std": [0.3] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    first = encoder(f"onnx:{folder / 'model.onnx'}")._first_network()
    fitted = encoder(f"onnx:{folder / 'model.onnx'}").fit(images, labels)
    assert not torch.equal(fitted.network_.head[1].weight, first.head[1].weight)
    fitted.save(tmp_path / "kept")
    shutil.rmtree(folder)
    kept = Encoder.load(tmp_path / "kept")
    np.testing.assert_array_equal(kept.transform(images), fitted.transform(images))

    views = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = F.conv2d((views - 0.4) / 0.3, weights, padding=1).relu().mean(dim=(2, 3))
        expected = F.normalize(kept.network_.head(seen), dim=1)
        torch.testing.assert_close(kept.network_(views), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [{"batch": 1}, {"channels": 1}])
def test_a_graph_that_does_not_take_batches_of_images_is_refused(tmp_path, shape):
    graph(tmp_path / "model.onnx", **shape)
    with pytest.raises(ValueError, match=r"model\.onnx' cannot be read: it takes .* Give an ONNX"):
        encoder(f"onnx:{tmp_path / 'model.onnx'}").fit(*world())


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ValueError, match="cannot be read"):
        encoder(f"onnx:{tmp_path / 'model.onnx'}").fit(*world())


@pytest.mark.parametrize("backbone", ["resnet50", "transformers:", "onnx"])
def test_a_backbone_that_there_is_not_is_named(backbone):
    with pytest.raises(ValueError, match=f"no backbone '{backbone}'"):
        encoder(backbone).fit(*world())


@pytest.mark.parametrize(
    ("backbone", "library"), [("transformers:any", "transformers"), ("onnx:any", "onnxruntime")]
)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(monkeypatch, backbone, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModuleNotFoundError, match=rf"{library}.*groundtruth\[pretrained\]"):
        encoder(backbone).fit(*world())


def test_a_tuned_encoder_is_the_start_of_the_next_without_its_folder(folder):
    vit().save_pretrained(folder)
    first = encoder(f"transformers:{folder}").fit(*world())
    shutil.rmtree(folder)
    still = encoder(first.backbone, learning_rate=1e-12, weight_decay=0.0)
    still.fit(*world(), start=first)
    for name, value in still.network_.body.named_parameters():
        torch.testing.assert_close(value, first.network_.body.get_parameter(name))
