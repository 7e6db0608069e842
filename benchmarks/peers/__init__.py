"""The peers of the accuracy benchmark: everything that Hi-LANDER is compared with.

    for peer in all_peers(official=Path("dgl/examples/pytorch/hilander")):
        clusters = peer.fit(training_features, training_labels).predict(features)

Every peer sees the same features and chooses its settings on training classes only.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.confidence import gcn_ve
from benchmarks.peers.counted import Counted, TrulyCounted, k_means, ward
from benchmarks.peers.dendrogram import agglomerative
from benchmarks.peers.density import dbscan, hdbscan
from benchmarks.peers.first_neighbours import finch, finch_into
from benchmarks.peers.intimacy import star_fc
from benchmarks.peers.map_equation import infomap
from benchmarks.peers.official import EPOCHS, lander_as_published
from benchmarks.peers.rank_order import rank_order
from benchmarks.peers.tuning import Peer

__all__ = ["Peer", "all_peers"]


def all_peers(official: Path | None, *, official_epochs: int = EPOCHS) -> list[Peer]:
    """Return every peer, unfitted, those without a network first.

    Parameters
    ----------
    official : Path or None
        Folder `examples/pytorch/hilander` of a checkout of dmlc/dgl; without it, LANDER as
        published is left out.
    official_epochs : int, default=250
        Epochs of LANDER as published: 250 is its own recipe and takes minutes.
    """
    peers: list[Peer] = [
        Counted("k-means (estimated k)", k_means),
        TrulyCounted("k-means (true k)", k_means),
        Counted("Ward (estimated k)", ward),
        TrulyCounted("Ward (true k)", ward),
        agglomerative("average"),
        agglomerative("complete"),
        dbscan(),
        hdbscan(),
        finch(),
        Counted("FINCH (estimated k)", finch_into),
        TrulyCounted("FINCH (true k)", finch_into),
        rank_order(),
        infomap(),
        gcn_ve(),
        star_fc(),
    ]
    return (
        peers
        if official is None
        else [*peers, *lander_as_published(official, epochs=official_epochs)]
    )
