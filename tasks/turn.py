"""One turn of asking: what is known, what the champion sees in it, and what is asked therefore.

Nothing here writes: `ask` records the outcome, `plan` only shows it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from annotation import (
    GALLERY,
    Acceptable,
    Decided,
    DecisionGraph,
    LocalPace,
    Outlook,
    Pace,
    Partition,
    Planned,
    Sorted,
    Trust,
    doubt_of,
    follow_ups,
    learn_trust,
    mixed_sheets,
    plan,
    verify_questions,
)
from annotation.acceptable import (
    Stand,
    acceptable_clusters,
    acceptable_images,
    acceptable_merges,
)
from annotation.acceptance import accepted
from annotation.agenda import (
    Entry,
    audit_entry,
    doubtful_entry,
    following_entry,
    once,
    planned_entry,
)
from annotation.second_answers import SecondAnswers, held_by_several, second_answers
from catalog import Transaction, clusters, decisions, forecasts, images, labels, removals, schema
from catalog.schema import Cluster, Question
from tasks.allotment import Allotment, allot
from tasks.confidentiality import confidential, shown
from tasks.knowledge import log_of
from tasks.outlook import Seen, learnt_from, outlook
from tasks.pace import pace
from tasks.pool import Pool, pool
from tasks.settings import Settings
from tasks.sites import LabelStudioSite, sites_serving

PAGE = 10_000
"""Candidates of one subject that are sorted at a time. Where none of a page is accepted, those that
the model is less sure of are left to the planner."""


@dataclass(frozen=True)
class Knowledge:
    """What a turn goes out from, as it stands at one moment."""

    graph: DecisionGraph
    galleries: Mapping[str, Sequence[str]]
    gone: frozenset[str]
    pools: Mapping[str, Pool]
    clusterings: Mapping[str, schema.Partition]
    cluster_of: Mapping[str, Mapping[str, str]]
    open_questions: Sequence[Question]

    @classmethod
    def read(cls, transaction: Transaction, settings: Settings) -> "Knowledge":
        """Whatever is compared in an open question does not wait: its answer may place it."""
        newest = clusters.latest_partitions(transaction)
        open_questions = decisions.undecided_questions(transaction)
        compared = {image for each in open_questions for image in each.reference_ids}
        return cls(
            DecisionGraph(log_of(transaction), labels.manifest_labels(transaction)),
            labels.galleries(transaction, GALLERY),
            frozenset(removals.removed(transaction)),
            {
                locale: pool(transaction, locale, settings.pictures).without(compared)
                for locale in images.locales(transaction)
            },
            newest,
            {
                locale: clusters.cluster_of_images(transaction, clustering.id)
                for locale, clustering in newest.items()
            },
            open_questions,
        )

    @property
    def known(self) -> Partition:
        return self.graph.partition

    @property
    def log(self) -> list[Decided]:
        """The decisions that stand."""
        return sorted(self.graph.decided.values(), key=lambda each: each.decision.id)

    def open_images(self, locale: str) -> list[str]:
        """The images of a locale that wait for an answer; the planner counts them, asks nothing."""
        of_locale = (each for each in self.open_questions if each.locale == locale)
        shown = {image for each in of_locale for image in each.image_ids}
        return sorted(image for image in shown if image not in self.known.product_of)


@dataclass(frozen=True)
class Turn:
    """What is known, and what the champion (an empty identity: there is none) makes of it."""

    settings: Settings
    blocks: Mapping[str, LabelStudioSite]
    now: Knowledge
    model_id: str
    ahead: Mapping[str, Outlook]
    trust: Mapping[str, Trust]
    pace: Pace

    def pace_of(self, locale: str) -> LocalPace:
        """How long people of a locale need."""
        return self.pace.among(sites_serving(locale, self.blocks), locale)


@dataclass(frozen=True)
class Left:
    """Images of a locale that wait and are not asked about in this turn, and why."""

    locale: str
    n_images: int
    why: str


@dataclass(frozen=True)
class Agenda:
    """What becomes of a turn.

    Attributes
    ----------
    entries
        The questions that are asked, each with its site, the cheapest image first.
    accepted
        What the guarantee allows to accept without asking.
    allotment
        Who is asked, and why; what nobody can be asked is no entry.
    second
        For each locale, how sure its products are and what is asked again.
    left
        What is not asked.
    n_gold
        Gold questions that were asked beside them.
    """

    model_id: str
    entries: tuple[Entry, ...]
    accepted: tuple[Acceptable, ...]
    allotment: Allotment
    second: Mapping[str, SecondAnswers]
    left: tuple[Left, ...]
    n_gold: int = 0

    @property
    def kinds(self) -> dict[str, int]:
        """How many questions of each kind are asked, and how many gold ones."""
        kinds = Counter(str(each.question.kind) for each in self.entries)
        return dict(sorted(kinds.items())) | ({"gold": self.n_gold} if self.n_gold else {})


Sorter = Callable[[Transaction, Sequence[Acceptable]], Sorted]


def begin(settings: Settings, blocks: Mapping[str, LabelStudioSite]) -> Turn:
    """Read what is known, and look at it with the champion's eyes."""
    with settings.catalog.read() as transaction:
        now = Knowledge.read(transaction, settings)
    shown = {image for gallery in now.galleries.values() for image in gallery}
    decided = {image for _, decision in now.log for group in decision.groups for image in group}
    waiting = {
        image
        for locale, of_locale in now.pools.items()
        for image in (*of_locale.clustered, *now.open_images(locale))
    }
    seen = Seen.by_champion(settings, sorted(shown | decided | waiting))
    if seen is None:
        return Turn(settings, blocks, now, "", {}, {}, pace())
    learnt = learnt_from(settings, seen.model)
    ahead, trust = {}, {}
    for locale, of_locale in now.pools.items():
        with settings.catalog.read() as transaction:
            trust[locale] = learn_trust(
                (forecast.belonging, question, decision)
                for forecast, question, decision in forecasts.decided(
                    transaction, seen.model.id, locale
                )
                if forecast.belonging
            )
        ahead[locale] = outlook(
            seen,
            learnt,
            locale=locale,
            waiting=sorted([*of_locale.clustered, *now.open_images(locale)]),
            cluster_of=now.cluster_of.get(locale, {}),
            known=now.known,
            log=now.log,
            galleries=now.galleries,
            alike_at_least=settings.annotate.asking.merge_at_least,
        )
    return Turn(settings, blocks, now, seen.model.id, ahead, trust, pace())


