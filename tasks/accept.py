"""What is accepted without asking people: what the audits allow, what waits, what is revoked."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import Acceptable, Audited, Guarantee, History, Sorted, undo
from annotation.acceptance import SUBJECT_OF, accepted, history, right_share, sort_out
from catalog import Transaction, audits, decisions, models
from catalog.database import one_at_a_time
from catalog.labels import LabelRow
from catalog.schema import Audit, AuditPurpose, AuditSubject, Decision, Origin, Question, now
from tasks.collect import LOG
from tasks.settings import load_settings

HEADER = ("locale", "subject", "model", "waiting", "what the audits show")
BY = "the guarantee"
REASON = "the audits do not carry what was accepted then: it is asked of people"


@dataclass(frozen=True, order=True)
class Scored:
    """What has thresholds of its own: scores of another model are other scores."""

    locale: str
    subject: AuditSubject
    model_id: str


def histories(transaction: Transaction, guarantee: Guarantee) -> dict[Scored, History]:
    """What the audits that have been answered allow, and allowed at any time before."""
    found: dict[Scored, list[Audited]] = defaultdict(list)
    for audit, question, decision in audits.answered(transaction, AuditPurpose.ACCEPTANCE):
        said = Audited(
            audit.score, right_share(question, decision), audit.drawn_at, decision.decided_at
        )
        place = Scored(audit.locale, AuditSubject(audit.subject), audit.model_id or "")
        found[place].append(said)
    return {place: history(said, guarantee) for place, said in sorted(found.items())}


def stands(allowed: Mapping[Scored, History], question: Question, decision: Decision) -> bool:
    """Whether audits show the promise kept of what was accepted without asking people."""
    past = allowed.get(_place(question, decision))
    return past is not None and past.held(decision.confidence, decision.decided_at)


def waits(
    allowed: Mapping[Scored, History], question: Question, decision: Decision, guarantee: Guarantee
) -> bool:
    """Whether audits may yet show it: nothing speaks against it, and it does not wait for long."""
    past = allowed.get(_place(question, decision))
    return (
        past is not None
        and not past.held(decision.confidence, decision.decided_at)
        and past.covers(decision.confidence, decision.decided_at)
        and now() < decision.decided_at + dt.timedelta(guarantee.wait_days)
    )


def judgeable(
    transaction: Transaction, labels: Sequence[LabelRow], guarantee: Guarantee
) -> list[LabelRow]:
    """Those of `labels` on which the gate can rule: all but what waits for audits."""
    ids = sorted(
        {each.decision_id for each in labels if each.origin == Origin.ACCEPTED and each.decision_id}
    )
    if not ids:
        return list(labels)
    allowed = histories(transaction, guarantee)
    waiting = {
        decision.id
        for question, decision in decisions.behind(transaction, ids).values()
        if waits(allowed, question, decision, guarantee)
    }
    return [each for each in labels if each.decision_id not in waiting]


def sorted_by_audits(
    transaction: Transaction,
    candidates: Sequence[Acceptable],
    *,
    model_id: str,
    guarantee: Guarantee,
) -> Sorted:
    """What becomes of `candidates` by the audits so far; what was asked before is in no part."""
    known = decisions.questions(transaction, [each.question.id for each in candidates])
    thresholds = {
        (place.locale, place.subject): past.threshold.value
        for place, past in histories(transaction, guarantee).items()
        if place.model_id == model_id
    }
    new = [each for each in candidates if each.question.id not in known]
    return sort_out(new, thresholds, guarantee)


def accept(
    transaction: Transaction,
    candidates: Sequence[Acceptable],
    *,
    model_id: str,
    guarantee: Guarantee,
) -> Sorted:
    """Accept those of `candidates` that the guarantee allows, and draw those that are audited.

    Both are recorded: questions, decisions and audits. Each question names the site where it is
    asked if it must be; what is `left` is not recorded, nor what was asked before.
    """
    one_at_a_time(transaction, LOG)
    found = sorted_by_audits(transaction, candidates, model_id=model_id, guarantee=guarantee)
    drawn = [each for each, _ in found.drawn]
    recorded = {each.question.id: each.question for each in (*found.accepted, *drawn)}
    decisions.add_questions(transaction, list(recorded.values()))
    decisions.add_decisions(transaction, [accepted(each, model_id) for each in found.accepted])
    # One moment for all, after the decisions: an audit tells of what was accepted before it.
    drawn_at = now()
    audits.add_audits(
        transaction,
        [
            Audit(
                question_id=each.question.id,
                purpose=AuditPurpose.ACCEPTANCE,
                locale=each.question.locale,
                subject=each.subject,
                score=each.score,
                chance=chance,
                model_id=model_id,
                drawn_at=drawn_at,
            )
            for each, chance in found.drawn
        ],
    )
    return found


@task(cache_policy=NO_CACHE)
def revoke() -> int:
    """Undo what was accepted and neither stands nor waits; how much that is.

    Its questions are then asked of people.
    """
    settings = load_settings()
    guarantee = settings.annotate.acceptance
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, LOG)
        allowed = histories(transaction, guarantee)
        revoked = [
            undo(decision, by=BY, reason=REASON)
            for question, decision in audits.accepted(transaction)
            if not stands(allowed, question, decision)
            and not waits(allowed, question, decision, guarantee)
        ]
        return decisions.add_decisions(transaction, revoked)


def standing() -> list[tuple[str, ...]]:
    """What the champion may accept, and what its audits show, as lines of a table.

    A locale and subject of which nothing was drawn yet is not listed.
    """
    settings = load_settings()
    guarantee = settings.annotate.acceptance
    with settings.catalog.read() as transaction:
        champion = models.champion(transaction)
        allowed = histories(transaction, guarantee)
        waiting = audits.waiting(transaction, AuditPurpose.ACCEPTANCE)
    if champion is None:
        return []
    places = {Scored(locale, AuditSubject(subject), champion.id) for locale, subject in waiting}
    places |= {place for place in allowed if place.model_id == champion.id}
    nothing = history([], guarantee)
    return [
        (
            place.locale,
            place.subject,
            place.model_id[:12],
            str(waiting[place.locale, place.subject]),
            str(allowed.get(place, nothing)),
        )
        for place in sorted(places)
    ]


def _place(question: Question, decision: Decision) -> Scored:
    return Scored(question.locale, SUBJECT_OF[question.kind], decision.model_id or "")
