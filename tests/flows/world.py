"""A catalogue with a champion and pictures that it has seen, and people who answer; no servers."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from annotation import Annotation, SimulatedAnnotator, Submission, result
from catalog import clusters, decisions, digest, features
from catalog.schema import (
    Cluster,
    ClusterMember,
    Desk,
    Model,
    Partition,
    Promotion,
    Question,
    SiteProject,
)
from clustering import Encoder, HiLander
from tasks.accept import revoke
from tasks.ask import asked
from tasks.collect import answered, decide, record_answers, relabel
from tasks.knowledge import knowledge
from tasks.settings import Settings
from tasks.sites import LabelStudioSite
from tasks.turn import Agenda
from tests.catalog.rows import Bench

LOCALE = "de-DE"
DIM = 24
NOISE = 0.5
N_LISTED, N_NEW = 4, 6


def site(*locales: str) -> LabelStudioSite:
    return LabelStudioSite.model_validate(
        {"url": "http://127.0.0.1:8080", "api_key": "none", "locales": list(locales)}
    )


ONE_SITE = {"local": site()}


@cache
def trained() -> HiLander:
    random = np.random.default_rng(1)
    classes = np.repeat(np.arange(30), 12)
    return HiLander(epochs=15).fit(_around(random.normal(size=(30, DIM))[classes], random), classes)


@cache
def encoder() -> Encoder:
    """Of no use but to lie beside the linkage model: the embeddings are drawn."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, size=(40, 16, 16, 3), dtype=np.uint8)
    return Encoder(16, dim=DIM, epochs=1).fit(list(pictures), np.repeat(np.arange(20), 2))


def _around(centres: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float32]:
    points = centres + NOISE * random.normal(size=centres.shape)
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class World:
    """Listed products with a gallery and new pictures, and products that nobody knows yet."""

    settings: Settings
    bench: Bench
    truth: dict[str, tuple[str, str]]
    listed: dict[str, list[str]]
    more: dict[str, list[str]]
    new: dict[str, list[str]]

    @classmethod
    def made(cls, settings: Settings, n_more: int = 6, n_new: int = 9) -> "World":
        bench = Bench(settings.catalog, settings.blob_store)
        names = [f"Product {number}" for number in range(N_LISTED + N_NEW)]
        listed = {name: bench.ingest(*_named(name, "listed", 4)) for name in names[:N_LISTED]}
        more = {name: bench.ingest(*_named(name, "more", n_more)) for name in names[:N_LISTED]}
        new = {name: bench.ingest(*_named(name, "new", n_new)) for name in names[N_LISTED:]}
        for name, shown in listed.items():
            bench.label(name, shown, LOCALE)
        truth = {
            image: (name, name)
            for of_products in (listed, more, new)
            for name, shown in of_products.items()
            for image in shown
        }
        world = cls(settings, bench, truth, listed, more, new)
        world.promote("first")
        return world

    def promote(self, name: str) -> str:
        """Make a model champion that has seen every picture, each model with noise of its own."""
        before = self.bench.model()
        with TemporaryDirectory() as folder:
            encoder().save(Path(folder, "encoder"))
            trained().save(Path(folder, "hilander"))
            location = self.settings.blob_store.put_directory(f"models/{name}", Path(folder))
        identity = digest("model", name)
        model = Model(id=identity, training_set=1, location=location, config={}, metrics={})
        with self.settings.catalog.read() as transaction:
            number = len(list(transaction.query(Promotion))) + 1
        self.bench.add(
            model,
            Promotion(
                number=number,
                challenger_id=identity,
                champion_id=before.id,
                promoted=True,
                reason="first",
            ),
        )
        images = sorted(self.truth)
        seed = int(digest(name)[:8], 16)
        centre_of = np.random.default_rng(7).normal(size=(N_LISTED + N_NEW, DIM))
        centres = centre_of[[int(self.truth[image][0].split()[1]) for image in images]]
        vectors = _around(centres, np.random.default_rng(seed))
        file = features.write(self.settings.blob_store, identity, images, vectors)
        with self.settings.catalog.begin() as transaction:
            clusters.record_features(transaction, file, images)
            clusters.record_partition(transaction, *self._clustering(identity))
        return identity

    def _clustering(self, model_id: str) -> tuple[Partition, list[Cluster], list[ClusterMember]]:
        """What is new, as it truly is, with purities that fall from product to product."""
        partition = Partition(
            id=digest("partition", model_id),
            model_id=model_id,
            locale=LOCALE,
            n_images=sum(map(len, self.new.values())),
            n_clusters=len(self.new),
        )
        found = [
            Cluster(
                id=digest("cluster", model_id, name),
                partition_id=partition.id,
                locale=LOCALE,
                size=len(shown),
                purity=0.99 - 0.01 * place,
                peak_id=shown[0],
            )
            for place, (name, shown) in enumerate(self.new.items())
        ]
        members = [
            ClusterMember(cluster_id=cluster.id, image_id=image, membership=cluster.purity)
            for cluster, shown in zip(found, self.new.values(), strict=True)
            for image in shown
        ]
        return partition, found, members

    def ask(self) -> Agenda:
        return asked(self.settings, ONE_SITE)

    def to_answer(self) -> list[Question]:
        """What stands on the sites, or would after a push, and has no answer; gold included."""
        with self.settings.catalog.read() as transaction:
            found = [
                question
                for name in ("local", "vendor-b")
                for queue in decisions.queues_to_push(transaction, name)
                for question in decisions.to_push(transaction, name, *queue)
            ]
            known = decisions.answers_to(transaction, [each.id for each in found])
        return [each for each in found if each.id not in known]

    def answer(
        self, questions: Iterable[Question], error_rate: float = 0.0, times: int = 1
    ) -> None:
        """Have somebody who knows the truth answer; each answer arrives so many times."""
        person = SimulatedAnnotator(
            site=None,  # type: ignore[arg-type]  # what it says is recorded here
            truth=self.truth,
            error_rate=error_rate,
        )
        for question, submission in [_submission(each, person) for each in questions] * times:
            self.record(question, submission)

    def record(self, question: Question, submission: Submission) -> None:
        project = SiteProject(
            site="local",
            locale=question.locale,
            kind=question.kind,
            desk=Desk.CROWD,
            project_id=1,
        )
        with self.settings.catalog.begin() as transaction:
            read = record_answers(transaction, project, [submission])
        assert not read.invalid, read.invalid

    def collect(self) -> None:
        """What the flow does with answers."""
        for locale, kind in answered.fn():
            decide.fn(locale, kind)
        revoke.fn()
        relabel.fn()

    def products(self) -> dict[str, str]:
        """The product of each image that has one."""
        with self.settings.catalog.read() as transaction:
            return dict(knowledge(transaction).product_of)

    def open_images(self) -> set[str]:
        """The images that questions are about which wait for an answer."""
        with self.settings.catalog.read() as transaction:
            waiting = decisions.undecided_questions(transaction)
        return {image for each in waiting for image in each.image_ids}


def _named(name: str, what: str, n: int) -> Sequence[str]:
    return [f"{name} {what} {number}" for number in range(n)]


def _submission(question: Question, person: SimulatedAnnotator) -> tuple[Question, Submission]:
    said, seconds = person.opinion(question)
    now = dt.datetime.now(dt.UTC)
    given = Annotation(
        id=int(digest(question.id)[:8], 16),
        annotator="ada@example.com",
        result=result(**said),
        cancelled=False,
        seconds=seconds,
        updated_at=now,
    )
    return question, Submission(
        question_id=question.id, task_id=1, overlap=1, annotations=(given,), updated_at=now
    )
