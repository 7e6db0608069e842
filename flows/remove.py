"""Remove images that must go, and say what has learnt from them."""

from collections.abc import Sequence

from prefect import flow, get_run_logger

from tasks.artifacts import facts, publish, table
from tasks.collect import asked_projects, commit_training_set, pull, relabel
from tasks.remove import (
    Gone,
    erase,
    record_erased,
    record_removals,
    removed,
    showing,
    standing_tasks,
    withdraw,
)
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(gone: Sequence[Gone]) -> Figures:
    return {"removed": len(gone)}


@summarised(figures)
@flow(name="remove", timeout_seconds=6 * HOUR)
def remove(images: list[str], by: str, reason: str) -> list[Gone]:
    """Remove images for good: only their identities and their history are kept.

    Everything that an earlier run left undone is done as well. Earlier training set versions stay
    as they are; the next one is without the images.

    Args:
        images: Each by its identity, enough of its beginning, or the address where it was found.
        by: Who asks for it.
        reason: Why, for those who read the log later.
    """
    left = record_removals(images, by, reason)
    relabel()
    training_set = commit_training_set()
    erase(left)
    tasks = standing_tasks(left)
    for project in showing(tasks, asked_projects()):
        pull(project)  # what was answered counts for the other images
        withdraw(project, tasks[project.site][project.project_id])
    record_erased(left)
    gone = removed(images)
    get_run_logger().info("%d images erased, as %s asked", len(left), by)
    publish(
        "removal",
        "Images removed",
        facts(
            {
                "removed by": by,
                "reason": reason,
                "training set version now": training_set.version if training_set else "none",
            }
        ),
        table(
            ("image", "in versions", "models that learnt from it", "in the holdout", "found at"),
            (
                (
                    each.removal.image_id,
                    ", ".join(map(str, each.removal.versions)) or "none",
                    ", ".join(each.removal.model_ids) or "none",
                    "yes" if each.in_holdout else "no",
                    ", ".join(each.found_at),
                )
                for each in gone
            ),
        ),
    )
    return gone
