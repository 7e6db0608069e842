"""How each annotator of a locale does: on gold, beside the others, and over time.

Few answers say little: every share comes with its Wilson interval and its number of answers.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from annotation.consensus import Opinion, opinions, rightness, speaks_of_pictures, ticked
from annotation.decisions import standing_answers
from annotation.gold import is_right
from catalog.schema import Answer, Question, QuestionKind, Verdict

FEW = 30
SAME_ANSWER_RUN = 20
FASTEST_SECONDS_PER_PICTURE = 0.1
RESAMPLES = 1000


@dataclass(frozen=True)
class Share:
    """A share of `n`, with the 95 % Wilson interval of the true one."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, n_right: int, n: int) -> "Share":
        if n == 0:
            return cls(math.nan, 0.0, 1.0, 0)
        low, high = proportion_confint(n_right, n, method="wilson")
        return cls(n_right / n, float(low), float(high), n)

    @property
    def too_few(self) -> bool:
        return self.n < FEW

    def __str__(self) -> str:
        if self.n == 0:
            return "–"
        doubt = ", few" if self.too_few else ""
        return f"{self.value:.0%} ({self.low:.0%}–{self.high:.0%} of {self.n}{doubt})"


@dataclass(frozen=True)
class Record:
    """What one annotator has done in one locale.

    `skill` is the mean probability, from gold and from agreement together, that what they say of a
    picture or of a question is right, and `n_judged` how many that is the mean of. `agreement` is
    the share of questions on which they and another annotator said the same;
    `seconds` the median of a question; `trend` the change of `agreement` from the earlier to the
    later half of their answers.
    """

    annotator: str
    locale: str
    n_answered: int
    skill: float
    n_judged: int
    gold: Share
    agreement: Share
    seconds: float
    trend: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha of `n_items` items, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n_items: int

    def __str__(self) -> str:
        if self.n_items == 0:
            return "–"
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f} of {self.n_items})"


def gold_counts(
    questions: Mapping[str, Question], answers: Mapping[str, Sequence[Answer]]
) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Of the gold among `questions`, how many each annotator got right, and of how many.

    By annotator, site and locale.
    """
    found: dict[tuple[str, str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for key, question in questions.items():
        if question.expected is None:
            continue
        for answer in standing_answers(answers.get(key, ())):
            who = answer.annotator, question.site, question.locale
            n_right, n = found[who]
            found[who] = n_right + is_right(question, answer), n + 1
    return dict(found)


def records(
    questions: Mapping[str, Question],
    answers: Mapping[str, Sequence[Answer]],
    *,
    method: str = "dawid-skene",
) -> list[Record]:
    """The record of every annotator in each locale, by locale and annotator.

    `method` is one of `consensus.AGGREGATORS`.
    """
    voices = {key: standing_answers(answers.get(key, ())) for key in questions}
    found = _opinions(list(questions.values()), voices, method)
    right: dict[tuple[str, str], list[float]] = defaultdict(list)
    given: dict[tuple[str, str], list[tuple[Question, Answer]]] = defaultdict(list)
    agreed: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for key, said in voices.items():
        question = questions[key]
        for answer in said:
            given[question.locale, answer.annotator].append((question, answer))
            right[question.locale, answer.annotator] += rightness(question, answer, found[key])
            others = [other for other in said if other.annotator != answer.annotator]
            if others:
                agreed[question.locale, answer.annotator][answer.id] = any(
                    _says_the_same(question, answer, other) for other in others
                )
    return [_record(*each, given[each], agreed[each], right[each]) for each in sorted(given)]


def verdict_alpha(questions: Iterable[Question], answers: Mapping[str, Sequence[Answer]]) -> Alpha:
    """How far annotators agree beyond chance in their verdicts."""
    return krippendorff(
        [
            np.array([[sum(answer.verdict == verdict for answer in said) for verdict in Verdict]])
            for question in questions
            if (said := standing_answers(answers.get(question.id, ())))
        ]
    )


def picture_alpha(questions: Iterable[Question], answers: Mapping[str, Sequence[Answer]]) -> Alpha:
    """How far annotators agree beyond chance which pictures do not belong."""
    blocks = []
    for question in questions:
        if question.kind in (QuestionKind.VERIFY, QuestionKind.ATTACH):
            said = filter(speaks_of_pictures, standing_answers(answers.get(question.id, ())))
            out = [ticked(question, answer) for answer in said]
            n_out = np.array([sum(image in each for each in out) for image in question.image_ids])
            blocks.append(np.column_stack([n_out, len(out) - n_out]))
    return krippendorff(blocks)


def krippendorff(blocks: Sequence[NDArray[np.int64]], *, seed: int = 0) -> Alpha:
    """Krippendorff's alpha for nominal data; Content Analysis (2004), section 11.3.

    Parameters
    ----------
    blocks : list of int64 (items, labels)
        How often each label was given to each item. The items of one block depend on each other,
        so the interval is found by drawing blocks anew.
    """
    paired = [block[block.sum(axis=1) > 1] for block in blocks]
    paired = [block for block in paired if len(block)]
    if not paired:
        return Alpha(math.nan, math.nan, math.nan, 0)
    parts = np.array([[_disagreement(block), *block.sum(axis=0)] for block in paired])
    draws = np.random.default_rng(seed).multinomial(
        len(parts), np.full(len(parts), 1 / len(parts)), RESAMPLES
    )
    low, high = np.nanquantile(_alpha(draws @ parts), [0.025, 0.975])
    [value] = _alpha(parts.sum(axis=0, keepdims=True))
    return Alpha(float(value), float(low), float(high), sum(map(len, paired)))


def _disagreement(block: NDArray[np.int64]) -> float:
    """The number of pairs of unlike labels within items, each weighed by 1 / (labels - 1)."""
    n = block.sum(axis=1)
    return float(((n**2 - (block**2).sum(axis=1)) / (n - 1)).sum())


def _alpha(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Alpha from rows of (disagreement, count of each label); 1 where there is only one label."""
    observed, counts = parts[:, 0], parts[:, 1:]
    n = counts.sum(axis=1)
    expected = (n**2 - (counts**2).sum(axis=1)) / (n - 1)
    return np.where(expected > 0, 1 - observed / np.where(expected > 0, expected, 1), 1.0)


