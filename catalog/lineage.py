"""What an image has been through: from its bytes and sources to the models that learnt from it.

A `Lineage` is plain data, read in a fixed number of queries whatever the catalogue holds; what
one image was never part of is not read.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from catalog.blobs import BlobStore
from catalog.database import Catalog, chunks
from catalog.decisions import answers_to, questions, showing
from catalog.images import identify
from catalog.labels import is_judged
from catalog.models import learnt_from, started_from
from catalog.schema import (
    Answer,
    Cluster,
    Decision,
    GateRun,
    HoldoutImage,
    Image,
    ImageSource,
    Judgement,
    Model,
    Partition,
    Promotion,
    Question,
    Removal,
    Table,
    VerifiedLabel,
)
from catalog.training_sets import labels_of, versions

Row = TypeVar("Row", bound=Table)


@dataclass(frozen=True)
class ClusterStep:
    """The candidate cluster that a question was asked about, and the model that formed it."""

    cluster_id: str
    size: int
    purity: float
    model_id: str
    training_set: int


@dataclass(frozen=True)
class AnswerStep:
    """What one annotator said; `image_is_intruder` is True where the image was ticked."""

    answer_id: str
    annotator: str
    state: str
    verdict: str | None
    name: str | None
    image_is_intruder: bool
    seconds: float | None
    revision: int
    answered_at: dt.datetime


@dataclass(frozen=True)
class QuestionStep:
    """A question that shows the image, with every answer to it."""

    question_id: str
    kind: str
    locale: str
    site: str
    n_images: int
    asked_at: dt.datetime
    cluster: ClusterStep | None
    answers: tuple[AnswerStep, ...]


@dataclass(frozen=True)
class DecisionStep:
    """A decision; `superseded_by` names the one that came after it.

    `accepted_from` is the model whose word was accepted without asking people.
    """

    decision_id: str
    kind: str
    confidence: float
    reason: str | None
    decided_at: dt.datetime
    superseded_by: str | None
    accepted_from: str | None
    question: QuestionStep


@dataclass(frozen=True)
class GateStep:
    """The gate's word on a label."""

    gate_run_id: str
    accepted: bool
    reasons: tuple[str, ...]
    judged_at: dt.datetime


@dataclass(frozen=True)
class LabelStep:
    """A label of the image; `superseded_by` names the one that came after it."""

    label_id: str
    product_id: str | None
    name: str | None
    locale: str
    origin: str
    agreement: float
    withdrawn: bool
    labelled_at: dt.datetime
    superseded_by: str | None
    decision: DecisionStep | None
    gate: GateStep | None


@dataclass(frozen=True)
class SourceStep:
    """Where the image was found."""

    uri: str
    locale: str
    source: str | None
    captured_at: dt.datetime | None
    extra: Mapping[str, Any]
    seen_at: dt.datetime


@dataclass(frozen=True)
class VersionStep:
    """A training set version that holds the image, and as what."""

    version: int
    digest: str
    label_id: str
    product_id: str | None
    name: str | None


@dataclass(frozen=True)
class ModelStep:
    """A model trained on a version that holds the image, or started from one that has learnt it."""

    model_id: str
    training_set: int
    started_from: str | None
    promoted: bool
    trained_at: dt.datetime


@dataclass(frozen=True)
class RemovalStep:
    """Who asked for the image's removal, and why."""

    by: str
    reason: str
    requested_at: dt.datetime


@dataclass(frozen=True)
class Lineage:
    """All that led from an image's bytes to what has learnt from it.

    `labels` are in the order in which they were given, superseded and withdrawn ones too;
    `other_decisions` are those about the image from which no label of it follows, and `open` the
    questions that show it and are not decided. `holdout_product` is set where the image is kept
    apart to compare models on.
    """

    image_id: str
    locale: str
    media_type: str
    width: int
    height: int
    n_bytes: int
    ingested_at: dt.datetime
    sources: tuple[SourceStep, ...]
    labels: tuple[LabelStep, ...]
    other_decisions: tuple[DecisionStep, ...]
    open: tuple[QuestionStep, ...]
    versions: tuple[VersionStep, ...]
    models: tuple[ModelStep, ...]
    holdout_product: str | None
    removal: RemovalStep | None


def lineage(catalog: Catalog, blobs: BlobStore, name: str) -> Lineage:
    """What the image has been through that `name` means to `images.identify`.

    Raises `images.NoSuchImage` where it means none.
    """
    with catalog.begin() as session:
        image_id = identify(session, name)
        known = versions(session)
    held = [
        VersionStep(each.version, each.digest, label.label_id, label.product_id, label.name)
        for each in known
        for label in labels_of(blobs, each, [image_id])
    ]
    with catalog.begin() as session:
        return _lineage(session, image_id, held)


