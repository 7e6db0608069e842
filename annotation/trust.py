"""How far the model's word is believed, of what waits and of what people have placed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.calibration import UNCORRECTED, Calibration, calibrate
from catalog.schema import Decision, DecisionKind, Question, QuestionKind

MIXED = 0.35
"""Share of a mixed sheet that shows its commonest product, on average."""

SLIPS = 0.02
"""How often people are taken to put a piece, or a picture, to a wrong product."""

LEAST_LIKE = 0.3
"""What looks more like another product is taken to be right no more often than that, before it is
considered that somebody placed it."""

HALF_LIFE = 300
"""Images about which people said something since, after which a word counts half."""


@dataclass(frozen=True)
class Trust:
    """How the model's word is corrected: of belonging to a cluster, and to a known product."""

    membership: Calibration = UNCORRECTED
    attachment: Calibration = UNCORRECTED


NO_CORRECTION = Trust()


def learn_trust(outcomes: Iterable[tuple[Sequence[float], Question, Decision]]) -> Trust:
    """How the model's word is to be corrected, by what people said of sheets lately.

    What is clear is asked first, so what was found of it says less and less of what is left.

    Parameters
    ----------
    outcomes
        The model's probability of each image of a question to belong, the question, and what was
        decided; the oldest first.
    """
    said: dict[str, list[float]] = {QuestionKind.VERIFY: [], QuestionKind.ATTACH: []}
    right: dict[str, list[float]] = {QuestionKind.VERIFY: [], QuestionKind.ATTACH: []}
    for belonging, question, decision in outcomes:
        if question.kind not in said or len(question.image_ids) < 2:
            continue
        kept = {image for group in decision.groups for image in group}
        if decision.kind == DecisionKind.SAME or question.kind == QuestionKind.ATTACH:
            found = [float(image in kept) for image in question.image_ids]
        elif decision.kind == DecisionKind.DIFFERENT:
            found = [MIXED] * len(question.image_ids)
        else:
            continue
        said[question.kind] += belonging
        right[question.kind] += found
    return Trust(
        *(
            calibrate(said[k], right[k], 0.5 ** (np.arange(len(said[k]))[::-1] / HALF_LIFE))
            for k in (QuestionKind.VERIFY, QuestionKind.ATTACH)
        )
    )


def right_all_the_same(likely: float) -> float:
    """The probability that people were right where the model finds another product `likely`."""
    like = min(1 - likely, LEAST_LIKE)
    right, wrong = (1 - SLIPS) * like, SLIPS * (1 - like)
    return right / (right + wrong)
