"""Settle quarantined labels by hand, and let follow what follows."""

from collections.abc import Sequence
from typing import Literal

from prefect import flow, get_run_logger

from catalog.schema import Settlement
from tasks.artifacts import facts, publish
from tasks.collect import commit_training_set, relabel
from tasks.judge import judge
from tasks.settle import ask_again, correct, release, retract
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(made: Settlement) -> Figures:
    return {"settlement": made.number, "kind": made.kind}


@summarised(figures)
@flow(name="settle", timeout_seconds=6 * HOUR)
def settle(
    action: Literal["release", "correct", "ask", "retract"],
    by: str,
    reason: str,
    labels: Sequence[str] = (),
    name: str | None = None,
    settlement: int | None = None,
) -> Settlement:
    """Release, correct or send back quarantined labels, or take such a settlement back.

    Args:
        action: What is done.
        by: Who does it.
        reason: Why, for those who read it later.
        labels: The labels' identities, or enough of their beginnings.
        name: What a corrected label's product is called; empty: the label is wrong, that is all.
        settlement: The number of the settlement that is taken back.
    """
    match action:
        case "release":
            made = release(labels, by, reason)
        case "correct":
            made = correct(labels, name, by, reason)
        case "ask":
            made = ask_again(labels, by, reason)
        case "retract":
            made = retract(settlement or 0, by, reason)
    n_labels = relabel()
    judged = judge()
    training_set = commit_training_set()
    if judged is not None and judged.held:
        get_run_logger().warning("the gate holds this batch: it is judged again with the next")
    get_run_logger().info("settlement %d by %s: %s", made.number, by, made.kind)
    publish(
        "settlement",
        "Quarantined labels settled",
        facts(
            {
                "settlement": made.number,
                "what": made.kind,
                "by": by,
                "reason": reason,
                "labels changed": n_labels,
                "accepted now": judged.n_accepted if judged else 0,
                "quarantined again": judged.n_quarantined if judged else 0,
                "the batch is held": "yes" if judged and judged.held else "no",
                "training set version": training_set.version if training_set else "none",
            }
        ),
    )
    return made
