"""Every metric of the vendors' work, by vendor, locale, kind and period, and as wholes.

`docs/metrics.md` defines each. `measure` makes all figures at once from the log; what each is
measured on is in `workforce.observations`, how sure it is in `performance.intervals`.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, pairwise, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.performance import Log
from workforce.money import Money
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.intervals import (
    Estimates,
    alpha,
    proportions,
    quantile,
    ratios,
    winsorised_mean,
)
from workforce.performance.observations import A_DAY, ABOUT, Frame, Observations, patterns, pieces
from workforce.performance.working_time import moment
from workforce.periods import Period
from workforce.records import Workforce

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Ends = tuple[float, float, float]
"""A value and the ends of its interval."""

EACH, ALL = True, False
WHOLES = tuple(product((EACH, ALL), repeat=len(ABOUT)))
"""Whether vendors, locales and kinds are told apart or taken together."""


@dataclass(frozen=True)
class Circumstances:
    """What figures depend on besides the log.

    Attributes
    ----------
    as_of
        What was said later is not known.
    first_votes
        How many people are asked at first; more is rework.
    planned
        The images wanted of each locale.
    costs
        What was invoiced and accrued, gold and quality assurance included, by cell.
    """

    workforce: Workforce
    as_of: dt.datetime
    first_votes: int = 1
    planned: Mapping[str, int] = field(default_factory=dict)
    costs: Mapping[Cell, Money] = field(default_factory=dict)


def measure(
    log: Log,
    periods: Sequence[Period],
    circumstances: Circumstances,
    metrics: Sequence[Metric] = tuple(Metric),
) -> list[Figure]:
    """A figure of each of `metrics` for every cell in which there is work, and for the wholes.

    A period's figures count what happened in it until `as_of`. Where nothing did, n is 0 and the
    value None.

    Raises `WorkforceError` where a contract promises days that its vendor never works.
    """
    seen = observations(log, circumstances)
    grid = Grid(periods, _places(seen, circumstances))
    figures: list[Figure] = []
    for observed, alike in groupby(metrics, lambda metric: MEASURED[metric][0]):
        figures += _measured(alike, grid, observed(seen), circumstances)
    return figures


def _measured(
    metrics: Iterable[Metric], grid: "Grid", found: Frame, circumstances: Circumstances
) -> Iterator[Figure]:
    """The figures of metrics of the same observations, which are let go before the next."""
    for metric in metrics:
        yield from MEASURED[metric][1](metric, grid, found, circumstances)


def observations(log: Log, circumstances: Circumstances) -> Observations:
    """What figures are measured on."""
    known = circumstances
    return Observations(log, known.workforce, known.as_of, known.first_votes)


@dataclass(frozen=True)
class Grid:
    """The cells: periods, and the vendors, locales and kinds that go together."""

    periods: Sequence[Period]
    places: Sequence[tuple[str | None, str | None, str | None]]

    def cells(self) -> list[Cell]:
        return [Cell(period, *place) for period in self.periods for place in self.places]

    def __len__(self) -> int:
        return len(self.periods) * len(self.places)

    def runs(
        self, found: Frame, *columns: str
    ) -> tuple[list[NDArray[Any]], Mapping[int, list[slice]]]:
        """Columns of `found`, by place and time, and the runs that make up each cell with rows."""
        leaf, leaves = _leaves(found)
        at = found["at"].to_numpy()
        order = np.lexsort((at, leaf))
        at = at[order]
        ends = np.cumsum([0, *np.bincount(leaf, minlength=len(leaves))])
        bounds = [(moment(each.begins), moment(each.over)) for each in self.periods]
        runs: dict[int, list[slice]] = defaultdict(list)
        for places, (begin, end) in zip(self._wholes(leaves).T, pairwise(ends), strict=True):
            inside = begin + np.searchsorted(at[begin:end], bounds).reshape(-1, 2)
            for period, (first, over) in enumerate(inside):
                for place in places if first < over else ():
                    runs[period * len(self.places) + int(place)].append(slice(first, over))
        return [found[name].to_numpy()[order] for name in columns], runs

    def groups(self, found: Frame) -> Iterator[tuple[Ints, Ints]]:
        """For each of `WHOLES`, the rows of `found` that lie in a period, and their cells.

        A row comes once for each period that holds it; rows keep their order.
        """
        leaf, leaves = _leaves(found)
        at = found["at"].to_numpy()
        inside = [
            np.flatnonzero((at >= moment(each.begins)) & (at < moment(each.over)))
            for each in self.periods
        ]
        rows = np.concatenate(inside) if inside else np.empty(0, np.int64)
        period = np.repeat(np.arange(len(inside)), [len(each) for each in inside])
        for place in self._wholes(leaves):
            yield rows, period * len(self.places) + place[leaf[rows]]

    def _wholes(self, leaves: Sequence[tuple[str, ...]]) -> Ints:
        """For each of `WHOLES`, the number of the place that holds each of `leaves`."""
        number = {place: index for index, place in enumerate(self.places)}
        places = [number[_part_of(leaf, whole)] for whole in WHOLES for leaf in leaves]
        return np.array(places, np.int64).reshape(len(WHOLES), len(leaves))


Place = tuple[str | None, str | None, str | None]
Measuring = Callable[[Metric, Grid, Frame, Circumstances], Iterator[Figure]]


def _part_of(leaf: tuple[str, ...], whole: tuple[bool, ...]) -> Place:
    """A vendor, locale and kind, without those that are taken together."""
    vendor, locale, kind = (name if told else None for name, told in zip(leaf, whole, strict=True))
    return vendor, locale, kind


def _leaves(found: Frame) -> tuple[Ints, list[tuple[str, ...]]]:
    """For each row the number of its vendor, locale and kind together, and those."""
    sizes = [max(len(found[name].cat.categories), 1) for name in ABOUT]
    number = np.zeros(len(found), np.int32)
    for name, size in zip(ABOUT, sizes, strict=True):
        number *= size
        number += found[name].cat.codes.to_numpy()
    names = [list(found[name].cat.categories) for name in ABOUT]
    used = np.flatnonzero(np.bincount(number, minlength=1))
    # Sorting by one or two bytes is linear.
    place = np.zeros(int(np.prod(sizes)), np.min_scalar_type(len(used)))
    place[used] = np.arange(len(used))
    told = [np.unravel_index(each, sizes) for each in used]
    return place[number], [
        tuple(str(of[index]) for of, index in zip(names, each, strict=True)) for each in told
    ]


def _places(seen: Observations, circumstances: Circumstances) -> list[Place]:
    """Every vendor, locale and kind with work, those that are recorded, and their wholes."""
    leaves = {
        leaf
        for found in (seen.answers, seen.questions, seen.decisions, seen.acceptances)
        for leaf in _leaves(found)[1]
        if leaf[0]
    }
    places: set[Place] = {(None, None, None)}
    places |= {_part_of(leaf, whole) for leaf in leaves for whole in WHOLES}
    for vendor in circumstances.workforce.vendors:
        places.add((vendor.site, None, None))
        for locale in vendor.locales:
            places |= {(vendor.site, locale, None), (None, locale, None)}
    places |= {(None, locale, None) for locale in circumstances.planned}
    return sorted(places, key=lambda place: tuple(name or "" for name in place))


# --- the families of metrics ----------------------------------------------------------------------


def _figures(metric: Metric, grid: Grid, found: Estimates) -> Iterator[Figure]:
    for index, cell in enumerate(grid.cells()):
        value, low, high = (
            None if np.isnan(each[index]) else float(each[index])
            for each in (found.value, found.low, found.high)
        )
        yield Figure(metric, cell, value, int(found.n[index]), low, high)


def _by_cluster(
    estimate: Callable[[Ints, Floats, Floats, int], Estimates],
) -> Measuring:
    """Shares or ratios of sums, whose observations hang together by cluster."""

    def measured(
        metric: Metric, grid: Grid, found: Frame, _known: Circumstances
    ) -> Iterator[Figure]:
        found = _summed(pd.concat([_summed(each) for each in pieces(found)]))
        hits, of, cluster = (found[name].to_numpy() for name in ("hits", "of", "cluster"))
        # A cluster in one place on one day has nothing else to be summed with.
        in_one_place = found["cluster"].is_unique
        told = Estimates(*(np.full(len(grid), nothing) for nothing in (np.nan, 0, np.nan, np.nan)))
        for rows, cell in grid.groups(found):
            sums = cell, hits[rows], of[rows]
            if not in_one_place:
                sums = _of_clusters(cell, cluster[rows], hits[rows], of[rows])
            of_whole, here = estimate(*sums, len(grid)), np.unique(cell)
            for name in ("value", "n", "low", "high"):
                getattr(told, name)[here] = getattr(of_whole, name)[here]
        yield from _figures(metric, grid, told)

    return measured


def _of_clusters(
    cell: Ints, cluster: Ints, hits: Floats, of: Floats
) -> tuple[Ints, Floats, Floats]:
    """The cell and the sums of each cluster in it."""
    every = pd.DataFrame({"cell": cell, "cluster": cluster, "hits": hits, "of": of})
    sums = every.groupby(["cell", "cluster"], as_index=False).sum()
    return sums["cell"].to_numpy(), sums["hits"].to_numpy(), sums["of"].to_numpy()


def _summed(found: Frame) -> Frame:
    """The sums of each cluster's observations of a day and a place, which no period tells apart."""
    leaf, _ = _leaves(found)
    day = found["at"].to_numpy() // A_DAY
    cluster, clusters = pd.factorize(found["cluster"].to_numpy())
    first_day = day.min(initial=0)
    alike, _ = pd.factorize(
        (leaf * (day.max(initial=0) - first_day + 1) + day - first_day) * max(len(clusters), 1)
        + cluster
    )
    n = alike.max(initial=-1) + 1
    one_of = np.empty(n, np.int64)
    one_of[alike] = np.arange(len(alike))
    sums = {name: np.bincount(alike, found[name].to_numpy(), n) for name in ("hits", "of")}
    return found.iloc[one_of][[*ABOUT, "at", "cluster"]].assign(**sums)


