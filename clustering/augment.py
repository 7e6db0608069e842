"""Random views of a batch of images, as a phone camera would have taken them.

All changes are made to a whole batch of tensors at once, on the device of the images. They draw
from one `torch.Generator` of the CPU, so a seed fixes them on every device: one perspective warp
(crop, zoom, rotation, shear, tilt), then light and colour, then blur, then a blank rectangle where
something stands in front of the product.
"""

from __future__ import annotations

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


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return one random view of each image; `images` is float (B, 3, S, S) in [0, 1]."""
    views = warp(images, generator)
    views = recolour(views, generator)
    views = blur(views, generator)
    return cover(views, generator)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def warp(images: Tensor, generator: torch.Generator) -> Tensor:
    """Look at each image through a random homography; edges are mirrored outwards."""
    count, _, side, _ = images.shape
    angle = _uniform(count, -ROTATION, ROTATION, generator)
    zoom = torch.exp(_uniform(count, 0.0, 1.0, generator) * _log_range(ZOOM) + _log(ZOOM[0]))
    stretch = torch.exp(_uniform(count, -SHEAR, SHEAR, generator))
    homography = torch.zeros(count, 3, 3)
    homography[:, 0, 0] = torch.cos(angle) * zoom * stretch
    homography[:, 0, 1] = -torch.sin(angle) * zoom + _uniform(count, -SHEAR, SHEAR, generator)
    homography[:, 1, 0] = torch.sin(angle) * zoom
    homography[:, 1, 1] = torch.cos(angle) * zoom / stretch
    homography[:, :2, 2] = _uniform(count * 2, -SHIFT, SHIFT, generator).view(count, 2)
    homography[:, 2, :2] = _uniform(count * 2, -TILT, TILT, generator).view(count, 2)
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


def recolour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation and the colour of the light."""
    count = len(images)

    def factor(strength: float, width: int = 1) -> Tensor:
        drawn = _uniform(count * width, 1.0 - strength, 1.0 + strength, generator)
        return drawn.view(count, width, 1, 1).to(images.device)

    lit = images * factor(BRIGHTNESS) * factor(TINT, width=3)
    grey = lit.mean(dim=1, keepdim=True)
    coloured = grey + (lit - grey) * factor(SATURATION)
    middle = grey.mean(dim=(2, 3), keepdim=True)
    return (middle + (coloured - middle) * factor(CONTRAST)).clamp(0.0, 1.0)


def blur(images: Tensor, generator: torch.Generator) -> Tensor:
    """Put some of the images out of focus."""
    chosen = torch.rand(len(images), generator=generator) < BLURRED_SHARE
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    chosen = chosen.view(-1, 1, 1, 1).to(images.device)
    return torch.where(chosen, F.avg_pool2d(padded, 3, stride=1), images)


def cover(images: Tensor, generator: torch.Generator) -> Tensor:
    """Hide a random rectangle of some of the images behind their own mean colour."""
    count, _, side, _ = images.shape
    centre = _uniform(count * 2, 0.0, 1.0, generator).view(count, 2, 1) * side
    half = _uniform(count * 2, *COVERED_SIDE, generator).view(count, 2, 1) * side / 2
    inside = (torch.arange(side).view(1, 1, side) + 0.5 - centre).abs() < half
    chosen = (torch.rand(count, generator=generator) < COVERED_SHARE).view(count, 1, 1, 1)
    hidden = chosen & inside[:, 0].view(count, 1, side, 1) & inside[:, 1].view(count, 1, 1, side)
    return torch.where(hidden.to(images.device), images.mean(dim=(2, 3), keepdim=True), images)
