"""From images to unit vectors: read, resize, and look twice through a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

BATCH = 256
CROPPED_SHARE = 0.1


def read_pixels(images: Sequence[NDArray[np.uint8]], which: range, side: int) -> Tensor:
    """Read some images and resize each to uint8 (3, side, side).

    Raises
    ------
    ValueError
        If an image is not a uint8 array (H, W, 3); it is named.
    """
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


def to_float(pixels: Tensor) -> Tensor:
    """Map uint8 pixels to float32 in [0, 1]."""
    return pixels.to(torch.float32).div_(255.0).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def embed(network: nn.Module, pixels: Tensor) -> Tensor:
    """Embed uint8 pixels (N, 3, S, S), each seen whole and without its edges: (N, dim), on the CPU.

    The network should be in evaluation mode and on the device that `device` names.
    """
    parts = []
    for batch in torch.split(pixels, BATCH):
        seen = to_float(batch.to(device()))
        parts.append(F.normalize(network(seen) + network(_without_edges(seen)), dim=1).cpu())
    return torch.cat(parts)


def device() -> torch.device:
    """Where networks run: the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _without_edges(images: Tensor) -> Tensor:
    """Enlarge the middle of float images (B, 3, S, S) to their full side."""
    side = images.shape[-1]
    edge = round(side * CROPPED_SHARE)
    middle = images[:, :, edge : side - edge, edge : side - edge]
    return F.interpolate(middle, size=(side, side), mode="bilinear")
