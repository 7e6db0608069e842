"""Communities of a weighted graph by the map equation.

A random walker follows the links in proportion to their weights. The best partition is the one in
which its way is told with the fewest bits when every community has a codebook of its own (Rosvall
and Bergstrom, *PNAS* 2008): walkers stay long within communities that are there. There is neither
a number nor a size of communities to choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from clustering.decode import find_roots

ROUNDS = 10
SETTLED = 1e-4
"""Bits per step under which what joining communities saves is not worth another look at nodes."""

LEAST_GAIN = 1e-10
"""Bits per step under which a gain is rounding."""

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Flows = NDArray[np.floating[Any]]


def find_communities(
    links: csr_matrix,
    *,
    together: Int | None = None,
    apart: csr_matrix | None = None,
    seed: int = 0,
) -> Int:
    """Partition the nodes so that the walk is told with few bits.

    Each node follows its heaviest link if there is one and it leads to a node that is visited more;
    the trees are the first communities. These move as wholes to the neighbouring community that
    saves most bits, over and over, then single nodes do, and wholes again until that hardly saves.
    Where it is shorter still, and nothing is to be apart, all that hangs together is one community.

    Parameters
    ----------
    links : csr_matrix (n, n)
        Symmetric, weights >= 0. A node without links stays alone.
    together : int64 (n,), optional
        Nodes of one number, 0..G-1, are never separated.
    apart : csr_matrix (n, n), optional
        Symmetric; nodes with an entry are never in one community.
    seed : int, default=0
        Fixes the order in which nodes are visited.

    Returns
    -------
    ndarray of int64 (n,)
        Community of each node, 0..C-1, in the order of their first nodes.
    """
    random = np.random.default_rng(seed)
    n = links.shape[0]
    walk = Walk.along(links, csr_matrix((n, n)) if apart is None else apart)
    if together is None:
        return _settle(walk, random)
    return _in_order(_settle(walk.between(together), random)[together])


def _settle(walk: Walk, random: np.random.Generator) -> Int:
    first = np.arange(walk.n_nodes) if walk.apart.nnz else walk.trees()
    communities, whole, _ = walk.join(first, random)
    for _ in range(ROUNDS):
        moved, _ = walk.move_nodes(communities, random)
        communities, whole, saved = walk.join(moved, random)
        if saved < SETTLED:
            break
    return _in_order(whole.shorter_whole()[communities])


def _in_order(communities: Int) -> Int:
    """Number communities 0..C-1 in the order of their first nodes."""
    _, first, numbers = np.unique(communities, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[numbers]


@dataclass(frozen=True)
class Walk:
    """A stationary random walk on n nodes, as flows per step; all flows from nodes sum to one.

    Attributes
    ----------
    offsets : int64 (n + 1,)
    targets : int32 (E,)
    flows : float32 or float64 (E,)
        Links of each node in CSR form, itself among its targets where the walker may stay.
    visits : float64 (n,)
        Share of the steps that begin at each node.
    apart : csr_matrix (n, n)
        Nodes that must not be in one community.
    """

    offsets: Int
    targets: NDArray[np.int32]
    flows: Flows
    visits: Float
    apart: csr_matrix

    @classmethod
    def along(cls, links: csr_matrix, apart: csr_matrix) -> Self:
        """Walk along symmetric links, each taken in proportion to its weight."""
        flows = links.data / max(float(links.data.sum(dtype=np.float64)), 1e-300)
        offsets, targets = links.indptr.astype(np.int64), links.indices.astype(np.int32, copy=False)
        visits = csr_matrix((flows, targets, offsets), links.shape) @ np.ones(links.shape[1])
        return cls(offsets, targets, flows, visits, apart)

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.visits)

    def between(self, communities: Int) -> Walk:
        """See the walk from afar: each community a node."""
        count = int(communities.max(initial=-1)) + 1
        offsets, targets, flows = _contract(
            self.offsets, self.targets, self.flows, communities, count
        )
        visits = np.bincount(communities, self.visits, count).astype(np.float64)
        split = self.apart.tocoo()
        ends = (communities[split.row], communities[split.col])
        apart = coo_matrix((split.data, ends), (count, count)).tocsr()
        return Walk(offsets, targets, flows, visits, apart)

    def trees(self) -> Int:
        """Join each node with the target of its one heaviest link, if that is visited more."""
        parents = np.arange(self.n_nodes)
        _follow(self.offsets, self.targets, self.flows, self.visits, parents)
        _, numbers = np.unique(find_roots(parents), return_inverse=True)
        return numbers

    def join(self, communities: Int, random: np.random.Generator) -> tuple[Int, Walk, float]:
        """Move communities as wholes, and what they become as wholes, until that saves no bits.

        Returns the community of each node, the walk between them and the bits saved.
        """
        walk, saved = self.between(communities), 0.0
        while True:
            moved, gain = walk.move_nodes(np.arange(walk.n_nodes), random)
            if gain == 0.0:
                return communities, walk, saved
            communities, walk, saved = moved[communities], walk.between(moved), saved + gain

    def move_nodes(self, communities: Int, random: np.random.Generator) -> tuple[Int, float]:
        """Move single nodes while that saves bits.

        Returns communities numbered anew and the bits saved.
        """
        moved = communities.copy()
        saved = _move(
            self.offsets,
            self.targets,
            self.flows,
            self.visits,
            self.apart.indptr.astype(np.int64),
            self.apart.indices.astype(np.int64),
            moved,
            random.permutation(self.n_nodes),
        )
        return _in_order(moved), saved

    def shorter_whole(self) -> Int:
        """Return connected components where that is the shorter way, else every node alone."""
        shape = (self.n_nodes, self.n_nodes)
        links = csr_matrix((self.flows, self.targets, self.offsets), shape)
        alone, whole = np.arange(self.n_nodes), connected_components(links, directed=False)[1]
        split = self.apart.tocoo()
        if (whole[split.row] == whole[split.col]).any():
            return alone
        return min(alone, whole, key=self.codelength)

    def codelength(self, communities: Int) -> float:
        """Return the bits per step: the map equation, for communities 0..C-1."""
        count = int(communities.max(initial=-1)) + 1
        row = np.repeat(communities, np.diff(self.offsets))
        left = np.where(row == communities[self.targets], 0.0, self.flows)
        exits = np.bincount(row, left, count).astype(np.float64)
        inside = np.bincount(communities, self.visits, count).astype(np.float64)
        return float(
            _plogp(np.array(exits.sum()))
            - 2 * _plogp(exits).sum()
            + _plogp(exits + inside).sum()
            - _plogp(self.visits).sum()
        )


def _plogp(shares: Float) -> Float:
    bits: Float = shares * np.log2(np.where(shares > 0, shares, 1.0))
    return bits


@njit(cache=True)
def _bits(share: float) -> float:
    return share * np.log2(share) if share > 0 else 0.0


@njit(cache=True)
def _follow(
    offsets: Int, targets: NDArray[np.int32], flows: Flows, visits: Float, parents: Int
) -> None:
    for i in range(len(visits)):
        heaviest = -1.0
        for e in range(offsets[i], offsets[i + 1]):
            j = targets[e]
            if j != i and flows[e] >= heaviest:
                parents[i] = j if flows[e] > heaviest else i
                heaviest = flows[e]
        j = parents[i]
        if visits[j] < visits[i] or (visits[j] == visits[i] and j > i):
            parents[i] = i


@njit(cache=True)
def _contract(
    offsets: Int, targets: NDArray[np.int32], flows: Flows, communities: Int, count: int
) -> tuple[Int, NDArray[np.int32], Float]:
    """Add up the flows between communities 0..count-1; links of each in CSR form."""
    members = np.argsort(communities, kind="mergesort")
    wide_offsets = np.zeros(count + 1, dtype=np.int64)
    wide_targets = np.empty(len(targets), dtype=np.int32)
    wide_flows = np.empty(len(targets))
    place = np.full(count, -1)
    used = 0
    for i in members:
        own = communities[i]
        for e in range(offsets[i], offsets[i + 1]):
            other = communities[targets[e]]
            if place[other] < wide_offsets[own]:
                place[other] = used
                wide_targets[used] = other
                wide_flows[used] = 0.0
                used += 1
            wide_flows[place[other]] += flows[e]
        wide_offsets[own + 1] = used
    return wide_offsets, wide_targets[:used].copy(), wide_flows[:used].copy()


@njit(cache=True)
def _is_barred(others: Int, community: Int, new: int) -> bool:
    barred = False
    for other in others:
        barred = barred or community[other] == new
    return barred


@njit(cache=True)
def _move(
    offsets: Int,
    targets: NDArray[np.int32],
    flows: Flows,
    visits: Float,
    apart_offsets: Int,
    apart_targets: Int,
    community: Int,
    order: Int,
) -> float:
    """Visit the nodes in order, over and over, as long as one finds a better community.

    Returns the bits saved.
    """
    n = len(visits)
    inside, exits = np.zeros(n), np.zeros(n)
    inside_bits, exit_bits = np.zeros(n), np.zeros(n)
    for i in range(n):
        inside[community[i]] += visits[i]
        for e in range(offsets[i], offsets[i + 1]):
            if community[targets[e]] != community[i]:
                exits[community[i]] += flows[e]
    for m in range(n):
        exit_bits[m] = _bits(exits[m])
        inside_bits[m] = _bits(exits[m] + inside[m])
    all_exits = exits.sum()
    shared = np.zeros(n)
    near = np.empty(n, dtype=np.int64)
    waiting = np.ones(n, dtype=np.bool_)
    saved = 0.0
    anyone = True
    while anyone:
        anyone = False
        for i in order:
            if not waiting[i]:
                continue
            waiting[i] = False
            old, out, n_near = community[i], 0.0, 0
            for e in range(offsets[i], offsets[i + 1]):
                j = targets[e]
                if j != i:
                    out += flows[e]
                    if shared[community[j]] == 0.0:
                        near[n_near] = community[j]
                        n_near += 1
                    shared[community[j]] += flows[e]
            exits_without = exits[old] - out + 2 * shared[old]
            inside_without = inside[old] - visits[i]
            alone = all_exits - exits[old] + exits_without
            saved_there = (
                2 * exit_bits[old]
                - inside_bits[old]
                - 2 * _bits(exits_without)
                + _bits(exits_without + inside_without)
            )
            best, least, best_exits = old, -LEAST_GAIN, 0.0
            for place in range(n_near):
                new = near[place]
                if new == old:
                    continue
                exits_with = exits[new] + out - 2 * shared[new]
                change = (
                    _bits(alone - exits[new] + exits_with)
                    - _bits(all_exits)
                    + saved_there
                    + 2 * exit_bits[new]
                    - inside_bits[new]
                    - 2 * _bits(exits_with)
                    + _bits(exits_with + inside[new] + visits[i])
                )
                if change < least and not _is_barred(
                    apart_targets[apart_offsets[i] : apart_offsets[i + 1]], community, new
                ):
                    best, least, best_exits = new, change, exits_with
            for place in range(n_near):
                shared[near[place]] = 0.0
            if best != old:
                anyone = True
                saved -= least
                all_exits = alone - exits[best] + best_exits
                exits[old], inside[old] = exits_without, inside_without
                exits[best], inside[best] = best_exits, inside[best] + visits[i]
                for m in (old, best):
                    exit_bits[m] = _bits(exits[m])
                    inside_bits[m] = _bits(exits[m] + inside[m])
                community[i] = best
                for e in range(offsets[i], offsets[i + 1]):
                    waiting[targets[e]] = True
    return saved
