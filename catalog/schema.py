"""The tables, as dataclasses in the order in which an image passes through them.

Rows are only ever added. What changes is what a later row says: a decision supersedes the one it
names, a promotion follows the one before. Times are UTC. Identifiers are digests of content
(`catalog.identity`), so that writing a row twice writes it once.
"""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from sqlalchemy.types import TypeDecorator


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A point in time; SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone: the catalogue keeps UTC")
        return value.astimezone(dt.UTC) if value is not None else None

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value


class Table(MappedAsDataclass, DeclarativeBase, kw_only=True):
    type_annotation_map: ClassVar = {
        dt.datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[float]: JSON(),
        list[int]: JSON(),
        list[list[str]]: JSON(),
        list[dict[str, Any]]: JSON(),
    }


class AnswerState(StrEnum):
    GIVEN = "given"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


class QuestionKind(StrEnum):
    """What is asked about the images of a question.

    `VERIFY`: do they show one product? `ATTACH`: do they show the product of its references?
    `MERGE`: do they, known to be one product, and its references, known to be one, show the same?
    `SPLIT`: which of them show the same product?
    """

    VERIFY = "verify"
    ATTACH = "attach"
    MERGE = "merge"
    SPLIT = "split"


class Verdict(StrEnum):
    """What an annotator says of a question as a whole; the values that Label Studio exports."""

    CONFIRM = "confirm"
    MIXED = "mixed"
    VARIANT = "variant"
    DIFFERENT = "different"
    UNUSABLE = "unusable"
    UNSURE = "unsure"


VERDICTS = {
    QuestionKind.VERIFY: (Verdict.CONFIRM, Verdict.MIXED, Verdict.UNUSABLE, Verdict.UNSURE),
    QuestionKind.ATTACH: (Verdict.CONFIRM, Verdict.DIFFERENT, Verdict.UNUSABLE, Verdict.UNSURE),
    QuestionKind.MERGE: (Verdict.CONFIRM, Verdict.VARIANT, Verdict.DIFFERENT, Verdict.UNSURE),
    QuestionKind.SPLIT: (Verdict.CONFIRM, Verdict.UNUSABLE, Verdict.UNSURE),
}


NO_SITE = ""
"""The site of a question that nobody is asked, for somebody decided it by hand."""


class Desk(StrEnum):
    """Who is asked: any annotator of the locale, or the lead, whose answer decides."""

    CROWD = "crowd"
    LEAD = "lead"


class DecisionKind(StrEnum):
    """What stands of a question. An undone decision says nothing until there is a new answer."""

    SAME = "same"
    DIFFERENT = "different"
    UNUSABLE = "unusable"
    UNSURE = "unsure"
    UNDONE = "undone"


KIND_OF: Mapping[str | None, DecisionKind] = {
    Verdict.CONFIRM: DecisionKind.SAME,
    Verdict.MIXED: DecisionKind.DIFFERENT,
    Verdict.VARIANT: DecisionKind.DIFFERENT,
    Verdict.DIFFERENT: DecisionKind.DIFFERENT,
    Verdict.UNUSABLE: DecisionKind.UNUSABLE,
    Verdict.UNSURE: DecisionKind.UNSURE,
}
"""What a verdict says of its question, in the words of a decision."""


class SettlementKind(StrEnum):
    """What is done about quarantined labels.

    `RELEASE` overrules the reasons against them, `CORRECT` says what their images show, or that
    they do not show what the labels say, `ASK` puts the images before annotators again, and
    `RETRACT` takes another settlement back.
    """

    RELEASE = "release"
    CORRECT = "correct"
    ASK = "ask"
    RETRACT = "retract"


class Origin(StrEnum):
    """Where a verified label comes from.

    The customer's manifest, a decision of people, or one that was accepted without asking them.
    """

    MANIFEST = "manifest"
    DECISION = "decision"
    ACCEPTED = "accepted"


class AuditPurpose(StrEnum):
    """What a question is asked for that is asked to measure, and not to label faster.

    `ACCEPTANCE`: may what the model is sure of be accepted? `CERTIFICATE`: how good is the whole?
    """

    ACCEPTANCE = "acceptance"
    CERTIFICATE = "certificate"


