"""Random views of a batch of images, as a phone camera would have taken them.

All changes are made to a whole batch of tensors at once, on the device of the images. They draw
from one `torch.Generator` of the CPU, so a seed fixes them on every device: one perspective warp
(crop, zoom, rotation, shear, tilt), then light and colour, then blur, then a blank rectangle where
something stands in front of the product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

ZOOM = (0.75, 1.3)
ROTATION = 0.25
SHIFT = 0.2
SHEAR = 0.12
TILT = 0.12
BRIGHTNESS = 0.35
CONTRAST = 0.35
SATURATION = 0.4
TINT = 0.06
BLURRED_SHARE = 0.3
COVERED_SHARE = 0.5
COVERED_SIDE = (0.15, 0.4)


@dataclass(frozen=True)
class Draws:
    """Random numbers for the images of a batch, some of which may be seen by other processes.

    Attributes
    ----------
    generator : torch.Generator
    count : int
        Images of the whole batch: numbers are drawn for all, so that a view is the same wherever it
        is seen.
    share : callable
        Returns the rows of the images seen here, from rows for all.
    """

    generator: torch.Generator
    count: int
    share: Callable[[Tensor], Tensor] = lambda rows: rows

    def uniform(self, low: float, high: float, width: int = 1) -> Tensor:
        """Return (B, width) numbers between `low` and `high`."""
        drawn = torch.rand(self.count * width, generator=self.generator) * (high - low) + low
        return self.share(drawn.view(self.count, width))


def augment(images: Tensor, draws: Draws) -> Tensor:
    """Return one random view of each image; `images` is float (B, 3, S, S) in [0, 1]."""
    views = warp(images, draws)
    views = recolour(views, draws)
    views = blur(views, draws)
    return cover(views, draws)


def warp(images: Tensor, draws: Draws) -> Tensor:
    """Look at each image through a random homography; edges are mirrored outwards."""
    count, _, side, _ = images.shape
    angle = draws.uniform(-ROTATION, ROTATION)[:, 0]
    zoom = torch.exp(draws.uniform(0.0, 1.0)[:, 0] * _log_range(ZOOM) + _log(ZOOM[0]))
    stretch = torch.exp(draws.uniform(-SHEAR, SHEAR)[:, 0])
    homography = torch.zeros(count, 3, 3)
    homography[:, 0, 0] = torch.cos(angle) * zoom * stretch
    homography[:, 0, 1] = -torch.sin(angle) * zoom + draws.uniform(-SHEAR, SHEAR)[:, 0]
    homography[:, 1, 0] = torch.sin(angle) * zoom
    homography[:, 1, 1] = torch.cos(angle) * zoom / stretch
    homography[:, :2, 2] = draws.uniform(-SHIFT, SHIFT, 2)
    homography[:, 2, :2] = draws.uniform(-TILT, TILT, 2)
    homography[:, 2, 2] = 1.0

    axis = (torch.arange(side) + 0.5) * (2.0 / side) - 1.0
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    plane = torch.stack([x, y, torch.ones_like(x)], dim=-1).view(1, -1, 3)
    seen = (plane @ homography.transpose(1, 2)).to(images.device)
    grid = (seen[..., :2] / seen[..., 2:]).view(count, side, side, 2)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def _log(value: float) -> float:
    return float(torch.log(torch.tensor(value)))


def _log_range(bounds: tuple[float, float]) -> float:
    return _log(bounds[1] / bounds[0])


def recolour(images: Tensor, draws: Draws) -> Tensor:
    """Change brightness, contrast, saturation and the colour of the light."""

    def factor(strength: float, width: int = 1) -> Tensor:
        drawn = draws.uniform(1.0 - strength, 1.0 + strength, width)
        return drawn[:, :, None, None].to(images.device)

    lit = images * factor(BRIGHTNESS) * factor(TINT, width=3)
    grey = lit.mean(dim=1, keepdim=True)
    coloured = grey + (lit - grey) * factor(SATURATION)
    middle = grey.mean(dim=(2, 3), keepdim=True)
    return (middle + (coloured - middle) * factor(CONTRAST)).clamp(0.0, 1.0)


def blur(images: Tensor, draws: Draws) -> Tensor:
    """Put some of the images out of focus."""
    chosen = draws.uniform(0.0, 1.0) < BLURRED_SHARE
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    chosen = chosen.view(-1, 1, 1, 1).to(images.device)
    return torch.where(chosen, F.avg_pool2d(padded, 3, stride=1), images)


def cover(images: Tensor, draws: Draws) -> Tensor:
    """Hide a random rectangle of some of the images behind their own mean colour."""
    side = images.shape[-1]
    centre = draws.uniform(0.0, 1.0, 2)[:, :, None] * side
    half = draws.uniform(*COVERED_SIDE, 2)[:, :, None] * side / 2
    inside = (torch.arange(side).view(1, 1, side) + 0.5 - centre).abs() < half
    chosen = (draws.uniform(0.0, 1.0) < COVERED_SHARE).view(-1, 1, 1, 1)
    hidden = chosen & inside[:, 0].view(-1, 1, side, 1) & inside[:, 1].view(-1, 1, 1, side)
    return torch.where(hidden.to(images.device), images.mean(dim=(2, 3), keepdim=True), images)
