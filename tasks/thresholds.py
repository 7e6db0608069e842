"""From which score on accepting without asking costs least, by what audits have found."""

from dataclasses import dataclass

from annotation.acceptance import right_share
from catalog import audits
from catalog.schema import AuditPurpose, AuditSubject
from tasks.plots import png
from tasks.settings import Settings
from workforce.statistics.operating import (
    Costs,
    Curves,
    OperatingPoint,
    curves,
    operating_point,
)


@dataclass(frozen=True, eq=False)
class Threshold:
    """The cheapest threshold of a locale and subject, from `n` audits, and the curves behind it."""

    n: int
    point: OperatingPoint
    curves: Curves


def cheapest(
    settings: Settings, locale: str, subject: AuditSubject, model_id: str, costs: Costs
) -> Threshold:
    """By the audits of what a model scored; a part of a cluster that was right counts as a part.

    Raises ValueError where all were right, or none.
    """
    with settings.catalog.read() as transaction:
        answered = audits.answered(transaction, AuditPurpose.ACCEPTANCE)
    about = [
        (audit.score, right_share(question, decision))
        for audit, question, decision in answered
        if (audit.locale, audit.subject, audit.model_id) == (locale, subject, model_id)
    ]
    scores, right = [score for score, _ in about], [share for _, share in about]
    return Threshold(len(about), operating_point(scores, right, costs), curves(scores, right))


def plot_threshold(found: Threshold) -> bytes:
    """A PNG of the ROC and the precision-recall curve with their 95 % intervals."""
    from matplotlib.figure import Figure

    told, point = found.curves, found.point
    figure = Figure(figsize=(9, 4), dpi=110, layout="constrained")
    roc, recall = figure.subplots(1, 2)
    roc.step(told.false_positives, told.recall, where="post")
    roc.fill_between(
        told.false_positives, told.recall_low, told.recall_high, step="post", alpha=0.2
    )
    roc.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    roc.set(xlabel="wrong ones accepted", ylabel="right ones accepted", title="ROC")
    recall.step(told.recall, told.precision, where="post")
    recall.fill_between(
        told.recall, told.precision_low, told.precision_high, step="post", alpha=0.2
    )
    recall.plot(point.recall.value, point.precision.value, "o", color="tab:red")
    recall.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(None, 1.01))
    for axes in (roc, recall):
        axes.spines[["top", "right"]].set_visible(False)
    return png(figure)