def sort_candidates(transaction: Transaction, turn: Turn, sort: Sorter) -> Sorted:
    """Sort what the champion would answer itself, page by page, by what stands at this moment.

    What `sort` accepts is learnt at once, and what was decided since the turn began. What no vendor
    may be sent is left to the planner, who says so: nobody could audit it.
    """
    found = Sorted()
    turn.now.graph.learn(log_of(transaction))
    gone = removals.removed(transaction)
    for locale, ahead in turn.ahead.items():
        waiting = set(images.waiting(transaction, locale)).intersection(
            turn.now.pools[locale].clustered
        )
        for subject in _candidates(transaction, turn, ahead, waiting):
            while page := list(islice(subject, PAGE)):
                terms = confidential(
                    transaction, turn.settings, chain(*(shown(each.question) for each in page))
                )
                seen = [
                    each
                    for each in page
                    if gone.isdisjoint(shown(each.question))
                    and terms.may_be_seen(shown(each.question), locale, turn.blocks)
                ]
                for each in seen:
                    each.question.site = terms.site_of(each.question, turn.blocks)
                of_page = sort(transaction, seen)
                turn.now.graph.learn(
                    Decided(each.question, accepted(each, turn.model_id))
                    for each in of_page.accepted
                )
                found.accepted.extend(of_page.accepted)
                found.drawn.extend(of_page.drawn)
                found.left.extend(of_page.left)
                if not of_page.accepted:
                    break
    return found


def _candidates(
    transaction: Transaction, turn: Turn, ahead: Outlook, waiting: set[str]
) -> Iterator[Iterator[Acceptable]]:
    """Clusters, images and pairs of products of a locale, each the surest first.

    Clusters of another model are none: its scores are other scores.
    """
    now = Stand(turn.now.known, waiting, turn.now.galleries, turn.settings.annotate.asking)
    clustering = turn.now.clusterings.get(ahead.locale)
    recorded: Iterator[tuple[Cluster, list[str]]] = iter(())
    if clustering is not None and clustering.model_id == turn.model_id:
        recorded = clusters.clusters_of(transaction, clustering.id)
    whole = acceptable_clusters(ahead, recorded, now)
    yield iter(whole)
    in_clusters = {image for each in whole for image in each.question.image_ids}
    yield acceptable_images(ahead, now, in_clusters)
    yield iter(acceptable_merges(ahead, now))


