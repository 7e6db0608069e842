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
most `risk` (Ville), however often one looks. A threshold is in force while K is there, not once it
has been: since the bets are fixed, K speaks of the mean precision so far, also where it changes.
The risk is shared among the thresholds, the strictest first, and one that is in force hands its
share to the next (Wiens's fallback procedure, 2003), so that the confidence holds for all of them.

**Standing.** Precision may change right after that, so what is accepted waits, and stands only when
its own audits show it: those of everything accepted since the evidence began have to win 1/risk as
well. A product of bounds 1 + c/m * (p_i - m) is the largest where all p_i are equal (the geometric
mean is at most the arithmetic one), so at a given moment that is won with a probability of at most
`risk` wherever their mean precision is m or less, *however it changes between them*.

**Turning off.** Among the audits above the most lenient threshold that was in force, the e-detector
(Shin, Ramdas and Rinaldo, 2023)

    M_n = max(M_{n-1}, 1) * (1 + b * (m - right_n)),

averaged over a few b, grows when precision falls below m. Where it reaches 1/risk, acceptance ends
and the evidence starts anew. Then what waits is asked, and of what stands all since the last good
moment: the time from which on a change for the worse is not less likely, by a factor of `risk`,
than at the likeliest time.

All of it is a function of the audits, so that nothing need be remembered.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

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
        0.25, gt=0, le=1, description="Of what is accepted, asked of people all the same."
    )
    holdout_share: float = Field(
        0.25, gt=0, le=1, description="Of what is not accepted, asked by chance, as evidence."
    )
    typical_images: float = Field(
        8.0, ge=1, description="Images of a question that is drawn with just these shares."
    )
    wait_days: float = Field(
        30.0, gt=0, description="After which what was accepted, and does not stand yet, is asked."
    )
    subjects: tuple[AuditSubject, ...] = Field(
        tuple(SUBJECT_OF.values()), description="What may be accepted at all."
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
    """What was accepted, and what of it stands, by the audits of one locale, subject and model.

    Attributes
    ----------
    spans
        When what was accepted; without what an alarm took back.
    begun
        The last alarm, at which the evidence began anew; None where there was none.
    shown_until
        What was accepted until then stands; None where nothing does.
    owed
        Clean audits that are missing at least before the rest of what was accepted stands.
    """

    spans: tuple[Span, ...]
    begun: dt.datetime | None
    shown_until: dt.datetime | None
    threshold: Threshold
    owed: int

    def covers(self, score: float, at: dt.datetime) -> bool:
        """Whether what was accepted with `score` at a moment may wait, or stands."""
        return any(
            score >= span.value and span.since <= at and (span.until is None or at < span.until)
            for span in self.spans
        )

    def held(self, score: float, at: dt.datetime) -> bool:
        """Whether it stands: the audits show that the promise is kept of all that was accepted."""
        return self.shown_until is not None and at <= self.shown_until and self.covers(score, at)

    def __str__(self) -> str:
        if not self.owed:
            return str(self.threshold)
        return f"{self.threshold}; what was accepted waits for {self.owed} clean audits of it"


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
    begun: dt.datetime | None = None
    while True:
        epoch = _Epoch(rest, guarantee)
        spans += epoch.spans()
        if epoch.alarm is None:
            shown_until = epoch.shown_until or begun
            return History(tuple(spans), begun, shown_until, epoch.threshold(), epoch.owed)
        begun = rest[epoch.alarm].known_at
        rest = rest[epoch.alarm + 1 :]


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
    """The precision against which `right`, each audit's share, have won 1/risk.

    Whatever the number of audits, the precision lies above it but for a probability of `risk`.
    """
    shares = np.asarray(right, dtype=np.float64)
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        won = _log_mean(_log_capital_of_each_bet(shares, middle)) >= -math.log(risk)
        low, high = (middle, high) if won else (low, middle)
    return low


class _Epoch:
    """The audits since the evidence was last begun, in the order in which they were known.

    `values` are the thresholds, the strictest first, and `levels` the risk that each may take now;
    `in_force` is the most lenient of those in force after each audit, infinite where none is;
    `against` (bets, audits) is what each audit adds to the logarithm of the detector, and `alarm`
    the audit at which it ended all, if any. What was accepted up to `shown_until` is shown by its
    own audits, and `owed` clean ones are missing for the rest.
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
        self.levels: list[float] = []
        self.risk = guarantee.risk
        self.own_level = guarantee.risk / len(SHARES)
        self.in_force = np.full(len(audits), math.inf)
        level = np.full(len(audits), self.own_level)
        for value, above in zip(self.values, self.above, strict=True):
            capital = np.append(-math.inf, _log_capital(self.right[above], self.m))
            reached = capital[np.cumsum(above)] >= -np.log(level)
            self.levels.append(float(level[-1]))
            self.in_force[reached] = value
            level = self.own_level + level * reached
        allowed = 1 - self.m
        bets = np.array([[(min(times * allowed, 0.5) / allowed - 1) / self.m] for times in DEFECTS])
        watched = np.append(math.inf, np.minimum.accumulate(self.in_force))[:-1]
        self.against = np.log1p(bets * (self.m - self.right)) * (self.scores >= watched)
        self.alarm = self._detect()
        self.shown_until, self.owed = self._shown()

    def spans(self) -> list[Span]:
        """When what was accepted; after an alarm, of what stood and is not in doubt."""
        end = len(self.audits) if self.alarm is None else self.alarm
        known = [*(each.known_at for each in self.audits), None]
        values = self.in_force[:end]
        changes = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), end] if end else []
        found = [
            Span(float(values[start]), self.audits[start].known_at, known[stop])
            for start, stop in pairwise(changes)
            if values[start] < math.inf
        ]
        if self.alarm is None:
            return found
        good = self._good_until(self.alarm)
        return [
            Span(each.value, each.since, min(each.until or good, good))
            for each in found
            if each.since < good
        ]

    def threshold(self) -> Threshold:
        """What is in force after the last audit."""
        if not self.values:
            few = SCORES_FIRST - len(self.right)
            missing = max(few, _missing(self.right, self.m, self.own_level))
            return _threshold(None, self.right, missing, self.own_level)
        if self.in_force[-1] < math.inf:
            number = self.values.index(self.in_force[-1])
            right, missing = self.right[self.above[number]], 0
        else:
            needed = [
                _missing(self.right[above], self.m, level)
                for above, level in zip(self.above, self.levels, strict=True)
            ]
            number = int(np.argmin(needed))
            right, missing = self.right[self.above[number]], needed[number]
        value = None if missing else self.values[number]
        return _threshold(value, right, missing, self.levels[number])

    def _detect(self) -> int | None:
        """The audit at which the detector first reaches 1/risk."""
        grown = np.cumsum(self.against, axis=1)
        before = np.pad(grown, ((0, 0), (1, 0)))[:, :-1]
        # max(M, 1) at every step: the growth since the time from which on it is the largest.
        log_m = np.logaddexp.reduce(grown - np.minimum.accumulate(before, axis=1), axis=0)
        return _first(log_m - math.log(len(DEFECTS)) >= -math.log(self.risk))

    def _shown(self) -> tuple[dt.datetime | None, int]:
        """Until when what was accepted is shown by its own audits, and how many are missing."""
        if np.isinf(self.in_force).all():
            return None, 0
        drawn = np.array([each.drawn_at.timestamp() for each in self.audits])
        known = np.array([each.known_at.timestamp() for each in self.audits])
        value = np.append(math.inf, self.in_force)[np.searchsorted(known, drawn, side="right")]
        own = np.flatnonzero(self.scores >= value)
        own = own if self.alarm is None else own[own <= self.alarm]
        if not len(own):
            return None, 0
        own = own[np.argsort(drawn[own], kind="stable")]
        shown = _log_capital(self.right[own], self.m) >= -math.log(self.risk)
        # All that was drawn at once counts together.
        shown &= np.append(np.diff(drawn[own]) > 0, True)
        owed = 0 if shown[-1] else _missing(self.right[own], self.m, self.risk)
        if not shown.any():
            return None, owed
        return self.audits[own[np.flatnonzero(shown)[-1]]].drawn_at, owed

    def _good_until(self, alarm: int) -> dt.datetime:
        """Before when nothing speaks against what stood at an alarm.

        Of all audits from which on `right` speaks against the promise up to the alarm, the first
        that is not less likely by `risk` than the likeliest; or where the audits had shown no more.
        """
        since = np.cumsum(self.against[:, alarm::-1], axis=1)[:, ::-1]
        likely = np.logaddexp.reduce(since, axis=0)
        first = int(np.argmax(likely >= likely.max() + math.log(self.risk)))
        doubtful = min(each.drawn_at for each in self.audits[first : alarm + 1])
        return min(doubtful, self.shown_until or self.audits[0].known_at)


def _threshold(value: float | None, right: Float, missing: int, level: float) -> Threshold:
    bound = precision_bound(list(right), level)
    return Threshold(value, len(right), float(right.sum()), bound, missing)


def _missing(right: Float, m: float, level: float) -> int:
    """How many clean audits more would show the promise."""
    won = _log_capital_of_each_bet(right, m)
    gains = np.log1p(np.array(BETS) / m * (1 - m))
    low, high = 0, 1
    while _log_mean(won + high * gains) < -math.log(level):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = _log_mean(won + middle * gains) >= -math.log(level)
        low, high = (low, middle) if enough else (middle, high)
    return high


def _log_capital(right: Float, m: float) -> Float:
    """The logarithm of the capital after each audit, against a precision of `m` or less."""
    bets = np.array(BETS)[:, None] / m
    each = np.cumsum(np.log1p(bets * (right - m)), axis=1)
    return np.array(np.logaddexp.reduce(each, axis=0) - math.log(len(BETS)))


def _log_capital_of_each_bet(right: Float, m: float) -> Float:
    """The same after the last audit, of each bet by itself."""
    bets = np.array(BETS)[:, None] / max(m, 1e-12)
    return np.array(np.log1p(bets * (right - m)).sum(axis=1))


def _log_mean(logs: Float) -> float:
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))


def _first(reached: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(reached)) if reached.any() else None


def _lot(question: Question, reason: str, seed: int) -> float:
    """A number from 0 to 1, drawn once for each question and reason."""
    return int(digest(reason, seed, question.id)[:13], 16) / 16**13
