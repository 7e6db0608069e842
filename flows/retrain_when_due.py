"""Ask whether there is enough that is new to train on, and have `retrain` run where there is."""

from prefect import flow, get_run_logger

from tasks.artifacts import facts, publish
from tasks.drift import drift_page, drifts
from tasks.due import Due, training_is_due
from tasks.events import Happened, tell
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(due: Due) -> Figures:
    return {"due": due.due, "reason": due.reason}


@summarised(figures)
@flow(name="retrain-when-due", timeout_seconds=6 * HOUR)
def retrain_when_due() -> Due:
    """Have a run of `retrain` start when enough labels are new or new images drift; say why.

    The event starts it, so that two trainings never run at once. Where it is lost, or `retrain`
    fails, it is still due the next time that this flow runs.
    """
    found = drifts()
    due = training_is_due(found)
    get_run_logger().info("%s: %s", "due" if due.due else "not due", due.reason)
    publish(
        "drift",
        "What is new since the champion was trained",
        facts({"training is due": "yes" if due.due else "no", "because": due.reason}),
        *drift_page(found),
    )
    if due.due:
        tell(Happened.DUE, {"reason": due.reason})
    return due
