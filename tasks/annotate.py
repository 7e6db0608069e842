"""Tasks that turn candidate clusters into questions on a site."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import Wording, local_picture_url, verify_questions
from annotation import task as contact_sheet
from catalog import BlobStore, clusters, decisions
from catalog.images import preview_key
from tasks.settings import load_settings
from tasks.sites import open_site, site_was_down


@task(cache_policy=NO_CACHE)
def ask() -> int:
    """Ask about every large enough cluster of the newest clusterings; how many are new."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        questions = [
            question
            for partition in clusters.latest_partitions(transaction).values()
            for cluster in clusters.clusters_of(transaction, partition.id)
            if cluster.size >= settings.annotate.smallest_cluster
            for question in verify_questions(
                cluster,
                clusters.members_of(transaction, cluster.id),
                site=settings.annotate.site,
                pictures_per_sheet=settings.annotate.pictures_per_sheet,
            )
        ]
        return decisions.add_questions(transaction, questions)


@task(cache_policy=NO_CACHE)
def locales_to_push() -> list[str]:
    """The locales with questions that are not known to stand on the site."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        return decisions.locales_to_push(transaction, settings.annotate.site)


@task(
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=site_was_down,
)
def push(locale: str) -> int:
    """Put what is asked in `locale` on its site, once each; how many questions that was."""
    settings = load_settings()
    name = settings.annotate.site
    with settings.catalog.begin() as transaction:
        questions = decisions.questions_to_push(transaction, name, locale)
    if not questions:
        return 0
    site = open_site(name)
    root = settings.blob_store.local_root
    project_id = site.ensure_project(
        Wording.load(locale), picture_root=root / "previews" if root else None
    )
    task_ids = site.push(
        project_id,
        [
            contact_sheet(question, lambda image_id: picture_url(settings.blob_store, image_id))
            for question in questions
        ],
    )
    with settings.catalog.begin() as transaction:
        decisions.record_tasks(
            transaction,
            project_id,
            {question.id: task_ids[question.id] for question in questions},
        )
    return len(questions)


def picture_url(blobs: BlobStore, image_id: str) -> str:
    """Where a Label Studio finds an image's preview: among its local files, or on S3."""
    key = preview_key(image_id)
    return local_picture_url(key) if blobs.local_root else f"{blobs.url.rstrip('/')}/{key}"