def _by_value(estimate: Callable[[Floats, Ints], Ends]) -> Measuring:
    """Means and quantiles of values."""

    def measured(
        metric: Metric, grid: Grid, found: Frame, _known: Circumstances
    ) -> Iterator[Figure]:
        yield from _figures(
            metric, grid, _cell_by_cell(grid, found, ["value", "cluster"], estimate)
        )

    return measured


def _agreement(metric: Metric, grid: Grid, found: Frame, _known: Circumstances) -> Iterator[Figure]:
    alike, pattern = np.unique(found["pattern"], return_inverse=True)
    verdicts = patterns(alike)

    def of(items: Ints) -> Ends:
        n = np.bincount(items, minlength=len(alike))
        return alpha(verdicts[n > 0], n[n > 0])

    found = found.assign(pattern=pattern)
    yield from _figures(metric, grid, _cell_by_cell(grid, found, ["pattern"], of))


def _cell_by_cell(
    grid: Grid, found: Frame, columns: Sequence[str], estimate: Callable[..., Ends]
) -> Estimates:
    """`estimate` of the columns of the rows of each cell that has some."""
    every = np.full((len(grid), 3), np.nan)
    n = np.zeros(len(grid), np.int64)
    in_order, runs = grid.runs(found, *columns)
    for cell, slices in runs.items():
        of_cell = [np.concatenate([each[run] for run in slices]) for each in in_order]
        every[cell], n[cell] = estimate(*of_cell), len(of_cell[0])
    return Estimates(every[:, 0], n, every[:, 1], every[:, 2])


