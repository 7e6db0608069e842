"""What several annotators say together, and how far each of them is to be trusted.

A question is taken apart into items that have one right label each: its verdict, the place of each
of its pictures, or of each pair where pictures are sorted. An aggregator of crowd-kit gives each
item a posterior. Who is not sure says nothing of an item, rather than something wrong.

With Dawid and Skene's model (Applied Statistics 28, 1979) an annotator's confusion matrix is learnt
from gold questions, whose labels are known, and from agreement with the others at once. Every
annotator begins with the record of an average one, `EXPERIENCE`: it stands for a Dirichlet prior,
which few answers move little.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import pandas as pd
from crowdkit.aggregation import MACE, DawidSkene, MajorityVote, OneCoinDawidSkene

from catalog.schema import VERDICTS, Answer, Question, QuestionKind, Verdict

BELONGS, INTRUDER = "belongs", "intruder"
TOGETHER, APART = "together", "apart"

Pair = tuple[str, str]

# How often an average annotator says each label (second) of an item whose label is the first.
EXPERIENCE: Mapping[str, Mapping[tuple[str, str], int]] = {
    "picture": {
        (BELONGS, BELONGS): 99,
        (BELONGS, INTRUDER): 1,
        (INTRUDER, INTRUDER): 9,
        (INTRUDER, BELONGS): 1,
    },
    "pair": {
        (TOGETHER, TOGETHER): 19,
        (TOGETHER, APART): 1,
        (APART, APART): 19,
        (APART, TOGETHER): 1,
    },
    **{
        kind: {
            (true, said): 18 if true == said else 1
            for true in verdicts
            for said in verdicts
            if Verdict.UNSURE not in (true, said)
        }
        for kind, verdicts in VERDICTS.items()
    },
}


class Vote(NamedTuple):
    """One annotator's word on one item."""

    task: str
    worker: str
    label: str


@dataclass(frozen=True)
class Opinion:
    """What the annotators of a question say together: posterior probabilities.

    `verdicts` sums to 1 and is empty where nobody was sure. `belonging` is that of each picture to
    belong to the product, `pairs` that of two pictures, in the question's order, to show the same.
    """

    verdicts: Mapping[Verdict, float] = field(default_factory=dict)
    belonging: Mapping[str, float] = field(default_factory=dict)
    pairs: Mapping[Pair, float] = field(default_factory=dict)


def opinions(
    questions: Sequence[Question],
    voices: Mapping[str, Sequence[Answer]],
    *,
    method: str = "dawid-skene",
) -> dict[str, Opinion]:
    """The opinion on each of `questions`, all of one kind and locale.

    Parameters
    ----------
    questions
        Gold ones as well: they tell who is to be trusted.
    voices
        The answers that stand, by the id of their question.
    method
        One of `AGGREGATORS`.
    """
    asked = {question.id: question for question in questions}
    said = [(asked[key], answer) for key in asked for answer in voices.get(key, ())]
    gold = [question for question in questions if question.expected is not None]
    if not said:
        return {}
    kind = QuestionKind(questions[0].kind)
    verdicts = _posterior(
        [
            Vote(question.id, answer.annotator, answer.verdict)
            for question, answer in said
            if answer.verdict is not None and answer.verdict != Verdict.UNSURE
        ],
        {question.id: _expected_verdict(question) for question in gold},
        EXPERIENCE[kind],
        method,
    )
    belonging = _posterior(
        [vote for question, answer in said for vote in _picture_votes(question, answer)],
        {item: label for question in gold for item, label in _known_places(question)},
        EXPERIENCE["picture"],
        method,
    )
    pairs = _posterior(
        [vote for question, answer in said for vote in _pair_votes(question, answer)],
        {},
        EXPERIENCE["pair"],
        method,
    )
    return {
        question.id: Opinion(
            {Verdict(label): p for label, p in verdicts.get(question.id, {}).items()},
            {
                image: belonging[item][BELONGS]
                for image in question.image_ids
                if (item := _item(question, image)) in belonging
            },
            {
                pair: pairs[item][TOGETHER]
                for pair in combinations(question.image_ids, 2)
                if (item := _item(question, *pair)) in pairs
            },
        )
        for question in questions
    }


