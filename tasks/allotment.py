"""Which site each new question is put to, and why."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from annotation import Pace, gold_counts
from annotation.agenda import Entry
from annotation.targets import Targets
from catalog import Transaction, decisions
from catalog.schema import QuestionKind
from tasks.allocate import allocated
from tasks.confidentiality import Confidential, confidential, shown
from tasks.settings import Settings
from tasks.sites import LabelStudioSite, site_of
from tasks.spending import spent
from workforce import Allocation, Block, Quality, Workforce, dealt
from workforce.records import ledger

HORIZON = dt.timedelta(days=30)
"""By when everything is to be answered, where the targets name no date."""


@dataclass(frozen=True)
class Allotment:
    """The site of each question that can be asked, and what was decided, in sentences."""

    site_of: Mapping[str, str]
    sentences: tuple[str, ...]


def allot(
    settings: Settings,
    blocks: Mapping[str, LabelStudioSite],
    entries: Sequence[Entry],
    pace: Pace,
) -> Allotment:
    """Give the questions to the vendors under contract or, where none is, to the sites evenly.

    Raises `WorkforceError` where the records of the workforce do not suffice, `NoSite` where no
    site serves a locale.
    """
    with settings.catalog.read() as transaction:
        standing = ledger.standing(transaction)
        if not standing.contracts:
            return Allotment(
                {
                    each.question.id: site_of(each.question.locale, each.question.id, blocks)
                    for each in entries
                },
                (),
            )
        image_ids = (image for each in entries for image in shown(each.question))
        terms = confidential(transaction, settings, image_ids)
        demand = blocks_of(entries, settings.annotate.votes.first, terms)
        found = _allocated(transaction, settings, blocks, standing, list(demand), pace)
    sites: dict[str, str] = {}
    for block, ids in demand.items():
        sites.update((key, vendor) for key, [vendor] in dealt(found, block, ids).items())
    return Allotment(sites, tuple(found.sentences))


def blocks_of(entries: Iterable[Entry], votes: int, terms: Confidential) -> dict[Block, list[str]]:
    """Questions of a locale and kind whose images cost about as much, the cheapest first.

    Within a block the dearest image costs at most twice what the cheapest one does, and the same
    vendors may be sent the images.
    """
    alike: dict[tuple[str, str, int, tuple[tuple[str, str], ...]], list[Entry]] = defaultdict(list)
    for each in sorted(entries, key=lambda each: (each.price, each.question.id)):
        octave = math.floor(math.log2(each.price))
        question = each.question
        refused = tuple(sorted(terms.refusals(shown(question), question.locale).items()))
        alike[question.locale, question.kind, octave, refused].append(each)
    return {
        Block(
            name="; ".join(
                [
                    f"{locale} {kind} of about {1.5 * 2.0**octave:.2g} s an image",
                    *(why for _, why in refused),
                ]
            ),
            locale=locale,
            kind=QuestionKind(kind),
            n_questions=len(group),
            value=fmean(each.gain for each in group),
            n_pictures=fmean(_n_pictures(each) for each in group),
            n_labels=fmean(each.gain for each in group),
            votes=votes,
            refused=refused,
        ): [each.question.id for each in group]
        for (locale, kind, octave, refused), group in alike.items()
    }


def _allocated(
    transaction: Transaction,
    settings: Settings,
    blocks: Mapping[str, LabelStudioSite],
    standing: Workforce,
    demand: Sequence[Block],
    pace: Pace,
) -> Allocation:
    starting = dt.datetime.now(dt.UTC)
    targets = settings.annotate.targets
    return allocated(
        transaction,
        demand,
        blocks,
        starting=starting,
        deadline=_deadline(targets, starting),
        currency=targets.currency or standing.contracts[0].currency,
        seconds=lambda vendor, block: _seconds(pace, vendor, block),
        quality=_quality(transaction),
        bars={
            each.locale: settings.gate.of_locale(each.locale).gold_accuracy_at_least
            for each in demand
        },
        spent=spent(transaction, standing, starting.date()),
    )


def _seconds(pace: Pace, vendor: str, block: Block) -> float:
    at = pace.at(vendor, block.locale)
    return at.seconds(block.kind, round(block.n_pictures))


def _deadline(targets: Targets, starting: dt.datetime) -> dt.datetime:
    if targets.date is None:
        return starting + HORIZON
    return dt.datetime.combine(targets.date + dt.timedelta(days=1), dt.time(), dt.UTC)


def _quality(transaction: Transaction) -> dict[tuple[str, str], Quality]:
    """What gold tells of each site in each locale."""
    gold = decisions.gold_questions(transaction)
    found: dict[tuple[str, str], Quality] = defaultdict(Quality)
    counts = gold_counts(gold, decisions.answers_to(transaction, sorted(gold)))
    for (_, site, locale), (n_right, n) in counts.items():
        before = found[site, locale]
        found[site, locale] = Quality(before.n_right + n_right, before.n_answered + n)
    return dict(found)


def _n_pictures(entry: Entry) -> int:
    return len(entry.question.image_ids) + len(entry.question.reference_ids)
