"""What must hold after every loop, whatever struck it: `docs/developer.md`, checked from outside.

Each check returns what it found wrong, in words; nothing found is an empty list.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from label_studio_sdk import LabelStudio
from sqlalchemy import select

from annotation.results import read
from catalog import BlobStore, Transaction, content_digest, holdout, images, labels, training_sets
from catalog.fingerprint import Fingerprint
from catalog.schema import (
    Answer,
    AnswerState,
    Decision,
    Image,
    Origin,
    Question,
    SiteTask,
    TrainingSet,
)
from tasks.knowledge import knowledge
from tests.chaos.people import Ledger, Said

Content = tuple[Any, ...]


@dataclass
class Found:
    """What is wrong after a loop, by what the campaign promises that there is none of."""

    lost_answers: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    wrong_versions: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return not (self.lost_answers or self.duplicates or self.wrong_versions or self.other)


def check_answers(
    session: Transaction, ledger: Ledger, found: Found, *, each_was_read: bool
) -> None:
    """Every acknowledged answer stands in the catalogue once, as it was given, and no others do.

    Where not `each_was_read`, an answer that its annotator changed may have been read as changed
    only: a pull in between may have come too late.
    """
    asked = {question.id: question for question in session.scalars(select(Question))}
    kept: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in session.scalars(select(Answer).order_by(Answer.revision)):
        kept[answer.question_id, answer.annotator].append(answer)
    for key, said in ledger.said.items():
        wanted = [_said(each, asked[key[0]]) for each in said]
        there = [_kept(answer) for answer in kept.pop(key, [])]
        missing = Counter(wanted if each_was_read else wanted[-1:]) - Counter(there)
        surplus = Counter(there) - Counter(wanted)
        found.lost_answers += [f"{key} said {content}" for content in missing.elements()]
        found.duplicates += [f"{key}: nobody said {content}" for content in surplus.elements()]
        if not missing and there[-1] != wanted[-1]:
            found.lost_answers.append(f"{key}: {wanted[-1]} does not stand, {there[-1]} does")
    found.duplicates += [f"{key} is not in the ledger" for key in kept]


def check_site(session: Transaction, site: LabelStudio, found: Found) -> int:
    """Every question that was pushed stands as one task, where the catalogue says; how many."""
    standing: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for project in site.projects.list():
        for task in site.tasks.list(project=project.id, fields="task_only"):
            standing[task.meta["question"]].append((int(project.id), int(task.id)))
    found.duplicates += [
        f"question {question} stands as {len(places)} tasks"
        for question, places in standing.items()
        if len(places) > 1
    ]
    known = {
        each.question_id: [(each.project_id, each.task_id)]
        for each in session.scalars(select(SiteTask))
    }
    found.other += [
        f"question {question} stands at {standing.get(question)}, the catalogue says {places}"
        for question, places in known.items()
        if standing.get(question) != places
    ]
    found.other += [f"question {question} is not known" for question in standing.keys() - known]
    return sum(map(len, standing.values()))


def check_questions(session: Transaction, found: Found) -> None:
    """Nothing is asked twice, and on each question one decision stands."""
    asked = Counter(
        (question.kind, *sorted(question.image_ids), *sorted(question.reference_ids))
        for question in session.scalars(select(Question))
        if question.expected is None
    )
    found.duplicates += [f"asked {n} times: {what}" for what, n in asked.items() if n > 1]
    superseded = set(session.scalars(select(Decision.supersedes_id)))
    stands = Counter(
        decision.question_id
        for decision in session.scalars(select(Decision))
        if decision.id not in superseded
    )
    found.other += [f"{n} decisions stand on {question}" for question, n in stands.items() if n > 1]


def check_versions(
    session: Transaction, blobs: BlobStore, committed: Mapping[int, str], found: Found
) -> None:
    """Every version is as it was `committed`, and the newest holds what the decisions say.

    `committed` are the digests of the versions that were seen in the course of the loop.
    """
    versions = training_sets.versions(session)
    digests = {each.version: each.digest for each in versions}
    wrong = found.wrong_versions
    wrong += [
        f"version {number} was {digest}, is {digests.get(number)}"
        for number, digest in committed.items()
        if digests.get(number) != digest
    ]
    if [each.parent for each in versions] != [None, *(each.version for each in versions[:-1])]:
        wrong.append(f"versions do not follow one another: {digests}")
    for version in versions:
        try:
            training_sets.verify(blobs, version)
        except training_sets.VersionDamaged as error:
            wrong.append(str(error))
    if versions:
        wrong += _unlike_the_decisions(session, blobs, versions[-1])


def check_blobs(session: Transaction, blobs: BlobStore, found: Found) -> None:
    """Every image's bytes are there, whole."""
    found.other += [
        f"image {image} is damaged"
        for image in session.scalars(select(Image.id))
        if content_digest(blobs.get(images.image_key(image))) != image
    ]


def differences(one: Iterable[Fingerprint], other: Iterable[Fingerprint]) -> list[str]:
    """The tables of two catalogues that do not hold the same."""
    left, right = ({each.table: each for each in prints} for prints in (one, other))
    return [
        f"{table}: {left[table].n_rows} rows, undisturbed {right[table].n_rows}"
        for table in left
        if left[table] != right.get(table)
    ]


def labels_of_newest(session: Transaction, blobs: BlobStore) -> dict[str, tuple[str, str]]:
    """The product and the name of each image in the newest version."""
    version = training_sets.newest(session)
    rows = training_sets.read(blobs, version) if version else []
    return {row.image_id: (row.product_id or "", row.name or "") for row in rows}


def _unlike_the_decisions(
    session: Transaction, blobs: BlobStore, version: TrainingSet
) -> list[str]:
    wrong = []
    rows = training_sets.read(blobs, version)
    product_of = knowledge(session).product_of
    apart = holdout.holdout(session)
    answers = {answer.id for answer in session.scalars(select(Answer))}
    behind = {decision.id: decision for decision in session.scalars(select(Decision))}
    held_back = set(apart.values())
    wanted = {
        row.image_id: row.product_id
        for row in labels.accepted(session)
        if row.image_id not in apart and row.product_id not in held_back
    }
    holds = {row.image_id: row.product_id for row in rows}
    if holds != wanted:
        wrong.append(
            f"version {version.version} is not what the gate accepted:"
            f" {len(holds.items() ^ wanted.items())} differ"
        )
    for row in rows:
        if product_of.get(row.image_id) != row.product_id:
            wrong.append(f"version {version.version}: {row.image_id} is not as decided")
        if row.origin == Origin.DECISION:
            decision = behind[row.decision_id or ""]
            if not decision.answer_ids or not answers.issuperset(decision.answer_ids):
                wrong.append(f"label {row.label_id} leads to no answers")
    return wrong


def _said(said: Said, question: Question) -> Content:
    reading = read((dict(region) for region in said.regions), question)
    return (
        AnswerState.GIVEN.value,
        reading.verdict.value,
        reading.intruder_ids,
        reading.groups,
        reading.name,
        said.seconds,
    )


def _kept(answer: Answer) -> Content:
    groups: Sequence[Sequence[str]] = answer.groups
    return (
        answer.state,
        answer.verdict,
        tuple(answer.intruder_ids),
        tuple(map(tuple, groups)),
        answer.name,
        answer.seconds,
    )
