"""Ask what the planner finds worth asking, a project for each locale and kind."""

from dataclasses import dataclass

from prefect import flow, get_run_logger

from tasks.annotate import Queue, push, queues_to_push
from tasks.artifacts import publish, table
from tasks.ask import ask
from tasks.dashboard import count_costs, refresh_dashboard
from tasks.plan_page import plan_page
from tasks.summary import Figures, summarised
from tasks.trying import HOUR
from tasks.turn import Agenda


@dataclass(frozen=True)
class Asked:
    """What is new, and how many questions were put where."""

    agenda: Agenda
    pushed: dict[Queue, int]


def figures(asked: Asked) -> Figures:
    return {
        "questions": len(asked.agenda.entries),
        "gold": asked.agenda.n_gold,
        "accepted": len(asked.agenda.accepted),
        "pushed": sum(asked.pushed.values()),
    }


@summarised(figures)
@flow(name="annotate", timeout_seconds=12 * HOUR)
def annotate() -> Asked:
    """Ask what is worth a human second, in the annotators' own language."""
    asked = Asked(ask(), {queue: push(queue) for queue in queues_to_push()})
    n_pushed, new = sum(asked.pushed.values()), asked.agenda.kinds
    get_run_logger().info("new questions: %s; pushed %d", new or "none", n_pushed)
    publish(
        "questions",
        "Questions to annotators",
        table(("kind", "new questions"), new.items()),
        table(
            ("site", "locale", "kind", "pushed to its project"),
            ((each.site, each.locale, each.kind, n) for each, n in asked.pushed.items()),
        ),
    )
    publish("plan", "What is asked, and why", *plan_page(asked.agenda))
    count_costs()
    refresh_dashboard()
    return asked
