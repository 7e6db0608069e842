"""What the vendors did so far and what they were given, from the answers in the catalogue."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from catalog import Transaction, decisions, forecasts, labels
from catalog.schema import NO_SITE, Question, QuestionKind
from catalog.timings import Worked, worked
from workforce import Spent, Work, Workforce
from workforce.spent import Done, spent_on


def spent(transaction: Transaction, workforce: Workforce, today: dt.date) -> Spent:
    """What answers, accepted labels and open questions take of orders, budgets and minimums.

    An open question is billed as one answer, today, at the seconds that were forecast.
    """
    return spent_on(workforce, [*done(transaction), *_open(transaction, today)], today)


def done(transaction: Transaction) -> list[Done]:
    """What the vendors did: the answers that they gave, and the labels that came of them."""
    return [*_answers(transaction), *_labels(transaction)]


def _answers(transaction: Transaction) -> Iterator[Done]:
    for each in worked(transaction):
        yield Done(each.site, each.on, _work(each))


def _work(each: Worked) -> Work:
    kind = QuestionKind(each.kind)
    return Work(each.locale, kind, each.n_answers, each.n_pictures, each.seconds, 0)


def _labels(transaction: Transaction) -> Iterator[Done]:
    """The labels that the gate accepted, by the question that they come from, on its day."""
    of_decision = Counter(
        row.decision_id for row in labels.accepted(transaction) if row.decision_id is not None
    )
    behind = decisions.behind(transaction, sorted(of_decision))
    counts: Counter[tuple[str, dt.date, str, str]] = Counter()
    for decision_id, n in of_decision.items():
        question, decision = behind[decision_id]
        if decision.model_id is None:
            day = decision.decided_at.date()
            counts[question.site, day, question.locale, question.kind] += n
    for (site, day, locale, kind), n in counts.items():
        yield Done(site, day, Work(locale, QuestionKind(kind), 0, 0, 0, n))


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
