"""What is accepted without asking people, under a guarantee that their audits keep true.

The guarantee: of the images that are accepted in a locale, at least `precision_at_least` show what
they were accepted as, with `confidence`. The evidence are **audits**: questions drawn by chance,
whatever their score, and answered by people who do not know it. Each audit says which share of its
images was right. The images of one question are not independent, so each audit counts once; a
question is drawn with a chance in proportion to its images, so the mean over audits is the
precision over images (Hansen and Hurwitz, 1943).

**Turning on.** For each of a few thresholds the audits with at least that score bet against the
hypothesis that their precision is `m` or less (Waudby-Smith and Ramdas, JRSS B 2024): the capital

    K_n = mean over bets c of prod_i (1 + c / m * (right_i - m))

is a nonnegative supermartingale under it, so that K ever reaches 1/risk with a probability of at
most `risk` (Ville), however often one looks. The risk is shared among the thresholds, the strictest
first, and one that is shown hands its share to the next (Wiens's fallback procedure, 2003), so that
the confidence holds for all of them together.

**Turning off.** Among the audits above the threshold in force, the e-detector (Shin, Ramdas and
Rinaldo, 2023)

    M_n = max(M_{n-1}, 1) * (1 + b * (m - right_n)),

averaged over a few b, grows when precision falls below m. At `ALARM` acceptance ends; what was
accepted since M was last 1 is in doubt; and the evidence starts anew.

All of it is a function of the audits, so that nothing need be remembered.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from annotation.questions import ANCHORS
from catalog.identity import digest
from catalog.schema import AuditSubject, Decision, DecisionKind, Question, QuestionKind

SUBJECT_OF: Mapping[str, AuditSubject] = {
    QuestionKind.VERIFY: AuditSubject.CLUSTER,
    QuestionKind.ATTACH: AuditSubject.ATTACHMENT,
    QuestionKind.MERGE: AuditSubject.MERGE,
}
BETS = (0.5, 0.8, 0.95)
"""Of the most that can be bet: the first turns on soonest after defects, the last without any."""
DEFECTS = (3, 10)
"""How many times the allowed share of defects the detector looks for."""
ALARM = 100.0
"""At a precision of 99.5 %, promised 99 %, 3 to 4 of 100 streams of 2,000 audits reach it."""
SCORES_FIRST = 100
"""Audits whose scores, not whose outcomes, say where the thresholds lie."""
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the audits drawn, the part that each threshold keeps."""

Float = NDArray[np.float64]


