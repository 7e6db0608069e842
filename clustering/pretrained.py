"""Networks that others have trained on far more images, with a new head that maps to embeddings.

The libraries that read them are the extra `pretrained` and are imported when one is asked for.
Weights are read from safetensors or ONNX graphs only: neither can carry code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clustering.errors import BackboneError, MissingExtra
from clustering.image_network import ImageNetwork

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PREPROCESSOR = "preprocessor_config.json"
TOLD = ("image_mean", "image_std", "size")
GRAPH = "graph"
ANY_SIDE = 64
"""Pixels of the image that a network of any size is tried on."""


class TransformersNetwork(ImageNetwork):
    """A vision model of Hugging Face transformers, fine-tuned at a twentieth of the rate.

    Of a model of images and texts, such as CLIP, the half that sees is taken. Its features are the
    mean of its last layer over all places.
    """

    body_rate = 0.05

    def __init__(self, model: Any, preprocessor: Mapping[str, Any], dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.preprocessor = dict(preprocessor)
        self.standardise = Standardise(preprocessor)
        # Of the whole model, for it is the whole that is built from it.
        self.config = json.loads(model.config.to_json_string())
        self.body = getattr(model, "vision_model", model)
        self.head = _head(self._features, self.standardise.side, dim)

    def forward(self, images: Tensor) -> Tensor:
        """Map float images (B, 3, S, S) in [0, 1] to unit vectors (B, dim)."""
        return F.normalize(self.head(self._features(self.standardise(images))), dim=1)

    def _features(self, images: Tensor) -> Tensor:
        return _pooled(self.body(pixel_values=images).last_hidden_state)

    def description(self) -> dict[str, Any]:
        """Return the model's configuration and how it wants its images."""
        return {"config": self.config, "preprocessor": self.preprocessor}

    @classmethod
    def open(cls, place: str, dim: int) -> Self:
        """Read a model by its name on the hub, or from a folder without asking the hub.

        Images are resized and standardised as its preprocessor_config.json says; without one, to
        the size that its config.json names and to ImageNet's colours.

        Raises
        ------
        BackboneError
            If there is no vision model with safetensors of that name or in that folder.
        MissingExtra
            If transformers is not installed.
        """
        library = _needed("transformers")
        local = Path(place).exists()
        try:
            model = library.AutoModel.from_pretrained(
                place,
                local_files_only=local,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
            )
        except (OSError, ValueError) as error:
            raise BackboneError(
                f"backbone 'transformers:{place}' cannot be read: {error} Give the name of a vision"
                " model on the hub, or a folder with its config.json and model.safetensors."
            ) from error
        processors = import_module("transformers.image_processing_base").ImageProcessingMixin
        try:
            said, _ = processors.get_image_processor_dict(place, local_files_only=local)
        except OSError:
            sees = getattr(model.config, "vision_config", model.config)
            said = {"size": getattr(sees, "image_size", None)}
        return cls(model, {key: said[key] for key in TOLD if said.get(key)}, dim)

    @classmethod
    def rebuild(cls, description: Mapping[str, Any], dim: int) -> Self:
        """Build what `description` tells of; its weights are yet to be loaded."""
        library = _needed("transformers")
        config = library.AutoConfig.for_model(**description["config"])
        return cls(library.AutoModel.from_config(config), description["preprocessor"], dim)


