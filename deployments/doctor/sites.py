"""The sites: whether each answers, holds what the catalogue says, and is read and heard."""

import datetime as dt
from collections.abc import Iterator

import httpx

from annotation import SiteError
from catalog import decisions
from catalog.schema import SiteProject
from deployments import label_studio, webhooks
from deployments.doctor.catalogue import opened
from deployments.doctor.examination import Finding, error, warning, well
from deployments.observability.of_sites import PATIENCE_SECONDS, probe
from tasks.errors import NoSite
from tasks.settings import Settings
from tasks.sites import load_site, sites_for, sites_serving, webhook_url

LONGEST_LAG = dt.timedelta(hours=3)
"""Three runs of `collect` by its schedule."""


def reached(settings: Settings) -> Iterator[Finding]:
    """Whether each site answers, takes its token, and runs a version that was tried."""
    for name in settings.annotate.sites:
        try:
            site = load_site(name).open(name, PATIENCE_SECONDS)
            version = site.version()
        except (SiteError, NoSite) as problem:
            yield error(str(problem), "do what the message says, then `groundtruth sites`")
            continue
        if version == label_studio.VERSION:
            yield well(f"{name}: Label Studio {version} answers at {site.url}")
        else:
            yield warning(
                f"{name}: Label Studio {version} answers, and {label_studio.VERSION} was tried",
                "before the next version, ask a few questions there in a locale of each script",
            )


def locales(settings: Settings) -> Iterator[Finding]:
    """Whether every locale has a site whose annotators read it."""
    blocks = sites_for(settings)
    alone = [each for each in settings.locales if not sites_serving(each, blocks)]
    if alone:
        yield error(
            f"no site serves {', '.join(alone)}: `annotate` fails at the first question there",
            "add them to the locales of a site's block or table, or take them out of `locales`",
        )
    else:
        yield well(f"every one of {len(settings.locales)} locales is served")


def drift(settings: Settings) -> Iterator[Finding]:
    """What `groundtruth reconcile` would find at each site, without mending it."""
    for name in settings.annotate.sites:
        with opened(settings).read() as transaction:
            expected = {
                project.project_id: (
                    project,
                    decisions.tasks_of_project(transaction, name, project.project_id),
                )
                for project in decisions.projects(transaction, name)
            }
        try:
            site = load_site(name).open(name, PATIENCE_SECONDS)
            for project, tasks in expected.values():
                found = site.drift(project.project_id, tasks)
                for questions, what in (
                    (found.missing, "are gone from the site: nobody is asked them"),
                    (found.moved, "stand as other tasks than the catalogue says"),
                    (found.doubled, "are asked twice"),
                ):
                    if questions:
                        yield error(
                            f"{_place(project)}: {len(questions)} questions {what}, for example"
                            f" {questions[0]}",
                            "`groundtruth reconcile`, and ask at the site who has changed tasks",
                        )
        except (SiteError, NoSite) as problem:
            yield error(f"{name}: {problem}", "see the check `sites`")
            continue
        n_tasks = sum(len(tasks) for _, tasks in expected.values())
        yield well(f"{name}: {n_tasks} questions in {len(expected)} projects were compared")


def lag(settings: Settings) -> Iterator[Finding]:
    """Whether answers are collected, by how long the oldest that is not has waited."""
    for name in settings.annotate.sites:
        waited = probe(opened(settings), name).lag
        if waited is None:
            yield error(f"{name} cannot be asked", "see the check `sites`")
        elif waited > LONGEST_LAG.total_seconds():
            yield error(
                f"{name}: an answer waits to be collected since {waited / 3600:.1f} hours",
                "`groundtruth collect`, and see why its schedule did not (the checks `runs`,"
                " `workers`)",
            )
        else:
            yield well(
                f"{name}: the oldest answer that is not collected waits {waited / 60:.0f} min"
            )


def hearing(settings: Settings) -> Iterator[Finding]:
    """Whether webhooks are heard where sites send them."""
    for name in settings.annotate.sites:
        address = webhook_url(settings, name)
        try:
            status = httpx.post(address, timeout=PATIENCE_SECONDS).status_code
        except httpx.HTTPError as problem:
            yield warning(
                f"nothing answers at {address} ({type(problem).__name__}): answers are collected by"
                " the schedule alone",
                f"start the webhooks server ({webhooks.url(settings)}) with `groundtruth up`, or"
                " correct `webhooks_url` under [annotate]",
            )
            continue
        if status == httpx.codes.UNAUTHORIZED:  # as it is to be without the secret
            yield well(f"{name}: heard at {address}")
        elif status == httpx.codes.NOT_FOUND:
            yield warning(
                f"{name}: the webhooks server knows no secret of it, so it is not believed",
                "set *Webhook Secret* in the site's block, or leave it to the schedule",
            )
        else:
            yield error(
                f"{name}: {address} answers {status} where no secret is shown, and not 401",
                "see that the address leads to the webhooks server and to nothing else",
            )


def _place(project: SiteProject) -> str:
    return f"{project.site}, {project.locale}, {project.kind}, {project.desk}"
