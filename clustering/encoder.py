"""An image encoder trained from scratch: photos in, unit vectors out.

A small residual network learns to tell the training products apart and to bring photos of one
product together; its last layer but one then describes products that it has never seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn import functional as F

from clustering.augment import augment
from clustering.convnet import ConvolutionalNetwork, CosineClassifier, supervised_contrast
from clustering.storage import load_model, save_model
from clustering.validation import check_labels

BATCH = 64
SHORTEST_CYCLE = 8
EMBEDDING_BATCH = 256
SCALE = 16.0
CONTRAST = 0.5
TEMPERATURE = 0.1
CROPPED_SHARE = 0.1


class Encoder(BaseEstimator):  # type: ignore[misc]
    """Embeds images; trained as a classifier of labelled images, used on unseen classes.

    Parameters
    ----------
    image_size : int, default=64
        Side in pixels to which every image is resized, whatever its shape.
    dim : int, default=128
        Length of an embedding.
    epochs : int, default=30
        Passes over the training images.
    learning_rate : float, default=0.002
        Peak of the one-cycle schedule of AdamW.
    weight_decay : float, default=0.05
        Decoupled weight decay of AdamW.
    margin : float, default=0.1
        Cosine by which the right class must win (CosFace).
    seed : int, default=0
        Fixes initial weights, order and augmentation.

    Attributes
    ----------
    n_classes_ : int
        How many classes it was trained to tell apart.
    losses_ : list of float
        Mean training loss of each epoch.

    Examples
    --------
    >>> encoder = Encoder(epochs=20).fit(photos, products)  # doctest: +SKIP
    >>> embeddings = encoder.transform(new_photos)  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "image_size": [Interval(Integral, 16, 1024, closed="both")],
        "dim": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "margin": [Interval(Real, 0, 1, closed="left")],
        "seed": [Interval(Integral, 0, 2**63 - 1, closed="both")],
    }

    def __init__(
        self,
        image_size: int = 64,
        *,
        dim: int = 128,
        epochs: int = 30,
        learning_rate: float = 0.002,
        weight_decay: float = 0.05,
        margin: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.image_size = image_size
        self.dim = dim
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.margin = margin
        self.seed = seed

    def fit(
        self,
        images: Sequence[NDArray[np.uint8]],
        labels: ArrayLike,
        *,
        start: Encoder | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        on_epoch: Callable[[int, float], None] | None = None,
    ) -> Self:
        """Train on labelled images.

        Parameters
        ----------
        images : sequence of uint8 arrays (H, W, 3)
            Only `len` and indexing are used, each image is read once; shapes may differ.
        labels : array-like of int (N,)
            Class of each image; at least two classes.
        on_epoch : callable, optional
            Called after each epoch with its number (from 1) and its mean loss.

        Raises
        ------
        ValueError
            If there are fewer than two classes, lengths differ or an image is malformed.
        """
        self._validate_params()
        classes = check_labels(labels, len(images), of="images")
        pixels = _read(images, range(len(images)), self.image_size)
        self.n_classes_ = int(classes.max()) + 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network_ = ConvolutionalNetwork(self.dim)
            classifier = CosineClassifier(
                self.dim, self.n_classes_, scale=SCALE, margin=self.margin
            )
        self.losses_ = self._train(pixels, torch.from_numpy(classes), classifier, on_epoch)
        self.network_.eval()
        return self

    def _train(
        self,
        pixels: Tensor,
        classes: Tensor,
        classifier: CosineClassifier,
        on_epoch: Callable[[int, float], None] | None,
    ) -> list[float]:
        network = self.network_.train()
        generator = torch.Generator().manual_seed(self.seed)
        n_batches = max(1, round(len(pixels) / BATCH))
        parameters = [*network.parameters(), *classifier.parameters()]
        optimizer = torch.optim.AdamW(parameters, weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            self.learning_rate,
            # A cycle of fewer steps has no rise.
            total_steps=max(self.epochs * n_batches, SHORTEST_CYCLE),
            pct_start=0.25,
        )
        losses = []
        for epoch in range(1, self.epochs + 1):
            total = 0.0
            order = _in_pairs(classes, generator)
            for batch in order.tensor_split(n_batches):
                views = augment(_to_float(pixels[batch]), generator)
                embeddings, seen = network(views), classes[batch]
                contrast = supervised_contrast(embeddings, seen, temperature=TEMPERATURE)
                loss = classifier(embeddings, seen) + CONTRAST * contrast
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += float(loss.detach()) * len(batch)
            losses.append(total / len(pixels))
            if on_epoch is not None:
                on_epoch(epoch, losses[-1])
        return losses

    @torch.no_grad()
    def transform(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed images of any classes, each seen whole and without its edges.

        Parameters
        ----------
        images : sequence of uint8 arrays (H, W, 3)
            Read in batches; may be empty.

        Returns
        -------
        ndarray of float32 (N, dim)
            One unit vector per image.
        """
        check_is_fitted(self, "network_")
        embeddings = np.empty((len(images), self.dim), dtype=np.float32)
        for start in range(0, len(images), EMBEDDING_BATCH):
            stop = min(start + EMBEDDING_BATCH, len(images))
            pixels = _to_float(_read(images, range(start, stop), self.image_size))
            seen_twice = self.network_(pixels) + self.network_(_without_edges(pixels))
            embeddings[start:stop] = F.normalize(seen_twice, dim=1).numpy()
        return embeddings

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write the fitted encoder to a directory (safetensors and JSON)."""
        check_is_fitted(self, "network_")
        save_model(
            directory,
            kind=type(self).__name__,
            params=self.get_params(),
            state={"n_classes": self.n_classes_, "losses": self.losses_},
            tensors=self.network_.state_dict(),
        )

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Self:
        """Read an encoder that `save` wrote."""
        params, state, tensors = load_model(directory, kind=cls.__name__)
        encoder = cls(**params)
        encoder.n_classes_, encoder.losses_ = state["n_classes"], state["losses"]
        encoder.network_ = ConvolutionalNetwork(encoder.dim).eval()
        encoder.network_.load_state_dict(tensors)
        return encoder


def _read(images: Sequence[NDArray[np.uint8]], which: range, side: int) -> Tensor:
    """Read some images and resize each to uint8 (3, side, side)."""
    pixels = torch.empty((len(which), 3, side, side), dtype=torch.uint8)
    for row, index in enumerate(which):
        image = np.asarray(images[index])
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(
                f"images[{index}] has shape {image.shape} and type {image.dtype}; expected a "
                "uint8 array (height, width, 3). Convert it to RGB first."
            )
        resized = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
        pixels[row] = torch.from_numpy(np.array(resized)).permute(2, 0, 1)
    return pixels


def _to_float(pixels: Tensor) -> Tensor:
    return pixels.to(torch.float32).div_(255.0).contiguous(memory_format=torch.channels_last)


def _in_pairs(classes: Tensor, generator: torch.Generator) -> Tensor:
    """Order all images at random, but those of one class two by two, so that batches hold pairs.

    A class with an odd number of images leaves one on its own.
    """
    order = torch.randperm(len(classes), generator=generator)
    order = order[torch.argsort(classes[order], stable=True)]
    grouped = classes[order]
    first = torch.searchsorted(grouped, grouped)
    couple = (torch.arange(len(order)) - first) // 2
    _, pair = torch.unique(torch.stack([grouped, couple]), dim=1, return_inverse=True)
    key = torch.rand(len(classes), generator=generator)
    return order[torch.argsort(key[pair], stable=True)]


def _without_edges(pixels: Tensor) -> Tensor:
    """Enlarge the middle of float images (B, 3, S, S) to their full side."""
    side = pixels.shape[-1]
    edge = round(side * CROPPED_SHARE)
    middle = pixels[:, :, edge : side - edge, edge : side - edge]
    return F.interpolate(middle, size=(side, side), mode="bilinear")