class Guarantee(BaseModel, extra="forbid", frozen=True):
    """What is promised of what is accepted, and how much is audited."""

    precision_at_least: float = Field(0.99, gt=0.5, lt=1, description="Of accepted images.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="With which that holds.")
    audit_share: float = Field(
        0.05, gt=0, le=1, description="Of what is accepted, asked of people all the same."
    )
    holdout_share: float = Field(
        0.25, gt=0, le=1, description="Of what is not accepted, asked by chance, as evidence."
    )
    typical_images: float = Field(
        8.0, ge=1, description="Images of a question that is drawn with just these shares."
    )
    subjects: frozenset[AuditSubject] = Field(
        frozenset(SUBJECT_OF.values()), description="What may be accepted at all."
    )
    seed: int = Field(0, description="Of the draws.")

    @property
    def risk(self) -> float:
        """The probability with which the promise may be broken."""
        return 1 - self.confidence


@dataclass(frozen=True)
class Acceptable:
    """A question that a model would answer with yes, with the probability `score` that it is right.

    Of a cluster, an attachment or a merge: that an image of it is in its place.
    """

    question: Question
    subject: AuditSubject
    score: float


@dataclass(frozen=True)
class Audited:
    """What people said of a question that was drawn.

    `right` is the share of its images that were right; it was drawn at `drawn_at` and known at
    `known_at`.
    """

    score: float
    right: float
    drawn_at: dt.datetime
    known_at: dt.datetime


@dataclass(frozen=True)
class Threshold:
    """From which score on is accepted; `value` is None until there is enough evidence.

    Attributes
    ----------
    n, right
        Audits above it, and the sum of the shares of images that were right in them.
    bound
        The precision that they show with the confidence asked for.
    missing
        Clean audits that are still needed at least; 0 where `value` is given.
    """

    value: float | None
    n: int
    right: float
    bound: float
    missing: int

    def __str__(self) -> str:
        seen = f"{self.right:.5g} of {self.n} audits right, so precision is above {self.bound:.2%}"
        if self.value is not None:
            return f"accepted from a score of {self.value:.3f} on: {seen}"
        return f"nothing is accepted: {self.missing} clean audits are missing at least; {seen}"


@dataclass(frozen=True)
class Span:
    """A time in which what scored `value` or more was accepted; it ends before `until`, if ever."""

    value: float
    since: dt.datetime
    until: dt.datetime | None


@dataclass(frozen=True)
class History:
    """When what was accepted, by the audits of one locale, subject and model.

    `doubts` are the times, each from the last good moment to the alarm, of which nothing holds.
    """

    spans: tuple[Span, ...]
    doubts: tuple[tuple[dt.datetime, dt.datetime], ...]
    threshold: Threshold

    def held(self, score: float, at: dt.datetime) -> bool:
        """Whether the guarantee covers what was accepted with `score` at a moment, as known now."""
        return any(
            score >= span.value and span.since <= at and (span.until is None or at < span.until)
            for span in self.spans
        ) and not any(since <= at <= alarm for since, alarm in self.doubts)


@dataclass(frozen=True)
class Sorted:
    """What becomes of questions: accepted, drawn to be asked (each with its chance), or neither.

    Some are both accepted and drawn: they are audited.
    """

    accepted: list[Acceptable] = field(default_factory=list)
    drawn: list[tuple[Acceptable, float]] = field(default_factory=list)
    left: list[Acceptable] = field(default_factory=list)


def history(audits: Iterable[Audited], guarantee: Guarantee) -> History:
    """What the audits of one locale, subject and model allow, from the first to the last."""
    rest = sorted(audits, key=lambda each: (each.known_at, each.drawn_at, each.score))
    spans: list[Span] = []
    doubts: list[tuple[dt.datetime, dt.datetime]] = []
    while True:
        epoch = _Epoch(rest, guarantee)
        alarm = epoch.alarm()
        spans += epoch.spans(alarm[0] if alarm else len(rest))
        if alarm is None:
            return History(tuple(spans), tuple(doubts), epoch.threshold())
        last, first_doubted = alarm
        doubted = rest[first_doubted : last + 1]
        doubts.append((min(each.drawn_at for each in doubted), rest[last].known_at))
        rest = rest[last + 1 :]


def sort_out(
    candidates: Iterable[Acceptable],
    thresholds: Mapping[tuple[str, AuditSubject], float | None],
    guarantee: Guarantee,
) -> Sorted:
    """What becomes of `candidates`, where `thresholds` are in force by locale and subject.

    The draws depend on nothing but the question and the seed. A cluster that fits into the row of
    pictures that people look at to name it is not accepted: nothing would be saved.
    """
    found = Sorted()
    for each in candidates:
        question = each.question
        value = thresholds.get((question.locale, each.subject))
        nameless = each.subject == AuditSubject.CLUSTER and len(question.image_ids) <= ANCHORS
        accepted = (
            value is not None
            and each.score >= value
            and each.subject in guarantee.subjects
            and not nameless
        )
        share = guarantee.audit_share if accepted else guarantee.holdout_share
        chance = chance_of(each, share, guarantee)
        # A lot of its own for each reason to draw: what the holdout left may still be audited.
        drawn = _lot(question, "audit" if accepted else "holdout", guarantee.seed) < chance
        if accepted:
            found.accepted.append(each)
        if drawn:
            found.drawn.append((each, chance))
        elif not accepted:
            found.left.append(each)
    return found


def chance_of(each: Acceptable, share: float, guarantee: Guarantee) -> float:
    """The probability of being drawn: in proportion to the images; a merge is one thing."""
    n_images = (
        guarantee.typical_images
        if each.subject == AuditSubject.MERGE
        else len(each.question.image_ids)
    )
    return min(1.0, share * n_images / guarantee.typical_images)


def accepted(each: Acceptable, model_id: str) -> Decision:
    """The decision that the images of a question show one product, by the word of a model."""
    question = each.question
    groups = [group for group in (question.reference_ids, question.image_ids) if group]
    return Decision(
        id=digest("accepted", question.id, model_id),
        question_id=question.id,
        supersedes_id=None,
        kind=DecisionKind.SAME,
        name=None,
        groups=[list(group) for group in groups],
        removed_ids=[],
        memberships=[1.0] * len(question.reference_ids) + [each.score] * len(question.image_ids),
        answer_ids=[],
        annotators=[],
        agreement=0.0,
        confidence=each.score,
        seconds=0.0,
        model_id=model_id,
    )


def right_share(question: Question, decision: Decision) -> float:
    """The share of a question's images that were right to accept, by a decision of people.

    Where people could not tell, or saw no product, none was.
    """
    if decision.kind != DecisionKind.SAME:
        return 0.0
    if question.kind == QuestionKind.MERGE:
        return 1.0
    kept = {image for group in decision.groups for image in group}
    return sum(image in kept for image in question.image_ids) / len(question.image_ids)


def precision_bound(right: Sequence[float], risk: float) -> float:
    """The precision that `right`, one audit's share after the other, shows with 1 - `risk`.

    It holds for every number of audits at once.
    """
    shares = np.asarray(right, dtype=np.float64)
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        reached = _log_capital(shares, middle).max(initial=-math.inf) >= -math.log(risk)
        low, high = (middle, high) if reached else (low, middle)
    return low


class _Epoch:
    """The audits since the evidence was last begun, in the order in which they were known.

    `values` are the thresholds, the strictest first; `shown` the audit by which each was shown to
    keep the promise (their number where it was not), and `levels` the risk that it may take now.
    """

    def __init__(self, audits: Sequence[Audited], guarantee: Guarantee) -> None:
        self.audits = audits
        self.m = guarantee.precision_at_least
        self.right = np.array([each.right for each in audits], dtype=np.float64)
        self.scores = np.array([each.score for each in audits], dtype=np.float64)
        first = self.scores[:SCORES_FIRST]
        shares = SHARES if len(first) == SCORES_FIRST else ()
        self.values = [
            float(np.quantile(first, 1 - share, method="inverted_cdf")) for share in shares
        ]
        self.above = [self.scores >= value for value in self.values]
        self.shown: list[int] = []
        self.levels: list[float] = []
        self.own_level = guarantee.risk / len(SHARES)
        level = np.full(len(audits), self.own_level)
        for above in self.above:
            capital = np.full(len(audits), -math.inf)
            capital[above] = _log_capital(self.right[above], self.m)
            reached = np.maximum.accumulate(capital) >= -np.log(level)
            self.shown.append(_first(reached))
            self.levels.append(float(level[-1]))
            level = self.own_level + level * reached

    def spans(self, end: int) -> list[Span]:
        """When each threshold was in force, before the audit with the number `end`."""
        starts: list[tuple[int, float]] = []
        for at, value in sorted(zip(self.shown, self.values, strict=True)):
            if at < end and (not starts or value < starts[-1][1]):
                starts.append((at, value))
        ends = [*(at for at, _ in starts[1:]), end]
        known = [*(each.known_at for each in self.audits), None]
        return [
            Span(value, self.audits[at].known_at, known[until])
            for (at, value), until in zip(starts, ends, strict=False)
        ]

    def alarm(self) -> tuple[int, int] | None:
        """The audit that ends the acceptance, and the first that is in doubt with it."""
        found = []
        for number, at in enumerate(self.shown):
            # A more lenient threshold takes the place of a stricter one.
            end = min([len(self.audits), *self.shown[number + 1 :]])
            if at < end and (alarm := self._alarm_of(self.above[number], at, end)) is not None:
                found.append(alarm)
        return min(found, default=None)

    def threshold(self) -> Threshold:
        """What is in force after the last audit."""
        if not self.values:
            few = SCORES_FIRST - len(self.right)
            missing = max(few, _missing(self.right, self.m, self.own_level))
            return _threshold(None, self.right, missing, self.own_level)
        found = [
            (value, self.right[above], level, 0 if at < len(self.right) else None)
            for value, above, level, at in zip(
                self.values, self.above, self.levels, self.shown, strict=True
            )
        ]
        in_force = [each for each in found if each[3] == 0]
        if in_force:
            value, right, level, _ = in_force[-1]
            return _threshold(value, right, 0, level)
        needed = [_missing(right, self.m, level) for _, right, level, _ in found]
        nearest = int(np.argmin(needed))
        return _threshold(None, found[nearest][1], needed[nearest], found[nearest][2])

    def _alarm_of(self, above: NDArray[np.bool_], since: int, end: int) -> tuple[int, int] | None:
        allowed = 1 - self.m
        bets = [(min(times * allowed, 0.5) / allowed - 1) / self.m for times in DEFECTS]
        capital = [1.0] * len(bets)
        good = [0] * len(bets)
        for at in map(int, np.flatnonzero(above[:end])):
            for place, bet in enumerate(bets):
                if capital[place] <= 1:
                    capital[place], good[place] = 1.0, at
                capital[place] *= 1 + bet * (self.m - self.right[at])
            if at > since and sum(capital) / len(capital) >= ALARM:
                return at, good[int(np.argmax(capital))]
        return None


def _threshold(value: float | None, right: Float, missing: int, level: float) -> Threshold:
    bound = precision_bound(list(right), level)
    return Threshold(value, len(right), float(right.sum()), bound, missing)


def _missing(right: Float, m: float, level: float) -> int:
    """How many clean audits more would show the promise."""
    reached = _log_capital_of_each_bet(right, m)[:, -1] if len(right) else np.zeros(len(BETS))
    gains = np.log1p(np.array(BETS) / m * (1 - m))
    low, high = 0, 1
    while _log_mean(reached + high * gains) < -math.log(level):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = _log_mean(reached + middle * gains) >= -math.log(level)
        low, high = (low, middle) if enough else (middle, high)
    return high


def _log_capital(right: Float, m: float) -> Float:
    """The logarithm of the capital after each audit, against a precision of `m` or less."""
    if not len(right):
        return np.zeros(0)
    each = _log_capital_of_each_bet(right, m)
    return np.array(np.logaddexp.reduce(each, axis=0) - math.log(len(BETS)))


def _log_capital_of_each_bet(right: Float, m: float) -> Float:
    """float64 (bets, audits)."""
    bets = np.array(BETS)[:, None] / max(m, 1e-12)
    return np.array(np.cumsum(np.log1p(bets * (right - m)), axis=1))


def _log_mean(logs: Float) -> float:
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))


def _first(reached: NDArray[np.bool_]) -> int:
    """The first place that is true, or the number of places."""
    return int(np.argmax(reached)) if reached.any() else len(reached)


def _lot(question: Question, reason: str, seed: int) -> float:
    """A number from 0 to 1, drawn once for each question and reason."""
    return int(digest(reason, seed, question.id)[:13], 16) / 16**13
