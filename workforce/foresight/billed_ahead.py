"""What simulated work is billed, path by path: about, for their order, and one of them exactly.

Prices as floats put the paths in order, which is all that a quantile needs. The path that is said
is then billed by `billing.rates`, as its invoices would be, so that every amount is exact.
"""

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

import numpy as np

from workforce.billing.charges import Done
from workforce.billing.rates import SECONDS_PER_HOUR, Work, bill, total
from workforce.foresight.simulation import Paths
from workforce.foresight.throughput import ANSWERS, LABELS, SECONDS, Float
from workforce.money import Money, nothing
from workforce.records import Contract, Rate, Unit, Workforce

FIRST_DAY, LAST_DAY = dt.date.min, dt.date.max
A_UNIT = Decimal(1)


@dataclass(frozen=True)
class Which:
    """Work of a vendor, in some locales, in some days; None: all of them.

    What a month falls short of a vendor's minimum is in no locale.
    """

    vendor: str | None = None
    locales: frozenset[str] | None = None
    first: dt.date = FIRST_DAY
    last: dt.date = LAST_DAY

    def holds(self, vendor: str, locale: str | None) -> bool:
        return self.vendor in (None, vendor) and (self.locales is None or locale in self.locales)


@dataclass(frozen=True)
class _Month:
    """What is billed together: the segments of a month under one version of a contract, and the
    work of the month that was done before them."""

    contract: Contract
    places: tuple[int, ...]
    before: tuple[Work, ...]
    least: Money
    """What is due for the days of the month on which the version is in force, whatever is done."""


