"""Which rows of the catalogue a figure was computed from."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog import Transaction
from catalog.performance import Log, labels_of
from workforce.figures import Cell, Figure, Metric
from workforce.metrics import MEASURED, Circumstances, observations, since_ever
from workforce.observations import Frame
from workforce.working_time import moment

Rows: TypeAlias = Mapping[str, tuple[str, ...]]
"""The identities of rows, sorted, by the name of their table."""

ALL_ANSWERS = (Metric.AGREEMENT, Metric.FIRST_PASS_YIELD, Metric.REWORK_RATE)
"""What is told by all answers to a question."""
DECIDED = (
    *(Metric.FIRST_PASS_YIELD, Metric.REWORK_RATE, Metric.DEFECT_RATE, Metric.SLA_ATTAINMENT),
    *(Metric.TURNAROUND_P50, Metric.TURNAROUND_P95, Metric.COST_PER_CLUSTER),
    *(Metric.TURNAROUND_HOURS_P50, Metric.TURNAROUND_HOURS_P95),
)
"""What is told by the decisions on a question."""


def rows_behind(
    transaction: Transaction, log: Log, figure: Figure, circumstances: Circumstances
) -> Rows:
    """The questions, answers, decisions and labels that `figure` was computed from.

    The log must hold the columns `id`.
    """
    metric, cell = figure.metric, figure.cell
    seen = observations(log, circumstances)
    found = _of_cell(MEASURED[metric][0](seen), cell, metric)
    if metric == Metric.COVERAGE:
        found = found[found["locale"].isin(circumstances.planned)]
    asked = found["question"].unique().astype(np.uint64)
    rows = {"question": _ids(log.questions, "question", asked)}
    if "answer" in found:
        places = found.loc[found["answer"] >= 0, "answer"]
        rows["answer"] = log.answers["id"].take(pa.array(places)).to_pylist()
    elif metric in ALL_ANSWERS:
        rows["answer"] = _ids(log.answers, "question", asked)
    if "decision" in found:
        keys = found["decision"].unique().astype(np.uint64)
        rows["decision"] = _ids(log.decisions, "decision", keys)
        labels = labels_of(transaction, rows["decision"])
        rows["verified_label"] = [label for label, _ in labels]
    elif metric in DECIDED:
        rows["decision"] = _ids(log.decisions, "question", asked)
    return {table: tuple(sorted(set(ids))) for table, ids in rows.items() if ids}


def _of_cell(found: Frame, cell: Cell, metric: Metric) -> Frame:
    """The observations that lie in a cell."""
    period = since_ever(cell.period) if metric == Metric.COVERAGE else cell.period
    inside = (found["at"] >= moment(period.begins)) & (found["at"] < moment(period.over))
    told = {"site": cell.vendor, "locale": cell.locale, "kind": cell.kind}
    for column, name in told.items():
        if name is not None:
            inside &= found[column] == name
    return found[inside]


def _ids(table: pa.Table, column: str, keys: NDArray[np.uint64]) -> list[str]:
    """The identities of the rows with one of `keys`."""
    wanted = pc.is_in(table[column], pa.array(keys))
    ids: list[str] = table["id"].filter(wanted).to_pylist()
    return ids
