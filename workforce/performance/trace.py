"""Which rows of the catalogue a figure was computed from."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from catalog import Transaction
from catalog.performance import Log, labels_of
from workforce.performance.figures import Cell, Figure, Metric
from workforce.performance.metrics import MEASURED, Circumstances, observations, since_ever
from workforce.performance.observations import Frame, Observations
from workforce.performance.working_time import moment

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
MADE_OF = {Metric.THROUGHPUT: (Observations.worked, Observations.labels)}
"""What is measured on sums of other observations."""


def rows_behind(
    transaction: Transaction, log: Log, figure: Figure, circumstances: Circumstances
) -> Rows:
    """The questions, answers, decisions and labels that `figure` was computed from.

    The log must hold the columns `id`.
    """
    metric = figure.metric
    seen = observations(log, circumstances)
    rows: dict[str, list[str]] = defaultdict(list)
    for observed in MADE_OF.get(metric, (MEASURED[metric][0],)):
        found = _of_cell(observed(seen), figure.cell, metric)
        if metric == Metric.COVERAGE:
            found = found[found["locale"].isin(circumstances.planned)]
        if "answer" in found:
            answers = log.answers.iloc[found["answer"]]
            rows["answer"] += list(answers["id"])
            found = found.assign(question=answers["question"].to_numpy())
        elif metric in ALL_ANSWERS:
            rows["answer"] += _ids(log.answers, "question", found)
        rows["question"] += _ids(log.questions, "question", found)
        if "decision" in found:
            rows["decision"] += _ids(log.decisions, "decision", found)
            rows["verified_label"] += [key for key, _ in labels_of(transaction, rows["decision"])]
        elif metric in DECIDED:
            rows["decision"] += _ids(log.decisions, "question", found)
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


def _ids(rows: Frame, key: str, found: Frame) -> list[str]:
    """The identities of those of `rows` that are among `found`, by the key of what both name."""
    return list(rows.loc[rows[key].isin(found[key].unique()), "id"])
