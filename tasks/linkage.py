"""Tasks that find, shard by shard, which of many images belong together.

Every step keeps what it finds in the blob store, under a key that names the images and the model,
and returns nothing: a step that is done again, by another worker or after a kill, finds its result
there or writes the same bytes. `clustering.cells` says what the steps are, and why they have the
same bits in any number of shards.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog import arrays, features
from catalog.blobs import SCRATCH, BlobStore
from clustering import cells
from clustering.blocks import BLOCK, n_blocks, side_by_side
from clustering.cells import CellIndex, Division
from clustering.linkage import NODES, Linkage, link_some, settle_links
from clustering.nearest import merge_nearest
from clustering.neighbours import EXACT_UP_TO
from clustering.validation import check_features
from tasks.models import load
from tasks.settings import load_settings
from tasks.trying import repeatable

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Shards:
    """Images that wait to be clustered, shared out.

    Attributes
    ----------
    partition_id : str
        The clustering that is to come of them.
    model : str
        Location of the model that clusters them.
    n_images : int
    images_per_shard : int
        A multiple of `clustering.blocks.BLOCK`.
    """

    partition_id: str
    model: str
    n_images: int
    images_per_shard: int

    def __len__(self) -> int:
        return -(-self.n_images // self.images_per_shard)

    @property
    def below(self) -> str:
        """Key of everything that is kept about them."""
        return f"{_below(self.partition_id)}/{self.images_per_shard}"

    def bounds(self, shard: int) -> tuple[int, int]:
        """The first row of a shard, and the first that is no longer in it."""
        first = shard * self.images_per_shard
        return first, min(first + self.images_per_shard, self.n_images)

    def sampled(self, shard: int) -> NDArray[np.int64]:
        """The rows of the sample that are compared with centres as one part: a run of blocks."""
        n = cells.n_drawn(self.n_images)
        first, end = (BLOCK * (part * n_blocks(n) // len(self)) for part in (shard, shard + 1))
        return np.arange(first, min(end, n))

    def key(self, what: str, shard: int | None = None) -> str:
        return f"{self.below}/{what}" + ("" if shard is None else f"/{shard}") + ".npy"

    def places(self, shard: int) -> str:
        return f"{self.below}/places/{shard}.parquet"

    def share_out(
        self, blobs: BlobStore, image_ids: Sequence[str], places: Mapping[str, tuple[str, int]]
    ) -> None:
        """Keep which images each shard has, in this order, and where their features are."""
        for shard in range(len(self)):
            own = image_ids[slice(*self.bounds(shard))]
            features.write_places(blobs, self.places(shard), own, places)

    def images(self, shard: int) -> list[str]:
        return list(features.read_places(load_settings().blob_store, self.places(shard)))

    @property
    def in_one_piece(self) -> bool:
        """Whether they are so few that each is compared with all others, in one task."""
        return self.n_images <= EXACT_UP_TO

    def features(self, blobs: BlobStore, shard: int) -> NDArray[np.float32]:
        """The features of the images of a shard, of length one."""
        places = features.read_places(blobs, self.places(shard))
        return check_features(features.read(blobs, list(places), places))

    def every(self, blobs: BlobStore, what: str) -> list[NDArray[Any]]:
        return [arrays.get(blobs, self.key(what, shard)) for shard in range(len(self))]

    def division(self, blobs: BlobStore) -> Division:
        names = ("rows", "starts", "around")
        parts = {name: arrays.get(blobs, self.key(name)) for name in names}
        return Division(**parts, **json.loads(blobs.get(f"{self.below}/search.json")))

    def runs(self, division: Division) -> list[tuple[int, int]]:
        """Runs of cells, one for each shard, of about as many images: first, and first after."""
        ends = [self.bounds(shard)[1] for shard in range(len(self))]
        found = np.searchsorted(division.starts, [0, *ends[:-1]]).tolist()
        return list(pairwise([*found, division.n_cells]))

    @property
    def k(self) -> int:
        _, lander = load(self.model)
        return min(lander.n_neighbors, self.n_images - 1)


def _below(partition_id: str) -> str:
    return f"{SCRATCH}/linkage/{partition_id}"


def forget(blobs: BlobStore, partition_id: str) -> None:
    """Delete what the steps kept, which is not needed once there are clusters."""
    blobs.delete_below(_below(partition_id))


@repeatable
def draw_rows(shards: Shards, shard: int) -> None:
    """Keep the features of the rows of one shard that stand for all."""
    blobs = load_settings().blob_store
    if blobs.exists(shards.key("asked", shard)):
        return
    first, end = shards.bounds(shard)
    found = shards.features(blobs, shard)
    n = shards.n_images
    for what, rows in (("drawn", cells.drawn_rows(n)), ("asked", cells.asked_rows(n))):
        here = rows[(first <= rows) & (rows < end)]
        arrays.put(blobs, shards.key(what, shard), found[here - first])


@repeatable
def choose_centres(shards: Shards, turn: int) -> None:
    """Choose the centres to compare the sample with; after the last turn, those of the cells."""
    blobs = load_settings().blob_store
    if blobs.exists(shards.key("centres", turn)):
        return
    if turn == 0:
        arrays.put(blobs, shards.key("sample"), np.concatenate(shards.every(blobs, "drawn")))
    sample = arrays.get(blobs, shards.key("sample"))
    compared = [
        (
            np.concatenate(shards.every(blobs, f"sample_cells/{before}")),
            np.concatenate(shards.every(blobs, f"sample_cosines/{before}")),
        )
        for before in range(turn)
    ]
    centres = cells.centres_after(sample, cells.n_cells(shards.n_images), compared)
    arrays.put(blobs, shards.key("centres", turn), centres)


@repeatable
def compare_sample(shards: Shards, shard: int, turn: int) -> None:
    """Find the nearest centre of each row in one part of the sample."""
    blobs = load_settings().blob_store
    if blobs.exists(shards.key(f"sample_cosines/{turn}", shard)):
        return
    part = arrays.rows(blobs, shards.key("sample"), shards.sampled(shard))
    own, cosines = cells.nearest_centres(part, arrays.get(blobs, shards.key("centres", turn)))
    arrays.put(blobs, shards.key(f"sample_cells/{turn}", shard), own)
    arrays.put(blobs, shards.key(f"sample_cosines/{turn}", shard), cosines)


@repeatable
def assign_to_cells(shards: Shards, shard: int) -> None:
    """Keep the features of one shard ordered by cell, and its nearest to the rows asked about."""
    blobs = load_settings().blob_store
    if blobs.exists(shards.key("cells", shard)):
        return
    centres = arrays.get(blobs, shards.key("centres", cells.TURNS))
    found = shards.features(blobs, shard)
    own, _ = cells.nearest_centres(found, centres)
    asked = np.concatenate(shards.every(blobs, "asked"))
    first, _ = shards.bounds(shard)
    cosines, rows = cells.nearest_within(asked, found, first, shards.k + 1)
    starts = np.concatenate([[0], np.cumsum(np.bincount(own, minlength=len(centres)))])
    for what, array in (
        ("nearest_cosines", cosines),
        ("nearest_rows", rows),
        ("starts_of", starts),
        ("features", found[np.argsort(own, kind="stable")]),
        ("cells", own.astype(np.int32)),
    ):
        arrays.put(blobs, shards.key(what, shard), array)


@repeatable
def divide(shards: Shards) -> None:
    """Divide all images into their cells, and find how many cells a search compares."""
    blobs = load_settings().blob_store
    if blobs.exists(f"{shards.below}/search.json"):
        return
    cosines, rows = shards.every(blobs, "nearest_cosines"), shards.every(blobs, "nearest_rows")
    _, true = merge_nearest(list(zip(cosines, rows, strict=True)), shards.k + 1)
    division = Division.of(
        np.concatenate(shards.every(blobs, "cells")),
        arrays.get(blobs, shards.key("centres", cells.TURNS)),
        true,
        shards.k,
    )
    for name in ("rows", "starts", "around"):
        arrays.put(blobs, shards.key(name), getattr(division, name))
    said = {"n_probes": division.n_probes, "recall": division.recall}
    blobs.put(f"{shards.below}/search.json", json.dumps(said).encode())


@repeatable
def search_neighbours(shards: Shards, shard: int) -> None:
    """Find the neighbours of the images in one run of cells."""
    blobs = load_settings().blob_store
    if blobs.exists(shards.key("hoods", shard)):
        return
    division = shards.division(blobs)
    own = range(*shards.runs(division)[shard])
    pieces = _cells(blobs, shards, division.read_by(own, shards.k)) if own else {}
    index = CellIndex(division, lambda cell: torch.cat(pieces[cell]))
    start, end = division.starts[[own.start, own.stop]]
    hoods = np.empty((end - start, shards.k), dtype=np.int32)
    cosines = np.empty((end - start, shards.k), dtype=np.float32)

    def search(cell: int) -> None:
        part = slice(*(division.starts[cell : cell + 2] - start))
        _, hoods[part], cosines[part] = index.search(cell, shards.k)

    side_by_side(search, own)
    arrays.put(blobs, shards.key("cosines", shard), cosines)
    arrays.put(blobs, shards.key("hoods", shard), hoods)


def _cells(
    blobs: BlobStore, shards: Shards, needed: NDArray[np.int64]
) -> dict[int, list[torch.Tensor]]:
    """The features of some cells, from every shard that has images in them."""
    pieces: dict[int, list[torch.Tensor]] = {cell: [] for cell in needed.tolist()}
    for shard in range(len(shards)):
        starts = arrays.get(blobs, shards.key("starts_of", shard))
        sizes = starts[needed + 1] - starts[needed]
        rows = np.repeat(starts[needed], sizes) + _places(sizes)
        found = torch.from_numpy(arrays.rows(blobs, shards.key("features", shard), rows))
        for cell, piece in zip(needed.tolist(), torch.split(found, sizes.tolist()), strict=True):
            pieces[cell].append(piece)
    return pieces


def _places(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """0..s-1 for each size s, one after another."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)


