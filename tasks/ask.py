"""The task that asks: about candidate clusters, about doubts, and about what looks alike."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import (
    GALLERY,
    Candidate,
    Partition,
    cluster_questions,
    follow_ups,
    gold_questions,
    merge_question,
    partition,
)
from catalog import (
    Transaction,
    clusters,
    decisions,
    features,
    images,
    labels,
    models,
    removals,
)
from catalog.schema import Cluster, Question
from clustering import HiLander
from tasks.knowledge import log_of
from tasks.models import load
from tasks.pool import Pool, pool
from tasks.settings import Settings, load_settings
from tasks.sites import site_of, sites_for


@task(cache_policy=NO_CACHE)
def ask() -> dict[str, int]:
    """Ask about new candidate clusters, doubts and likenesses; how many questions of each kind.

    A doubtful picture is asked about by itself: is it of any use, and what does it show?
    """
    settings = load_settings()
    blocks = sites_for(settings)
    with settings.catalog.read() as transaction:
        log = log_of(transaction)
        known = partition(log, labels.manifest_labels(transaction))
        galleries = labels.galleries(transaction, GALLERY)
        gone = removals.removed(transaction)
        pools = {
            locale: pool(transaction, locale, settings.pictures)
            for locale in images.locales(transaction)
        }
        fresh = [*_fresh_clusters(transaction, settings, pools), *_doubtful(pools)]
    seen = _Seen.by_champion(
        settings, [image for each in fresh for image in each.images], galleries
    )
    asked = [
        *follow_ups(log, known, settings.annotate.asking, gone),
        *_about_new(settings, fresh, known, galleries, seen),
        *_about_likenesses(settings, known, galleries, seen),
    ]
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
    kinds = Counter(str(question.kind) for question in new)
    return dict(sorted(kinds.items())) | ({"gold": len(gold)} if gold else {})


@dataclass(frozen=True)
class _Seen:
    """What the champion sees of new images and of the galleries of known products.

    `new` are those of the new images, `names` those of the products, that have an embedding;
    `products` holds the place in `names` of each row of `known`.
    """

    lander: HiLander
    new: list[str]
    features: NDArray[np.float32]
    names: list[str]
    known: NDArray[np.float32]
    products: NDArray[np.int64]

    @classmethod
    def by_champion(
        cls, settings: Settings, image_ids: Sequence[str], galleries: Mapping[str, Sequence[str]]
    ) -> "_Seen | None":
        """None where there is no champion, or no embedding by it."""
        shown = [image for gallery in galleries.values() for image in gallery]
        with settings.catalog.read() as transaction:
            model = models.champion(transaction)
            if model is None:
                return None
            places = clusters.features_of(transaction, model.id, [*image_ids, *shown])
        if not places:
            return None
        row_of = {image: row for row, image in enumerate(sorted(places))}
        vectors = features.read(settings.blob_store, list(row_of), places)
        new = [image for image in image_ids if image in row_of]
        names = [name for name, gallery in galleries.items() if row_of.keys() & set(gallery)]
        known = [
            (row_of[image], number)
            for number, name in enumerate(names)
            for image in galleries[name]
            if image in row_of
        ]
        rows, products = np.array(known, dtype=np.int64).reshape(-1, 2).T
        _, lander = load(model.location)
        return cls(
            lander, new, vectors[[row_of[image] for image in new]], names, vectors[rows], products
        )

    def likeliest(self) -> dict[str, tuple[str, float]]:
        """The known product that each new image most likely shows, and its probability."""
        if not self.new or not self.names:
            return {}
        found = self.lander.attach(self.features, self.known, self.products)
        return {
            image: (self.names[product], float(probability))
            for image, product, probability in zip(
                self.new, found.products, found.probability, strict=True
            )
            if product >= 0
        }

    def alike(self, at_least: float) -> set[tuple[str, str]]:
        """The pairs of known products that show the same with this probability or more."""
        if len(self.names) < 2:
            return set()
        found = self.lander.resemble(self.known, self.products)
        return {
            (min(self.names[number], self.names[other]), max(self.names[number], self.names[other]))
            for number, (other, probability) in enumerate(
                zip(found.products, found.probability, strict=True)
            )
            if other >= 0 and probability >= at_least
        }


def _fresh_clusters(
    transaction: Transaction, settings: Settings, pools: Mapping[str, Pool]
) -> list[Candidate]:
    """Large enough clusters of the newest clusterings, all of whose images still wait."""
    found: list[tuple[Cluster, list[str]]] = []
    for locale, clustering in clusters.latest_partitions(transaction).items():
        waiting = set(pools[locale].clustered)
        found += [
            (cluster, members)
            for cluster, members in clusters.clusters_of(transaction, clustering.id)
            if cluster.size >= settings.annotate.asking.smallest_cluster
            and waiting.issuperset(members)
        ]
    found.sort(key=lambda each: (-each[0].purity, each[0].id))
    return [
        Candidate(cluster.id, cluster.locale, tuple(members), None, 0.0)
        for cluster, members in found
    ]


def _doubtful(pools: Mapping[str, Pool]) -> list[Candidate]:
    """Each doubtful picture that waits, by itself."""
    return [
        Candidate(None, locale, (image_id,), None, 0.0)
        for locale, of_locale in pools.items()
        for image_id in of_locale.doubtful
    ]


def _about_new(
    settings: Settings,
    fresh: Sequence[Candidate],
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
    seen: _Seen | None,
) -> list[Question]:
    """Questions about what is new: whether it is one product, or whether it is a known one."""
    likeliest = seen.likeliest() if seen is not None else {}
    asked = []
    for candidate in fresh:
        mass: dict[str, float] = defaultdict(float)
        for image in candidate.images:
            product, probability = likeliest.get(image, ("", 0.0))
            if product and not known.differ(image, product):
                mass[product] += probability / len(candidate.images)
        product = max(mass, key=lambda each: (mass[each], each), default=None)
        placed = replace(candidate, product_id=product, probability=mass.get(product or "", 0.0))
        asked += cluster_questions(placed, known, galleries, settings.annotate.asking)
    return asked


def _about_likenesses(
    settings: Settings,
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
    seen: _Seen | None,
) -> list[Question]:
    """Questions whether products that look alike are the same, within and across locales."""
    if seen is None:
        return []
    pairs = [
        pair
        for pair in sorted(seen.alike(settings.annotate.asking.merge_at_least))
        if known.may_be_same(*pair)
    ]
    with settings.catalog.read() as transaction:
        locale_of = images.locales_of(transaction, [galleries[second][0] for _, second in pairs])
    return [
        merge_question(
            galleries[first],
            galleries[second],
            about=[first, second],
            locale=locale_of[galleries[second][0]],
        )
        for first, second in pairs
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
        fresh = _possible_gold(transaction, site, locale)
        found += list(islice(fresh, max(n_missing, 0)))
    return found


def _possible_gold(transaction: Transaction, site: str, locale: str) -> Iterator[Question]:
    """Gold questions that a site has not been asked in a locale, for as long as more are wanted."""
    for galleries in labels.gallery_pages(transaction, GALLERY, locale):
        possible = list(gold_questions(dict(galleries), locale=locale, site=site))
        asked = decisions.questions(transaction, [question.id for question in possible])
        yield from (question for question in possible if question.id not in asked)
