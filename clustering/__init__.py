"""Hi-LANDER: cluster images of classes never seen, having learnt on others how classes look.

    from clustering import Encoder, HiLander, embed_unseen

    encoder = Encoder()
    features, rows = embed_unseen(encoder, images, labels)
    lander = HiLander().fit(features, labels[rows])
    clusters = lander.predict(encoder.fit(images, labels).transform(new_images))

Names are loaded when first used, for the libraries behind them take seconds to import.
The graph library is told its backend here, before anything can import it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustering.encoder import Encoder
    from clustering.folds import embed_unseen
    from clustering.lander import HiLander
    from clustering.metrics import Agreement, bcubed, bcubed_f, nmi, pairwise, pairwise_f
    from clustering.official import load_official, read_features
    from clustering.published import Lander
    from clustering.relevance import RelevantComponents

os.environ.setdefault("DGLBACKEND", "pytorch")

_HOME = {
    "Agreement": "metrics",
    "Encoder": "encoder",
    "HiLander": "lander",
    "Lander": "published",
    "RelevantComponents": "relevance",
    "bcubed": "metrics",
    "bcubed_f": "metrics",
    "embed_unseen": "folds",
    "load_official": "official",
    "nmi": "metrics",
    "pairwise": "metrics",
    "pairwise_f": "metrics",
    "read_features": "official",
}

__all__ = [
    "Agreement",
    "Encoder",
    "HiLander",
    "Lander",
    "RelevantComponents",
    "bcubed",
    "bcubed_f",
    "embed_unseen",
    "load_official",
    "nmi",
    "pairwise",
    "pairwise_f",
    "read_features",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