class AuditSubject(StrEnum):
    """What is audited: a cluster, images that join a product, two products as one, two images."""

    CLUSTER = "cluster"
    ATTACHMENT = "attachment"
    MERGE = "merge"
    PAIR = "pair"


# --- images ---------------------------------------------------------------------------------------


class Image(Table):
    """One picture, named by the SHA-256 of its bytes."""

    __tablename__ = "image"
    __table_args__ = (Index("image_of_locale", "locale", "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    locale: Mapped[str] = mapped_column(String(35))
    media_type: Mapped[str] = mapped_column(String(32))
    width: Mapped[int]
    height: Mapped[int]
    n_bytes: Mapped[int]
    ingested_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class ImageSource(Table):
    """A place where an image was found; exact duplicates share one image."""

    __tablename__ = "image_source"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), index=True)
    uri: Mapped[str]
    locale: Mapped[str] = mapped_column(String(35))
    source: Mapped[str | None] = mapped_column(default=None)
    captured_at: Mapped[dt.datetime | None] = mapped_column(default=None)
    extra: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    seen_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class SetAside(Table):
    """A file or manifest row that could not become an image, and why."""

    __tablename__ = "set_aside"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    uri: Mapped[str]
    reason: Mapped[str]
    seen_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Removal(Table):
    """An image that must go: nothing but this row, its identity and its history is kept of it.

    `versions` are the training set versions that hold it, `model_ids` the models that have learnt
    from one of these, as they were when the removal was asked for.
    """

    __tablename__ = "removal"

    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True)
    by: Mapped[str]
    reason: Mapped[str]
    versions: Mapped[list[int]]
    model_ids: Mapped[list[str]]
    requested_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Erasure(Table):
    """Proof that the bytes, vectors and open questions of a removed image are gone."""

    __tablename__ = "erasure"

    image_id: Mapped[str] = mapped_column(ForeignKey("removal.image_id"), primary_key=True)
    erased_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class ImageMeasures(Table):
    """How an image looks, in numbers; `catalog.appearance` says how each is measured."""

    __tablename__ = "image_measures"

    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True)
    sharpness: Mapped[float]
    brightness: Mapped[float]
    contrast: Mapped[float]
    clipped: Mapped[float]
    border: Mapped[float]
    flat: Mapped[float]
    screenshot: Mapped[bool]
    jpeg_quality: Mapped[float | None]
    perceptual_hash: Mapped[str] = mapped_column(String(16))


class Product(Table):
    """A class: what a customer would call one thing to buy."""

    __tablename__ = "product"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)


# --- models and what they see ---------------------------------------------------------------------


