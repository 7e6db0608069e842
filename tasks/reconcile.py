"""Tasks that compare a site with the catalogue and mend the difference."""

from annotation import task as site_task
from catalog import decisions
from catalog.schema import Desk, QuestionKind, SiteProject
from tasks.annotate import EVERYBODY, Queue, project_of
from tasks.collect import record_answers
from tasks.settings import load_settings
from tasks.sites import load_site
from tasks.trying import at_a_site


@at_a_site
def mend(project: SiteProject) -> str:
    """Compare a project with the catalogue, ask again what is gone; what was found, in words."""
    settings = load_settings()
    block = load_site(project.site)
    site, pictures = block.open(project.site), block.pictures(project.site, settings.blob_store)
    queue = Queue(project.site, project.locale, QuestionKind(project.kind), Desk(project.desk))
    project_id = project_of(settings, block, site, queue, pictures)
    with settings.catalog.begin() as transaction:
        expected = decisions.tasks_of_project(transaction, project.site, project.project_id)
        asked = decisions.questions(transaction, list(expected))
    mended = site.reconcile(project_id, expected)
    again = site.push(
        project_id,
        [
            site_task(asked[key], lambda image_id: pictures.url(project_id, image_id))
            for key in mended.missing
        ],
    )
    gold = {again[key]: EVERYBODY for key in again if asked[key].expected is not None}
    site.want_votes(project_id, gold)
    with settings.catalog.begin() as transaction:
        decisions.move_tasks(transaction, queue.desk, project_id, {**mended.moved, **again})
        read = record_answers(transaction, project, mended.submissions)
    return f"{mended}; {read.n_answers} answers that were not known"
