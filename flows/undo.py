"""Take a decision back, and all that followed from it."""

from prefect import flow, get_run_logger

from catalog.schema import Decision
from tasks.artifacts import facts, publish, table
from tasks.collect import commit_training_set, products_now, relabel, undo_decision
from tasks.judge import judge
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(undone: Decision) -> Figures:
    return {"decision": undone.supersedes_id}


@summarised(figures)
@flow(name="undo", timeout_seconds=6 * HOUR)
def undo(decision: str, by: str, reason: str) -> Decision:
    """Undo a decision: products, labels and the training set become what they are without it.

    Args:
        decision: The decision's identity, or enough of its beginning.
        by: Who undoes it.
        reason: Why, for those who read the log later.
    """
    before = products_now()
    undone = undo_decision(decision, by, reason)
    n_labels = relabel()
    judge()
    training_set = commit_training_set()
    after = products_now()
    get_run_logger().info("%s undone by %s: %d labels changed", undone.supersedes_id, by, n_labels)
    publish(
        "undo",
        "A decision undone",
        facts(
            {
                "decision": undone.supersedes_id or "",
                "undone by": by,
                "reason": reason,
                "labels changed": n_labels,
                "training set version": training_set.version if training_set else "none",
            }
        ),
        table(
            ("product", "images before", "images after"),
            (
                (product, before.get(product, 0), after.get(product, 0))
                for product in sorted({*before, *after})
                if before.get(product) != after.get(product)
            ),
        ),
    )
    return undone
