"""What the next push would put on the sites, and what it would cost; nothing is pushed or kept."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotation import Pace
from catalog import Transaction, decisions, forecasts
from catalog.schema import Question, QuestionKind
from tasks.pace import pace
from tasks.settings import Settings
from tasks.turn import Agenda
from workforce.billing.rates import Work, bill, total
from workforce.money import Money
from workforce.records import Contract, ledger

Place = tuple[str, str, QuestionKind]
"""The site, the locale and the kind of question."""


@dataclass(frozen=True)
class Push:
    """What would be put into one project of a site.

    `seconds` are those of all the answers that each question is to get, and `cost` is their part of
    the vendor's bill; None where no contract in force has a rate for them.
    """

    site: str
    locale: str
    kind: QuestionKind
    n_questions: int
    n_pictures: int
    seconds: float
    cost: Money | None


@dataclass(frozen=True)
class _Expected:
    """One answer to a question: seconds of work, and images that it is expected to place."""

    question: Question
    seconds: float
    gain: float


def estimate(settings: Settings, agenda: Agenda) -> list[Push]:
    """Every push that `annotate` would make: what waits to be pushed, and what `agenda` adds."""
    places: dict[Place, list[_Expected]] = defaultdict(list)
    with settings.catalog.read() as transaction:
        standing = ledger.standing(transaction)
        expected = list(_waiting(transaction, settings, pace()))
    expected += [_Expected(each.question, each.seconds, each.gain) for each in agenda.entries]
    for each in expected:
        question = each.question
        places[question.site, question.locale, QuestionKind(question.kind)].append(each)
    votes, today = settings.annotate.votes.first, dt.datetime.now(dt.UTC).date()
    works = {place: _work(place, group, votes) for place, group in places.items()}
    costs: dict[Place, Money] = {}
    for site in {site for site, _, _ in works}:
        contract = standing.contract(site, today)
        if contract is not None:
            costs |= _costs(contract, {key: each for key, each in works.items() if key[0] == site})
    return [
        Push(
            *place,
            len(group),
            sum(_n_pictures(each.question) for each in group),
            works[place].seconds,
            costs.get(place),
        )
        for place, group in sorted(places.items())
    ]


def _waiting(transaction: Transaction, settings: Settings, known: Pace) -> Iterator[_Expected]:
    """What was decided to be asked before, and is not known to stand on its site."""
    for site in settings.annotate.sites:
        for locale, kind in decisions.queues_to_push(transaction, site):
            questions = decisions.to_push(transaction, site, locale, kind)
            told = forecasts.of(transaction, [each.id for each in questions])
            usual = known.at(site, locale)
            for each in questions:
                forecast = told.get(each.id)
                if forecast is not None:
                    yield _Expected(each, forecast.seconds, forecast.gain)
                else:
                    seconds = usual.seconds(QuestionKind(kind), _n_pictures(each))
                    yield _Expected(each, seconds, 0.0)


def _work(place: Place, group: Sequence[_Expected], votes: int) -> Work:
    _, locale, kind = place
    return Work(
        locale,
        kind,
        len(group) * votes,
        sum(_n_pictures(each.question) for each in group) * votes,
        sum(each.seconds for each in group) * votes,
        sum(each.gain for each in group),
    )


def _costs(contract: Contract, works: Mapping[Place, Work]) -> dict[Place, Money]:
    """The part of each piece of work in the bill of all of them: tiers are reached together."""
    covered = {
        place: work for place, work in works.items() if contract.covers(work.kind, work.locale)
    }
    lines = bill(contract, list(covered.values()))
    return {
        place: total((line for line in lines if line.work is work), contract.currency)
        for place, work in covered.items()
    }


def _n_pictures(question: Question) -> int:
    return len(question.image_ids) + len(question.reference_ids)
