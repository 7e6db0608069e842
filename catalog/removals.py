"""Images that must go: who asked for it and why, what showed them, and whether they are gone.

The row comes first; from then on the image is neither waited for, asked about, labelled nor learnt
from. What held it is erased after that, as often as it takes, and the proof is the last row.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from catalog.database import add_new, chunks
from catalog.decisions import showing
from catalog.models import learnt_from
from catalog.schema import (
    Embedding,
    Erasure,
    FeatureFile,
    ImageSource,
    Question,
    Removal,
    SiteTask,
    WithdrawnQuestion,
)


@dataclass(frozen=True)
class StandingTask:
    """A task of a site that asks a withdrawn question."""

    site: str
    project_id: int
    task_id: int


def is_removed(image_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """True of an image that was removed, given the column that names it."""
    return exists().where(Removal.image_id == image_id)


def removed(session: Session) -> set[str]:
    """The identities of all removed images."""
    return set(session.scalars(select(Removal.image_id)))


def removals(session: Session, image_ids: Collection[str] | None = None) -> list[Removal]:
    """All removals, or those of `image_ids`, oldest first."""
    query = select(Removal).order_by(Removal.requested_at, Removal.image_id)
    if image_ids is None:
        return list(session.scalars(query))
    return [
        row
        for chunk in chunks(sorted(image_ids))
        for row in session.scalars(query.where(Removal.image_id.in_(chunk)))
    ]


def why(removal: Removal) -> str:
    """Why the image is not taken in again."""
    return (
        f"removed on {removal.requested_at:%Y-%m-%d} by {removal.by} ({removal.reason}):"
        " these bytes are not taken in again"
    )


def record(
    session: Session, versions_of: Mapping[str, Sequence[int]], *, by: str, reason: str
) -> int:
    """Ask for the removal of images, each with the training set versions that hold it.

    The models that have learnt from these versions are recorded with them. An image that was
    removed before keeps its first row. Returns how many rows are new.
    """
    rows = [
        Removal(
            image_id=image_id,
            by=by,
            reason=reason,
            versions=sorted(versions),
            model_ids=[model.id for model in learnt_from(session, versions)],
        )
        for image_id, versions in versions_of.items()
    ]
    return add_new(session, rows)


def pending(session: Session) -> list[str]:
    """The removed images of which something may be left, sorted."""
    erased = exists().where(Erasure.image_id == Removal.image_id)
    query = select(Removal.image_id).where(~erased)
    return list(session.scalars(query.order_by(Removal.image_id)))


def record_erased(session: Session, image_ids: Sequence[str]) -> None:
    """Record that nothing is left of removed images."""
    add_new(session, [Erasure(image_id=image_id) for image_id in image_ids])


def withdraw_questions(session: Session, image_ids: Sequence[str]) -> int:
    """Withdraw every question that shows one of the removed `image_ids`; how many are new."""
    found: dict[str, str] = {}
    for question_id, image_id in showing(session, image_ids):
        found.setdefault(question_id, image_id)
    return add_new(
        session,
        [
            WithdrawnQuestion(question_id=question_id, image_id=image_id)
            for question_id, image_id in found.items()
        ],
    )


def standing_tasks(session: Session, image_ids: Collection[str]) -> list[StandingTask]:
    """Where the questions that were withdrawn because of `image_ids` stood."""
    return [
        StandingTask(*row)
        for chunk in chunks(sorted(image_ids))
        for row in session.execute(
            select(Question.site, SiteTask.project_id, SiteTask.task_id)
            .join(SiteTask, SiteTask.question_id == Question.id)
            .join(WithdrawnQuestion, WithdrawnQuestion.question_id == Question.id)
            .where(WithdrawnQuestion.image_id.in_(chunk))
            .order_by(Question.site, SiteTask.project_id, SiteTask.task_id)
        ).tuples()
    ]


def vectors_of(session: Session, image_ids: Collection[str]) -> dict[str, list[int]]:
    """The rows of each feature file that hold embeddings of `image_ids`, by the file's location."""
    found: dict[str, list[int]] = {}
    for chunk in chunks(sorted(image_ids)):
        rows = session.execute(
            select(FeatureFile.location, Embedding.row)
            .join(FeatureFile, FeatureFile.id == Embedding.feature_file_id)
            .where(Embedding.image_id.in_(chunk))
        )
        for location, row in rows:
            found.setdefault(location, []).append(row)
    return found


def asked_sites(session: Session) -> list[str]:
    """The sites that questions were ever put to, whose annotators may have seen pictures."""
    return list(session.scalars(select(Question.site).distinct().order_by(Question.site)))


def found_at(session: Session, image_ids: Collection[str]) -> dict[str, list[str]]:
    """Where each of `image_ids` was found: copies there are its owner's to delete."""
    found: dict[str, list[str]] = {}
    for chunk in chunks(sorted(image_ids)):
        query = select(ImageSource.image_id, ImageSource.uri).where(ImageSource.image_id.in_(chunk))
        for image_id, uri in session.execute(query.order_by(ImageSource.uri)).tuples():
            found.setdefault(image_id, []).append(uri)
    return found