@dataclass(eq=False)
class BilledAhead:
    """The bills of `paths`; `done` is the work so far, and `currency` what they are compared in.

    A contract that ends goes on at its last prices; work without one is not billed. Money of other
    currencies is converted at the rate of `as_of`, since that of later days is not known.
    """

    paths: Paths
    done: Sequence[Done]
    workforce: Workforce
    as_of: dt.date
    currency: str
    _exact: dict[int, list[tuple[int, int, Money]]] = field(default_factory=dict, init=False)

    def quantile(self, which: Which, share: float, currency: str) -> Money:
        """What all but `1 - share` of the paths pay at most for `which`, in `currency`."""
        n = self.paths.n_paths
        order = np.argsort(self.about(which).sum(axis=1), kind="stable")
        return self.exactly(int(order[min(int(np.ceil(share * n)), n) - 1]), which, currency)

    def about(self, which: Which) -> Float:
        """What `which` costs, in `self.currency`, float64 (n_paths, n_segments)."""
        rows = [k for k, each in enumerate(self._rows) if which.holds(*each)]
        inside = [
            which.first <= each.first and each.last <= which.last for each in self.paths.segments
        ]
        cost: Float = self._prices[rows].sum(axis=0)
        return np.where(inside, cost, 0.0)

    def exactly(self, path: int, which: Which, currency: str) -> Money:
        """What `which` costs on one path, in `currency`."""
        if path not in self._exact:
            self._exact[path] = list(self._billed(path))
        sums: dict[str, Money] = {}
        for row, place, money in self._exact[path]:
            segment = self.paths.segments[place]
            inside = which.first <= segment.first and segment.last <= which.last
            if inside and which.holds(*self._rows[row]):
                sums[money.currency] = sums.get(money.currency, nothing(money.currency)) + money
        paid = (self.workforce.convert(each, currency, self.as_of) for each in sums.values())
        return sum(paid, nothing(currency))

    @cached_property
    def _vendors(self) -> list[str]:
        return [each.site for each in self.workforce.vendors]

    @cached_property
    def _rows(self) -> list[tuple[str, str | None]]:
        """Whose bill it is and for which locale: that of each stream, then minimums by vendor."""
        return [
            *((each.vendor, each.locale) for each in self.paths.streams),
            *((vendor, None) for vendor in self._vendors),
        ]

    @cached_property
    def _months(self) -> list[_Month]:
        found = []
        for vendor in self._vendors:
            together: dict[tuple[int, int, str], tuple[Contract, list[int]]] = {}
            for place, each in enumerate(self.paths.segments):
                contract = self._agreed(vendor, each.first)
                if contract is not None:
                    key = each.first.year, each.first.month, contract.key
                    together.setdefault(key, (contract, []))[1].append(place)
            for (year, month, _), (contract, places) in together.items():
                before = tuple(
                    each.work
                    for each in self.done
                    if each.vendor == vendor
                    and (each.on.year, each.on.month) == (year, month)
                    and each.on <= self.as_of
                    and self._agreed(vendor, each.on) == contract
                    and contract.covers(each.work.kind, each.work.locale)
                )
                least = self._least(contract, dt.date(year, month, 1))
                found.append(_Month(contract, tuple(places), before, least))
        return found

    def _least(self, contract: Contract, month: dt.date) -> Money:
        """The part of the minimum of a month that falls to a version, as `billing.charges` says.

        A month that goes on beyond the days that are simulated owes nothing yet.
        """
        n = calendar.monthrange(month.year, month.month)[1]
        days = sum(
            self.workforce.contract(contract.vendor, month.replace(day=day)) == contract
            for day in range(1, n + 1)
        )
        if month.replace(day=n) > self.paths.segments[-1].last:
            return nothing(contract.currency)
        whole = Money(contract.minimum_per_month, contract.currency)
        return whole if days == n else (whole * (Decimal(days) / n)).rounded()

    def _agreed(self, vendor: str, day: dt.date) -> Contract | None:
        """The newest version that began by a day, though it may have ended."""
        begun = [
            each
            for each in self.workforce.contracts
            if each.vendor == vendor and each.starts <= day
        ]
        return max(begun, key=lambda each: each.version, default=None)

    @cached_property
    def _prices(self) -> Float:
        """What is billed, about, float64 (n_rows, n_paths, n_segments)."""
        n_paths, n_segments = self.paths.n_paths, len(self.paths.segments)
        found = np.zeros((len(self._rows), n_paths, n_segments))
        for month in self._months:
            worth = self._worth(month.contract.currency)
            billed: Float = np.zeros(n_paths)
            for rate in month.contract.rates:
                held = [each for each in month.before if rate.holds(each.kind, each.locale)]
                so_far: Float = np.full(n_paths, float(sum(each.units(rate.unit) for each in held)))
                cost = _graduated(rate, so_far)
                billed += cost
                for place in month.places:
                    for row in self._billed_by(month, rate):
                        so_far = so_far + self._units(row, place, rate.unit)
                        next_cost = _graduated(rate, so_far)
                        found[row, :, place] += (next_cost - cost) * worth
                        billed += next_cost - cost
                        cost = next_cost
            row = self._rows.index((month.contract.vendor, None))
            short = np.maximum(float(month.least.amount) - billed, 0.0)
            found[row, :, month.places[-1]] += short * worth
        return found

    def _billed_by(self, month: _Month, rate: Rate) -> list[int]:
        """The streams that a rate of a month holds for."""
        return [
            row
            for row, each in enumerate(self.paths.streams)
            if each.vendor == month.contract.vendor and rate.holds(each.kind, each.locale)
        ]

    def _units(self, row: int, place: int, unit: Unit) -> Float:
        units = self.paths.units[row, :, place]
        match unit:
            case Unit.HOUR:
                return units[:, SECONDS] / SECONDS_PER_HOUR
            case Unit.QUESTION:
                return units[:, ANSWERS].astype(float)
            case Unit.LABEL:
                return units[:, LABELS].astype(float)

    def _billed(self, path: int) -> Iterator[tuple[int, int, Money]]:
        """The rows, segments and amounts that are billed on one path."""
        for month in self._months:
            contract = month.contract
            ahead = [
                (row, place, self._work(row, path, place))
                for place in month.places
                for row, each in enumerate(self.paths.streams)
                if each.vendor == contract.vendor and contract.covers(each.kind, each.locale)
            ]
            lines = bill(contract, [*month.before, *(work for _, _, work in ahead)])
            where = {id(work): (row, place) for row, place, work in ahead}
            for line in lines:
                if id(line.work) in where:
                    yield *where[id(line.work)], line.money
            billed = total(lines, contract.currency)
            if billed < month.least:
                row = self._rows.index((contract.vendor, None))
                yield row, month.places[-1], month.least - billed

    def _work(self, row: int, path: int, place: int) -> Work:
        stream, units = self.paths.streams[row], self.paths.units[row, path, place]
        answers, seconds, labels = (int(each) for each in units)
        return Work(stream.locale, stream.kind, answers, 0.0, seconds, labels)

    def _worth(self, currency: str) -> float:
        one = Money(A_UNIT, currency)
        return float(self.workforce.convert(one, self.currency, self.as_of).amount)


def _graduated(rate: Rate, units: Float) -> Float:
    """As `billing.rates.graduated`, of many amounts at once."""
    steps = [(0, rate.price), *((tier.above, tier.price) for tier in rate.tiers)]
    ends = [*(float(above) for above, _ in steps[1:]), np.inf]
    amount = np.zeros_like(units)
    for (above, price), end in zip(steps, ends, strict=True):
        amount += np.maximum(np.minimum(units, end) - above, 0.0) * float(price)
    return amount
