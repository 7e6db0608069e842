"""Locales compared: what they hold beside the plan, how their pictures look, which stand out.

Pictures of one product taken in a row are not independent, so p-values are too small rather than
too large: read the effect sizes first, and their intervals. With many pictures any difference is
significant and few matter.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.stats.contingency import association
from sklearn.neighbors import NearestNeighbors
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.nonparametric import rank_compare_2indep
from statsmodels.stats.proportion import proportion_confint

from expectations.pictures import Routed
from expectations.plan import Plan, Wanted

NAMES = {
    "short_side": "shorter side, pixels",
    "sharpness": "sharpness",
    "brightness": "brightness",
    "contrast": "contrast",
    "clipped": "black or white, share",
    "jpeg_quality": "JPEG quality",
    "border": "border, share",
    "flat": "flat, share",
}
"""What is compared: columns of `catalog.measures.of_locale`, and what readers call them."""

MOST_FOUND = 10
"""Categories that are worth a sentence, those farthest from the plan."""

MANY = 0.05
"""Share of repeated pictures that is worth a sentence."""

FEWEST = 10
"""Pictures that a locale needs before its distribution means anything."""

ALPHA = 0.05
SMALL, MEDIUM, LARGE = 0.147, 0.33, 0.474
"""Cliff's delta from which a difference is small, medium, large (Romano et al., 2006)."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NEIGHBOURS = 5

Float = NDArray[np.float64]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@dataclass(frozen=True)
class Holding:
    """What there is of one category (None: of all) in one locale, beside what is wanted.

    `share` is its part of the locale's images (of all images where the category is None), with the
    95 % Wilson interval from `low` to `high`; `planned` is the part that the plan gives it.
    """

    locale: str
    category: str | None
    images: int
    products: int
    wanted: Wanted
    share: float
    low: float
    high: float
    planned: float | None

    @property
    def missing(self) -> str:
        """What is still to come, in words."""
        short = (
            (self.wanted.images or 0) - self.images,
            (self.wanted.products or 0) - self.products,
        )
        words = zip(short, ("image", "product"), strict=True)
        return ", ".join(_counted(number, noun) for number, noun in words if number > 0)

    @property
    def balance(self) -> str:
        """Whether its share is above or below the planned one by more than chance."""
        if self.planned is None or (self.low, self.high) == (0.0, 1.0):
            return ""
        if not self.planned:
            return "not in the plan"
        if self.low > self.planned:
            return "over-represented"
        return "under-represented" if self.high < self.planned else "as planned"


@dataclass(frozen=True)
class Fit:
    """How far the shares of `what` are from others: total variation or Cramér's V, and a test."""

    what: str
    distance: float
    chi2: float
    p: float


@dataclass(frozen=True)
class Spread:
    """One measure in every locale.

    Attributes
    ----------
    quantiles : by locale, at `QUANTILES`.
    p : of the Kruskal-Wallis test that the locales do not differ; NaN where it cannot be made.
    epsilon2 : the part of the variance of ranks that lies between locales, 0 to 1.
    """

    measure: str
    quantiles: Mapping[str, Sequence[float]]
    p: float
    epsilon2: float


@dataclass(frozen=True)
class Difference:
    """One measure of one locale's pictures beside all others'.

    Attributes
    ----------
    delta : Cliff's delta, -1 to 1: the probability that a picture of the locale has more than one
        of the others, minus that it has less.
    low, high : its 95 % interval, from the Brunner-Munzel variance.
    p : of the Mann-Whitney test, corrected by Holm for all comparisons made.
    """

    measure: str
    locale: str
    median: float
    median_of_others: float
    delta: float
    low: float
    high: float
    p: float

    @property
    def size(self) -> str:
        """How much that is, in words."""
        if self.p >= ALPHA or abs(self.delta) < SMALL:
            return "negligible"
        if abs(self.delta) < MEDIUM:
            return "small"
        return "medium" if abs(self.delta) < LARGE else "large"


@dataclass(frozen=True)
class Pool:
    """How many images of a locale there are, and how many of these are of less or no use.

    `repeated` are near-duplicates of another image of the locale.
    """

    locale: str
    images: int
    unmeasured: int
    repeated: int
    left_out: int
    doubtful: int


