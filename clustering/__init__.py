"""Hi-LANDER: cluster images of classes never seen, having learnt on others how classes look.

    from clustering import Encoder, HiLander, cross_fit

    encoder = Encoder().fit(images, labels)
    lander = HiLander().fit(*training_features)
    clusters = lander.predict(encoder.transform(new_images))

Names are loaded when first used, for the libraries behind them take seconds to import.
The graph library is told its backend here, before anything can import it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustering.encoder import Encoder
    from clustering.folds import cross_fit
    from clustering.lander import HiLander
    from clustering.metrics import Agreement, bcubed, bcubed_f, nmi, pairwise, pairwise_f

os.environ.setdefault("DGLBACKEND", "pytorch")

_HOME = {
    "Agreement": "metrics",
    "Encoder": "encoder",
    "HiLander": "lander",
    "bcubed": "metrics",
    "bcubed_f": "metrics",
    "cross_fit": "folds",
    "nmi": "metrics",
    "pairwise": "metrics",
    "pairwise_f": "metrics",
}

__all__ = [
    "Agreement",
    "Encoder",
    "HiLander",
    "bcubed",
    "bcubed_f",
    "cross_fit",
    "nmi",
    "pairwise",
    "pairwise_f",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