@repeatable
def score_links(shards: Shards, shard: int) -> None:
    """Predict the linkage of the images in one run of cells to their neighbours."""
    blobs = load_settings().blob_store
    if blobs.exists(shards.key("probability", shard)):
        return
    _, lander = load(shards.model)
    division = shards.division(blobs)
    hoods = arrays.get(blobs, shards.key("hoods", shard))
    start, end = (division.starts[cell] for cell in shards.runs(division)[shard])
    own = division.rows[start:end]
    held, held_hoods = _neighbourhoods(blobs, shards, division, np.unique(np.append(hoods, own)))
    number = np.full(shards.n_images + 1, -1, dtype=np.int32)
    number[held] = np.arange(len(held))
    renumbered, nodes = number[held_hoods], number[own].astype(np.int64)
    probability = np.empty(hoods.shape, dtype=np.float32)

    def score(block: int) -> None:
        part = slice(block * NODES, (block + 1) * NODES)
        probability[part] = link_some(
            lander.network_, renumbered, nodes[part], CPU, n=shards.n_images
        )

    side_by_side(score, range(-(-len(own) // NODES)))
    settled = settle_links(hoods, arrays.get(blobs, shards.key("cosines", shard)), probability)
    arrays.put(blobs, shards.key("neighbours", shard), settled.neighbours)
    arrays.put(blobs, shards.key("probability", shard), settled.probability)


def _neighbourhoods(
    blobs: BlobStore, shards: Shards, division: Division, wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The neighbours of some images, from every shard that found them: images, and theirs."""
    position = np.empty(shards.n_images, dtype=np.int64)
    position[division.rows] = np.arange(shards.n_images)
    positions = np.sort(position[wanted])
    found = [np.empty((0, shards.k), dtype=np.int32)]
    for shard, (first, after) in enumerate(shards.runs(division)):
        start, end = division.starts[[first, after]]
        here = positions[(start <= positions) & (positions < end)] - start
        if len(here):
            found.append(arrays.rows(blobs, shards.key("hoods", shard), here))
    return division.rows[positions], np.concatenate(found)


@task(cache_policy=NO_CACHE)
def measured_recall(shards: Shards) -> float:
    """The share of the nearest neighbours that the search finds, by the images it was tried on."""
    return shards.division(load_settings().blob_store).recall


def linkage_of(blobs: BlobStore, shards: Shards) -> Linkage:
    """The linkage of all images, when every step is done."""
    rows = arrays.get(blobs, shards.key("rows"))
    neighbours = np.empty((shards.n_images, shards.k), dtype=np.int32)
    probability = np.empty((shards.n_images, shards.k), dtype=np.float32)
    start = 0
    for shard in range(len(shards)):
        found = arrays.get(blobs, shards.key("neighbours", shard))
        own = rows[start : start + len(found)]
        neighbours[own] = found
        probability[own] = arrays.get(blobs, shards.key("probability", shard))
        start += len(found)
    return Linkage(neighbours, probability)


def steps(shards: Shards) -> Iterator[tuple[Any, list[tuple[Any, ...]]]]:
    """The steps in their order, each with the arguments of every call of it, in any order.

    None where there are so few images that all are compared with all, in one piece.
    """
    if shards.in_one_piece:
        return
    whole = [(shards,)]
    each = [(shards, shard) for shard in range(len(shards))]
    yield draw_rows, each
    for turn in range(cells.TURNS):
        yield choose_centres, [(shards, turn)]
        yield compare_sample, [(shards, shard, turn) for shard in range(len(shards))]
    yield choose_centres, [(shards, cells.TURNS)]
    yield assign_to_cells, each
    yield divide, whole
    yield search_neighbours, each
    yield score_links, each
