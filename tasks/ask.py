"""The task that asks what the planner finds worth asking, and what follows from decisions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import (
    GALLERY,
    Decided,
    Partition,
    Planned,
    follow_ups,
    gold_questions,
    learn_trust,
    mixed_sheets,
    partition,
    plan,
    verify_questions,
)
from catalog import (
    Transaction,
    clusters,
    decisions,
    forecasts,
    images,
    labels,
    removals,
)
from catalog.schema import Forecast, Question
from tasks.knowledge import log_of
from tasks.outlook import Seen, learnt_from, outlook
from tasks.pace import pace
from tasks.pool import Pool, pool
from tasks.settings import Settings, load_settings
from tasks.sites import LabelStudioSite, site_of, sites_for, sites_serving


@dataclass(frozen=True)
class _Knowledge:
    """What the planner goes out from, as it stands at one moment."""

    log: Sequence[Decided]
    known: Partition
    galleries: Mapping[str, Sequence[str]]
    gone: set[str]
    pools: Mapping[str, Pool]
    cluster_of: Mapping[str, Mapping[str, str]]
    open_questions: Sequence[Question]

    @classmethod
    def read(cls, transaction: Transaction, settings: Settings) -> "_Knowledge":
        log = log_of(transaction)
        newest = clusters.latest_partitions(transaction)
        return cls(
            log,
            partition(log, labels.manifest_labels(transaction)),
            labels.galleries(transaction, GALLERY),
            removals.removed(transaction),
            {
                locale: pool(transaction, locale, settings.pictures)
                for locale in images.locales(transaction)
            },
            {
                locale: clusters.cluster_of_images(transaction, clustering.id)
                for locale, clustering in newest.items()
            },
            decisions.undecided_questions(transaction),
        )


@task(cache_policy=NO_CACHE)
def ask() -> dict[str, int]:
    """Ask what is worth a human second; how many questions of each kind.

    A doubtful picture is asked about by itself: is it of any use, and what does it show?
    """
    settings = load_settings()
    blocks = sites_for(settings)
    with settings.catalog.read() as transaction:
        now = _Knowledge.read(transaction, settings)
    following = follow_ups(now.log, now.known, settings.annotate.asking, now.gone)
    planned, model_id = _planned(settings, blocks, now, following)
    asked = [*following, *_doubtful(now), *(each.question for each in planned)]
    for question in asked:
        question.site = site_of(question.locale, question.id, blocks)
    with settings.catalog.begin() as transaction:
        known_ids = decisions.questions(transaction, [question.id for question in asked])
        gone = removals.removed(transaction)  # those that went meanwhile, too
        new = [
            question
            for question in asked
            if question.id not in known_ids
            and gone.isdisjoint((*question.image_ids, *question.reference_ids))
        ]
        gold = _gold(transaction, settings, new)
        decisions.add_questions(transaction, [*new, *gold])
        fresh = {question.id for question in new}
        forecasts.add(
            transaction,
            [
                Forecast(
                    question_id=each.question.id,
                    model_id=model_id,
                    belonging=list(each.belonging),
                    gain=each.gain,
                    seconds=each.seconds,
                    reason=each.reason,
                )
                for each in planned
                if each.question.id in fresh
            ],
        )
    kinds = Counter(str(question.kind) for question in new)
    return dict(sorted(kinds.items())) | ({"gold": len(gold)} if gold else {})


def _planned(
    settings: Settings,
    blocks: Mapping[str, LabelStudioSite],
    now: _Knowledge,
    following: Sequence[Question],
) -> tuple[list[Planned], str]:
    """What the planner asks in each locale, by the champion's outlook, and the champion's name."""
    shown = {image for gallery in now.galleries.values() for image in gallery}
    decided = {image for _, decision in now.log for group in decision.groups for image in group}
    waiting = {image for of_locale in now.pools.values() for image in of_locale.clustered}
    seen = Seen.by_champion(settings, sorted(shown | decided | waiting))
    if seen is None:
        return [], ""
    learnt = learnt_from(settings, seen.model)
    asking = settings.annotate.asking
    mixed = mixed_sheets(now.log)
    of_vendors = pace()
    found: list[Planned] = []
    for locale, of_locale in now.pools.items():
        with settings.catalog.read() as transaction:
            trust = learn_trust(
                (forecast.belonging, question, decision)
                for forecast, question, decision in forecasts.decided(
                    transaction, seen.model.id, locale
                )
            )
        ahead = outlook(
            seen,
            learnt,
            locale=locale,
            waiting=of_locale.clustered,
            cluster_of=now.cluster_of.get(locale, {}),
            known=now.known,
            log=now.log,
            galleries=now.galleries,
            alike_at_least=asking.merge_at_least,
        )
        found += plan(
            ahead,
            now.known,
            now.galleries,
            [*now.open_questions, *following, *(each.question for each in found)],
            asking,
            of_vendors.among(sites_serving(locale, blocks), locale),
            mixed=[each for each in mixed if each.locale == locale],
            trust=trust,
        )
    return found, seen.model.id


def _doubtful(now: _Knowledge) -> Iterator[Question]:
    """Each doubtful picture that waits, by itself."""
    for locale, of_locale in now.pools.items():
        for image_id in of_locale.doubtful:
            yield from verify_questions([image_id], locale=locale, cluster_id=None, per_sheet=1)


def _gold(transaction: Transaction, settings: Settings, new: Sequence[Question]) -> list[Question]:
    """Gold questions, until they are the share that they should be of what each annotator gets."""
    share = settings.annotate.asking.gold_share
    found = []
    for (site, locale), n_new in sorted(Counter((q.site, q.locale) for q in new).items()):
        n_asked, n_gold = decisions.counts(transaction, site, locale)
        n_people = max(len(decisions.annotators(transaction, site, locale)), 1)
        each_answers = (n_asked + n_new) * settings.annotate.votes.first / n_people
        n_missing = round(share / (1 - share) * each_answers) - n_gold
        fresh = _possible_gold(transaction, site, locale)
        found += list(islice(fresh, max(n_missing, 0)))
    return found


def _possible_gold(transaction: Transaction, site: str, locale: str) -> Iterator[Question]:
    """Gold questions that a site has not been asked in a locale, for as long as more are wanted."""
    for galleries in labels.gallery_pages(transaction, GALLERY, locale):
        possible = list(gold_questions(dict(galleries), locale=locale, site=site))
        asked = decisions.questions(transaction, [question.id for question in possible])
        yield from (question for question in possible if question.id not in asked)
