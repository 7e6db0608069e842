"""The residual convolutional network that turns an image into an embedding, and its two losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clustering.image_network import ImageNetwork

WIDTHS = (24, 48, 96, 192)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, at half the resolution (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, inputs, S, S) to (B, outputs, S/2, S/2)."""
        return F.relu(self.body(images) + self.shortcut(images))


class ConvolutionalNetwork(ImageNetwork):
    """Stem and three residual blocks; the last two, pooled, are mapped to one unit vector.

    What the middle block sees (colour, texture, print) transfers to products that were never seen
    better than what the last block sees alone.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        stem, first, second, third = WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
        )
        self.first = ResidualBlock(stem, first)
        self.second = ResidualBlock(first, second)
        self.third = ResidualBlock(second, third)
        self.head = nn.Sequential(
            nn.BatchNorm1d(second + third), nn.Linear(second + third, dim, bias=False)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map float images (B, 3, S, S) in [0, 1] to unit vectors (B, dim)."""
        middle = self.second(self.first(self.stem(images * 4.0 - 2.0)))
        last = self.third(middle)
        pooled = torch.cat([middle.mean(dim=(2, 3)), last.mean(dim=(2, 3))], dim=1)
        return F.normalize(self.head(pooled), dim=1)


class CosineClassifier(nn.Module):
    """Cosine softmax with an additive margin (CosFace, Wang et al., 2018)."""

    def __init__(self, dim: int, n_classes: int, *, scale: float, margin: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_classes, dim))
        self.scale = scale
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of unit vectors (B, dim) with class numbers (B,)."""
        cosines = embeddings @ F.normalize(self.weight, dim=1).T
        required = F.one_hot(labels, len(self.weight)) * self.margin
        return F.cross_entropy(self.scale * (cosines - required), labels, label_smoothing=0.05)


def supervised_contrast(embeddings: Tensor, labels: Tensor, *, temperature: float) -> Tensor:
    """Draw images of one class together against the rest of the batch (SupCon).

    The loss L_out of Khosla et al., *Supervised Contrastive Learning*, 2020, equation 2. The
    classifier asks only that each image be near the centre of its class; this asks that it be near
    the other images, which is what neighbours of classes never seen depend on.

    Parameters
    ----------
    embeddings : Tensor of float (B, dim)
        Unit vectors.
    labels : Tensor of int (B,)
        Class of each.
    temperature : float
        Divides the cosines; smaller means that near images count for more.

    Returns
    -------
    Tensor of float ()
        Mean over the images that have another of their class in the batch; 0 if none has.
    """
    alone = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels[None, :]) & ~alone
    similarity = (embeddings @ embeddings.T / temperature).masked_fill(alone, -torch.inf)
    chance = F.log_softmax(similarity, dim=1).masked_fill(~same, 0.0)
    partners = same.sum(dim=1)
    paired = partners > 0
    return -(chance.sum(dim=1)[paired] / partners[paired]).sum() / paired.sum().clamp(min=1)
