"""The task that asks: about candidate clusters, about doubts, and about what looks alike."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import (
    GALLERY,
    Candidate,
    Decided,
    Partition,
    cluster_questions,
    follow_ups,
    gold_questions,
    merge_question,
)
from catalog import Transaction, clusters, decisions, features, images, labels, models
from catalog.schema import Cluster, Question
from tasks.knowledge import knowledge
from tasks.models import load
from tasks.settings import Settings, load_settings
from tasks.sites import site_of, sites_for


@task(cache_policy=NO_CACHE)
def ask() -> dict[str, int]:
    """Ask about new candidate clusters, doubts and likenesses; how many questions of each kind."""
    settings = load_settings()
    blocks = sites_for(settings)
    with settings.catalog.begin() as transaction:
        known = knowledge(transaction)
        log = [Decided(*each) for each in decisions.decided(transaction)]
        galleries = labels.galleries(transaction, GALLERY)
        fresh = _fresh_clusters(transaction, settings)
    asked = [
        *follow_ups(log, known, settings.annotate.asking),
        *_about_clusters(settings, fresh, known, galleries),
        *_about_likenesses(settings, known, galleries),
    ]
    for question in asked:
        question.site = site_of(question.locale, question.id, blocks)
    with settings.catalog.begin() as transaction:
        known_ids = decisions.questions(transaction, [question.id for question in asked])
        new = [question for question in asked if question.id not in known_ids]
        gold = _gold(transaction, settings, new)
        decisions.add_questions(transaction, [*new, *gold])
    kinds = Counter(str(question.kind) for question in new)
    return dict(sorted(kinds.items())) | ({"gold": len(gold)} if gold else {})


def _fresh_clusters(
    transaction: Transaction, settings: Settings
) -> list[tuple[Cluster, list[str]]]:
    """Large enough clusters of the newest clusterings, all of whose images still wait."""
    found = []
    for locale, partition in clusters.latest_partitions(transaction).items():
        waiting = set(images.waiting(transaction, locale))
        for cluster in clusters.clusters_of(transaction, partition.id):
            members = [each.image_id for each in clusters.members_of(transaction, cluster.id)]
            large = cluster.size >= settings.annotate.asking.smallest_cluster
            if large and waiting.issuperset(members):
                found.append((cluster, members))
    return found


def _about_clusters(
    settings: Settings,
    fresh: Sequence[tuple[Cluster, list[str]]],
    known: Partition,
    galleries: Mapping[str, Sequence[str]],
) -> list[Question]:
    """Questions about clusters: whether they are one product, or whether they are a known one."""
    members = [image for _, cluster_images in fresh for image in cluster_images]
    likeliest = _attach(settings, members, galleries)
    asked = []
    for cluster, cluster_images in fresh:
        mass: dict[str, float] = defaultdict(float)
        for image in cluster_images:
            product, probability = likeliest.get(image, ("", 0.0))
            if product and not known.differ(image, product):
                mass[product] += probability / len(cluster_images)
        product = max(mass, key=lambda each: (mass[each], each), default=None)
        candidate = Candidate(
            cluster.id, cluster.locale, tuple(cluster_images), product, mass.get(product or "", 0.0)
        )
        asked += cluster_questions(candidate, known, galleries, settings.annotate.asking)
    return asked


def _about_likenesses(
    settings: Settings, known: Partition, galleries: Mapping[str, Sequence[str]]
) -> list[Question]:
    """Questions whether products that look alike are the same, within and across locales."""
    model, rows, vectors = _embedded(settings, [i for each in galleries.values() for i in each])
    names = [name for name, shown in galleries.items() if rows.keys() & set(shown)]
    if model is None or len(names) < 2:
        return []
    shown = [(rows[i], n) for n, name in enumerate(names) for i in galleries[name] if i in rows]
    places, numbers = np.array(shown).T
    found = load(model)[1].resemble(vectors[places], numbers)
    asked = {}
    with settings.catalog.begin() as transaction:
        locale_of = images.locales_of(transaction, [each[0] for each in galleries.values()])
    for number, other in enumerate(found.products):
        if other < 0 or found.probability[number] < settings.annotate.asking.merge_at_least:
            continue
        first, second = sorted((names[number], names[other]))
        if not known.may_be_same(first, second):
            continue
        question = merge_question(
            galleries[first],
            galleries[second],
            about=[first, second],
            locale=locale_of[galleries[second][0]],
        )
        asked[question.id] = question
    return list(asked.values())


def _attach(
    settings: Settings, image_ids: Sequence[str], galleries: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, float]]:
    """The known product that each image most likely shows, and its probability."""
    gallery = [image for shown in galleries.values() for image in shown]
    model, rows, vectors = _embedded(settings, [*image_ids, *gallery])
    names = list(galleries)
    shown = [(rows[i], n) for n, name in enumerate(names) for i in galleries[name] if i in rows]
    new = [image for image in image_ids if image in rows]
    if model is None or not shown or not new:
        return {}
    places, numbers = np.array(shown).T
    found = load(model)[1].attach(vectors[[rows[i] for i in new]], vectors[places], numbers)
    return {
        image: (names[product], float(probability))
        for image, product, probability in zip(new, found.products, found.probability, strict=True)
        if product >= 0
    }


def _embedded(
    settings: Settings, image_ids: Sequence[str]
) -> tuple[str | None, dict[str, int], NDArray[np.float32]]:
    """The champion's location, and the row of each image in the embeddings by it."""
    with settings.catalog.begin() as transaction:
        model = models.champion(transaction)
        places = clusters.features_of(transaction, model.id, image_ids) if model else {}
    found = sorted(places)
    vectors = features.read(settings.blob_store, found, places)
    location = model.location if model is not None and found else None
    return location, {image: row for row, image in enumerate(found)}, vectors


def _gold(transaction: Transaction, settings: Settings, new: Sequence[Question]) -> list[Question]:
    """Gold questions, until they are the share that they should be of what each annotator gets."""
    share = settings.annotate.asking.gold_share
    found = []
    for (site, locale), n_new in sorted(Counter((q.site, q.locale) for q in new).items()):
        n_asked, n_gold = decisions.counts(transaction, site, locale)
        n_people = max(len(decisions.annotators(transaction, site, locale)), 1)
        each_answers = (n_asked + n_new) * settings.annotate.votes.first / n_people
        n_missing = round(share / (1 - share) * each_answers) - n_gold
        possible = list(
            gold_questions(labels.galleries(transaction, GALLERY, locale), locale=locale, site=site)
        )
        asked = decisions.questions(transaction, [question.id for question in possible])
        fresh = (question for question in possible if question.id not in asked)
        found += list(islice(fresh, max(n_missing, 0)))
    return found