def _lineage(session: Session, image_id: str, held: Sequence[VersionStep]) -> Lineage:
    image = session.get_one(Image, image_id)
    labels = _rows(session, VerifiedLabel, VerifiedLabel.image_id == image_id)
    asked = questions(session, [question for question, _ in showing(session, [image_id])])
    named = _where_in(session, Decision, Decision.id, {each.decision_id for each in labels})
    asked |= questions(session, [decision.question_id for decision in named])
    decided = _where_in(session, Decision, Decision.question_id, asked)
    about = _questions(session, image_id, list(asked.values()))
    successor = {each.supersedes_id: each.id for each in decided}
    decisions = {
        each.id: DecisionStep(
            each.id,
            each.kind,
            each.confidence,
            each.reason,
            each.decided_at,
            successor.get(each.id),
            each.model_id,
            about[each.question_id],
        )
        for each in sorted(decided, key=lambda each: (each.decided_at, each.id))
    }
    gate = _gate(session, {each.id for each in labels})
    later = {each.supersedes_id: each.id for each in labels}
    behind = {label.decision_id for label in labels}
    frozen = session.get(HoldoutImage, image_id)
    removal = session.get(Removal, image_id)
    return Lineage(
        image_id=image_id,
        locale=image.locale,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        n_bytes=image.n_bytes,
        ingested_at=image.ingested_at,
        sources=tuple(
            SourceStep(
                each.uri, each.locale, each.source, each.captured_at, each.extra, each.seen_at
            )
            for each in sorted(
                _rows(session, ImageSource, ImageSource.image_id == image_id),
                key=lambda each: (each.seen_at, each.uri),
            )
        ),
        labels=tuple(
            LabelStep(
                each.id,
                each.product_id,
                each.name,
                each.locale,
                each.origin,
                each.agreement,
                each.withdrawn,
                each.labelled_at,
                later.get(each.id),
                decisions.get(each.decision_id or ""),
                gate.get(each.id),
            )
            for each in sorted(labels, key=lambda each: (each.labelled_at, each.id))
        ),
        other_decisions=tuple(each for key, each in decisions.items() if key not in behind),
        open=tuple(
            each
            for key, each in sorted(about.items())
            if key not in {decision.question_id for decision in decided}
        ),
        versions=tuple(held),
        models=_models(session, {each.version for each in held}),
        holdout_product=frozen.product_id if frozen is not None else None,
        removal=RemovalStep(removal.by, removal.reason, removal.requested_at) if removal else None,
    )


def _questions(
    session: Session, image_id: str, asked: Sequence[Question]
) -> dict[str, QuestionStep]:
    clusters = _clusters(session, {each.cluster_id for each in asked})
    answers = answers_to(session, [each.id for each in asked])
    return {
        each.id: QuestionStep(
            each.id,
            each.kind,
            each.locale,
            each.site,
            len(each.image_ids),
            each.asked_at,
            clusters.get(each.cluster_id or ""),
            tuple(
                _answer(answer, image_id)
                for answer in sorted(
                    answers.get(each.id, ()), key=lambda answer: (answer.answered_at, answer.id)
                )
            ),
        )
        for each in asked
    }


def _answer(answer: Answer, image_id: str) -> AnswerStep:
    return AnswerStep(
        answer.id,
        answer.annotator,
        answer.state,
        answer.verdict,
        answer.name,
        image_id in answer.intruder_ids,
        answer.seconds,
        answer.revision,
        answer.answered_at,
    )


def _clusters(session: Session, cluster_ids: Collection[str | None]) -> dict[str, ClusterStep]:
    query = (
        select(Cluster, Partition.model_id, Model.training_set)
        .join(Partition, Partition.id == Cluster.partition_id)
        .join(Model, Model.id == Partition.model_id)
    )
    return {
        cluster.id: ClusterStep(cluster.id, cluster.size, cluster.purity, model_id, version)
        for chunk in chunks(sorted(filter(None, cluster_ids)))
        for cluster, model_id, version in session.execute(
            query.where(Cluster.id.in_(chunk))
        ).tuples()
    }


def _gate(session: Session, label_ids: Collection[str]) -> dict[str, GateStep]:
    query = (
        select(Judgement, GateRun.judged_at)
        .join(GateRun, GateRun.id == Judgement.gate_run_id)
        .join(VerifiedLabel, is_judged())
    )
    return {
        judgement.label_id: GateStep(
            judgement.gate_run_id, judgement.accepted, tuple(judgement.reasons), judged_at
        )
        for chunk in chunks(sorted(label_ids))
        for judgement, judged_at in session.execute(
            query.where(Judgement.label_id.in_(chunk))
        ).tuples()
    }


def _models(session: Session, held: Collection[int]) -> tuple[ModelStep, ...]:
    promoted = set(session.scalars(select(Promotion.challenger_id).where(Promotion.promoted)))
    return tuple(
        ModelStep(
            model.id,
            model.training_set,
            started_from(model),
            model.id in promoted,
            model.trained_at,
        )
        for model in learnt_from(session, held)
    )


def _rows(session: Session, table: type[Row], condition: ColumnElement[bool]) -> list[Row]:
    return list(session.scalars(select(table).where(condition)))


def _where_in(
    session: Session, table: type[Row], column: Any, values: Collection[Any]
) -> list[Row]:
    """The rows whose `column` is one of `values`, each once; None is the value of no row."""
    wanted = sorted(value for value in values if value is not None)
    return [row for chunk in chunks(wanted) for row in _rows(session, table, column.in_(chunk))]