def ticked(question: Question, answer: Answer) -> set[str]:
    """The images that `answer` says do not belong, all of them where none does."""
    return set(question.image_ids if answer.verdict == Verdict.DIFFERENT else answer.intruder_ids)


def rightness(question: Question, answer: Answer, opinion: Opinion) -> list[float]:
    """The probability of each thing that `answer` says of `question` to be right."""
    if speaks_of_pictures(answer) and opinion.belonging:
        out = ticked(question, answer)
        return [1 - p if image in out else p for image, p in opinion.belonging.items()]
    if answer.verdict is None or answer.verdict == Verdict.UNSURE:
        return []
    return [opinion.verdicts.get(Verdict(answer.verdict), 0.0)]


def speaks_of_pictures(answer: Answer) -> bool:
    """Whether `answer` says of each picture if it belongs."""
    return answer.verdict in (Verdict.CONFIRM, Verdict.DIFFERENT)


def _picture_votes(question: Question, answer: Answer) -> Iterable[Vote]:
    if question.kind in (QuestionKind.VERIFY, QuestionKind.ATTACH) and speaks_of_pictures(answer):
        out = ticked(question, answer)
        for image in question.image_ids:
            label = INTRUDER if image in out else BELONGS
            yield Vote(_item(question, image), answer.annotator, label)


def _pair_votes(question: Question, answer: Answer) -> Iterable[Vote]:
    if question.kind != QuestionKind.SPLIT or answer.verdict != Verdict.CONFIRM:
        return
    group_of = {image: number for number, group in enumerate(answer.groups) for image in group}
    for first, second in combinations(question.image_ids, 2):
        together = first in group_of and group_of[first] == group_of.get(second)
        yield Vote(
            _item(question, first, second), answer.annotator, TOGETHER if together else APART
        )


def _expected_verdict(question: Question) -> str:
    return str((question.expected or {})["verdict"])


def _known_places(question: Question) -> Iterable[tuple[str, str]]:
    intruders = (question.expected or {}).get("intruder_ids", ())
    for image in question.image_ids:
        yield _item(question, image), INTRUDER if image in intruders else BELONGS


def _item(question: Question, *images: str) -> str:
    return "/".join((question.id, *images))


def _posterior(
    votes: Sequence[Vote],
    known: Mapping[str, str],
    experience: Mapping[tuple[str, str], int],
    method: str,
) -> dict[str, dict[str, float]]:
    """The probability of each label, for each item that somebody voted on."""
    if not votes:
        return {}
    table = pd.DataFrame(votes)
    items = table["task"].unique()
    found = AGGREGATORS[method](table, known, experience).loc[items]
    return {
        str(item): dict(zip(map(str, found.columns), row, strict=True))
        for item, row in zip(found.index, found.to_numpy(float).tolist(), strict=True)
    }


Known = Mapping[str, str]
Experience = Mapping[tuple[str, str], int]
Aggregator = Callable[[pd.DataFrame, Known, Experience], pd.DataFrame]


def _dawid_skene(votes: pd.DataFrame, known: Known, experience: Experience) -> pd.DataFrame:
    truth = {item: known[item] for item in votes["task"].unique() if item in known}
    record = []
    for worker in votes["worker"].unique():
        for (true, said), count in experience.items():
            for number in range(count):
                item = f"experience/{worker}/{true}/{said}/{number}"
                record.append(Vote(item, worker, said))
                truth[item] = true
    every = pd.concat([pd.DataFrame(record), votes], ignore_index=True)
    return DawidSkene().fit_predict_proba(every, pd.Series(truth))


def _by_votes_alone(
    model: type[MajorityVote] | type[MACE] | type[OneCoinDawidSkene],
) -> Aggregator:
    def posterior(votes: pd.DataFrame, _known: Known, experience: Experience) -> pd.DataFrame:
        labels = sorted({true for true, _ in experience})
        return model().fit_predict_proba(votes).reindex(columns=labels, fill_value=0.0)

    return posterior


AGGREGATORS: Mapping[str, Aggregator] = {
    "dawid-skene": _dawid_skene,
    "one-coin-dawid-skene": _by_votes_alone(OneCoinDawidSkene),
    "mace": _by_votes_alone(MACE),
    "majority": _by_votes_alone(MajorityVote),
}
