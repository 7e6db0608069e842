"""Every metric of the vendors' work, by vendor, locale, kind and period, and as wholes.

`docs/metrics.md` defines each. `measure` makes all figures at once from the log; what each is
measured on is in `workforce.observations`, how sure it is in `workforce.intervals`.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.performance import Log
from workforce.figures import Cell, Figure, Metric
from workforce.intervals import Estimates, alpha, proportions, quantile, ratios, winsorised_mean
from workforce.money import Money
from workforce.observations import ABOUT, Frame, Observations, patterns
from workforce.periods import Period
from workforce.records import Workforce
from workforce.working_time import moment

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
    return [
        figure for metric in metrics for figure in figures_of(metric, grid, seen, circumstances)
    ]


def figures_of(
    metric: Metric, grid: "Grid", seen: Observations, circumstances: Circumstances
) -> Iterator[Figure]:
    """The figure of a metric in each cell, in the order of `grid.cells()`."""
    observed, measured = MEASURED[metric]
    return measured(metric, grid, observed(seen), circumstances)


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
        number = {place: index for index, place in enumerate(self.places)}
        for whole in WHOLES:
            of_leaf = np.array(
                [
                    number[
                        _place(
                            name if told else None for name, told in zip(each, whole, strict=True)
                        )
                    ]
                    for each in leaves
                ],
                dtype=np.int64,
            )
            yield rows, period * len(self.places) + of_leaf[leaf[rows]]


Place = tuple[str | None, str | None, str | None]
Measuring = Callable[[Metric, Grid, Frame, Circumstances], Iterator[Figure]]


def _place(names: Iterator[str | None]) -> Place:
    vendor, locale, kind = names
    return vendor, locale, kind


def _leaves(found: Frame) -> tuple[Ints, list[tuple[str, ...]]]:
    """For each row the number of its vendor, locale and kind together, and those."""
    sizes = [max(len(found[name].cat.categories), 1) for name in ABOUT]
    codes = [found[name].cat.codes.to_numpy(np.int64) for name in ABOUT]
    number = np.ravel_multi_index(codes, sizes) if len(found) else np.empty(0, np.int64)
    names = [list(found[name].cat.categories) for name in ABOUT]
    used = np.unique(number)
    place = np.zeros(int(np.prod(sizes)), np.int64)
    place[used] = np.arange(len(used))
    told = [np.unravel_index(each, sizes) for each in used]
    return place[number], [
        tuple(str(of[index]) for of, index in zip(names, each, strict=True)) for each in told
    ]


def _places(seen: Observations, circumstances: Circumstances) -> list[Place]:
    """Every vendor, locale and kind with work, those that are recorded, and their wholes."""
    leaves = {
        leaf
        for found in (seen.answers, seen.questions.reset_index(), seen.decisions, seen.acceptances)
        for leaf in _leaves(found)[1]
        if leaf[0]
    }
    places: set[Place] = {(None, None, None)}
    places |= {
        _place(name if told else None for name, told in zip(leaf, whole, strict=True))
        for leaf in leaves
        for whole in WHOLES
    }
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
        hits, of, cluster = (found[name].to_numpy() for name in ("hits", "of", "cluster"))
        sums = [
            pd.DataFrame(
                {"cell": cell, "cluster": cluster[rows], "hits": hits[rows], "of": of[rows]}
            )
            .groupby(["cell", "cluster"], as_index=False)
            .sum()
            for rows, cell in grid.groups(found)
        ]
        every = pd.concat(sums)
        cell, hits, of = (every[name].to_numpy() for name in ("cell", "hits", "of"))
        yield from _figures(metric, grid, estimate(cell, hits, of, len(grid)))

    return measured


def _by_value(estimate: Callable[[Floats, Ints], Ends]) -> Measuring:
    """Means and quantiles of sorted values."""

    def measured(
        metric: Metric, grid: Grid, found: Frame, _known: Circumstances
    ) -> Iterator[Figure]:
        found = found[found["value"].notna()]
        found = found.iloc[np.argsort(found["value"].to_numpy(), kind="stable")]
        values, cluster = found["value"].to_numpy(), found["cluster"].to_numpy()

        def of(rows: Ints) -> Ends:
            return estimate(values[rows], cluster[rows])

        yield from _figures(metric, grid, _cell_by_cell(grid, found, of))

    return measured


def _agreement(metric: Metric, grid: Grid, found: Frame, _known: Circumstances) -> Iterator[Figure]:
    pattern = found["pattern"].to_numpy(np.int64)

    def of(rows: Ints) -> Ends:
        alike, n = np.unique(pattern[rows], return_counts=True)
        return alpha(patterns(alike), n)

    yield from _figures(metric, grid, _cell_by_cell(grid, found, of))


def _cell_by_cell(grid: Grid, found: Frame, estimate: Callable[[Ints], Ends]) -> Estimates:
    """`estimate` of the rows of each cell that has some."""
    every = np.full((len(grid), 3), np.nan)
    n = np.zeros(len(grid), np.int64)
    for rows, cell in grid.groups(found):
        # A stable sort of short integers is linear.
        order = np.argsort(cell.astype(np.uint16) if len(grid) < 2**16 else cell, kind="stable")
        ends = np.cumsum(np.bincount(cell, minlength=len(grid)))
        for index, of_cell in enumerate(np.split(rows[order], ends[:-1])):
            if len(of_cell):
                every[index] = estimate(of_cell)
                n[index] = len(of_cell)
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
    hits = found["hits"].to_numpy()
    counts = np.zeros(len(grid))
    for rows, cell in grid.groups(found):
        counts += np.bincount(cell, hits[rows], len(grid))
    return counts.astype(np.int64).tolist()


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
