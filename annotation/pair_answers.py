"""What people said of audited pairs, as counts that a certificate is made of."""

from collections.abc import Iterable, Mapping, Sequence

from annotation.certificate import Accuracy
from annotation.decisions import standing_answers
from catalog.schema import KIND_OF, Answer, DecisionKind, Question, QuestionKind

TOLD = (DecisionKind.SAME, DecisionKind.DIFFERENT)


def found_same(
    asked: Mapping[str, Sequence[str]], decided: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """Of the pairs of each stratum that were told, how many show one product, and how many.

    Parameters
    ----------
    asked
        The questions about the pairs of each stratum.
    decided
        The kind of the decision that stands on a question; a pair of which nobody was sure is not
        counted.
    """
    told = {
        stratum: [decided[key] for key in questions if decided.get(key) in TOLD]
        for stratum, questions in asked.items()
    }
    return {
        stratum: (kinds.count(DecisionKind.SAME), len(kinds)) for stratum, kinds in told.items()
    }


def accuracy_on_gold(
    questions: Iterable[Question], answers: Mapping[str, Sequence[Answer]]
) -> Accuracy:
    """How often annotators were right about the gold among `questions` that compares pictures."""
    counts = {DecisionKind.SAME: [0, 0], DecisionKind.DIFFERENT: [0, 0]}
    for question in questions:
        if question.kind != QuestionKind.MERGE or question.expected is None:
            continue
        true = KIND_OF[question.expected["verdict"]]
        for answer in standing_answers(answers.get(question.id, ())):
            if (said := KIND_OF[answer.verdict]) in TOLD:
                counts[true][0] += said == true
                counts[true][1] += 1
    return Accuracy(*counts[DecisionKind.SAME], *counts[DecisionKind.DIFFERENT])
