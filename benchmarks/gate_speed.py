"""How long the gate takes, and how much memory: `python benchmarks/gate_speed.py 1000000`.

One label in ten breaks a rule, so that the cost of naming the broken ones is measured too.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

from expectations.gate import judge
from expectations.policy import LabelPolicy

LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")
WORDS = dict(zip(LOCALES, ("Cocoa", "Kakao", "Kakao", "ココア", "كاكاو"), strict=True))
IMAGES_PER_PRODUCT = 20
BAD_SHARE = 0.1


def batch(n_rows: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Labels, images and the current set's labels, of one size each."""
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
            "annotators": [("anna", "bo")] * n_rows,
            "agreement": np.where(good, 1.0, 0.5),
            "seconds": draw.gamma(2.0, 0.5, n_rows),
        },
        index=[f"{n:032x}" for n in range(n_rows)],
    )
    images = pd.DataFrame({"image_id": image_id, "locale": locale})
    current = labels[["image_id", "product_id", "locale"]].reset_index(drop=True)
    return labels, images, current


def main(sizes: list[int]) -> None:
    head = ("seconds", "CPU s", "quarantined", "frames MB", "peak MB")
    print(f"{'rows':>9}", *(f"{title:>12}" for title in head))
    for n_rows in sizes:
        frames = batch(n_rows)
        before = _peak_mb()
        start, cpu = time.perf_counter(), time.process_time()
        verdict = judge(*frames, LabelPolicy(), LOCALES)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(
            f"{n_rows:>9} {seconds:>12.2f} {cpu:>12.2f} {len(verdict.quarantined):>12}"
            f" {before:>12.0f} {_peak_mb():>12.0f}"
        )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000, 100_000, 1_000_000])
