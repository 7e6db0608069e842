"""Ask whether there is enough that is new to train on, and retrain where there is."""

from prefect import flow, get_run_logger

from flows.retrain import retrain
from tasks.artifacts import facts, publish
from tasks.drift import drift_page, drifts
from tasks.due import training_is_due
from tasks.promote import Comparison


@flow(name="retrain-when-due")
def retrain_when_due() -> Comparison | None:
    """Retrain when enough labels are new or new images drift; say why, or why not."""
    found = drifts()
    due = training_is_due(found)
    get_run_logger().info("%s: %s", "due" if due.due else "not due", due.reason)
    publish(
        "drift",
        "What is new since the champion was trained",
        facts({"training is due": "yes" if due.due else "no", "because": due.reason}),
        *drift_page(found),
    )
    return retrain() if due.due else None
