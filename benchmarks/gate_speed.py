"""How long the whole gate takes and how much memory, with every rule: `-m benchmarks.gate_speed`.

One label in ten breaks a rule, so that the cost of naming the broken ones is measured too. Each
size runs in a process of its own, so that its peak of memory is its own.
"""

import multiprocessing
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from expectations.facts import Known
from expectations.gate import judge
from expectations.policy import LabelPolicy
from expectations.rules import USUAL_RULES
from expectations.suspicion import NEIGHBOURS, suspicion

LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")
WORDS = dict(zip(LOCALES, ("Cocoa", "Kakao", "Kakao", "ココア", "كاكاو"), strict=True))
TEAMS = [(f"annotator-{n}", f"annotator-{n + 1}") for n in range(20)]
IMAGES_PER_PRODUCT = 20
BAD_SHARE = 0.1
PASSAGES = 20


@dataclass(frozen=True)
class Measured:
    """One size: seconds of the votes, of the gate and of both; megabytes at their peak."""

    n_rows: int
    votes: float
    gate: float
    cpu: float
    n_quarantined: int
    frames_mb: float
    peak_mb: float


def batch(n_rows: int, seed: int = 0) -> tuple[pd.DataFrame, Known]:
    """Labels, and a training set as large as they are with a history."""
    draw = np.random.default_rng(seed)
    product = draw.integers(0, max(1, n_rows // IMAGES_PER_PRODUCT), n_rows)
    locale = np.array(LOCALES)[product % len(LOCALES)]
    good = draw.random(n_rows) >= BAD_SHARE
    image_id = [f"{n:064x}" for n in range(n_rows)]
    labels = pd.DataFrame(
        {
            "image_id": image_id,
            "product_id": [f"{n:032x}" for n in product],
            "name": [f"{WORDS[tag]} {n}" for tag, n in zip(locale, product, strict=True)],
            "locale": locale,
            "origin": "decision",
            "site": np.where(product % 2, "vendor-a", "vendor-b"),
            "verdict": "same",
            "annotators": [TEAMS[n % len(TEAMS)] for n in product],
            "agreement": np.where(good, 1.0, 0.5),
            "posterior": 0.95,
            "seconds": draw.gamma(2.0, 0.5, n_rows),
            "differs": False,
            "disputed": False,
            "guaranteed": False,
        },
        index=[f"{n:032x}" for n in range(n_rows)],
    )
    images = pd.DataFrame(
        {
            "image_id": image_id,
            "locale": locale,
            "unchanged": 1.0,
            "near_duplicates": [f"{n:032x}" for n in product * 3 + np.arange(n_rows) % 3],
        }
    )
    current = labels[["image_id", "product_id", "locale"]].reset_index(drop=True)
    people = sorted({name for team in TEAMS for name in team})
    gold = pd.DataFrame(
        [(name, "vendor-a", tag, 18, 20) for name in people for tag in LOCALES],
        columns=["annotator", "site", "locale", "n_right", "n"],
    )
    history = pd.DataFrame(
        [
            (passage, rule.named(), tag, 0.85 + 0.01 * (passage % 3), 1000)
            for passage in range(PASSAGES)
            for rule in USUAL_RULES
            for tag in LOCALES
        ],
        columns=["passage", "rule", "locale", "value", "n"],
    )
    decided = pd.DataFrame({"locale": LOCALES, "n_confirmed": 860, "n": 1000})
    vendors, suspended = ("vendor-a", "vendor-b"), ("somebody-else",)
    return labels, Known(images, current, LOCALES, vendors, suspended, gold, decided, history)


def neighbours(n_rows: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Products, sheets, and neighbours of the same product mostly, as a search would find them."""
    draw = np.random.default_rng(seed)
    products = np.sort(draw.integers(0, max(1, n_rows // IMAGES_PER_PRODUCT), n_rows))
    near = np.arange(n_rows)[:, None] + draw.integers(-9, 10, (n_rows, NEIGHBOURS))
    cosines = draw.random((n_rows, NEIGHBOURS), dtype=np.float32)
    sheets = np.arange(n_rows) // 30
    return products, sheets, near.clip(0, n_rows - 1).astype(np.int32), cosines


def measure(n_rows: int) -> Measured:
    labels, known = batch(n_rows)
    votes = neighbours(n_rows)
    before = _peak_mb()
    start, cpu = time.perf_counter(), time.process_time()
    said = suspicion(*votes)
    voted = time.perf_counter()
    labels["quality"], labels["typicality"] = 0.9, said.typicality
    verdict = judge(labels, known, LabelPolicy())
    done, cpu = time.perf_counter(), time.process_time() - cpu
    seconds = voted - start, done - voted, cpu
    return Measured(n_rows, *seconds, len(verdict.quarantined), before, _peak_mb())


def main(
    sizes: Annotated[list[int] | None, typer.Argument(help="Numbers of labels.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table to this file, too.")] = None,
) -> None:
    lines = [
        "# The speed of the gate",
        "",
        f"Every rule over a batch of labels beside a training set as large, one label in ten"
        f" quarantined, on {os.cpu_count()} cores. `votes` is what the neighbours of each image"
        " say of its label, without the search for them. The peak holds the frames. Seconds grow"
        " with whatever else runs; CPU seconds do not.",
        "",
        "| labels | quarantined | votes, s | gate, s | both, CPU s | frames, MB | peak, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        lines += [
            f"| {found.n_rows:,} | {found.n_quarantined:,} | {found.votes:.1f} | {found.gate:.1f} |"
            f" {found.cpu:.1f} | {found.frames_mb:,.0f} | {found.peak_mb:,.0f} |"
            for found in pool.imap(measure, sizes or [1_000, 100_000, 1_000_000], chunksize=1)
        ]
    page = "\n".join(lines) + "\n"
    print(page)
    if out is not None:
        out.write_text(page)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