class Model(Table):
    """An encoder and a linkage model trained together on one training set version."""

    __tablename__ = "model"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    training_set: Mapped[int] = mapped_column(ForeignKey("training_set.version"))
    location: Mapped[str]
    config: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    trained_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Promotion(Table):
    """Who went on, the challenger or the champion of its day: as they compared, or as `by` said.

    `holdout` is the state of the holdout that they were compared on, by its digest, and `figures`
    what was measured. A rollback compares nothing: it makes an earlier model champion again.
    """

    __tablename__ = "promotion"
    __table_args__ = (
        UniqueConstraint("challenger_id", "champion_id", "holdout", name="compared_once"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    challenger_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    champion_id: Mapped[str | None] = mapped_column(ForeignKey("model.id"))
    promoted: Mapped[bool]
    reason: Mapped[str]
    holdout: Mapped[str | None] = mapped_column(String(32), default=None)
    figures: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    by: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class HoldoutImage(Table):
    """An image of the frozen, class-disjoint holdout; only customers' manifests add to it."""

    __tablename__ = "holdout_image"

    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    added_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Measurement(Table):
    """How a model clusters one state of the holdout, `holdout` by its digest.

    A Parquet file at `location` says where each image lies; `figures` follow from it, and `speed`
    is how fast this machine was.
    """

    __tablename__ = "measurement"

    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"), primary_key=True)
    holdout: Mapped[str] = mapped_column(String(32), primary_key=True)
    location: Mapped[str]
    figures: Mapped[dict[str, Any]]
    speed: Mapped[dict[str, Any]]
    measured_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class FeatureFile(Table):
    """A Parquet file of embeddings of one model."""

    __tablename__ = "feature_file"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    location: Mapped[str]


class Embedding(Table):
    """Where to find the embedding of one image by one model."""

    __tablename__ = "embedding"

    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"), primary_key=True)
    feature_file_id: Mapped[str] = mapped_column(ForeignKey("feature_file.id"))
    row: Mapped[int]


class Partition(Table):
    """One clustering of one locale's open images by one model."""

    __tablename__ = "partition"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    locale: Mapped[str] = mapped_column(String(35))
    n_images: Mapped[int]
    n_clusters: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Clustering(Table):
    """That a locale was clustered, and what it came to; None where no image waited.

    `number` counts those of a locale in their order; a partition that is known is named again.
    """

    __tablename__ = "clustering"

    locale: Mapped[str] = mapped_column(String(35), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partition_id: Mapped[str | None] = mapped_column(ForeignKey("partition.id"))
    clustered_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Cluster(Table):
    """A candidate cluster: images that may show one product."""

    __tablename__ = "cluster"
    __table_args__ = (Index("cluster_of_partition", "partition_id", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    partition_id: Mapped[str] = mapped_column(ForeignKey("partition.id"))
    locale: Mapped[str] = mapped_column(String(35))
    size: Mapped[int]
    purity: Mapped[float]
    peak_id: Mapped[str] = mapped_column(ForeignKey("image.id"))


class ClusterMember(Table):
    __tablename__ = "cluster_member"

    cluster_id: Mapped[str] = mapped_column(ForeignKey("cluster.id"), primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True, index=True)
    membership: Mapped[float]


# --- questions, answers, decisions ----------------------------------------------------------------

IS_GOLD = text("expected IS NOT NULL")
IS_UNDONE = text("kind = 'undone'")


class Question(Table):
    """Something to be answered by somebody who reads `locale`, by looking at pictures.

    `reference_ids` show one product that `image_ids` are compared with. A gold question carries the
    answer that is `expected`; it tells of annotators and decides nothing.
    """

    __tablename__ = "question"
    __table_args__ = (
        Index("question_of_kind", "locale", "kind", "id"),
        Index("question_of_site", "site", "locale", "id"),
        Index("question_by_time", "asked_at"),
        Index("gold_question", "site", "locale", sqlite_where=IS_GOLD, postgresql_where=IS_GOLD),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(35))
    site: Mapped[str] = mapped_column(String(64))
    image_ids: Mapped[list[str]]
    cluster_id: Mapped[str | None] = mapped_column(
        ForeignKey("cluster.id"), index=True, default=None
    )
    reference_ids: Mapped[list[str]] = mapped_column(default_factory=list)
    suggestion: Mapped[str | None] = mapped_column(default=None)
    expected: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    asked_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class WithdrawnQuestion(Table):
    """A question that nobody is asked any more, since it shows an image that was removed."""

    __tablename__ = "withdrawn_question"

    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("removal.image_id"))
    withdrawn_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class QuestionImage(Table):
    """An image that a question is about, so that the questions about an image can be found."""

    __tablename__ = "question_image"

    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True)
    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), primary_key=True)


class QuestionReference(Table):
    """An image that a question compares with, so that whatever shows an image can be found."""

    __tablename__ = "question_reference"

    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), primary_key=True)
    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), primary_key=True)


