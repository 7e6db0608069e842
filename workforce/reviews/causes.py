"""What explains a miss: the parts of the work that hold more of what is wrong than of the work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workforce.performance.definitions import DEFINITIONS, SHARES_OF_WORK
from workforce.performance.figures import Figure, Metric
from workforce.reviews.review import Level, Said, Score

AT_LEAST = 0.2
"""Of what is wrong: parts that hold less are not worth a sentence."""

BEYOND = 1.25
"""How many times more of what is wrong than of the work a part must hold."""


@dataclass(frozen=True)
class Part:
    """A locale's work of one kind: its share of the work and of what is wrong with it.

    `without` is what the metric would be of the rest.
    """

    figure: Figure
    work: float
    wrong: float
    without: float

    @property
    def said(self) -> Said:
        late = self.figure.metric == Metric.SLA_ATTAINMENT
        return Said(
            "cause.late" if late else "cause.cell",
            {
                "metric": self.figure.metric,
                "locale": self.figure.cell.locale or "",
                "kind": self.figure.cell.kind or "",
                "work": self.work,
                "share": self.wrong,
                "without": Level(self.figure.metric, self.without),
            },
        )


def parts(score: Score, figures: Iterable[Figure], at_most: int = 2) -> list[Part]:
    """The parts that explain why a share is not what was agreed, the worst first.

    The figures of single locales and kinds are added up: `n` of each, and of these the wrong ones.
    """
    metric, where = score.figure.metric, score.figure.cell
    if metric not in SHARES_OF_WORK:
        return []
    cells = [
        (each, each.n, each.n * _wrong(metric, each.value))
        for each in figures
        if each.metric == metric
        and isinstance(each.value, float)
        and each.cell.locale is not None
        and each.cell.kind is not None
        and where.locale in (None, each.cell.locale)
        and where.kind in (None, each.cell.kind)
    ]
    n_all, wrong_all = sum(n for _, n, _ in cells), sum(wrong for _, _, wrong in cells)
    if len(cells) < 2 or not wrong_all:
        return []
    found = [
        Part(
            each,
            n / n_all,
            wrong / wrong_all,
            _wrong(metric, (wrong_all - wrong) / (n_all - n)),
        )
        for each, n, wrong in cells
        if 0 < n < n_all
    ]
    telling = [part for part in found if part.wrong >= max(AT_LEAST, BEYOND * part.work)]
    return sorted(telling, key=lambda part: -part.wrong)[:at_most]


def variance_said(components: Sequence[tuple[str, float]]) -> list[Said]:
    """The largest of the variance components of correctness (name and share), as a sentence."""
    largest = max(components, key=lambda each: each[1], default=None)
    if largest is None or largest[1] < AT_LEAST:
        return []
    return [Said("cause.variance", {"component": largest[0], "share": largest[1]})]


def _wrong(metric: Metric, share: float) -> float:
    """The share that is wrong, from the metric; and the metric, from the share that is wrong."""
    return share if DEFINITIONS[metric].less_is_better else 1 - share
