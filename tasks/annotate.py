"""Tasks that put questions on the sites."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from annotation import Site, SitePictures, Wording
from annotation import task as site_task
from catalog import decisions, digest
from catalog.schema import Desk, QuestionKind, SiteProject
from tasks.confidentiality import confidential, shown
from tasks.settings import Settings, load_settings
from tasks.sites import LabelStudioSite, load_site, webhook_url
from tasks.trying import at_a_site

log = logging.getLogger(__name__)

EVERYBODY = 1000  # as many annotators as a gold question may have


@dataclass(frozen=True)
class Queue:
    """Where questions of one kind and locale wait: at a desk of a site."""

    site: str
    locale: str
    kind: QuestionKind
    desk: Desk = Desk.CROWD


@task(cache_policy=NO_CACHE)
def queues_to_push() -> list[Queue]:
    """Where questions wait that are not known to stand on their site."""
    settings = load_settings()
    with settings.catalog.read() as transaction:
        return [
            Queue(name, locale, QuestionKind(kind))
            for name in sorted(settings.annotate.sites)
            for locale, kind in decisions.queues_to_push(transaction, name)
        ]


@at_a_site
def push(queue: Queue, escalated: Sequence[str] = ()) -> int:
    """Put what waits in `queue` on its site, once each; how many questions that was.

    The crowd's desk is asked what does not stand there yet, the lead's what is `escalated`. What
    the vendor's contract has come to keep from it since is not put there.
    """
    settings = load_settings()
    with settings.catalog.read() as transaction:
        if queue.desk == Desk.CROWD:
            questions = decisions.to_push(transaction, queue.site, queue.locale, queue.kind)
        else:
            known = decisions.tasks_at(transaction, queue.desk, escalated)
            asked = decisions.questions(transaction, escalated)
            questions = [asked[key] for key in escalated if key not in known]
        terms = confidential(transaction, settings, chain(*(shown(each) for each in questions)))
        refusals = {each.id: terms.refusals(shown(each), each.locale) for each in questions}
    withheld = {key: why[queue.site] for key, why in refusals.items() if queue.site in why}
    if withheld:
        get_run_logger().warning(
            "%d questions are not put on %s: %s",
            *(len(withheld), queue.site, "; ".join(sorted(set(withheld.values())))),
        )
    questions = [each for each in questions if each.id not in withheld]
    if not questions:
        return 0
    block = load_site(queue.site)
    site, pictures = block.open(queue.site), block.pictures(queue.site, settings.blob_store)
    pictures.share(i for q in questions for i in (*q.reference_ids, *q.image_ids))
    project_id = project_of(settings, block, site, queue, pictures)
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
    for question in questions:
        place = {"question": question.id, "site": queue.site, "task": task_ids[question.id]}
        log.info("question asked", extra={**place, "images": question.image_ids})
    return len(questions)


def project_of(
    settings: Settings,
    block: LabelStudioSite,
    site: Site,
    queue: Queue,
    pictures: SitePictures,
) -> int:
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
    if block.webhook_secret is not None:
        address = webhook_url(settings, queue.site)
        site.hear(address, block.webhook_secret.get_secret_value(), project_id)
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