class Forecast(Table):
    """What was expected of a question when it was planned, and why it was asked.

    `belonging` holds the model's probability that each of the question's images belongs to the
    product, `gain` how many images were expected to get one, `seconds` what an answer would take.
    """

    __tablename__ = "forecast"

    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    belonging: Mapped[list[float]]
    gain: Mapped[float]
    seconds: Mapped[float]
    reason: Mapped[str]
    planned_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class SiteProject(Table):
    """The project of a site where one kind of question is asked in one locale at one desk."""

    __tablename__ = "site_project"
    __table_args__ = (UniqueConstraint("site", "project_id"),)

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    locale: Mapped[str] = mapped_column(String(35), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    desk: Mapped[str] = mapped_column(String(8), primary_key=True)
    project_id: Mapped[int]


class SiteTask(Table):
    """Proof that a question stands at a desk of its site, and under which number."""

    __tablename__ = "site_task"
    __table_args__ = (
        Index("task_of_project", "project_id", "question_id"),
        Index("task_by_time", "pushed_at"),
    )

    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), primary_key=True)
    project_id: Mapped[int]
    task_id: Mapped[int]
    desk: Mapped[str] = mapped_column(String(8), primary_key=True, default=Desk.CROWD)
    pushed_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Pull(Table):
    """How far the answers of a site's project have been read; the newest row counts."""

    __tablename__ = "pull"

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    through: Mapped[dt.datetime] = mapped_column(primary_key=True)


