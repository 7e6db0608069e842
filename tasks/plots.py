"""Plots as pictures."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png(figure: "Figure") -> bytes:
    """A figure as a PNG, in its own resolution."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
