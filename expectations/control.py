"""What is usual, from what was seen before: limits within which chance alone keeps a figure.

A share of n questions varies by chance, more so where n is small. How far it varies from batch to
batch beside that is learnt from the moving ranges of the history (Laney's p' chart: Improved
control charts for attributes, Quality Engineering 14, 2002). Limits lie three sigma to each side.
"""

import numpy as np
from numpy.typing import ArrayLike

from expectations.policy import Band

SIGMAS = 3.0
MEAN_RANGE_OF_TWO = 1.128
"""Expected range of two draws of the standard normal distribution: d2 in tables of charts."""


def usual_share(shares: ArrayLike, sizes: ArrayLike, size_now: int) -> Band:
    """Limits of a share of `size_now`, from the `shares` of `sizes` seen before, in their order.

    They hold for the mean of any values between 0 and 1, which varies no more than a share. Raises
    `ValueError` for fewer than two.
    """
    seen, n = np.asarray(shares, dtype=float), np.asarray(sizes, dtype=float)
    if len(seen) < 2:
        raise ValueError(f"what is usual takes two passages or more to know, not {len(seen)}")
    centre = float((seen * n).sum() / n.sum())
    # A share of 0 or 1 so far may still differ once: add one success and one failure (Laplace).
    spread = float(np.sqrt((centre * n.sum() + 1) * ((1 - centre) * n.sum() + 1))) / (n.sum() + 2)
    z_scores = (seen - centre) / (spread / np.sqrt(n))
    between = max(1.0, float(np.abs(np.diff(z_scores)).mean()) / MEAN_RANGE_OF_TWO)
    reach = SIGMAS * between * spread / float(np.sqrt(size_now))
    return Band(low=float(max(0.0, centre - reach)), high=float(min(1.0, centre + reach)))
