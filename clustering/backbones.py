"""Which networks an encoder can be built on, by the name that a person gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from clustering.convnet import ConvolutionalNetwork
from clustering.errors import BackboneError
from clustering.image_network import ImageNetwork
from clustering.pretrained import OnnxNetwork, TransformersNetwork

OURS = "convnet"


def open_backbone(name: str, dim: int) -> ImageNetwork:
    """Build a network: "convnet", "transformers:NAME_OR_PATH" or "onnx:FILE".

    Raises
    ------
    BackboneError
        If there is no such backbone, or it cannot be read.
    MissingExtra
        If it needs a library of the extra `pretrained`.
    """
    kind, _, place = name.partition(":")
    if name == OURS:
        return ConvolutionalNetwork(dim)
    if kind == "transformers" and place:
        return TransformersNetwork.open(place, dim)
    if kind == "onnx" and place:
        return OnnxNetwork.open(place, dim)
    raise BackboneError(
        f"there is no backbone {name!r}: give {OURS!r}, 'transformers:NAME_OR_PATH' or 'onnx:FILE'."
    )


def rebuild(
    name: str, dim: int, description: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> ImageNetwork:
    """Build a saved network from what was kept of it, its weights among `tensors`."""
    network: ImageNetwork
    kind = name.partition(":")[0]
    if kind == "transformers":
        network = TransformersNetwork.rebuild(description, dim)
    elif kind == "onnx":
        network = OnnxNetwork.rebuild(description, tensors, dim)
    else:
        network = ConvolutionalNetwork(dim)
    network.load_state_dict({weight: tensors[weight] for weight in network.state_dict()})
    return network.eval()
