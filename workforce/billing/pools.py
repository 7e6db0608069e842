"""A vendor's work that is still to be billed: what invoices take from, and what accrues.

A pool is a month's work under one rate of a contract version: the units of each day, locale and
kind, and the prices that tiers give to all of them together. Where that leaves open which units are
the cheaper ones, a line may choose until none of its price are left: a vendor may list them as it
likes, but the whole month costs what was agreed.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from workforce.billing.charges import Charge
from workforce.billing.rates import rush_surcharge, steps
from workforce.records.contracts import Contract, Rate


class Cell(NamedTuple):
    """Where work lies in a pool."""

    on: dt.date
    locale: str
    kind: str


Units = Mapping[Decimal, Decimal]
"""How many units have each price."""


@dataclass(eq=False)
class Pool:
    """What is left to be billed of a month's work under one rate, and who has taken of it."""

    contract: Contract
    rate: Rate
    month: dt.date
    cells: dict[Cell, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    prices: dict[Decimal, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def money(self) -> Decimal:
        """What all that is left costs."""
        return _cost(self.prices)

    def choose(self, quantity: Decimal, *, dearest: bool) -> Units:
        """So many of the units that are left, the dearest or the cheapest ones."""
        found = {}
        for price, units in sorted(self.prices.items(), reverse=dearest):
            found[price] = min(units, quantity)
            quantity -= found[price]
        return found


@dataclass(frozen=True)
class Taken:
    """What a line of an invoice took from a pool."""

    by: str
    pool: Pool
    cells: Mapping[Cell, Decimal]
    prices: Units

    @property
    def units(self) -> Decimal:
        return sum(self.cells.values(), Decimal(0))

    @property
    def money(self) -> Decimal:
        return _cost(self.prices)

    def part(self, share: Decimal) -> "Taken":
        return Taken(
            self.by,
            self.pool,
            {cell: n * share for cell, n in self.cells.items()},
            {price: n * share for price, n in self.prices.items()},
        )


def pools(charged: Iterable[Charge]) -> list[Pool]:
    """The pools of a vendor's charges, in their order."""
    found: dict[tuple[str, str, dt.date], Pool] = {}
    so_far: dict[tuple[str, str, dt.date], Decimal] = defaultdict(Decimal)
    for each in charged:
        key = each.contract.key, str(each.rate), each.month
        pool = found.setdefault(key, Pool(each.contract, each.rate, each.month))
        pool.cells[Cell(each.on, each.work.locale, each.work.kind)] += each.units
        surcharge = rush_surcharge(each.contract, each.rate) if each.work.rush else Decimal(0)
        for price, units in steps(each.rate, so_far[key], so_far[key] + each.units):
            pool.prices[price + surcharge] += units
        so_far[key] += each.units
    return list(found.values())


def left(among: Sequence[Pool], wanted: Callable[[Cell], bool]) -> Decimal:
    """How many units of the wanted cells are left."""
    return sum((n for pool in among for cell, n in pool.cells.items() if wanted(cell)), Decimal(0))


def take(
    among: Sequence[Pool],
    wanted: Callable[[Cell], bool],
    quantity: Decimal,
    amount: Decimal,
    by: str,
) -> list[Taken]:
    """Take `quantity` units, or all that are left, of the wanted cells, the first pools first.

    Of the prices that are left, those are taken that come to `amount`, or nearest to it.
    """
    found: list[tuple[Pool, dict[Cell, Decimal]]] = []
    for pool in among:
        cells: dict[Cell, Decimal] = {}
        for cell in sorted(cell for cell, n in pool.cells.items() if n and wanted(cell)):
            if not quantity:
                break
            cells[cell] = min(pool.cells[cell], quantity)
            quantity -= cells[cell]
        if cells:
            found.append((pool, cells))
    ends = [
        (pool.choose(n, dearest=False), pool.choose(n, dearest=True))
        for pool, n in ((pool, sum(cells.values(), Decimal(0))) for pool, cells in found)
    ]
    cheapest = sum((_cost(cheap) for cheap, _ in ends), Decimal(0))
    dearest = sum((_cost(dear) for _, dear in ends), Decimal(0))
    dear_share = Decimal(0)
    if dearest > cheapest:
        dear_share = min(max((amount - cheapest) / (dearest - cheapest), Decimal(0)), Decimal(1))
    taken = [
        Taken(by, pool, cells, _between(cheap, dear, dear_share))
        for (pool, cells), (cheap, dear) in zip(found, ends, strict=True)
    ]
    for each in taken:
        _move(each, Decimal(-1))
    return taken


def give_back(taken: Taken, units: Decimal) -> tuple[Taken, Taken]:
    """Put so many of the units that were taken back; what stays taken, and what does not."""
    kept, returned = taken.part(1 - units / taken.units), taken.part(units / taken.units)
    _move(returned, Decimal(1))
    return kept, returned


def _between(cheap: Units, dear: Units, dear_share: Decimal) -> Units:
    if dear_share in (0, 1):
        return dear if dear_share else cheap
    return {price: cheap[price] + (dear[price] - cheap[price]) * dear_share for price in cheap}


def _move(taken: Taken, sign: Decimal) -> None:
    for cell, n in taken.cells.items():
        taken.pool.cells[cell] += sign * n
    for price, n in taken.prices.items():
        taken.pool.prices[price] += sign * n


def _cost(units: Units) -> Decimal:
    return sum((price * n for price, n in units.items()), Decimal(0))