def _opinions(
    questions: Sequence[Question], voices: Mapping[str, Sequence[Answer]], method: str
) -> dict[str, Opinion]:
    """What the annotators of each locale and kind of question say together."""
    kinds: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in questions:
        kinds[question.locale, question.kind].append(question)
    return {
        key: opinion
        for alike in kinds.values()
        for key, opinion in opinions(alike, voices, method=method).items()
    }


def _record(
    locale: str,
    annotator: str,
    given: Sequence[tuple[Question, Answer]],
    agreed: Mapping[str, bool],
    right: Sequence[float],
) -> Record:
    in_order = sorted(given, key=lambda each: (each[1].answered_at, each[1].id))
    gold = [is_right(question, answer) for question, answer in given if question.expected]
    same = [agreed[answer.id] for _, answer in in_order if answer.id in agreed]
    half = len(same) // 2
    seconds = [answer.seconds for _, answer in given if answer.seconds is not None]
    return Record(
        annotator=annotator,
        locale=locale,
        n_answered=len(given),
        skill=fmean(right) if right else math.nan,
        n_judged=len(right),
        gold=Share.of(sum(gold), len(gold)),
        agreement=Share.of(sum(same), len(same)),
        seconds=median(seconds) if seconds else math.nan,
        trend=fmean(same[half:]) - fmean(same[:half]) if half else math.nan,
        flags=tuple(_flags(in_order)),
    )


def _flags(given: Sequence[tuple[Question, Answer]]) -> Iterable[str]:
    last = given[-SAME_ANSWER_RUN:]
    if len(last) == SAME_ANSWER_RUN:
        said = {(answer.verdict, len(answer.intruder_ids), answer.name) for _, answer in last}
        if len(said) == 1:
            yield f"the last {SAME_ANSWER_RUN} answers are all the same"
    fast = [
        answer.seconds < FASTEST_SECONDS_PER_PICTURE * len(question.image_ids)
        for question, answer in given
        if answer.seconds is not None
    ]
    if sum(fast) * 2 > len(fast):
        yield f"most answers took less than {FASTEST_SECONDS_PER_PICTURE} s a picture"
    skipped_gold = [
        question.expected["intruder_ids"] and not answer.intruder_ids
        for question, answer in given
        if question.expected
    ]
    if sum(map(bool, skipped_gold)) * 2 > max(len(skipped_gold), 2):
        yield "misses the intruders of most gold questions"


def _says_the_same(question: Question, first: Answer, second: Answer) -> bool:
    if first.verdict != second.verdict:
        return False
    if question.kind == QuestionKind.SPLIT:
        return {frozenset(g) for g in first.groups} == {frozenset(g) for g in second.groups}
    return ticked(question, first) == ticked(question, second)
