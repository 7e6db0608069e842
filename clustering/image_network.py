"""What every network is that an encoder can be built on."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class ImageNetwork(nn.Module):
    """Maps float images (B, 3, S, S) in [0, 1] to unit vectors (B, dim).

    Attributes
    ----------
    dim : int
        Length of an embedding.
    head : Module
        The layers that are always new; they learn at the full rate.
    body_rate : float
        Share of the learning rate at which all others learn.
    """

    dim: int
    head: nn.Module
    body_rate: float = 1.0

    def description(self) -> dict[str, Any]:
        """Return, as JSON values, what its shape follows from besides `dim`."""
        return {}

    def constants(self) -> dict[str, Tensor]:
        """Return what it holds besides weights and never changes."""
        return {}
