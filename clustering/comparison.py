"""Two models on the same images: what the challenger gains, and how sure that is.

Images of one product are alike, so the product, not the image, is what chance draws: a cluster
bootstrap (Field and Welsh, *Bootstrapping clustered data*, 2007) resamples the products of each
locale, and both models are scored on the same resample. Clusters are formed once, among all images;
a resample weighs what was found of each product by how often the product was drawn. For product p
with n_p images, of which n_pc lie in cluster c of n_c images, and drawn w_p times,

    BCubed precision = sum w_p sum_c n_pc^2 / n_c / sum w_p n_p
    BCubed recall    = sum w_p sum_c n_pc^2 / n_p / sum w_p n_p
    pairwise precision = sum w_p sum_c n_pc (n_pc - 1) / sum w_p sum_c n_pc (n_c - 1)
    pairwise recall    = sum w_p sum_c n_pc (n_pc - 1) / sum w_p n_p (n_p - 1)

With every w_p = 1 these are the scores of `clustering.metrics`; a pair of two products counts half
for each of them. Of a locale's n products n - 1 are drawn and weigh n / (n - 1), so that the spread
is right where there are only a few (Rao and Wu, *Resampling inference with complex survey data*,
1988). A locale with a single product says nothing of chance: all such locales are drawn as one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from scipy.stats import norm

RESAMPLES = 2000
TAIL = 0.025
POWER = 0.8
BLOCK = 2_000_000
"""Numbers drawn at a time."""

N_TERMS = 6
Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Figure:
    """An estimate and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """How well one model's clusters agree with the truth; all in [0, 1]."""

    n_images: int
    n_products: int
    n_clusters: int
    bcubed_precision: Figure
    bcubed_recall: Figure
    bcubed_f: Figure
    pairwise_precision: Figure
    pairwise_recall: Figure
    pairwise_f: Figure


@dataclass(frozen=True)
class Gain:
    """The challenger's score less the champion's.

    Attributes
    ----------
    value, low, high
        The difference, and its 95 % interval.
    error
        Its standard error.
    better
        Probability that it is more than the smallest gain that was asked for.
    worse
        Probability that it is a loss of more than the margin that was allowed.
    n_products
        What it was measured on.
    """

    value: float
    low: float
    high: float
    error: float
    better: float
    worse: float
    n_products: int

    def products_needed(self, sure: float) -> int | None:
        """How many products would show a gain of this size, with a probability of 80 %.

        None where nothing is gained, or where no holdout would be large enough.
        """
        if self.value <= 0 or self.error == 0:
            return None
        factor = (norm.ppf(sure) + norm.ppf(POWER)) * self.error / self.value
        needed = math.ceil(self.n_products * factor**2)
        return needed if needed < 1_000_000 else None


@dataclass(frozen=True)
class Gains:
    """What is gained in BCubed F, overall and in each locale, and in pairwise F overall."""

    bcubed_f: Gain
    pairwise_f: Gain
    per_locale: Mapping[str, Gain]


def scores(
    products: ArrayLike, locales: ArrayLike, clusters: ArrayLike, *, seed: int = 0
) -> tuple[Scores, dict[str, Scores]]:
    """Score clusters, overall and by locale.

    Parameters
    ----------
    products : array-like (N,)
        The product that each image shows; one that is sold in two locales counts as two.
    locales : array-like of str (N,)
    clusters : array-like of int (N,)
        No cluster holds images of two locales.
    seed : int, default=0
        Fixes the resamples.

    Raises
    ------
    ValueError
        If there is no image, or lengths differ.
    """
    sample = _Sample.of(products, locales)
    found = np.asarray(clusters)
    terms = sample.terms(found)
    overall = _scores(terms, sample, np.arange(len(terms)), len(np.unique(found)), seed)
    return overall, {
        locale: _scores(terms, sample, rows, len(np.unique(found[sample.images(rows)])), seed)
        for locale, rows in sample.by_locale()
    }


def compare(
    products: ArrayLike,
    locales: ArrayLike,
    champion: ArrayLike,
    challenger: ArrayLike,
    *,
    smallest_gain: float = 0.0,
    margin: float = 0.0,
    seed: int = 0,
) -> Gains:
    """Measure what `challenger` gains over `champion`, both clusters of the same images (N,).

    Parameters are those of `scores`; `smallest_gain` and `margin` are explained in `Gain`.
    """
    sample = _Sample.of(products, locales)
    theirs, ours = (sample.terms(np.asarray(found)) for found in (champion, challenger))

    def gains(rows: Int) -> tuple[Gain, Gain]:
        both = np.concatenate([theirs[rows], ours[rows]], axis=1)
        once, drawn = both.sum(axis=0), _resampled(both, sample.locale_of[rows], seed)
        measured = []
        for f in (_bcubed, _pairwise):
            difference = f(once[N_TERMS:])[2] - f(once[:N_TERMS])[2]
            chance = f(drawn[:, N_TERMS:])[2] - f(drawn[:, :N_TERMS])[2]
            low, high = np.quantile(chance, [TAIL, 1 - TAIL])
            measured.append(
                Gain(
                    value=float(difference),
                    low=float(low),
                    high=float(high),
                    error=float(chance.std()),
                    better=float((chance > smallest_gain).mean()),
                    worse=float((chance < -margin).mean()),
                    n_products=len(rows),
                )
            )
        return measured[0], measured[1]

    images, pairs = gains(np.arange(len(ours)))
    return Gains(images, pairs, {locale: gains(rows)[0] for locale, rows in sample.by_locale()})


