"""An image encoder: photos in, unit vectors out.

A network, small and from scratch or large and pretrained, learns to tell the training products
apart and to bring photos of one product together; its last layer but one then describes products
that it has never seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from hashlib import sha256
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from clustering.backbones import open_backbone, rebuild
from clustering.embedding import device, embed, read_pixels
from clustering.encoder_training import Recipe, hold_back, train
from clustering.image_network import ImageNetwork
from clustering.storage import load_model, save_model
from clustering.validation import check_labels

EMBEDDING_BATCH = 256


class Encoder(BaseEstimator):  # type: ignore[misc]
    """Embeds images; trained as a classifier of labelled images, used on unseen classes.

    `clustering.encoder_training` says how it learns.

    Parameters
    ----------
    image_size : int, default=64
        Side in pixels to which every image is resized, whatever its shape.
    backbone : str, default="convnet"
        What sees the images. "convnet" is a small network that learns from nothing.
        "transformers:NAME_OR_PATH" is a pretrained model of the Hugging Face hub or of a folder,
        which is fine-tuned; "onnx:FILE" a pretrained graph that stays as it is. Both need the extra
        `pretrained`.
    dim : int, default=128
        Length of an embedding.
    epochs : int, default=30
        Passes over the training images, at most.
    learning_rate : float, default=0.002
        Peak of the one-cycle schedule of AdamW.
    weight_decay : float, default=0.05
        Decoupled weight decay of AdamW.
    margin : float, default=0.1
        Cosine by which the right class must win (CosFace).
    patience : int, default=8
        Epochs without a better figure on the classes held back after which training stops.
    seed : int, default=0
        Fixes initial weights, the classes held back, order and augmentation.

    Attributes
    ----------
    n_classes_ : int
        How many classes it was trained to tell apart.
    held_out_ : ndarray of int64
        Labels of the classes that it was not trained on but judged by: a tenth of all, at most
        100; none where there are fewer than 100 classes, for there each is needed.
    losses_ : list of float
        Mean training loss of each epoch.
    history_ : list of float
        mAP@R of the classes held out after each epoch; empty if there are none.
    best_epoch_ : int
        The epoch whose weights were kept: the best of `history_`, or the last.

    Examples
    --------
    >>> encoder = Encoder(epochs=20).fit(photos, products)  # doctest: +SKIP
    >>> embeddings = encoder.transform(new_photos)  # doctest: +SKIP
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "image_size": [Interval(Integral, 16, 1024, closed="both")],
        "backbone": [str],
        "dim": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "margin": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "seed": [Interval(Integral, 0, 2**63 - 1, closed="both")],
    }

    def __init__(
        self,
        image_size: int = 64,
        *,
        backbone: str = "convnet",
        dim: int = 128,
        epochs: int = 30,
        learning_rate: float = 0.002,
        weight_decay: float = 0.05,
        margin: float = 0.1,
        patience: int = 8,
        seed: int = 0,
    ) -> None:
        self.image_size = image_size
        self.backbone = backbone
        self.dim = dim
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.margin = margin
        self.patience = patience
        self.seed = seed

    def fit(
        self,
        images: Sequence[NDArray[np.uint8]],
        labels: ArrayLike,
        *,
        start: Encoder | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        on_epoch: Callable[[int, float], None] | None = None,
        processes: int = 1,
    ) -> Self:
        """Train on labelled images.

        Parameters
        ----------
        images : sequence of uint8 arrays (H, W, 3)
            Only `len` and indexing are used, each image is read once; shapes may differ.
        labels : array-like of int (N,)
            Class of each image; at least two classes.
        start : Encoder, optional
            A fitted encoder of the same backbone and `dim` whose weights are the first ones.
        checkpoint : path, optional
            Folder in which the training is laid down after every epoch, one folder a training. The
            same call after a kill goes on from there and ends as if there had been none: in the
            same bits on a CPU, with the same number of threads. What another call left there is
            ignored. Nothing remains when the training has ended.
        on_epoch : callable, optional
            Called after each epoch with its number (from 1) and its mean loss; after a kill, not
            again for the epochs laid down.
        processes : int, default=1
            Processes of this machine that share each batch, on GPUs each with one. They learn what
            one process learns, but for rounding; a training may be gone on with by another number.

        Raises
        ------
        ValueError
            If there are fewer than two classes, lengths differ, an image is malformed, the backbone
            cannot be read (`BackboneError`) or `start` has other weights.
        MissingExtra
            If the backbone needs an extra that is not installed.
        """
        self._validate_params()
        classes = check_labels(labels, len(images), of="images")
        pixels = read_pixels(images, range(len(images)), self.image_size)
        network = self._first_network() if start is None else self._as_started(start)
        held_out = hold_back(classes, self.seed)
        held_back = np.isin(classes, held_out)
        network, course = train(
            network,
            pixels,
            torch.from_numpy(classes),
            torch.from_numpy(held_back),
            Recipe(
                epochs=self.epochs,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                margin=self.margin,
                patience=self.patience,
                seed=self.seed,
            ),
            checkpoint=None if checkpoint is None else Path(checkpoint),
            key=_digest(self.get_params(), pixels, classes, network),
            on_epoch=on_epoch,
            processes=processes,
        )
        self.network_ = network
        self.n_classes_ = len(np.unique(classes[~held_back]))
        self.held_out_ = np.unique(np.asarray(labels).astype(np.int64)[held_back])
        self.losses_, self.history_ = course.losses, course.history
        self.best_epoch_ = course.best_epoch
        return self

    def _first_network(self) -> ImageNetwork:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return open_backbone(self.backbone, self.dim)

    def _as_started(self, start: Encoder) -> ImageNetwork:
        check_is_fitted(start, "network_")
        if (start.backbone, start.dim) != (self.backbone, self.dim):
            raise ValueError(
                f"start has backbone={start.backbone!r} and dim={start.dim}, this encoder "
                f"backbone={self.backbone!r} and dim={self.dim}: its weights do not fit. Give both "
                "the same, or start=None."
            )
        return deepcopy(start.network_).cpu()

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
        network = self.network_.to(device())
        embeddings = np.empty((len(images), self.dim), dtype=np.float32)
        for first in range(0, len(images), EMBEDDING_BATCH):
            which = range(first, min(first + EMBEDDING_BATCH, len(images)))
            pixels = read_pixels(images, which, self.image_size)
            embeddings[which.start : which.stop] = embed(network, pixels).numpy()
        return embeddings

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write the fitted encoder to a directory (safetensors and JSON), its backbone included."""
        check_is_fitted(self, "network_")
        save_model(
            directory,
            kind=type(self).__name__,
            params=self.get_params(),
            state={
                "n_classes": self.n_classes_,
                "held_out": self.held_out_.tolist(),
                "losses": self.losses_,
                "history": self.history_,
                "best_epoch": self.best_epoch_,
                "backbone": self.network_.description(),
            },
            tensors=self.network_.state_dict() | self.network_.constants(),
        )

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Self:
        """Read an encoder that `save` wrote; where its backbone came from is not needed."""
        params, state, tensors = load_model(directory, kind=cls.__name__)
        encoder = cls(**params)
        encoder.n_classes_, encoder.losses_ = state["n_classes"], state["losses"]
        # Encoders were saved without these before classes were held out.
        encoder.held_out_ = np.array(state.get("held_out", []), dtype=np.int64)
        encoder.history_ = state.get("history", [])
        encoder.best_epoch_ = state.get("best_epoch", len(encoder.losses_))
        encoder.network_ = rebuild(
            encoder.backbone, encoder.dim, state.get("backbone", {}), tensors
        )
        return encoder


def _digest(
    params: dict[str, Any], pixels: Tensor, classes: NDArray[np.int64], network: ImageNetwork
) -> str:
    """Name a training by all that it follows from."""
    digest = sha256(repr(sorted(params.items())).encode())
    digest.update(pixels.numpy().data)
    digest.update(classes.data)
    for tensor in (network.state_dict() | network.constants()).values():
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()