def _price(metric: Metric, grid: Grid, found: Frame, known: Circumstances) -> Iterator[Figure]:
    """What a unit cost, of the cells whose costs are known."""
    for cell, n in zip(grid.cells(), _counts(grid, found), strict=True):
        cost = known.costs.get(cell)
        price = Money(cost.amount / Decimal(n), cost.currency) if cost and n else None
        yield Figure(metric, cell, price, n)


def _coverage(metric: Metric, grid: Grid, found: Frame, known: Circumstances) -> Iterator[Figure]:
    """Labels accepted until the end of the period, those that stand, of what is planned."""
    found = found[found["locale"].isin(known.planned)]
    counts = _counts(Grid([since_ever(each) for each in grid.periods], grid.places), found)
    for cell, n in zip(grid.cells(), counts, strict=True):
        wanted = known.planned.get(cell.locale, 0) if cell.locale else sum(known.planned.values())
        yield Figure(metric, cell, n / wanted if wanted else None, n)


def since_ever(period: Period) -> Period:
    """All that came before the end of a period."""
    return period.model_copy(update={"starts": dt.date(1970, 1, 1)})


def _counts(grid: Grid, found: Frame) -> list[int]:
    """The sum of `hits` in each cell."""
    [hits], runs = grid.runs(found, "hits")
    return [int(sum(hits[run].sum() for run in runs.get(each, ()))) for each in range(len(grid))]


def _p50(values: Floats, _clusters: Ints) -> Ends:
    return quantile(values, 0.5)


def _p95(values: Floats, _clusters: Ints) -> Ends:
    return quantile(values, 0.95)


MEASURED: Mapping[Metric, tuple[Callable[[Observations], Frame], Measuring]] = {
    Metric.GOLD_ACCURACY: (Observations.gold, _by_cluster(proportions)),
    Metric.SENSITIVITY: (Observations.sensitivity, _by_cluster(proportions)),
    Metric.SPECIFICITY: (Observations.specificity, _by_cluster(proportions)),
    Metric.FIRST_PASS_YIELD: (Observations.first_pass, _by_cluster(proportions)),
    Metric.REWORK_RATE: (Observations.rework, _by_cluster(proportions)),
    Metric.DEFECT_RATE: (Observations.defects, _by_cluster(proportions)),
    Metric.ESCAPE_RATE: (Observations.escapes, _by_cluster(proportions)),
    Metric.AGREEMENT: (Observations.agreement, _agreement),
    Metric.HANDLING_SECONDS: (Observations.seconds, _by_value(winsorised_mean)),
    Metric.THROUGHPUT: (Observations.throughput, _by_cluster(ratios)),
    Metric.TURNAROUND_P50: (Observations.turnaround, _by_value(_p50)),
    Metric.TURNAROUND_P95: (Observations.turnaround, _by_value(_p95)),
    Metric.TURNAROUND_HOURS_P50: (Observations.turnaround_hours, _by_value(_p50)),
    Metric.TURNAROUND_HOURS_P95: (Observations.turnaround_hours, _by_value(_p95)),
    Metric.SLA_ATTAINMENT: (Observations.due, _by_cluster(proportions)),
    Metric.COST_PER_LABEL: (Observations.labels, _price),
    Metric.COST_PER_CLUSTER: (Observations.verified, _price),
    Metric.COVERAGE: (Observations.kept, _coverage),
}
"""What each metric is measured on, and how."""
