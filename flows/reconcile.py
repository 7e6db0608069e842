"""Compare every site with the catalogue, question by question, and mend what drifted."""

from collections.abc import Mapping

from prefect import flow, get_run_logger

from flows.collect import collect
from tasks.artifacts import publish, table
from tasks.collect import asked_projects
from tasks.reconcile import mend
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(mended: Mapping[str, str]) -> Figures:
    return {"projects": len(mended)}


@summarised(figures)
@flow(name="reconcile", timeout_seconds=12 * HOUR)
def reconcile() -> dict[str, str]:
    """Find what was deleted, doubled or edited by hand on a site, mend it, and say what it was.

    A pull sees what changed since the last one; tasks that somebody deleted leave no trace that it
    could see. This reads everything.
    """
    mended = {}
    for project in asked_projects():
        place = f"{project.site}, {project.locale}, {project.kind}, {project.desk}"
        mended[place] = mend(project)
        get_run_logger().info("%s: %s", place, mended[place])
    publish(
        "reconciliation",
        "Sites compared with the catalogue",
        table(("site, locale, kind, desk", "found and mended"), mended.items()),
    )
    collect()
    return mended
