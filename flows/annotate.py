"""Turn candidate clusters and doubts into questions, a project for each locale and kind."""

from dataclasses import dataclass

from prefect import flow, get_run_logger

from tasks.annotate import Queue, push, queues_to_push
from tasks.artifacts import publish, table
from tasks.ask import ask


@dataclass(frozen=True)
class Asked:
    """How many questions of each kind are new, and how many were put where."""

    new: dict[str, int]
    pushed: dict[Queue, int]


@flow(name="annotate")
def annotate() -> Asked:
    """Ask about everything that is new or in doubt, in the annotators' own language."""
    asked = Asked(ask(), {queue: push(queue) for queue in queues_to_push()})
    n_pushed = sum(asked.pushed.values())
    get_run_logger().info("new questions: %s; pushed %d", asked.new or "none", n_pushed)
    publish(
        "questions",
        "Questions to annotators",
        table(("kind", "new questions"), asked.new.items()),
        table(
            ("site", "locale", "kind", "pushed to its project"),
            ((each.site, each.locale, each.kind, n) for each, n in asked.pushed.items()),
        ),
    )
    return asked