@dataclass(frozen=True)
class Survey:
    """Everything that is compared, without pictures."""

    pools: Sequence[Pool]
    holdings: Sequence[Holding]
    fits: Sequence[Fit]
    spreads: Sequence[Spread]
    differences: Sequence[Difference]

    @property
    def findings(self) -> list[str]:
        """What a reader should know first, one sentence each."""
        skewed = sorted(
            (
                each
                for each in self.holdings
                if each.category is not None and each.balance.endswith("-represented")
            ),
            key=lambda each: -abs(each.share - (each.planned or 0)),
        )
        return [
            *(
                f"{each.locale} still misses {each.missing}."
                for each in self.holdings
                if each.category is None and each.missing
            ),
            *(
                f"{each.category} is {each.balance} in {each.locale}: {each.share:.0%} of its"
                f" images, {each.planned:.0%} planned."
                for each in skewed[:MOST_FOUND]
            ),
            *(
                f"{each.locale} has {'more' if each.delta > 0 else 'less'} {NAMES[each.measure]}"
                f" than elsewhere: median {each.median:.3g}, elsewhere {each.median_of_others:.3g}."
                for each in self.differences
                if each.size == "large"
            ),
            *(
                f"{each.locale} has {_counted(each.repeated, 'near-duplicate')} among"
                f" {_counted(each.images, 'image')}."
                for each in self.pools
                if each.repeated >= MANY * each.images > 0
            ),
            *(
                f"{each.locale} has {_counted(each.left_out, 'image')} left out and"
                f" {_counted(each.doubtful, 'image')} asked about one by one."
                for each in self.pools
                if each.left_out or each.doubtful
            ),
        ]


def survey(
    images: pd.DataFrame,
    measures: pd.DataFrame,
    near_duplicates: Mapping[str, str],
    routed: Routed,
    plan: Plan,
) -> Survey:
    """Compare the locales.

    Parameters
    ----------
    images : indexed by image id; locale, product_id, category.
    measures : indexed by image id; the columns of `catalog.measures.of_locale`, and locale.
    near_duplicates : the group of each image that has near-duplicates in its locale. Of a group
        one picture, the first by id, counts in the comparison of measures.
    routed : which images are left out and which are doubtful.
    plan : what is wanted.
    """
    groups = pd.Series(near_duplicates, dtype=object).sort_index()
    repeated = groups.index[groups.duplicated()]
    locale = images["locale"]
    counts = pd.DataFrame(
        {
            name: locale[locale.index.isin(ids)].value_counts()
            for name, ids in (
                ("images", locale.index),
                ("unmeasured", locale.index.difference(measures.index)),
                ("repeated", repeated),
                ("left_out", list(routed.left_out)),
                ("doubtful", list(routed.doubtful)),
            )
        }
    )
    once = measures[~measures.index.isin(repeated)]
    return Survey(
        [
            Pool(str(key), *map(int, row))
            for key, row in zip(counts.index, counts.fillna(0).to_numpy(), strict=True)
        ],
        holdings(images, plan),
        fits(images, plan),
        spreads(once),
        differences(once),
    )


def holdings(images: pd.DataFrame, plan: Plan) -> list[Holding]:
    """What there is beside the plan: the locales as wholes, then the categories of each.

    `images` has the columns locale, product_id and category, one row per image.
    """
    found = _parts("locale", images, plan.locales)
    holdings = [Holding(locale=value, category=None, **part) for value, part in found]
    if plan.category is None:
        return holdings
    named = images.dropna(subset="category")
    within = dict(list(named.groupby("locale")))
    return holdings + [
        Holding(locale=each.locale, category=value, **part)
        for each in holdings
        for value, part in _parts("category", within.get(each.locale, named[:0]), plan.categories)
    ]


