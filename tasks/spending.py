"""What the vendors did so far and what they were given, from the answers in the catalogue."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from catalog import Transaction, decisions, forecasts, labels
from catalog.schema import NO_SITE, Question, QuestionKind
from catalog.timings import Worked, answers_of, worked
from workforce import Spent, Work, Workforce
from workforce.billing.charges import Done
from workforce.billing.matching import Matched, matched
from workforce.billing.spent import spent_on
from workforce.billing.statement import Statement, statement
from workforce.periods import Period
from workforce.records import ledger


def spent(transaction: Transaction, workforce: Workforce, today: dt.date) -> Spent:
    """What answers, accepted labels and open questions take of orders, budgets and minimums.

    An open question is billed as one answer, today, at the seconds that were forecast.
    """
    return spent_on(workforce, [*done(transaction), *_open(transaction, today)], today)


def done(transaction: Transaction) -> list[Done]:
    """What every vendor has answered, and the labels that were accepted of it, by day."""
    return [*_answers(transaction), *_labels(transaction)]


def stated(transaction: Transaction, workforce: Workforce, period: Period) -> Statement:
    """What a period's work cost, as far as it has come by today."""
    return statement(workforce, done(transaction), period, dt.datetime.now(dt.UTC).date())


def invoices_matched(transaction: Transaction, today: dt.date) -> tuple[Workforce, Matched]:
    """What is recorded, and every invoice of it beside the work that was done by a day."""
    standing = ledger.standing(transaction)
    return standing, matched(standing, done(transaction), today)


@dataclass(frozen=True)
class Behind:
    """The rows that `done` counts for a vendor, locale and kind on some days, by identity."""

    answer_ids: tuple[str, ...]
    label_ids: tuple[str, ...]


def behind(
    transaction: Transaction, vendor: str, locale: str, kind: str, first: dt.date, last: dt.date
) -> Behind:
    """The rows behind what a vendor did from one day (UTC) to another, both included."""
    of_cell = vendor, locale, kind
    label_ids = (
        label_id
        for label_id, day, place in _accepted(transaction)
        if first <= day <= last and place == of_cell
    )
    return Behind(
        tuple(answers_of(transaction, vendor, locale, kind, first, last)), tuple(sorted(label_ids))
    )


def _answers(transaction: Transaction) -> Iterator[Done]:
    for each in worked(transaction):
        yield Done(each.site, each.on, _work(each))


def _work(each: Worked) -> Work:
    kind = QuestionKind(each.kind)
    return Work(each.locale, kind, each.n_answers, each.n_pictures, each.seconds, 0)


def _labels(transaction: Transaction) -> Iterator[Done]:
    counts = Counter((day, place) for _, day, place in _accepted(transaction))
    for (day, (site, locale, kind)), n in counts.items():
        yield Done(site, day, Work(locale, QuestionKind(kind), 0, 0, 0, n))


def _accepted(transaction: Transaction) -> Iterator[tuple[str, dt.date, tuple[str, str, str]]]:
    """The labels that the gate accepted and people decided: on which day, at whose question."""
    rows = [row for row in labels.accepted(transaction) if row.decision_id is not None]
    of_rows = decisions.behind(transaction, sorted({str(row.decision_id) for row in rows}))
    for row in rows:
        question, decision = of_rows[str(row.decision_id)]
        if decision.model_id is None:
            place = question.site, question.locale, question.kind
            yield row.label_id, decision.decided_at.date(), place


def _open(transaction: Transaction, today: dt.date) -> Iterator[Done]:
    waiting = [each for each in decisions.undecided_questions(transaction) if each.site != NO_SITE]
    ids = [each.id for each in waiting]
    answered, expected = decisions.answers_to(transaction, ids), forecasts.of(transaction, ids)
    for each in waiting:
        if each.id not in answered:
            told = expected.get(each.id)
            gain, seconds = (told.gain, told.seconds) if told is not None else (0.0, 0.0)
            kind = QuestionKind(each.kind)
            work = Work(each.locale, kind, 1, _n_pictures(each), seconds, gain)
            yield Done(each.site, today, work)


def _n_pictures(question: Question) -> int:
    return len(question.image_ids) + len(question.reference_ids)
