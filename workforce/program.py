"""A linear program with whole numbers, stated row by row and solved by HiGHS.

Every row is divided by its smallest coefficient, so that the solver's tolerance is a small part of
one unit of whatever the row counts.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

# How far from the best value the solver may stop, relative to it.
GAP = 1e-7

Terms = Mapping[int, float]
"""Coefficients by variable."""


class Program:
    """Variables from 0 to a bound, and rows that they must satisfy."""

    def __init__(self) -> None:
        self._upper: list[float] = []
        self._whole: list[bool] = []
        self._rows: list[tuple[Terms, float, float]] = []

    def variable(self, upper: float) -> int:
        """A variable from 0 to `upper`."""
        return self._add(upper, whole=False)

    def count(self, upper: int) -> int:
        """A variable that is a whole number from 0 to `upper`."""
        return self._add(upper, whole=True)

    def at_most(self, terms: Terms, bound: float) -> None:
        self._row(terms, -np.inf, bound)

    def at_least(self, terms: Terms, bound: float) -> None:
        self._row(terms, bound, np.inf)

    def equal(self, terms: Terms, bound: float) -> None:
        self._row(terms, bound, bound)

    def least(self, objective: Terms) -> NDArray[np.float64] | None:
        """The values (n_variables,) float64 with the least objective; None where none satisfies."""
        if not self._upper:
            return np.zeros(0)
        n = len(self._upper)
        weights = np.zeros(n)
        weights[list(objective)] = list(objective.values())
        solved = milp(
            weights,
            integrality=np.array(self._whole, int),
            bounds=Bounds(0, np.array(self._upper, float)),
            constraints=self._constraints(n),
            options={"mip_rel_gap": GAP},
        )
        values: NDArray[np.float64] | None = solved.x
        return values

    def _add(self, upper: float, *, whole: bool) -> int:
        self._upper.append(upper)
        self._whole.append(whole)
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
