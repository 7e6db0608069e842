"""Tasks that read answers back, rule on them, and let labels and a training set follow."""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import (
    Partition,
    Submission,
    changed_labels,
    invalid_annotations,
    new_answers,
    partition,
    rule,
    undo,
)
from catalog import Transaction, decisions, holdout, labels, removals, training_sets
from catalog.database import one_at_a_time
from catalog.schema import (
    Decision,
    Desk,
    QuestionKind,
    SiteProject,
    TrainingSet,
    VerifiedLabel,
)
from tasks.annotate import Queue
from tasks.errors import NoSuchDecision
from tasks.knowledge import knowledge, log_of
from tasks.settings import load_settings
from tasks.sites import open_site
from tasks.trying import at_a_site

log = logging.getLogger(__name__)

# What reads the decisions and the labels that stand, and supersedes them.
LOG = "log"


@dataclass(frozen=True)
class Pulled:
    """What was read from one project of a site."""

    site: str
    locale: str
    kind: str
    desk: str
    n_answers: int
    invalid: tuple[str, ...]


@dataclass(frozen=True)
class Ruled:
    """What follows from the answers to one kind of question in one locale.

    `votes` is how many annotators are to answer each question that needs more of them, `escalated`
    what the lead is to decide, by the name of their site.
    """

    n_decisions: int
    votes: Mapping[str, Mapping[str, int]]
    escalated: Mapping[str, Sequence[str]]


@task(cache_policy=NO_CACHE)
def asked_projects() -> list[SiteProject]:
    """The projects of every site in which questions stand."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        return [
            project
            for name in settings.annotate.sites
            for project in decisions.projects(transaction, name)
        ]


@at_a_site
def pull(project: SiteProject) -> Pulled:
    """Read the new and changed answers of a project."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        since = decisions.pulled_through(transaction, project.site, project.project_id)
    pulled = open_site(project.site).pull(project.project_id, since)
    with settings.catalog.begin() as transaction:
        read = record_answers(transaction, project, pulled.submissions)
        decisions.record_pull(transaction, project.site, project.project_id, pulled.through)
    return read


def record_answers(
    transaction: Transaction, project: SiteProject, submissions: Sequence[Submission]
) -> Pulled:
    """Add what `submissions` say that is not known yet."""
    ids = [submission.question_id for submission in submissions]
    asked = decisions.questions(transaction, ids)
    known = decisions.answers_to(transaction, ids)
    fresh, invalid = [], []
    for submission in submissions:
        question = asked.get(submission.question_id)
        if question is None or question.site != project.site:
            invalid.append(f"task {submission.task_id} holds a question that was not asked there")
            continue
        before = known.get(question.id, [])
        fresh += new_answers(submission, question, before, Desk(project.desk))
        for problem in invalid_annotations(submission, question):
            log.warning("invalid answer", extra={"site": project.site, "question": question.id})
            invalid.append(problem)
    decisions.add_answers(transaction, fresh)
    for answer in fresh:
        said = {"question": answer.question_id, "answer": answer.id, "site": project.site}
        log.info("answer collected", extra=said)
    place = (project.site, project.locale, project.kind, project.desk)
    return Pulled(*place, len(fresh), tuple(invalid))


@task(cache_policy=NO_CACHE)
def answered() -> list[tuple[str, str]]:
    """The locales and kinds of question to which there are answers."""
    with load_settings().catalog.begin() as transaction:
        return decisions.answered(transaction)


