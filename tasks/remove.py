"""Tasks that remove images: the row first, then bytes, vectors, pages and open questions."""

import logging
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import SitePictures
from catalog import features, images, measures, removals, training_sets
from catalog.database import one_at_a_time
from catalog.holdout import holdout
from catalog.schema import Removal, SiteProject
from tasks.artifacts import delete_pages
from tasks.judge import reports
from tasks.settings import Settings, load_settings
from tasks.sites import open_site
from tasks.survey import SURVEYS
from tasks.trying import at_a_site, repeatable

log = logging.getLogger(__name__)

PAGES_WITH_PICTURES = ("clusters", "drift")


@dataclass(frozen=True)
class Gone:
    """A removed image: where copies of it may still lie, and what has learnt from it."""

    removal: Removal
    found_at: Sequence[str]
    in_holdout: bool


@task(cache_policy=NO_CACHE)
def record_removals(names: Sequence[str], by: str, reason: str) -> list[str]:
    """Record that images must go; the identities of all of which something may be left.

    Each of `names` is an identity, the beginning of one, or the address where an image was found;
    raises `images.NoSuchImage` before anything is recorded where one of them means no image.
    """
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        # A version that is committed meanwhile would not be named.
        one_at_a_time(transaction, training_sets.GROWTH)
        wanted = sorted({images.identify(transaction, name) for name in names})
        versions_of: dict[str, list[int]] = {image_id: [] for image_id in wanted}
        for version in training_sets.versions(transaction) if wanted else ():
            for label in training_sets.labels_of(settings.blob_store, version, wanted):
                versions_of[label.image_id].append(version.version)
        removals.record(transaction, versions_of, by=by, reason=reason)
        left = removals.pending(transaction)
        removals.withdraw_questions(transaction, left)
    return left


@repeatable
def erase(image_ids: Sequence[str]) -> None:
    """Delete removed images: bytes, pictures wherever they are shown, measures and vectors."""
    settings = load_settings()
    blobs = settings.blob_store
    with settings.catalog.begin() as transaction:
        measures.forget(transaction, image_ids)
        vectors = removals.vectors_of(transaction, image_ids)
        sites = removals.asked_sites(transaction)
    _delete_reports(settings, image_ids)
    for site in {*sites, *settings.annotate.sites}:
        SitePictures(site, blobs).unshare(image_ids)
    for image_id in image_ids:
        blobs.delete(images.preview_key(image_id))
        blobs.delete(images.image_key(image_id))
    for location, rows in vectors.items():
        features.forget(blobs, location, rows)
    delete_pages(PAGES_WITH_PICTURES)


def _delete_reports(settings: Settings, image_ids: Sequence[str]) -> None:
    """Delete every survey, for each shows pictures of all kinds, and the gate's pages of these."""
    blobs = settings.blob_store
    for key in list(blobs.every_key(SURVEYS)):
        blobs.delete(key)
    previews = [images.preview_key(image_id) for image_id in image_ids]
    shown = [b64encode(blobs.get(key)).decode() for key in previews if blobs.exists(key)]
    for page in reports(settings).glob("*/index.html"):
        text = page.read_text(encoding="utf-8")
        if any(picture in text for picture in shown):
            page.unlink()


@task(cache_policy=NO_CACHE)
def standing_tasks(image_ids: Sequence[str]) -> dict[str, dict[int, list[int]]]:
    """The tasks that show removed images: their numbers by site and project.

    Questions that were asked while the images were being erased are withdrawn first.
    """
    found: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    with load_settings().catalog.begin() as transaction:
        removals.withdraw_questions(transaction, image_ids)
        for each in removals.standing_tasks(transaction, image_ids):
            found[each.site][each.project_id].append(each.task_id)
    return {site: dict(projects) for site, projects in found.items()}


def showing(
    tasks: Mapping[str, Mapping[int, Sequence[int]]], projects: Sequence[SiteProject]
) -> list[SiteProject]:
    """Those of `projects` in which one of `tasks` stands."""
    return [each for each in projects if each.project_id in tasks.get(each.site, {})]


@at_a_site
def withdraw(project: SiteProject, task_ids: Sequence[int]) -> None:
    """Delete tasks at a site."""
    open_site(project.site).withdraw(task_ids)


@task(cache_policy=NO_CACHE)
def record_erased(image_ids: Sequence[str]) -> None:
    """Record that nothing is left of removed images."""
    with load_settings().catalog.begin() as transaction:
        removals.record_erased(transaction, image_ids)
    for image_id in image_ids:
        log.info("image erased", extra={"image": image_id})


@task(cache_policy=NO_CACHE)
def removed(names: Sequence[str]) -> list[Gone]:
    """What is recorded of the removed images that `names` mean."""
    with load_settings().catalog.read() as transaction:
        ids = {images.identify(transaction, name) for name in names}
        places = removals.found_at(transaction, ids)
        apart = holdout(transaction)
        return [
            Gone(row, places.get(row.image_id, []), row.image_id in apart)
            for row in removals.removals(transaction, ids)
        ]