@dataclass(frozen=True)
class _Sample:
    """Which product each image shows, numbered 0..P-1, and the locale of each product."""

    product_of: Int
    locale_of: NDArray[np.str_]

    @classmethod
    def of(cls, products: ArrayLike, locales: ArrayLike) -> _Sample:
        shown, places = np.asarray(products), np.asarray(locales, dtype=np.str_)
        if shown.ndim != 1 or shown.shape != places.shape or not len(shown):
            raise ValueError(
                f"products has shape {shown.shape} and locales {places.shape}; give one product"
                " and one locale for each image, and at least one image."
            )
        _, product = np.unique(shown, return_inverse=True)
        names, locale = np.unique(places, return_inverse=True)
        pairs, number = np.unique(np.stack([locale, product]), axis=1, return_inverse=True)
        return cls(number.ravel(), names[pairs[0]])

    def by_locale(self) -> Iterator[tuple[str, Int]]:
        for locale in np.unique(self.locale_of):
            yield str(locale), np.flatnonzero(self.locale_of == locale)

    def images(self, rows: Int) -> NDArray[np.bool_]:
        """Which images show the products of `rows`."""
        return np.isin(self.product_of, rows)

    def terms(self, clusters: NDArray[np.generic]) -> Float:
        """What each product adds to the sums of the scores, float64 (P, 6)."""
        if clusters.shape != self.product_of.shape:
            raise ValueError(
                f"clusters has shape {clusters.shape}; give one for each of the"
                f" {len(self.product_of)} images."
            )
        _, cluster = np.unique(clusters, return_inverse=True)
        ones = np.ones(len(cluster), dtype=np.int64)
        table = coo_matrix((ones, (self.product_of, cluster))).tocsr().tocoo()
        product, counts = table.row, table.data.astype(np.float64)
        of_cluster = np.bincount(cluster)[table.col]
        of_product = np.bincount(self.product_of).astype(np.float64)
        parts = (
            counts**2 / of_cluster,
            counts**2 / of_product[product],
            counts * (counts - 1),
            counts * (of_cluster - 1),
        )
        sums = [np.bincount(product, part, len(of_product)) for part in parts]
        return np.column_stack([of_product, *sums, of_product * (of_product - 1)])


def _scores(terms: Float, sample: _Sample, rows: Int, n_clusters: int, seed: int) -> Scores:
    once = terms[rows].sum(axis=0)
    drawn = _resampled(terms[rows], sample.locale_of[rows], seed)
    figures = [
        Figure(float(value), *(float(end) for end in np.quantile(chance, [TAIL, 1 - TAIL])))
        for f in (_bcubed, _pairwise)
        for value, chance in zip(f(once), f(drawn), strict=True)
    ]
    return Scores(int(once[0]), len(rows), n_clusters, *figures)


def _resampled(terms: Float, strata: NDArray[np.str_], seed: int) -> Float:
    """The sums of `terms` (P, T) over resamples of the products, float64 (RESAMPLES, T)."""
    random = np.random.default_rng(seed)
    _, stratum, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    stratum[sizes[stratum] == 1] = -1
    totals = np.zeros((RESAMPLES, terms.shape[1]))
    for number in np.unique(stratum):
        members = terms[stratum == number]
        n = len(members)
        if n == 1:
            totals += members
            continue
        at_once = max(1, BLOCK // n)
        for start in range(0, RESAMPLES, at_once):
            block = totals[start : start + at_once]
            drawn = random.multinomial(n - 1, np.full(n, 1 / n), size=len(block))
            block += drawn @ members * (n / (n - 1))
    return totals


def _bcubed(sums: Float) -> tuple[Float, Float, Float]:
    """Precision, recall and F of sums (..., 6)."""
    return _agreement(_share(sums[..., 1], sums[..., 0]), _share(sums[..., 2], sums[..., 0]))


def _pairwise(sums: Float) -> tuple[Float, Float, Float]:
    return _agreement(_share(sums[..., 3], sums[..., 4]), _share(sums[..., 3], sums[..., 5]))


def _agreement(precision: Float, recall: Float) -> tuple[Float, Float, Float]:
    total = precision + recall
    f = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return precision, recall, f


def _share(part: Float, whole: Float) -> Float:
    """`part` of `whole`, and 1 where there is nothing to be a part of."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)