@task(cache_policy=NO_CACHE)
def decide(locale: str, kind: str) -> Ruled:
    """Rule on every answered question of one kind in one locale."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, LOG)
        asked = decisions.questions_about(transaction, locale, kind)
        answers = decisions.answers_to(transaction, [question.id for question in asked])
        withdrawn = decisions.withdrawn_questions(transaction)
        standing = {
            question.id: decision
            for question, decision in decisions.decided(transaction, locale, kind)
        }
        rulings = rule(
            asked,
            answers,
            standing,
            settings.annotate.votes,
            method=settings.annotate.consensus,
        )
        decisions.add_decisions(
            transaction, [each.decision for each in rulings.values() if each.decision is not None]
        )
    site_of = {question.id: question.site for question in asked}
    votes: dict[str, dict[str, int]] = defaultdict(dict)
    escalated: dict[str, list[str]] = defaultdict(list)
    for question_id, ruling in rulings.items():
        if question_id in withdrawn:
            continue
        if ruling.votes:
            votes[site_of[question_id]][question_id] = ruling.votes
        if ruling.escalated:
            escalated[site_of[question_id]].append(question_id)
    n_decisions = sum(ruling.decision is not None for ruling in rulings.values())
    return Ruled(n_decisions, votes, escalated)


@at_a_site
def seek_votes(site: str, votes: Mapping[str, int]) -> int:
    """See that questions are shown to as many annotators as they need; how many questions."""
    with load_settings().catalog.begin() as transaction:
        tasks = decisions.tasks_at(transaction, Desk.CROWD, list(votes))
    wanted: dict[int, dict[int, int]] = defaultdict(dict)
    for key, each in tasks.items():
        wanted[each.project_id][each.task_id] = votes[key]
    asked = open_site(site)
    for project_id, of_project in wanted.items():
        asked.want_votes(project_id, of_project)
    return len(tasks)


@task(cache_policy=NO_CACHE)
def relabel() -> int:
    """Add the labels that follow from all decisions that stand; how many changed."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, LOG)
        manifest = labels.manifest_labels(transaction)
        known = partition(log_of(transaction), manifest)
        gone = removals.removed(transaction)
        listed: dict[str, list[VerifiedLabel]] = defaultdict(list)
        for label in manifest:
            listed[label.image_id].append(label)
        unlabelled = dict(known.product_of)
        n_changed = 0
        for newest in labels.newest_pages(transaction):
            about = sorted({label.image_id for label in newest})
            product_of = {image: unlabelled.pop(image) for image in about if image in unlabelled}
            of_page = [label for image in about for label in listed[image]]
            n_changed += _add_changed(transaction, known, product_of, of_page, newest, gone)
        return n_changed + _add_changed(transaction, known, unlabelled, [], [], gone)


def _add_changed(
    transaction: Transaction,
    known: Partition,
    product_of: Mapping[str, str],
    manifest: Sequence[VerifiedLabel],
    newest: Sequence[VerifiedLabel],
    gone: Collection[str],
) -> int:
    """Add the labels that change of some images, those of `product_of` and `newest`; how many."""
    fresh = changed_labels(replace(known, product_of=product_of), manifest, newest, gone)
    labels.add_products(transaction, [each.product_id for each in fresh if each.product_id])
    return labels.add_labels(transaction, fresh)


@task(cache_policy=NO_CACHE)
def products_now() -> dict[str, int]:
    """How many images each product has, by its names."""
    with load_settings().catalog.read() as transaction:
        known = knowledge(transaction)
    return {
        f"{_called(known, product)} ({product[:8]})": len(shown)
        for product, shown in known.images().items()
    }


def _called(known: Partition, product_id: str) -> str:
    """The names of a product, in the order of their locales."""
    return " / ".join(name for _, name in sorted(known.called.get(product_id, {}).items()))


@task(cache_policy=NO_CACHE)
def undo_decision(decision_id: str, by: str, reason: str) -> Decision:
    """Take a decision back; raises `NoSuchDecision` where it does not stand."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, LOG)
        found = decisions.standing(transaction, decision_id)
        if len(found) != 1:
            raise NoSuchDecision(
                f"{len(found)} decisions that stand begin with {decision_id!r}: "
                "`groundtruth decisions` lists them; give enough of the first column to name one"
            )
        undone = undo(found[0], by=by, reason=reason)
        decisions.add_decisions(transaction, [undone])
        return undone


@task(cache_policy=NO_CACHE)
def newest_version() -> int | None:
    """The number of the newest training set version; None where there is none."""
    with load_settings().catalog.read() as transaction:
        found = training_sets.newest(transaction)
    return found.version if found is not None else None


@task(cache_policy=NO_CACHE)
def commit_training_set() -> TrainingSet | None:
    """Commit what the gate accepted as a training set version; None where nothing was accepted."""
    settings = load_settings()
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, training_sets.GROWTH)
        accepted = labels.accepted(transaction)
        if not accepted:
            return None
        holdout.set_apart(
            transaction, settings.blob_store, accepted, settings.retrain.holdout_share
        )
        return training_sets.commit(transaction, settings.blob_store, accepted)


def escalations(ruled: Mapping[tuple[str, str], Ruled]) -> dict[Queue, Sequence[str]]:
    """What each lead is to decide, by the queue in which it is put."""
    return {
        Queue(site, locale, QuestionKind(kind), Desk.LEAD): question_ids
        for (locale, kind), each in ruled.items()
        for site, question_ids in each.escalated.items()
    }