class Answer(Table):
    """What one annotator said, once; a changed mind is another answer to the same question.

    `intruder_ids` are the images ticked as not belonging; `groups` how a split sorted its images.
    """

    __tablename__ = "answer"
    __table_args__ = (
        Index("answer_of_question", "question_id", "annotation"),
        Index("answer_by_time", "pulled_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"))
    annotation: Mapped[str] = mapped_column(String(64))  # its number on the site
    revision: Mapped[int]
    annotator: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str | None] = mapped_column(String(16))
    intruder_ids: Mapped[list[str]]
    name: Mapped[str | None]
    flags: Mapped[list[str]]
    seconds: Mapped[float | None]
    answered_at: Mapped[dt.datetime]
    desk: Mapped[str] = mapped_column(String(8), default=Desk.CROWD)
    groups: Mapped[list[list[str]]] = mapped_column(default_factory=list)
    pulled_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Decision(Table):
    """What follows from the answers to a question; never deleted, only superseded.

    The images of one group show one product, those of two groups two products, and a removed image
    shows the product of no group. `confidence` is the posterior probability of the whole,
    `memberships` that of each image of the groups, in their order. `model_id` is the model whose
    word was accepted without asking people, and None where people decided. `passage` is the number
    of the last passage through the gate before it, 0 where there was none: clocks are set back.
    """

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_by_time", "decided_at"),
        Index("decision_by_passage", "passage"),
        Index("undone_decision", "question_id", sqlite_where=IS_UNDONE, postgresql_where=IS_UNDONE),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), index=True)
    supersedes_id: Mapped[str | None] = mapped_column(ForeignKey("decision.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str | None]
    groups: Mapped[list[list[str]]]
    removed_ids: Mapped[list[str]]
    memberships: Mapped[list[float]]
    answer_ids: Mapped[list[str]]
    annotators: Mapped[list[str]]
    agreement: Mapped[float]
    confidence: Mapped[float]
    seconds: Mapped[float]
    reason: Mapped[str | None] = mapped_column(default=None)
    decided_at: Mapped[dt.datetime] = mapped_column(default_factory=now)
    model_id: Mapped[str | None] = mapped_column(
        ForeignKey("model.id", name="decision_accepts_model"), default=None
    )
    passage: Mapped[int] = mapped_column(default=0, server_default="0")


class Audit(Table):
    """A question that was drawn to be asked of people, so that they measure what a model says.

    `chance` is the probability with which it was drawn, whatever the answer; `score` the one that
    the model `model_id` gave to what is audited.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("audit_of_subject", "purpose", "locale", "subject"),)

    question_id: Mapped[str] = mapped_column(ForeignKey("question.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(35))
    subject: Mapped[str] = mapped_column(String(16))
    score: Mapped[float]
    chance: Mapped[float]
    model_id: Mapped[str | None] = mapped_column(ForeignKey("model.id"), default=None)
    drawn_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class AuditDraw(Table):
    """The pairs of images that certify a locale's partition, as it stood when they were drawn.

    `round` counts the draws of the locale. `partition` is the digest of the products that people
    had made of its images, audits aside. Each of `strata` has a name, a size, whether the partition
    joins its pairs, the rate that was expected, and the questions about those that were drawn.
    """

    __tablename__ = "audit_draw"

    locale: Mapped[str] = mapped_column(String(35), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partition: Mapped[str] = mapped_column(String(32))
    strata: Mapped[list[dict[str, Any]]]
    drawn_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Certificate(Table):
    """Precision and recall of a locale's partition, and what follows: go on asking, or stop.

    Made of the answers to a draw that there were, and made anew when there are others. `found` is,
    for each stratum, how many pairs showed one product and how many were audited. `seconds` and
    `money` (with its currency, a decimal number as text) are what the locale had taken until then,
    `point_seconds` and `point_money` what the next point of recall would, and `promised` the recall
    that the questions open then were expected to gain.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        ForeignKeyConstraint(["locale", "round"], ["audit_draw.locale", "audit_draw.round"]),
        Index("certificate_of_draw", "locale", "round"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    locale: Mapped[str] = mapped_column(String(35))
    round: Mapped[int]
    partition: Mapped[str] = mapped_column(String(32))
    n_audits: Mapped[int]
    found: Mapped[dict[str, Any]]
    precision: Mapped[float | None]
    precision_low: Mapped[float]
    precision_high: Mapped[float]
    recall: Mapped[float]
    recall_low: Mapped[float]
    recall_high: Mapped[float]
    recall_of_all: Mapped[float]
    recall_of_all_low: Mapped[float]
    recall_of_all_high: Mapped[float]
    seconds: Mapped[float]
    money: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str | None] = mapped_column(String(3))
    point_seconds: Mapped[float | None]
    point_money: Mapped[str | None] = mapped_column(String(40))
    promised: Mapped[float]
    go_on: Mapped[bool]
    why: Mapped[str]
    decided_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class RoundStep(Table):
    """A step of a round of the loop that is done, so that a killed round goes on after it."""

    __tablename__ = "round_step"

    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(String(16), primary_key=True)
    sources: Mapped[str] = mapped_column(String(32))
    finished_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


# --- the workforce --------------------------------------------------------------------------------


class WorkforceRecord(Table):
    """A version of a vendor, person, contract, purchase order, budget, exchange rate or invoice.

    The newest counts. `content` is what `workforce.records` reads, amounts as text; a record
    without is withdrawn.
    """

    __tablename__ = "workforce_record"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(96), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    said_by: Mapped[str]
    reason: Mapped[str]
    said_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class Warned(Table):
    """What people were warned of, by kind and by what it is about; the newest number counts.

    `urgency` is larger the more urgent it is; with None they were told that it is over. `what` is
    the sentence that they were told, `since` the first day of what it says.
    """

    __tablename__ = "warned"

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    about: Mapped[str] = mapped_column(String(120), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    urgency: Mapped[int | None]
    light: Mapped[str] = mapped_column(String(8))
    what: Mapped[str]
    since: Mapped[dt.datetime]
    vendor: Mapped[str | None] = mapped_column(String(64), default=None)
    locale: Mapped[str | None] = mapped_column(String(35), default=None)
    warned_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


# --- verified labels and training sets ------------------------------------------------------------


IS_AGAINST = text("NOT accepted")


class VerifiedLabel(Table):
    """An image shows a product that is called `name`, says a manifest or a decision.

    What follows from the decisions changes with them: a label supersedes the one that the image had
    before, and one that is withdrawn leaves it without.
    """

    __tablename__ = "verified_label"
    __table_args__ = (
        UniqueConstraint("supersedes_id", name="label_superseded_once"),
        Index("label_of_product", "product_id", "image_id"),
        Index("label_of_origin", "origin", "id"),
        Index("label_by_time", "labelled_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("image.id"), index=True)
    product_id: Mapped[str | None] = mapped_column(ForeignKey("product.id"))
    name: Mapped[str | None]
    locale: Mapped[str] = mapped_column(String(35))
    origin: Mapped[str] = mapped_column(String(16))
    decision_id: Mapped[str | None] = mapped_column(ForeignKey("decision.id"), index=True)
    annotators: Mapped[list[str]]
    agreement: Mapped[float]
    seconds: Mapped[float | None]
    supersedes_id: Mapped[str | None] = mapped_column(
        ForeignKey("verified_label.id", name="label_supersedes_label"), default=None
    )
    withdrawn: Mapped[bool] = mapped_column(default=False)
    labelled_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class GateRun(Table):
    """One passage through the gate: each rule with its state, and whether the batch was held.

    `number` counts them in the order in which they came.
    """

    __tablename__ = "gate_run"
    __table_args__ = (
        Index("gate_run_by_time", "judged_at"),
        Index("gate_run_by_number", "number"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    n_accepted: Mapped[int]
    n_quarantined: Mapped[int]
    held: Mapped[bool]
    rules: Mapped[list[dict[str, Any]]]
    judged_at: Mapped[dt.datetime] = mapped_column(default_factory=now)
    number: Mapped[int] = mapped_column(default=0, server_default="0")


class Judgement(Table):
    """The gate's word on one label: accepted when there are no reasons against it.

    A label that somebody released is judged again, without the reasons that were overruled:
    `release_number` is that of the settlement, 0 where nobody released it.
    """

    __tablename__ = "judgement"
    __table_args__ = (
        Index(
            "judgement_against", "label_id", sqlite_where=IS_AGAINST, postgresql_where=IS_AGAINST
        ),
    )

    label_id: Mapped[str] = mapped_column(ForeignKey("verified_label.id"), primary_key=True)
    gate_run_id: Mapped[str] = mapped_column(ForeignKey("gate_run.id"), index=True)
    accepted: Mapped[bool]
    reasons: Mapped[list[str]]
    release_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0)


class Observation(Table):
    """What one rule saw in one passage through the gate, in a locale or (an empty one) in all.

    `value` is missing where there was nothing to judge, `n` is how much it was seen on.
    """

    __tablename__ = "observation"

    gate_run_id: Mapped[str] = mapped_column(ForeignKey("gate_run.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(String(40), primary_key=True)
    locale: Mapped[str] = mapped_column(String(35), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    value: Mapped[float | None]
    n: Mapped[int]


class Settlement(Table):
    """What somebody ruled about quarantined labels, by hand; a later one may take it back.

    `decision_ids` are the decisions that it wrote into the log, `question_id` what it asked.
    """

    __tablename__ = "settlement"
    __table_args__ = (UniqueConstraint("retracts", name="settlement_retracted_once"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    settled_by: Mapped[str]
    reason: Mapped[str]
    decision_ids: Mapped[list[str]] = mapped_column(default_factory=list)
    question_id: Mapped[str | None] = mapped_column(ForeignKey("question.id"), default=None)
    retracts: Mapped[int | None] = mapped_column(ForeignKey("settlement.number"), default=None)
    settled_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class SettledLabel(Table):
    """A label that a settlement is about, and the reasons against it that are overruled."""

    __tablename__ = "settled_label"

    settlement_number: Mapped[int] = mapped_column(
        ForeignKey("settlement.number"), primary_key=True, autoincrement=False
    )
    label_id: Mapped[str] = mapped_column(
        ForeignKey("verified_label.id"), primary_key=True, index=True
    )
    overruled: Mapped[list[str]]


class Suspension(Table):
    """An annotator is suspended or, where `lifted`, no longer; the newest row counts."""

    __tablename__ = "suspension"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    annotator: Mapped[str] = mapped_column(index=True)
    lifted: Mapped[bool]
    said_by: Mapped[str]
    reason: Mapped[str]
    said_at: Mapped[dt.datetime] = mapped_column(default_factory=now)


class TrainingSet(Table):
    """An immutable version of the growing meta-training set."""

    __tablename__ = "training_set"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    parent: Mapped[int | None] = mapped_column(ForeignKey("training_set.version"))
    location: Mapped[str]
    n_images: Mapped[int]
    n_products: Mapped[int]
    per_locale: Mapped[dict[str, Any]]
    committed_at: Mapped[dt.datetime] = mapped_column(default_factory=now)
