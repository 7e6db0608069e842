"""Near-duplicates: which hash finds them among real photos, and a million hashes beside FAISS.

    python -m benchmarks.near_duplicates DATA

DATA holds `grocery/truth.csv` with its images. The million are random words, a third of them near
another; flat pictures, all around one word; copies of one. FAISS's binary index compares each query
with all hashes, as imagededup's brute force does; it is timed on a sample of the queries.
"""

import csv
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated

import faiss
import imagehash
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from clustering.duplicates import near_duplicates

RESULT = Path(__file__).parent / "results" / "near_duplicates.md"
HASHES: dict[str, Callable[[Image.Image], imagehash.ImageHash]] = {
    "phash": imagehash.phash,
    "dhash": imagehash.dhash,
    "whash": imagehash.whash,
    "average": imagehash.average_hash,
}
RADII = (4, 6, 8, 10)
PHOTOS = 400
MILLION = 1_000_000
QUERIES = 2_000

Hashes = NDArray[np.uint64]


def main(
    data: Annotated[Path, typer.Argument(help="The folder that holds grocery/.")],
    only: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure both, and write the page."""
    if only is not None:
        print(one_million(only))
        return
    rows = [
        subprocess.run(
            [sys.executable, "-m", "benchmarks.near_duplicates", str(data), "--only", name],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for name in MILLIONS
    ]
    page = "\n".join(
        [
            "# Near-duplicates",
            "",
            f"`python -m benchmarks.near_duplicates DATA` on {platform.machine()}; one thread.",
            "",
            "## Which hash",
            "",
            f"{PHOTOS} photos of groceries, changed as shops change them: the share of the copies"
            " within a radius of their original. Below, the pairs of different photos within it, of"
            " all photos: of one product (mostly taken seconds apart), and of two.",
            "",
            *hash_table(data / "grocery"),
            "",
            "## A million hashes",
            "",
            "Groups by `clustering.duplicates`, CPU seconds and peak memory of its own process;"
            f" FAISS's `IndexBinaryFlat` range search on {QUERIES:,} queries, multiplied up.",
            "",
            "| hashes | radius | groups | CPU s | FAISS, CPU s | peak MB |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    RESULT.write_text(page, encoding="utf-8")
    print(page)


def hash_table(grocery: Path) -> Iterator[str]:
    """How well each hash tells copies from other photos, as lines of Markdown."""
    with (grocery / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    photos = [Image.open(grocery / row["file"]).convert("RGB") for row in rows]
    chosen = np.random.default_rng(0).choice(len(photos), PHOTOS, replace=False)
    _, product = np.unique([row["product"] for row in rows], return_inverse=True)
    same = (product[:, None] == product)[np.triu_indices(len(photos), 1)]
    kinds = [name for name, _ in copies(photos[0])]
    yield "| hash | radius | " + " | ".join(kinds) + " | pairs of one product | of two |"
    yield "|---" * (len(kinds) + 4) + "|"
    for name, hash_of in HASHES.items():
        words = np.array([word(hash_of(photo)) for photo in photos], dtype=np.uint64)
        apart = np.concatenate(
            [np.bitwise_count(words[row] ^ words[row + 1 :]) for row in range(len(words))]
        )
        changed = np.array(
            [
                [
                    np.bitwise_count(words[row] ^ np.uint64(word(hash_of(copy))))
                    for _, copy in copies(photos[row])
                ]
                for row in chosen
            ]
        )
        for radius in RADII:
            found = (changed <= radius).mean(axis=0)
            near = apart <= radius
            shares = " | ".join(f"{share:.1%}" for share in found)
            pairs = f"{(near & same).sum()} | {(near & ~same).sum()}"
            yield f"| {name} | {radius} | {shares} | {pairs} |"


def copies(photo: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Near-duplicates of a photo, each with what was done."""
    width, height = photo.size
    buffer = BytesIO()
    photo.save(buffer, "JPEG", quality=40)
    yield "JPEG 40", Image.open(buffer)
    yield "half size", photo.resize((width // 2, height // 2), Image.Resampling.LANCZOS)
    yield "brighter", Image.eval(photo, lambda value: min(255, int(value * 1.25)))
    for share in (0.03, 0.06):
        left, top = int(share * width), int(share * height)
        yield f"cropped {share:.0%}", photo.crop((left, top, width - left, height - top))


def word(found: imagehash.ImageHash) -> int:
    return int(str(found), 16)


def flipped(hashes: Hashes, n_bits: int, random: np.random.Generator) -> Hashes:
    """`hashes`, each with up to `n_bits` random bits changed."""
    for _ in range(n_bits):
        hashes = hashes ^ (np.uint64(1) << random.integers(0, 64, len(hashes), dtype=np.uint64))
    return hashes


def mixed(random: np.random.Generator) -> Hashes:
    words = random.integers(0, 2**64, MILLION, dtype=np.uint64)
    near = flipped(random.choice(words, MILLION), 4, random)
    return np.where(random.random(MILLION) < 1 / 3, near, words)


def flat(random: np.random.Generator) -> Hashes:
    return flipped(np.full(MILLION, random.integers(0, 2**64, dtype=np.uint64)), 12, random)


def equal(random: np.random.Generator) -> Hashes:
    return np.full(MILLION, random.integers(0, 2**64, dtype=np.uint64))


MILLIONS: dict[str, tuple[str, Callable[[np.random.Generator], Hashes], int]] = {
    "mixed-4": ("random, a third near another", mixed, 4),
    "mixed-8": ("random, a third near another", mixed, 8),
    "flat-8": ("all around one", flat, 8),
    "equal-8": ("all equal", equal, 8),
}


def one_million(name: str) -> str:
    """One line of the table."""
    title, make, radius = MILLIONS[name]
    near_duplicates([0, 1], radius)  # compiled before the clock starts
    hashes = make(np.random.default_rng(0))
    start = time.process_time()
    groups = near_duplicates(hashes, radius)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"| {title} | {radius} | {len(np.unique(groups)):,} | {seconds:.1f} |"
        f" {by_faiss(hashes, radius)} | {peak:.0f} |"
    )


def by_faiss(hashes: Hashes, radius: int) -> str:
    """CPU seconds that comparing all with all would take, from a sample of the queries."""
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(64)
    rows = hashes.view(np.uint8).reshape(-1, 8)
    index.add(rows)
    n_pairs = int((np.bitwise_count(hashes ^ hashes[0]) <= radius).sum())
    if n_pairs * QUERIES > 10**8:
        return f"not run: {n_pairs:,} neighbours each"
    start = time.process_time()
    index.range_search(rows[:QUERIES], radius + 1)
    return f"{(time.process_time() - start) * MILLION / QUERIES:,.0f}"


if __name__ == "__main__":
    typer.run(main)