def _parts(
    column: str, images: pd.DataFrame, wanted: Mapping[str, Wanted]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each value of `column` that is there or wanted, with the further fields of its `Holding`."""
    counts = images.groupby(column)["product_id"].agg(["size", "nunique"])
    n_planned = sum(each.images or 0 for each in wanted.values())
    for value in sorted({*counts.index, *wanted}):
        n_images, n_products = map(int, counts.loc[value]) if value in counts.index else (0, 0)
        low, high = 0.0, 1.0
        if len(images):
            low, high = proportion_confint(n_images, len(images), method="wilson")
        due = wanted.get(value, Wanted())
        yield (
            value,
            {
                "images": n_images,
                "products": n_products,
                "wanted": due,
                "share": n_images / max(len(images), 1),
                "low": float(low),
                "high": float(high),
                "planned": (due.images or 0) / n_planned if n_planned else None,
            },
        )


def fits(images: pd.DataFrame, plan: Plan) -> list[Fit]:
    """How far the shares are from the plan, and the locales from each other in their categories.

    The first are total variations, half the sum of the shares' differences; the last is Cramér's V.
    """
    found = [_fit("locales", images["locale"], plan.locales)]
    if plan.category is not None:
        named = images.dropna(subset="category")
        for locale, within in named.groupby("locale")["category"]:
            found.append(_fit(f"categories in {locale}", within, plan.categories))
        if named["locale"].nunique() > 1 and named["category"].nunique() > 1:
            table = pd.crosstab(named["locale"], named["category"]).to_numpy()
            test = stats.chi2_contingency(table, correction=False)
            v = float(association(table, method="cramer"))
            found.append(Fit("categories between locales", v, test.statistic, test.pvalue))
    return [fit for fit in found if fit is not None]


def _fit(what: str, values: pd.Series, wanted: Mapping[str, Wanted]) -> Fit | None:
    """The shares of the planned among `values` beside the plan; None where nothing is to compare.

    What is not planned counts as none of these, in the distance alone.
    """
    planned = {value: each.images for value, each in wanted.items() if each.images}
    counts = values.value_counts()
    observed = np.array([counts.get(value, 0) for value in planned], dtype=float)
    if len(planned) < 2 or not observed.sum():
        return None
    expected = np.array(list(planned.values())) / sum(planned.values())
    test = stats.chisquare(observed, expected * observed.sum())
    unplanned = 1 - observed.sum() / len(values)
    distance = (np.abs(observed / len(values) - expected).sum() + unplanned) / 2
    return Fit(what, float(distance), float(test.statistic), float(test.pvalue))


def spreads(measures: pd.DataFrame) -> list[Spread]:
    """Each of `NAMES` in every locale; `measures` has a column `locale` as well."""
    found = []
    for measure in NAMES:
        groups = _groups(measures, measure)
        if not groups:
            continue
        n = sum(map(len, groups.values()))
        values = np.concatenate(list(groups.values()))
        p, epsilon2 = np.nan, np.nan
        if len(groups) > 1 and np.ptp(values):
            test = stats.kruskal(*groups.values())
            p, epsilon2 = float(test.pvalue), float(test.statistic) / (n - 1)
        quantiles = {locale: np.quantile(group, QUANTILES) for locale, group in groups.items()}
        found.append(
            Spread(measure, {key: list(map(float, q)) for key, q in quantiles.items()}, p, epsilon2)
        )
    return found


def differences(measures: pd.DataFrame) -> list[Difference]:
    """Each measure of each locale beside all other locales, the largest differences first."""
    found = []
    for measure in NAMES:
        groups = _groups(measures, measure)
        if len(groups) < 2:
            continue
        for locale, own in groups.items():
            others = np.concatenate([group for key, group in groups.items() if key != locale])
            medians = float(np.median(own)), float(np.median(others))
            p = float(stats.mannwhitneyu(own, others).pvalue)
            found.append(Difference(measure, locale, *medians, *cliffs_delta(own, others), p))
    if not found:
        return []
    corrected = multipletests([each.p for each in found], method="holm")[1]
    kept = [replace(each, p=float(p)) for each, p in zip(found, corrected, strict=True)]
    return sorted(kept, key=lambda each: -abs(each.delta))


def cliffs_delta(own: Float, others: Float) -> tuple[float, float, float]:
    """Cliff's delta of two samples (N,) and (M,), and its 95 % interval.

    Twice the probability of superiority, less one; the interval is Brunner and Munzel's. Samples
    that do not overlap do not vary in it, and their interval is a point.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        ranks = rank_compare_2indep(own, others)
        low, high = np.nan_to_num(ranks.conf_int(alpha=ALPHA), nan=ranks.prob1)
    delta, low, high = np.clip(2 * np.array([ranks.prob1, low, high]) - 1, -1, 1).tolist()
    return delta, low, high


def _groups(measures: pd.DataFrame, measure: str) -> dict[str, Float]:
    """The values of one measure in each locale that has enough of them, NaN left out."""
    known = measures.dropna(subset=measure).groupby("locale")[measure]
    return {str(key): group.to_numpy() for key, group in known if len(group) >= FEWEST}


def ranks_of_quality(measures: pd.DataFrame) -> pd.DataFrame:
    """The rank, 0 to 1, of each picture in what can be too low; the darkest and palest are low."""
    ranks = measures[["sharpness", "contrast"]].rank(pct=True)
    return ranks.assign(brightness=(-(measures["brightness"] - 0.5).abs()).rank(pct=True))


def worst(ranks: pd.DataFrame, n: int) -> list[tuple[str, str]]:
    """The `n` pictures with the lowest rank in any measure, and the measure."""
    lowest = ranks.loc[ranks.min(axis=1).nsmallest(n).index]
    return [(str(key), str(measure)) for key, measure in lowest.idxmin(axis=1).items()]


def typical(vectors: Float, n: int) -> list[int]:
    """The rows of `vectors` (N, D) nearest to their medoid, it first.

    The medoid is taken as the row nearest to the mean, which needs no N x N distances.
    """
    if not len(vectors):
        return []
    medoid = vectors[np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).argmin()]
    distance = np.linalg.norm(vectors - medoid, axis=1)
    return [int(row) for row in np.argsort(distance, kind="stable")[:n]]


def strangest(vectors: Float, n: int) -> list[int]:
    """The rows of `vectors` (N, D) that are farthest from their fifth nearest neighbour."""
    k = min(NEIGHBOURS, len(vectors) - 1)
    if k < 1:
        return []
    distance, _ = NearestNeighbors(n_neighbors=k).fit(vectors).kneighbors()
    return [int(row) for row in np.argsort(-distance[:, -1], kind="stable")[:n]]


def as_vectors(measures: pd.DataFrame) -> Float:
    """The measures as ranks from 0 to 1, float64 (N, 8), where there are no embeddings."""
    ranks = measures[list(NAMES)].rank(pct=True).fillna(0.5)
    return ranks.to_numpy(dtype=np.float64)
