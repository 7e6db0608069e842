"""The network that predicts, for every link, whether its two ends belong together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clustering.overlap import EVIDENCE


class Standardize(nn.Module):
    """Brings each column to mean 0 and spread 1, as measured on the training links."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))

    def measure(self, rows: Tensor) -> None:
        """Take mean and spread from rows (n, width)."""
        self.mean = rows.mean(dim=0)
        self.spread = rows.std(dim=0, correction=0).clamp_min(1e-3)

    def forward(self, rows: Tensor) -> Tensor:
        """Standardize rows (n, width); what lies far outside the training range is clipped."""
        return ((rows - self.mean) / self.spread).clamp(-4.0, 4.0)


class LinkageNetwork(nn.Module):
    """A perceptron on the evidence of a link."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.standardize = Standardize(len(EVIDENCE))
        self.perceptron = nn.Sequential(
            nn.Linear(len(EVIDENCE), hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, 1),
        )

    def forward(self, evidence: Tensor) -> Tensor:
        """Return linkage logits (E,) for evidence (E, 6)."""
        logits: Tensor = self.perceptron(self.standardize(evidence))
        return logits.squeeze(1)
