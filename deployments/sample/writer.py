"""A sample on disk: labelled pictures, rounds of unlabelled ones, manifests and the hidden truth.

Every file's name and bytes follow from the arguments, and files appear whole (a temporary file is
renamed), so a call that was interrupted is simply repeated.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from .camera import photograph
from .catalogue import Product, products, random_for
from .words import LANGUAGES

LOCALES = tuple(LANGUAGES)
GENERATOR = 2
Shelves = dict[str, list[tuple[Product, ...]]]


@dataclass(frozen=True)
class Sample:
    """Where a sample is: its manifests (CSV; ``uri`` is relative to the manifest's directory).

    ``labelled`` has ``uri, locale, product``; each of ``rounds`` has ``uri, locale``; ``truth`` has
    ``uri, locale, product`` of every readable picture of the rounds.
    """

    directory: Path
    labelled: Path
    rounds: tuple[Path, ...]
    truth: Path


@dataclass(frozen=True)
class _Shot:
    """One picture to take, or the file that stands in its place."""

    uri: str
    product: Product
    take: int
    damage: str = ""


def write(
    directory: Path | str,
    *,
    locales: Sequence[str] = LOCALES,
    labelled_products: int = 10,
    new_products: int = 8,
    images_per_product: int = 8,
    rounds: int = 2,
    seed: int = 0,
) -> Sample:
    """Write a sample into ``directory`` and return where its manifests are.

    In each of ``locales`` there are ``labelled_products`` labelled products, and ``new_products``
    new ones in each of ``rounds``, with between half and twice ``images_per_product`` pictures
    each. Later rounds also show some products of the rounds before. The first round has what real
    folders have: a file twice, a JPEG cut short and a text file called ``.jpg``.

    A second call with the same arguments changes nothing. Raises ``ValueError`` for a locale
    without words or for counts below 1, and ``FileExistsError`` if ``directory`` holds a sample
    that was written with other arguments.
    """
    counts = {
        "labelled_products": labelled_products,
        "new_products": new_products,
        "images_per_product": images_per_product,
        "rounds": rounds,
    }
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} is {count}; a sample needs at least 1.")
    directory = Path(directory)
    parts = (labelled_products, *[new_products] * rounds)
    shelves = {locale: products(locale, seed, parts) for locale in locales}
    _claim(
        directory,
        {"generator": GENERATOR, "locales": list(locales), "seed": seed, **counts},
    )
    labelled = _labelled_shots(shelves, images_per_product, seed)
    shots_of_rounds = [
        _round_shots(shelves, number, images_per_product, seed) for number in range(1, rounds + 1)
    ]
    _take_missing(directory, [*labelled, *chain(*shots_of_rounds)], shelves, seed)
    sample = Sample(
        directory=directory,
        labelled=directory / "labelled.csv",
        rounds=tuple(directory / f"round-{n}.csv" for n in range(1, rounds + 1)),
        truth=directory / "truth.csv",
    )
    _write_manifest(sample.labelled, labelled, with_product=True)
    for path, shots in zip(sample.rounds, shots_of_rounds, strict=True):
        _write_manifest(path, shots, with_product=False)
    readable = [shot for shots in shots_of_rounds for shot in shots if _is_readable(shot)]
    _write_manifest(sample.truth, readable, with_product=True)
    return sample


def _take_missing(directory: Path, shots: list[_Shot], shelves: Shelves, seed: int) -> None:
    """Write the pictures that are not there yet, with any product of the locale as neighbours."""
    neighbours = {locale: tuple(chain(*groups)) for locale, groups in shelves.items()}

    def take(shot: _Shot) -> None:
        content = _bytes(shot, neighbours[shot.product.locale], seed)
        _write_atomically(directory / shot.uri, content)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(take, (shot for shot in shots if not (directory / shot.uri).exists())))


def _labelled_shots(shelves: Shelves, mean: int, seed: int) -> list[_Shot]:
    return [
        _shot("labelled", product, take, seed)
        for groups in shelves.values()
        for product in groups[0]
        for take in range(_long_tailed(product, mean, seed))
    ]


def _round_shots(shelves: Shelves, number: int, mean: int, seed: int) -> list[_Shot]:
    """The pictures of one round: its new products, and more of some products of earlier rounds."""
    folder = f"round-{number}"
    shots = []
    for locale, groups in shelves.items():
        rng = random_for("round", seed, locale, number)
        for product in groups[number]:
            takes = range(_long_tailed(product, mean, seed))
            shots += [_shot(folder, product, take, seed) for take in takes]
        for product in chain(*groups[1:number]):
            first = 1000 * number
            more = int(rng.integers(1, max(2, mean // 2) + 1)) if rng.random() < 0.5 else 0
            shots += [_shot(folder, product, first + take, seed) for take in range(more)]
    if number == 1:
        shots += _damaged(shots, folder, seed)
    return sorted(shots, key=lambda shot: shot.uri)


def _damaged(shots: list[_Shot], folder: str, seed: int) -> list[_Shot]:
    """One picture twice, one cut short and one that is text, of the first products."""
    return [
        _Shot(_uri(folder, seed, damage), shot.product, shot.take, damage)
        for damage, shot in zip(("twice", "cut short", "text"), shots * 3, strict=False)
    ]


def _is_readable(shot: _Shot) -> bool:
    return shot.damage in ("", "twice")


def _long_tailed(product: Product, mean: int, seed: int) -> int:
    """How many pictures ``product`` has: log-normal, from half to twice ``mean``."""
    rng = random_for("count", seed, product.locale, product.name)
    drawn = mean * float(np.exp(rng.normal(-0.12, 0.5)))
    return round(min(max(drawn, mean / 2, 1), 2 * mean))


def _shot(folder: str, product: Product, take: int, seed: int) -> _Shot:
    return _Shot(_uri(folder, seed, product.locale, product.name, take), product, take)


def _uri(folder: str, *parts: object) -> str:
    """A name that says nothing about what is in the picture."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=10)
    return f"{folder}/{digest.hexdigest()}.jpg"


def _bytes(shot: _Shot, neighbours: Sequence[Product], seed: int) -> bytes:
    if shot.damage == "text":
        return b"The upload of this picture was interrupted; please send it again.\n"
    rng = random_for("shot", seed, shot.product.locale, shot.product.name, shot.take)
    photo = photograph(shot.product, rng, neighbours=neighbours)
    return photo[: len(photo) // 2] if shot.damage == "cut short" else photo


def _write_manifest(path: Path, shots: Iterable[_Shot], *, with_product: bool) -> None:
    columns = ["uri", "locale", "product"] if with_product else ["uri", "locale"]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(
        (shot.uri, shot.product.locale, shot.product.name)[: len(columns)] for shot in shots
    )
    content = table.getvalue().encode()
    if not path.exists() or path.read_bytes() != content:
        _write_atomically(path, content)


def _claim(directory: Path, arguments: dict[str, object]) -> None:
    """Note in ``sample.json`` what the directory is for, or refuse one that is for another."""
    note = directory / "sample.json"
    if not note.exists():
        _write_atomically(note, (json.dumps(arguments, indent=2) + "\n").encode())
    elif (found := json.loads(note.read_text())) != arguments:
        raise FileExistsError(
            f"{directory} holds a sample written with other arguments ({found}, not {arguments});"
            " choose another directory, or delete this one to write the sample anew."
        )


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
