"""Tasks that read answers back and let verified labels through the gate."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import InvalidAnnotation, decide, name_key, new_answers, verified_labels
from catalog import Transaction, decisions, images, labels, training_sets
from catalog.labels import LabelRow
from catalog.schema import Question, TrainingSet
from tasks.settings import load_settings
from tasks.sites import open_site, site_was_down


@dataclass(frozen=True)
class Pulled:
    """What was read from one locale of a site."""

    locale: str
    n_answers: int
    n_decisions: int
    n_labels: int
    invalid: tuple[str, ...]


@task(cache_policy=NO_CACHE)
def asked_locales() -> dict[str, int]:
    """The locales with questions on the site, and the project of each."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        return decisions.asked_locales(transaction, settings.annotate.site)


@task(
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=site_was_down,
)
def pull(locale: str, project_id: int) -> Pulled:
    """Read the new and changed answers of a locale, and decide what they decide."""
    settings = load_settings()
    name = settings.annotate.site
    with settings.catalog.begin() as transaction:
        since = decisions.pulled_through(transaction, name, locale)
    pulled = open_site(name).pull(project_id, since)
    with settings.catalog.begin() as transaction:
        ids = [submission.question_id for submission in pulled.submissions]
        asked = decisions.questions(transaction, ids)
        known = decisions.answers_to(transaction, ids)
        fresh, invalid = [], []
        for submission in pulled.submissions:
            question = asked.get(submission.question_id)
            if question is None:
                invalid.append(f"task {submission.task_id} holds a question that nobody here asked")
                continue
            try:
                fresh += new_answers(submission, question, known.get(question.id, []))
            except InvalidAnnotation as problem:
                invalid.append(str(problem))
        decisions.add_answers(transaction, fresh)
        n_decisions = n_labels = 0
        for question_id in sorted({answer.question_id for answer in fresh}):
            decided, labelled = _decide(transaction, asked[question_id])
            n_decisions += decided
            n_labels += labelled
        decisions.record_pull(transaction, name, locale, pulled.through)
    return Pulled(locale, len(fresh), n_decisions, n_labels, tuple(invalid))


def _decide(transaction: Transaction, question: Question) -> tuple[int, int]:
    """Record what the answers to `question` decide; how many decisions and labels are new."""
    [answers] = decisions.answers_to(transaction, [question.id]).values()
    standing = decisions.current_decisions(transaction, question_ids=[question.id])
    decision = decide(question, answers, standing[0] if standing else None)
    if decision is None:
        return 0, 0
    decisions.add_decision(transaction, decision)
    product_id = (
        labels.product_named(
            transaction,
            question.locale,
            decision.name,
            name_key(decision.name),
            identity=f"{question.locale} {name_key(decision.name)}",
        )
        if decision.name
        else None
    )
    return 1, labels.add_labels(transaction, verified_labels(decision, question.locale, product_id))


@dataclass(frozen=True)
class Judged:
    """What the gate said of the labels that waited before it."""

    n_accepted: int
    n_quarantined: int
    held: bool
    report: str


@task(cache_policy=NO_CACHE)
def judge() -> Judged | None:
    """Send the labels that wait through the gate; None where none wait."""
    from expectations.gate import judge as judge_labels
    from expectations.report import render

    settings = load_settings()
    with settings.catalog.begin() as transaction:
        waiting = labels.unjudged(transaction)
        current = labels.accepted(transaction)
        image_ids = [label.image_id for label in waiting]
        locale_of = images.locales_of(transaction, image_ids)
    if not waiting:
        return None
    verdict = judge_labels(
        frame(waiting),
        pd.DataFrame({"image_id": list(locale_of), "locale": list(locale_of.values())}),
        frame(current),
        settings.gate,
        known_locales=settings.locales,
    )
    with settings.catalog.begin() as transaction:
        labels.record_gate_run(
            transaction,
            accepted_ids=list(verdict.accepted),
            quarantined=dict(verdict.quarantined),
            held=verdict.held,
            rules=[asdict(rule) for rule in verdict.rules],
        )
    return Judged(
        len(verdict.accepted),
        len(verdict.quarantined),
        verdict.held,
        render(verdict, settings.gate),
    )


@task(cache_policy=NO_CACHE)
def commit_training_set() -> TrainingSet | None:
    """Commit what the gate accepted as a training set version; None where nothing was accepted."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        accepted = labels.accepted(transaction)
        if not accepted:
            return None
        training_sets.freeze_holdout(transaction, accepted, settings.retrain.holdout_share)
        return training_sets.commit(transaction, settings.blob_store, accepted)


def frame(rows: Sequence[LabelRow]) -> pd.DataFrame:
    """Labels as the gate reads them: one row each, indexed by the label's identity."""
    table = pd.DataFrame(
        [asdict(row) for row in rows],
        columns=list(LabelRow.__dataclass_fields__),
    )
    return table.set_index("label_id").rename_axis(None)
