"""Read answers back, rule on them, send labels through the gate, and commit what it accepts."""

from dataclasses import dataclass

from prefect import flow, get_run_logger

from catalog.schema import TrainingSet
from tasks.accept import HEADER, revoke, standing
from tasks.alone import alone
from tasks.annotate import push
from tasks.annotators import annotators_page
from tasks.artifacts import facts, publish, table
from tasks.collect import (
    Pulled,
    answered,
    asked_projects,
    commit_training_set,
    decide,
    escalations,
    newest_version,
    pull,
    relabel,
    seek_votes,
)
from tasks.dashboard import refresh_dashboard
from tasks.events import Happened, pass_on
from tasks.judge import Judged, judge
from tasks.pace import pace_page
from tasks.summary import Figures, summarised
from tasks.trying import HOUR

# What no two runs do at once.
COLLECT = "collect"


@dataclass(frozen=True)
class Collected:
    """What was read, what follows from it, and the training set that stands now.

    `n_open` is the number of questions to which more answers are sought.
    """

    pulled: tuple[Pulled, ...]
    n_decisions: int
    n_open: int
    n_labels: int
    judged: Judged | None
    training_set: TrainingSet | None

    @property
    def held(self) -> bool:
        """Whether the gate held the batch, so that somebody must look."""
        return self.judged is not None and self.judged.held


def figures(collected: Collected) -> Figures:
    judged, training_set = collected.judged, collected.training_set
    return {
        "answers": sum(each.n_answers for each in collected.pulled),
        "invalid_annotations": sum(len(each.invalid) for each in collected.pulled),
        "decisions": collected.n_decisions,
        "open": collected.n_open,
        "labels_changed": collected.n_labels,
        "accepted": judged.n_accepted if judged is not None else 0,
        "quarantined": judged.n_quarantined if judged is not None else 0,
        "held": collected.held,
        "training_set": training_set.version if training_set is not None else None,
    }


@summarised(figures)
@flow(name="collect", timeout_seconds=6 * HOUR)
def collect() -> Collected:
    """Turn new and changed answers into decisions, verified labels and a training set version."""
    logger = get_run_logger()
    with alone(COLLECT):
        pulled = tuple(pull(project) for project in asked_projects())
        ruled = {(locale, kind): decide(locale, kind) for locale, kind in answered()}
        n_open = sum(
            seek_votes(site, votes) for each in ruled.values() for site, votes in each.votes.items()
        )
        for queue, question_ids in escalations(ruled).items():
            n_open += len(question_ids)
            push(queue, question_ids)
        n_revoked = revoke()
        n_labels = relabel()
        judged = judge()
        before = newest_version()
        training_set = commit_training_set()
    n_decisions = sum(each.n_decisions for each in ruled.values())
    for each in pulled:
        place = f"{each.site}, {each.locale}, {each.kind}, {each.desk}"
        logger.info("%s: %d answers", place, each.n_answers)
        for problem in each.invalid:
            logger.warning("%s: %s", place, problem)
    logger.info("%d decisions, %d labels changed, %d still open", n_decisions, n_labels, n_open)
    if n_revoked:
        logger.warning(
            "the audits no longer carry %d questions that were accepted: they are asked", n_revoked
        )
    if judged is not None:
        logger.info("gate: %d accepted, %d quarantined", judged.n_accepted, judged.n_quarantined)
    if judged is not None and judged.held:
        logger.warning("the gate holds this batch: no label of it joins the training set")
    publish(
        "gate",
        "Answers, gate and training set",
        table(
            ("site", "locale", "kind", "desk", "new answers", "invalid annotations"),
            ((p.site, p.locale, p.kind, p.desk, p.n_answers, len(p.invalid)) for p in pulled),
        ),
        f"{n_decisions} new decisions, {n_labels} labels changed, {n_open} questions still open.",
        judged.report if judged is not None else "No label waited before the gate.",
        f"The same page with pictures: `{judged.page}`" if judged is not None else "",
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
    publish(
        "acceptance",
        "Accepted without asking",
        f"{n_revoked} questions are asked after all: the audits no longer carry their acceptance."
        if n_revoked
        else "",
        table(HEADER, standing()),
    )
    publish("annotators", "Annotators", *annotators_page(), *pace_page())
    refresh_dashboard()
    if training_set is not None and training_set.version != before:
        pass_on(Happened.COMMITTED, {"version": training_set.version})
    return Collected(pulled, n_decisions, n_open, n_labels, judged, training_set)
