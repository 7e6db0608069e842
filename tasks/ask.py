"""The task that accepts what the guarantee allows, and asks what is worth asking."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import GALLERY, gold_questions
from annotation.agenda import Entry, Source, audit_entry
from catalog import Transaction, decisions, forecasts, labels, removals
from catalog.database import one_at_a_time
from catalog.schema import Forecast, Question
from tasks import turn
from tasks.accept import accept, sorted_by_audits
from tasks.collect import LOG
from tasks.confidentiality import confidential, shown
from tasks.settings import Settings, load_settings
from tasks.sites import LabelStudioSite, sites_for
from tasks.turn import Agenda


@task(cache_policy=NO_CACHE)
def ask() -> Agenda:
    """Ask what is worth a human second, and accept what need not be asked; what came of it.

    Labels of what was accepted follow at the next `collect`.
    """
    settings = load_settings()
    return asked(settings, sites_for(settings))


def asked(settings: Settings, blocks: Mapping[str, LabelStudioSite]) -> Agenda:
    """Ask what is worth a human second at the sites of `blocks`; what came of it."""
    this = turn.begin(settings, blocks)
    take = partial(accept, model_id=this.model_id, guarantee=settings.annotate.acceptance)
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, LOG)
        found = turn.sort_candidates(transaction, this, take)
        drawn = [
            audit_entry(each, chance, this.pace_of(each.question.locale))
            for each, chance in found.drawn
        ]
        forecasts.add(transaction, _forecasts(drawn, this.model_id))
    planned = turn.agenda(this, found)
    with settings.catalog.begin() as transaction:
        return _record(transaction, settings, planned)


def would_ask(settings: Settings, blocks: Mapping[str, LabelStudioSite]) -> Agenda:
    """What `asked` would do now."""
    this = turn.begin(settings, blocks)
    sort = partial(sorted_by_audits, model_id=this.model_id, guarantee=settings.annotate.acceptance)
    with settings.catalog.read() as transaction:
        found = turn.sort_candidates(transaction, this, sort)
    return turn.agenda(this, found)


def _record(transaction: Transaction, settings: Settings, planned: Agenda) -> Agenda:
    """Add the questions of a plan with what is expected of them, and gold; what was added.

    What somebody else asked meanwhile is left out, and what shows an image that went.
    """
    known_ids = decisions.questions(transaction, [each.question.id for each in planned.entries])
    gone = removals.removed(transaction)
    new = [
        each
        for each in planned.entries
        if each.question.id not in known_ids
        and gone.isdisjoint((*each.question.image_ids, *each.question.reference_ids))
    ]
    gold = _gold(transaction, settings, [each.question for each in new])
    decisions.add_questions(transaction, [*(each.question for each in new), *gold])
    if planned.model_id:
        forecasts.add(transaction, _forecasts(new, planned.model_id))
    audits = [each for each in planned.entries if each.source == Source.AUDIT]
    return replace(planned, entries=(*audits, *new), n_gold=len(gold))


def _forecasts(entries: Sequence[Entry], model_id: str) -> list[Forecast]:
    return [
        Forecast(
            question_id=each.question.id,
            model_id=model_id,
            belonging=list(each.belonging),
            gain=each.gain,
            seconds=each.seconds,
            reason=each.reason,
        )
        for each in entries
    ]


def _gold(transaction: Transaction, settings: Settings, new: Sequence[Question]) -> list[Question]:
    """Gold questions, until they are the share that they should be of what each annotator gets."""
    share = settings.annotate.asking.gold_share
    found = []
    for (site, locale), n_new in sorted(Counter((q.site, q.locale) for q in new).items()):
        n_asked, n_gold = decisions.counts(transaction, site, locale)
        n_people = max(len(decisions.annotators(transaction, site, locale)), 1)
        each_answers = (n_asked + n_new) * settings.annotate.votes.first / n_people
        n_missing = round(share / (1 - share) * each_answers) - n_gold
        fresh = _possible_gold(transaction, settings, site, locale)
        found += list(islice(fresh, max(n_missing, 0)))
    return found


def _possible_gold(
    transaction: Transaction, settings: Settings, site: str, locale: str
) -> Iterator[Question]:
    """Gold questions that a site has not been asked in a locale, for as long as more are wanted.

    What the site may not be sent is not among them.
    """
    for galleries in labels.gallery_pages(transaction, GALLERY, locale):
        possible = list(gold_questions(dict(galleries), locale=locale, site=site))
        asked = decisions.questions(transaction, [question.id for question in possible])
        terms = confidential(transaction, settings, chain(*(shown(each) for each in possible)))
        for question in possible:
            refused = terms.refusals(shown(question), locale)
            if question.id not in asked and site not in refused:
                yield question