class OnnxNetwork(ImageNetwork):
    """An ONNX graph that stays as it is, run by onnxruntime; only the head learns.

    The graph takes float images (B, 3, S, S), with B left open, and gives first (B, C),
    (B, places, C) or (B, C, height, width).
    """

    def __init__(self, graph: bytes, preprocessor: Mapping[str, Any], dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.preprocessor = dict(preprocessor)
        self.graph = Graph(graph)
        self.standardise = Standardise({**preprocessor, "size": self.graph.side})
        self.head = _head(self.graph, self.graph.side, dim)

    def forward(self, images: Tensor) -> Tensor:
        """Map float images (B, 3, S, S) in [0, 1] to unit vectors (B, dim)."""
        return F.normalize(self.head(self.graph(self.standardise(images))), dim=1)

    def description(self) -> dict[str, Any]:
        """Return how the graph wants its images."""
        return {"preprocessor": self.preprocessor}

    def constants(self) -> dict[str, Tensor]:
        """Return the bytes of the graph."""
        return {GRAPH: torch.frombuffer(bytearray(self.graph.content), dtype=torch.uint8)}

    @classmethod
    def open(cls, place: str, dim: int) -> Self:
        """Read a graph from a file that holds all of its weights.

        Images are resized to the size that it takes, if it takes but one, and standardised as a
        preprocessor_config.json beside it says; without one, to ImageNet's colours.

        Raises
        ------
        BackboneError
            If the file is none, or no graph from images to features.
        MissingExtra
            If onnxruntime is not installed.
        """
        _needed("onnxruntime")
        path = Path(place)
        beside = path.with_name(PREPROCESSOR)
        said = json.loads(beside.read_text()) if beside.is_file() else {}
        try:
            return cls(path.read_bytes(), {key: said[key] for key in TOLD if said.get(key)}, dim)
        except (OSError, ValueError) as error:
            raise BackboneError(
                f"backbone 'onnx:{place}' cannot be read: {error} Give an ONNX file, its weights"
                " inside, that maps float images (batch, 3, side, side) to features."
            ) from error

    @classmethod
    def rebuild(
        cls, description: Mapping[str, Any], tensors: Mapping[str, Tensor], dim: int
    ) -> Self:
        """Build it from the graph among `tensors`; the head's weights are yet to be loaded."""
        return cls(tensors[GRAPH].numpy().tobytes(), description["preprocessor"], dim)


class Graph:
    """An ONNX graph, ready to run; its copies are itself.

    Attributes
    ----------
    content : bytes
        The file.
    side : int or None
        Pixels of the images that it takes, None for any.
    """

    def __init__(self, content: bytes) -> None:
        runtime = _needed("onnxruntime")
        self.content = content
        try:
            self._session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
        except Exception as error:  # The classes of its errors have no common one of their own.
            raise ValueError(str(error)) from error
        (taken, *others) = self._session.get_inputs()
        shape = taken.shape
        if others or len(shape) != 4 or isinstance(shape[0], int) or shape[1] != 3:
            raise ValueError(
                f"it takes {', '.join(str(each.shape) for each in (taken, *others))}, not"
                " (batch, 3, height, width) alone."
            )
        self._taken = taken.name
        self.side = shape[2] if isinstance(shape[2], int) else None

    def __call__(self, images: Tensor) -> Tensor:
        """Map images (B, 3, S, S) to features (B, C), through which nothing is learnt."""
        (found, *_) = self._session.run(None, {self._taken: images.detach().cpu().numpy()})
        return _pooled(torch.from_numpy(np.asarray(found, np.float32))).to(images.device)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Standardise(nn.Module):
    """Gives images the size and the mean and spread of colours that a network was trained with."""

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, preprocessor: Mapping[str, Any]) -> None:
        super().__init__()
        self.side = _side(preprocessor.get("size"))
        for name, default in (("image_mean", IMAGENET_MEAN), ("image_std", IMAGENET_STD)):
            values = torch.tensor(preprocessor.get(name, default), dtype=torch.float32)
            self.register_buffer(name, values.view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map float images (B, 3, S, S) in [0, 1] to (B, 3, side, side)."""
        if self.side is not None and images.shape[-1] != self.side:
            size = (self.side, self.side)
            images = F.interpolate(images, size=size, mode="bilinear", antialias=True)
        standard: Tensor = (images - self.image_mean) / self.image_std
        return standard


def _side(size: Any) -> int | None:
    """Read the side of an image from the ways in which configurations write it."""
    if isinstance(size, Mapping):
        return _side(size.get("height", size.get("shortest_edge")))
    if isinstance(size, list | tuple):
        return _side(size[0])
    return None if size is None else int(size)


def _pooled(features: Tensor) -> Tensor:
    """Average features (B, places, C) or (B, C, height, width) over all places: (B, C)."""
    if features.ndim == 3:
        return features.mean(dim=1)
    return features.flatten(2).mean(dim=2) if features.ndim == 4 else features


def _head(features: Any, side: int | None, dim: int) -> nn.Module:
    with torch.no_grad():
        width = features(torch.zeros(2, 3, side or ANY_SIDE, side or ANY_SIDE)).shape[1]
    return nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, dim, bias=False))


def _needed(library: str) -> Any:
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"this backbone needs {library}, which is not installed: run"
            " `pip install groundtruth[pretrained]`."
        ) from error
