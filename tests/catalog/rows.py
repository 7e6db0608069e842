"""Rows that tests need before they come to the point."""

import datetime as dt
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from catalog import BlobStore, Catalog, clusters, content_digest, decisions, digest, images, labels
from catalog.database import add_new
from catalog.schema import (
    Answer,
    AnswerState,
    Cluster,
    ClusterMember,
    Decision,
    DecisionKind,
    Image,
    Model,
    Partition,
    Question,
    Table,
    TrainingSet,
    VerifiedLabel,
)

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def image(name: str, locale: str = "de-DE") -> Image:
    return Image(
        id=content_digest(name.encode()),
        locale=locale,
        media_type="image/jpeg",
        width=640,
        height=480,
        n_bytes=1000,
    )


@dataclass(frozen=True)
class Bench:
    """A catalogue to try things on."""

    catalog: Catalog
    blobs: BlobStore

    def add(self, *rows: Table) -> None:
        with self.catalog.begin() as transaction:
            for row in rows:
                add_new(transaction, [row])

    def ingest(self, *names: str, locale: str = "de-DE") -> list[str]:
        """Images whose bytes are their names."""
        rows = [image(name, locale) for name in names]
        for name, row in zip(names, rows, strict=True):
            self.blobs.put(images.image_key(row.id), name.encode())
        with self.catalog.begin() as transaction:
            images.record(transaction, rows, [])
        return [row.id for row in rows]

    def label(self, product: str, image_ids: list[str], locale: str = "de-DE") -> str:
        """Label images as a customer's manifest does, and have the gate accept them."""
        with self.catalog.begin() as transaction:
            product_id = labels.manifest_product(product.casefold())
            labels.add_products(transaction, [product_id])
            rows = [
                labels.manifest_label(image_id, product_id, product, locale)
                for image_id in image_ids
            ]
            labels.add_labels(transaction, rows)
            labels.record_gate_run(
                transaction,
                accepted_ids=[row.id for row in rows],
                quarantined={},
                held=False,
                rules=[],
            )
        return product_id

    def succeed(self, label: VerifiedLabel, **changes: object) -> None:
        """Supersede `label` by one of our own that says something else."""
        columns = {column.key for column in VerifiedLabel.__table__.columns}
        said = {name: getattr(label, name) for name in columns}
        identity = digest("label", label.id, *changes.values())
        own = {"id": identity, "supersedes_id": label.id, "origin": "decision"}
        self.add(VerifiedLabel(**{**said, **own, **changes}))

    def model(self) -> Model:
        self.add(
            TrainingSet(
                version=1,
                digest="0" * 64,
                parent=None,
                location="training-sets/0",
                n_images=0,
                n_products=0,
                per_locale={},
            )
        )
        nothing = BytesIO()
        pq.write_table(pa.table({"image_id": pa.array([], pa.string())}), nothing)
        self.blobs.put("training-sets/0", nothing.getvalue())
        row = Model(id=digest("model"), training_set=1, location="models/0", config={}, metrics={})
        self.add(row)
        return row

    def ask(
        self,
        image_ids: list[str],
        locale: str = "de-DE",
        expected: dict[str, object] | None = None,
    ) -> Question:
        """Put `image_ids` on one contact sheet."""
        model = self.model()
        partition = Partition(
            id=clusters.partition_id(model.id, locale, image_ids),
            model_id=model.id,
            locale=locale,
            n_images=len(image_ids),
            n_clusters=1,
        )
        cluster = Cluster(
            id=digest("cluster", *image_ids),
            partition_id=partition.id,
            locale=locale,
            size=len(image_ids),
            purity=0.9,
            peak_id=image_ids[0],
        )
        members = [
            ClusterMember(cluster_id=cluster.id, image_id=image_id, membership=0.9)
            for image_id in image_ids
        ]
        question = Question(
            id=digest("verify", *sorted(image_ids)),
            kind="verify",
            locale=locale,
            site="local",
            cluster_id=cluster.id,
            image_ids=image_ids,
            expected=expected,
        )
        with self.catalog.begin() as transaction:
            clusters.record_partition(transaction, partition, [cluster], members)
            decisions.add_questions(transaction, [question])
        return question

    def decide(
        self,
        question: Question,
        kind: DecisionKind,
        *,
        kept: list[str],
        supersedes: Decision | None = None,
    ) -> Decision:
        """Answer and decide `question`; the images in `kept` get a label of their own."""
        answer = Answer(
            id=digest("answer", question.id, kind, *kept),
            question_id=question.id,
            annotation="1",
            revision=1 if supersedes else 0,
            annotator="ann@example.com",
            state=AnswerState.GIVEN,
            verdict="confirm",
            intruder_ids=[],
            name=None,
            flags=[],
            seconds=10.0,
            answered_at=NOON,
        )
        decision = Decision(
            id=digest("decision", answer.id),
            question_id=question.id,
            supersedes_id=supersedes.id if supersedes else None,
            kind=kind,
            name=None,
            groups=[kept] if kept else [],
            memberships=[1.0] * len(kept),
            confidence=1.0,
            removed_ids=[image_id for image_id in question.image_ids if image_id not in kept],
            answer_ids=[answer.id],
            annotators=[answer.annotator],
            agreement=1.0,
            seconds=10.0,
        )
        given = [
            VerifiedLabel(
                id=digest("label", image_id, decision.id),
                image_id=image_id,
                product_id=None,
                name=None,
                locale=question.locale,
                origin="decision",
                decision_id=decision.id,
                annotators=[answer.annotator],
                agreement=1.0,
                seconds=1.0,
            )
            for image_id in kept
        ]
        self.add(answer)
        with self.catalog.begin() as transaction:
            decisions.add_decisions(transaction, [decision])
        self.add(*given)
        return decision
