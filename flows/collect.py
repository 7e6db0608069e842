"""Read answers back, send labels through the gate, and commit what it accepts."""

from dataclasses import dataclass

from prefect import flow, get_run_logger

from catalog.schema import TrainingSet
from tasks.artifacts import facts, publish, table
from tasks.collect import Judged, Pulled, asked_locales, commit_training_set, judge, pull


@dataclass(frozen=True)
class Collected:
    """What was read, what the gate said of it, and the training set that stands now."""

    pulled: tuple[Pulled, ...]
    judged: Judged | None
    training_set: TrainingSet | None


@flow(name="collect")
def collect() -> Collected:
    """Turn new and changed answers into decisions, verified labels and a training set version."""
    logger = get_run_logger()
    pulled = tuple(pull(locale, project) for locale, project in asked_locales().items())
    judged = judge()
    training_set = commit_training_set()
    for each in pulled:
        logger.info("%s: %d answers, %d labels", each.locale, each.n_answers, each.n_labels)
        for problem in each.invalid:
            logger.warning("%s: %s", each.locale, problem)
    if judged is not None:
        logger.info("gate: %d accepted, %d quarantined", judged.n_accepted, judged.n_quarantined)
    if judged is not None and judged.held:
        logger.warning("the gate holds this batch: no label of it joins the training set")
    publish(
        "gate",
        "Answers, gate and training set",
        table(
            ("locale", "new answers", "decisions", "labels", "invalid annotations"),
            ((p.locale, p.n_answers, p.n_decisions, p.n_labels, len(p.invalid)) for p in pulled),
        ),
        judged.report if judged is not None else "No label waited before the gate.",
        facts(
            {
                "training set version": training_set.version,
                "images": training_set.n_images,
                "products": training_set.n_products,
                **training_set.per_locale,
            }
        )
        if training_set is not None
        else "There is no training set yet.",
    )
    return Collected(pulled, judged, training_set)