def agenda(turn: Turn, found: Sorted) -> Agenda:
    """What is asked, after `found` was accepted or drawn."""
    now, asking = turn.now, turn.settings.annotate.asking
    drawn = [each.question for each, _ in found.drawn]
    following = follow_ups(now.log, now.known, asking, now.gone)
    audits = [
        audit_entry(each, chance, turn.pace_of(each.question.locale))
        for each, chance in found.drawn
    ]
    entries = [
        *(following_entry(each, turn.pace_of(each.locale)) for each in following),
        *(doubtful_entry(each, turn.pace_of(each.locale)) for each in _doubtful(now)),
    ]
    standing = [*now.open_questions, *drawn, *following]
    second: dict[str, SecondAnswers] = {}
    left: list[Left] = []
    for locale, ahead in turn.ahead.items():
        planned = _planned(turn, ahead, standing)
        standing += [each.question for each in planned]
        second[locale] = _second(turn, locale, standing)
        standing += [each.question for each in second[locale].entries]
        entries += [*map(planned_entry, planned), *second[locale].entries]
        left += _left(turn, ahead, standing)
    fresh = _new(turn, once(entries))
    allotment = allot(turn.settings, turn.blocks, fresh)
    asked = [each for each in fresh if each.question.id in allotment.site_of]
    for each in asked:
        each.question.site = allotment.site_of[each.question.id]
    ordered = sorted([*audits, *asked], key=lambda each: (each.price, each.question.id))
    return Agenda(
        turn.model_id, tuple(ordered), tuple(found.accepted), allotment, second, tuple(left)
    )


def _planned(turn: Turn, ahead: Outlook, standing: Sequence[Question]) -> list[Planned]:
    now = turn.now
    return plan(
        ahead,
        now.known,
        now.galleries,
        standing,
        turn.settings.annotate.asking,
        turn.pace_of(ahead.locale),
        mixed=[each for each in mixed_sheets(now.log) if each.locale == ahead.locale],
        trust=turn.trust[ahead.locale],
    )


def _second(turn: Turn, locale: str, standing: Sequence[Question]) -> SecondAnswers:
    graph = turn.now.graph
    return second_answers(
        graph,
        [doubt_of(graph, product) for product in held_by_several(graph, locale)],
        locale=locale,
        standing={each.id for each in standing},
        busy={image for each in standing for image in each.image_ids},
        removed=turn.now.gone,
        asking=turn.settings.annotate.asking,
        pace=turn.pace_of(locale),
    )


def _doubtful(now: Knowledge) -> Iterator[Question]:
    """Each doubtful picture that waits, by itself."""
    for locale, of_locale in now.pools.items():
        for image_id in of_locale.doubtful:
            yield from verify_questions([image_id], locale=locale, cluster_id=None, per_sheet=1)


def _new(turn: Turn, entries: Sequence[Entry]) -> list[Entry]:
    """Those that were never asked, and show no image that was removed."""
    with turn.settings.catalog.read() as transaction:
        asked = decisions.questions(transaction, [each.question.id for each in entries])
    return [
        each
        for each in entries
        if each.question.id not in asked and turn.now.gone.isdisjoint(shown(each.question))
    ]


def _left(turn: Turn, ahead: Outlook, standing: Sequence[Question]) -> Iterator[Left]:
    """What waits on, and why: the planner stops where enough is open, or where images are dear."""
    asking, known = turn.settings.annotate.asking, turn.now.known
    pool_of = turn.now.pools[ahead.locale].clustered
    n_unseen = sum(image not in ahead.place_of for image in pool_of)
    if n_unseen:
        yield Left(ahead.locale, n_unseen, "the champion has not seen them: `groundtruth cluster`")
    waiting = {image for image in ahead.image_ids if image not in known.product_of}
    asked = waiting.intersection(chain.from_iterable(each.image_ids for each in standing))
    n_allowed = max(round(asking.open_share * len(waiting)), asking.open_at_least)
    n_left = len(waiting) - len(asked)
    if n_left and len(asked) >= n_allowed:
        yield Left(ahead.locale, n_left, f"the answers about {len(asked)} images come first")
    elif n_left:
        why = f"an image would cost more than {asking.worth_seconds:g} s: a better model is cheaper"
        yield Left(ahead.locale, n_left, why)
