"""A linear program with whole numbers, stated row by row and solved by HiGHS.

Every row is divided by its smallest coefficient, so that the solver's tolerance is a small part of
one unit of whatever the row counts.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

# How far from the best value the solver may stop, relative to it.
GAP = 1e-4
# How far a whole number may be from what it is where parts are allowed: all of a small problem.
NEAR = 4

Terms = Mapping[int, float]
"""Coefficients by variable."""


class Sort(IntEnum):
    """What a variable may be: any amount, a whole number, or 0 and 1."""

    AMOUNT = 0
    COUNT = 1
    CHOICE = 2


class Program:
    """Variables from 0 to a bound, and rows that they must satisfy."""

    def __init__(self) -> None:
        self._upper: list[float] = []
        self._sort: list[Sort] = []
        self._rows: list[tuple[Terms, float, float]] = []

    def variable(self, upper: float) -> int:
        """A variable from 0 to `upper`."""
        return self._add(upper, Sort.AMOUNT)

    def count(self, upper: int) -> int:
        """A variable that is a whole number from 0 to `upper`."""
        return self._add(upper, Sort.COUNT)

    def choice(self) -> int:
        """A variable that is 0 or 1."""
        return self._add(1, Sort.CHOICE)

    def at_most(self, terms: Terms, bound: float) -> None:
        self._row(terms, -np.inf, bound)

    def at_least(self, terms: Terms, bound: float) -> None:
        self._row(terms, bound, np.inf)

    def equal(self, terms: Terms, bound: float) -> None:
        self._row(terms, bound, bound)

    def least(self, objective: Terms) -> NDArray[np.float64] | None:
        """The values (n_variables,) float64 with the least objective; None where none satisfies.

        First counts may be broken, which is quick; then they are whole, and near what they were.
        """
        if not self._upper:
            return np.zeros(0)
        upper, sort = np.array(self._upper, float), np.array(self._sort)
        broken = self._solved(objective, sort == Sort.CHOICE, np.zeros(len(upper)), upper)
        if broken is None:
            return None
        counts = sort == Sort.COUNT
        low = np.where(counts, np.clip(np.floor(broken) - NEAR, 0, upper), 0)
        high = np.where(counts, np.clip(np.ceil(broken) + NEAR, 0, upper), upper)
        return self._solved(objective, sort != Sort.AMOUNT, low, high)

    def _solved(
        self,
        objective: Terms,
        whole: NDArray[np.bool_],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> NDArray[np.float64] | None:
        weights = np.zeros(len(low))
        weights[list(objective)] = list(objective.values())
        solved = milp(
            weights,
            integrality=whole.astype(int),
            bounds=Bounds(low, high),
            constraints=self._constraints(len(low)),
            options={"mip_rel_gap": GAP},
        )
        values: NDArray[np.float64] | None = solved.x
        return values

    def _add(self, upper: float, sort: Sort) -> int:
        self._upper.append(upper)
        self._sort.append(sort)
        return len(self._upper) - 1

    def _row(self, terms: Terms, low: float, high: float) -> None:
        known = {variable: factor for variable, factor in terms.items() if factor}
        if known:
            scale = min(abs(factor) for factor in known.values())
            scaled = {variable: factor / scale for variable, factor in known.items()}
            self._rows.append((scaled, low / scale, high / scale))

    def _constraints(self, n: int) -> list[LinearConstraint]:
        if not self._rows:
            return []
        lengths = [len(terms) for terms, _, _ in self._rows]
        matrix = csr_array(
            (
                np.array([factor for terms, _, _ in self._rows for factor in terms.values()]),
                (
                    np.repeat(np.arange(len(self._rows)), lengths),
                    np.array([variable for terms, _, _ in self._rows for variable in terms]),
                ),
            ),
            shape=(len(self._rows), n),
        )
        return [
            LinearConstraint(
                matrix,
                np.array([low for _, low, _ in self._rows]),
                np.array([high for _, _, high in self._rows]),
            )
        ]
