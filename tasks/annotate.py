"""Tasks that turn candidate clusters, and what is in doubt, into questions on the sites."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import (
    GALLERY,
    Candidate,
    Decided,
    Partition,
    Site,
    SitePictures,
    Wording,
    cluster_questions,
    follow_ups,
    gold_questions,
    merge_question,
)
from annotation import task as site_task
from catalog import Transaction, clusters, decisions, digest, features, images, labels, models
from catalog.schema import Cluster, Desk, Question, QuestionKind, SiteProject
from tasks.knowledge import knowledge
from tasks.models import load
from tasks.settings import Settings, load_settings
from tasks.sites import load_site, open_site, site_of, site_was_down, sites_for, webhook_url

EVERYBODY = 1000  # as many annotators as a gold question may have


@dataclass(frozen=True)
class Queue:
    """Where questions of one kind and locale wait: at a desk of a site."""

    site: str
    locale: str
    kind: QuestionKind
    desk: Desk = Desk.CROWD


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
    counts: dict[str, int] = defaultdict(int)
    for question in new:
        counts[str(question.kind)] += 1
    return {**dict(sorted(counts.items())), **({"gold": len(gold)} if gold else {})}


@task(cache_policy=NO_CACHE)
def queues_to_push() -> list[Queue]:
    """Where questions wait that are not known to stand on their site."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        waiting = [
            question
            for name in settings.annotate.sites
            for question in decisions.to_push(transaction, name)
        ]
    return sorted(
        {Queue(each.site, each.locale, QuestionKind(each.kind)) for each in waiting},
        key=lambda queue: (queue.site, queue.locale, queue.kind),
    )


@task(
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=site_was_down,
)
def push(queue: Queue, escalated: Sequence[str] = ()) -> int:
    """Put what waits in `queue` on its site, once each; how many questions that was.

    The crowd's desk is asked what does not stand there yet, the lead's what is `escalated`.
    """
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        if queue.desk == Desk.CROWD:
            waiting = decisions.to_push(transaction, queue.site)
        else:
            known = decisions.tasks_at(transaction, queue.desk, escalated)
            asked = decisions.questions(transaction, escalated)
            waiting = [asked[key] for key in escalated if key not in known]
        questions = [q for q in waiting if (q.locale, q.kind) == (queue.locale, queue.kind)]
    if not questions:
        return 0
    site = open_site(queue.site)
    pictures = site_pictures(settings, queue.site)
    pictures.share(i for q in questions for i in (*q.reference_ids, *q.image_ids))
    project_id = project_of(settings, site, queue, pictures)
    # In the order of their digests, so that nobody can tell gold questions by their place.
    task_ids = site.push(
        project_id,
        [
            site_task(question, lambda image_id: pictures.url(project_id, image_id))
            for question in sorted(questions, key=lambda question: digest(question.id))
        ],
    )
    gold = {task_ids[q.id]: EVERYBODY for q in questions if q.expected is not None}
    site.want_votes(project_id, gold)
    with settings.catalog.begin() as transaction:
        decisions.record_tasks(
            transaction, queue.desk, project_id, {q.id: task_ids[q.id] for q in questions}
        )
    return len(questions)


def project_of(settings: Settings, site: Site, queue: Queue, pictures: SitePictures) -> int:
    """The project of `queue`, made or brought up to date, and recorded."""
    with settings.catalog.begin() as transaction:
        known = {
            (each.locale, each.kind, each.desk): each.project_id
            for each in decisions.projects(transaction, queue.site)
        }
    project_id = site.ensure_project(
        queue.kind,
        Wording.load(queue.locale),
        queue.desk,
        known=known.get((queue.locale, queue.kind, queue.desk)),
        overlap=settings.annotate.votes.first if queue.desk == Desk.CROWD else 1,
        pictures=pictures.source,
    )
    secret = load_site(queue.site).webhook_secret
    if secret is not None:
        address = webhook_url(settings, queue.site)
        site.hear(address, secret.get_secret_value(), project_id)
    with settings.catalog.begin() as transaction:
        project = SiteProject(
            site=queue.site,
            locale=queue.locale,
            kind=queue.kind,
            desk=queue.desk,
            project_id=project_id,
        )
        decisions.record_project(transaction, project)
    return project_id


def site_pictures(settings: Settings, name: str) -> SitePictures:
    """The pictures that annotators of a site may see."""
    return SitePictures(name, settings.blob_store, load_site(name).picture_access())


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
) -> tuple[str | None, dict[str, int], np.ndarray]:
    """The champion's location, and the row of each image in the embeddings by it."""
    with settings.catalog.begin() as transaction:
        model = models.champion(transaction)
        places = clusters.features_of(transaction, model.id, image_ids) if model else {}
    found = sorted(places)
    vectors = features.read(settings.blob_store, found, places)
    location = model.location if model is not None and found else None
    return location, {image: row for row, image in enumerate(found)}, vectors


def _gold(transaction: Transaction, settings: Settings, new: Sequence[Question]) -> list[Question]:
    """As many gold questions as the new ones of each site and locale call for."""
    share = settings.annotate.asking.gold_share
    rates: dict[tuple[str, str], int] = defaultdict(int)
    for question in new:
        rates[question.site, question.locale] += 1
    found = []
    for (site, locale), n_new in sorted(rates.items()):
        n_people = max(len(decisions.annotators(transaction, site, locale)), 1)
        each_answers = n_new * settings.annotate.votes.first / n_people
        n_gold = math.ceil(share / (1 - share) * each_answers)
        possible = list(
            gold_questions(labels.galleries(transaction, GALLERY, locale), locale=locale, site=site)
        )
        asked = decisions.questions(transaction, [question.id for question in possible])
        found += list(islice((q for q in possible if q.id not in asked), n_gold))
    return found
