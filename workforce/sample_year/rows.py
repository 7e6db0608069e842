"""A sample year as rows of the catalogue, each with the moment at which it came to be.

`written` brings a catalogue from one moment to another, so that a report can be made as of any day
of the year; what is written twice stands there once.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import product
from typing import NamedTuple, cast

from catalog import Transaction, content_digest, digest
from catalog.database import add_new, chunks
from catalog.decisions import add_questions
from catalog.images import source_id
from catalog.schema import (
    KIND_OF,
    Answer,
    AnswerState,
    Audit,
    AuditPurpose,
    AuditSubject,
    Cluster,
    Clustering,
    ClusterMember,
    Decision,
    Desk,
    Forecast,
    GateRun,
    Image,
    ImageSource,
    Judgement,
    Model,
    Origin,
    Partition,
    Product,
    Promotion,
    Question,
    QuestionKind,
    SiteProject,
    SiteTask,
    Table,
    TrainingSet,
    Verdict,
    VerifiedLabel,
    WorkforceRecord,
)
from workforce.records import content
from workforce.sample_year.agreed import READERS
from workforce.sample_year.billing import billed
from workforce.sample_year.course import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    KINDS,
    STRANGERS,
    Answered,
    Asked,
    Decided,
    Labelled,
    SampleYear,
    collected,
    usual_seconds,
)

MODEL = digest("sample year", "model")
SUBJECTS = {
    QuestionKind.VERIFY: AuditSubject.CLUSTER,
    QuestionKind.ATTACH: AuditSubject.ATTACHMENT,
    QuestionKind.MERGE: AuditSubject.MERGE,
}
AUDITED_WITH_CHANCE = 0.25
SURE = 0.98
QUESTIONS_AT_ONCE = 10_000

# Each after those that its rows refer to.
TABLES: tuple[type[Table], ...] = (
    *(WorkforceRecord, TrainingSet, Model, Promotion, SiteProject),
    *(Image, ImageSource, Product, Partition, Clustering, Cluster, ClusterMember),
    *(Question, Forecast, SiteTask, Audit, Answer, Decision),
    *(VerifiedLabel, GateRun, Judgement),
)


class Dated(NamedTuple):
    """A row, and when it came to be."""

    at: dt.datetime
    row: Table


def written(
    transaction: Transaction, year: SampleYear, after: dt.datetime, until: dt.datetime
) -> None:
    """Add what came to be after one moment and until another."""

    def add(dated: Iterable[Dated]) -> None:
        of_table: dict[type[Table], list[Table]] = {table: [] for table in TABLES}
        for at, row in dated:
            if after < at <= until:
                of_table[type(row)].append(row)
        for table, rows in of_table.items():
            if table is Question:
                add_questions(transaction, cast(list[Question], rows))
            else:
                add_new(transaction, rows)

    add(_beginnings(year))
    add(_partitions(year))
    judged: list[Dated] = []
    begun = [asked for asked in year.asked if asked.at - A_DAY <= until]
    for some in chunks(begun, QUESTIONS_AT_ONCE):
        rows = [dated for asked in some for dated in _Question(year, asked).rows()]
        judged += (each for each in rows if isinstance(each.row, Judgement))
        add(each for each in rows if not isinstance(each.row, Judgement))
    add(_passages(judged))
    add(judged)


def _passages(judged: Iterable[Dated]) -> Iterator[Dated]:
    """The passages through the gate in which the labels were judged."""
    accepted: dict[dt.datetime, Counter[bool]] = defaultdict(Counter)
    for at, judgement in judged:
        accepted[at][cast(Judgement, judgement).accepted] += 1
    for at, counts in accepted.items():
        passage = GateRun(
            id=_passage_id(at),
            n_accepted=counts[True],
            n_quarantined=counts[False],
            held=False,
            rules=[],
            judged_at=at,
            number=at.toordinal(),
        )
        yield Dated(at, passage)


def _beginnings(year: SampleYear) -> Iterator[Dated]:
    """The records of the workforce, the first model, and the projects of the sites."""
    versions: Counter[tuple[str, str]] = Counter()
    for said in (*year.recordings, *billed(year)):
        for record in said.records.records():
            versions[record.kind, record.key] += 1
            yield Dated(
                said.at,
                WorkforceRecord(
                    kind=record.kind,
                    key=record.key,
                    version=versions[record.kind, record.key],
                    content=content(record),
                    said_by=said.by,
                    reason=said.reason,
                    said_at=said.at,
                ),
            )
    at = year.recordings[0].at
    yield Dated(
        at,
        TrainingSet(
            version=1,
            digest="0" * 64,
            parent=None,
            location="training-sets/sample",
            n_images=0,
            n_products=0,
            per_locale={},
            committed_at=at,
        ),
    )
    model = Model(
        id=MODEL, training_set=1, location="models/sample", config={}, metrics={}, trained_at=at
    )
    yield Dated(at, model)
    yield Dated(
        at,
        Promotion(
            number=1,
            challenger_id=MODEL,
            champion_id=None,
            promoted=True,
            reason="the first model",
            decided_at=at,
        ),
    )
    for vendor in year.agreed.vendors:
        places = product(vendor.locales, KINDS, Desk)
        for number, (locale, kind, desk) in enumerate(places, start=1):
            yield Dated(
                at,
                SiteProject(
                    site=vendor.site, locale=locale, kind=kind, desk=desk, project_id=number
                ),
            )


def _partitions(year: SampleYear) -> Iterator[Dated]:
    """A clustering of each locale and month."""
    clusters: Counter[tuple[str, dt.datetime]] = Counter()
    images: Counter[tuple[str, dt.datetime]] = Counter()
    for asked in year.asked:
        if asked.shows_new_pictures:
            key = asked.locale, _first_of_month(asked)
            clusters[key] += 1
            images[key] += len(asked.sheet.pictures)
    for (locale, at), n_clusters in clusters.items():
        yield Dated(
            at,
            Partition(
                id=_partition_id(year, locale, at),
                model_id=MODEL,
                locale=locale,
                n_images=images[locale, at],
                n_clusters=n_clusters,
                created_at=at,
            ),
        )
        yield Dated(
            at,
            Clustering(
                locale=locale,
                number=12 * at.year + at.month,
                partition_id=_partition_id(year, locale, at),
                clustered_at=at,
            ),
        )


class _Question:
    """The rows of a question and of all that becomes of it."""

    def __init__(self, year: SampleYear, asked: Asked) -> None:
        self.year, self.asked, self.sheet = year, asked, asked.sheet
        self.place = f"{year.year} {year.seed} {asked.site} {asked.locale}"
        self.id = digest("sample question", self.place, asked.number)
        self.images = [self._image(number) for number in asked.sheet.pictures]
        self.references = [self._image(number) for number in asked.sheet.references]
        self.answer_ids = [
            digest("sample answer", self.id, place) for place in range(len(asked.answers))
        ]

    def rows(self) -> Iterator[Dated]:
        if self.asked.shows_new_pictures:
            yield from self._pictures()
        yield from self._question()
        for place, answer in enumerate(self.asked.answers):
            yield from self._answer(place, answer)
        yield from self._decisions()

    def _pictures(self) -> Iterator[Dated]:
        asked, sheet = self.asked, self.sheet
        ingested, clustered = asked.at - A_DAY, asked.at - AN_HOUR
        for image in self.images:
            uri = f"sample://{asked.locale}/{image[:12]}.jpg"
            yield Dated(
                ingested,
                Image(
                    id=image,
                    locale=asked.locale,
                    media_type="image/jpeg",
                    width=640,
                    height=480,
                    n_bytes=90_000,
                    ingested_at=ingested,
                ),
            )
            yield Dated(
                ingested,
                ImageSource(
                    id=source_id(image, uri),
                    image_id=image,
                    uri=uri,
                    locale=asked.locale,
                    seen_at=ingested,
                ),
            )
        if sheet.kind is QuestionKind.VERIFY:
            for number in (sheet.product, sheet.product + 1):
                yield Dated(clustered, Product(id=self._product(number)))
        cluster = Cluster(
            id=self.cluster_id,
            partition_id=_partition_id(self.year, asked.locale, _first_of_month(asked)),
            locale=asked.locale,
            size=len(self.images),
            purity=1 - STRANGERS,
            peak_id=self.images[0],
        )
        yield Dated(clustered, cluster)
        for image in self.images:
            member = ClusterMember(cluster_id=self.cluster_id, image_id=image, membership=0.9)
            yield Dated(clustered, member)

    def _question(self) -> Iterator[Dated]:
        asked, sheet = self.asked, self.sheet
        strangers = sorted(self.images[at] for at in sheet.strangers)
        expected = {"verdict": sheet.verdict.value, "intruder_ids": strangers}
        yield Dated(
            asked.at,
            Question(
                id=self.id,
                kind=sheet.kind,
                locale=asked.locale,
                site=asked.site,
                image_ids=self.images,
                cluster_id=self.cluster_id if asked.shows_new_pictures else None,
                reference_ids=self.references,
                suggestion=self._name(sheet.product) if sheet.kind is QuestionKind.ATTACH else None,
                expected=expected if asked.gold else None,
                asked_at=asked.at,
            ),
        )
        yield self._task(Desk.CROWD, asked.at + 5 * A_MINUTE)
        if not asked.gold:
            yield Dated(
                asked.at,
                Forecast(
                    question_id=self.id,
                    model_id=MODEL,
                    belonging=[1 - STRANGERS / len(self.images)] * len(self.images),
                    gain=float(len(self.images)),
                    seconds=usual_seconds(sheet),
                    reason="planned",
                    planned_at=asked.at,
                ),
            )
        if asked.audited:
            yield Dated(
                asked.at,
                Audit(
                    question_id=self.id,
                    purpose=AuditPurpose.ACCEPTANCE,
                    locale=asked.locale,
                    subject=SUBJECTS[sheet.kind],
                    score=SURE,
                    chance=AUDITED_WITH_CHANCE,
                    model_id=MODEL,
                    drawn_at=asked.at,
                ),
            )

    def _answer(self, place: int, answer: Answered) -> Iterator[Dated]:
        pulled = collected(answer.at)
        if answer.desk is Desk.LEAD:
            before = max(each.at for each in self.asked.answers[:place])
            yield self._task(Desk.LEAD, min(collected(before), answer.at))
        named = self.sheet.kind is QuestionKind.VERIFY
        yield Dated(
            pulled,
            Answer(
                id=self.answer_ids[place],
                question_id=self.id,
                annotation=f"{self.task_id}/{place}",
                revision=0,
                annotator=answer.annotator,
                state=AnswerState.GIVEN,
                verdict=answer.verdict,
                intruder_ids=sorted(self._ticked(answer)),
                name=self._name(self.sheet.product) if named else None,
                flags=[],
                seconds=answer.seconds,
                answered_at=answer.at,
                desk=answer.desk,
                pulled_at=pulled,
            ),
        )

    def _decisions(self) -> Iterator[Dated]:
        decisions: list[Decision] = []
        for place, decided in enumerate(self.asked.decisions):
            decisions.append(self._decision(place, decided, decisions[-1] if decisions else None))
            yield Dated(decided.at, decisions[-1])
        before: dict[int, VerifiedLabel] = {}
        for each in self.asked.labelled():
            label = self._label(each, decisions[each.decision], before.get(each.place))
            before[each.place] = label
            yield Dated(label.labelled_at, label)
            if not label.withdrawn:
                yield self._judgement(label, accepted=each.place not in self.asked.stopped)

    def _decision(self, place: int, decided: Decided, before: Decision | None) -> Decision:
        voices = self.asked.answers[: decided.n_answers]
        kept = self._kept(decided)
        groups = [kept] if kept else []
        if self.sheet.kind is QuestionKind.MERGE:
            same = decided.verdict is Verdict.CONFIRM
            groups = [[*self.images, *self.references]] if same else [self.images, self.references]
        says = decided.verdict, decided.ticked
        n_agree = sum((each.verdict, each.ticked) == says for each in voices)
        return Decision(
            id=digest("sample decision", self.id, place),
            question_id=self.id,
            supersedes_id=before.id if before else None,
            kind=KIND_OF[decided.verdict],
            name=self._name(self.sheet.product) if kept else None,
            groups=groups,
            removed_ids=self._removed(kept),
            memberships=[SURE for group in groups for _ in group],
            answer_ids=sorted(self.answer_ids[: decided.n_answers]),
            annotators=sorted({each.annotator for each in voices}),
            agreement=n_agree / len(voices),
            confidence=SURE,
            seconds=sum(each.seconds for each in voices),
            reason=decided.reported,
            decided_at=decided.at,
        )

    def _removed(self, kept: Collection[str]) -> list[str]:
        if self.sheet.kind is QuestionKind.MERGE:
            return []
        return [image for image in self.images if image not in kept]

    def _label(
        self, labelled: Labelled, decision: Decision, before: VerifiedLabel | None
    ) -> VerifiedLabel:
        image = self.images[labelled.place]
        if labelled.product is not None:
            product_id: str | None = self._product(labelled.product)
        else:
            product_id = before.product_id if before else None
        return VerifiedLabel(
            id=digest("sample label", image, decision.id),
            image_id=image,
            product_id=product_id,
            name=decision.name,
            locale=self.asked.locale,
            origin=Origin.DECISION,
            decision_id=decision.id,
            annotators=decision.annotators,
            agreement=decision.agreement,
            seconds=decision.seconds / len(self.images),
            supersedes_id=before.id if before else None,
            withdrawn=labelled.product is None,
            labelled_at=labelled.at + A_MINUTE,
        )

    def _judgement(self, label: VerifiedLabel, *, accepted: bool) -> Dated:
        """The gate judges at one o'clock each night."""
        at = dt.datetime.combine(label.labelled_at.date() + A_DAY, dt.time(1), dt.UTC)
        judgement = Judgement(
            label_id=label.id,
            gate_run_id=_passage_id(at),
            accepted=accepted,
            reasons=[] if accepted else ["image_is_no_outlier"],
        )
        return Dated(at, judgement)

    def _task(self, desk: Desk, at: dt.datetime) -> Dated:
        projects = [*product(READERS[self.asked.site], KINDS, Desk)]
        number = projects.index((self.asked.locale, self.sheet.kind, desk)) + 1
        task = SiteTask(
            question_id=self.id, project_id=number, task_id=self.task_id, desk=desk, pushed_at=at
        )
        return Dated(at, task)

    def _kept(self, decided: Decided) -> list[str]:
        """The pictures that a decision gives to the product."""
        if self.sheet.kind is QuestionKind.MERGE:
            return []
        return [image for place, image in enumerate(self.images) if decided.keeps(place)]

    def _ticked(self, said: Answered | Decided) -> set[str]:
        return {self.images[at] for at in said.ticked}

    def _image(self, number: int) -> str:
        return content_digest(f"sample image {self.place} {number}".encode())

    def _product(self, number: int) -> str:
        return digest("sample product", self.place, number)

    def _name(self, number: int) -> str:
        return f"{self.asked.site} {self.asked.locale} {number}"

    @property
    def cluster_id(self) -> str:
        return digest("sample cluster", self.id)

    @property
    def task_id(self) -> int:
        return 10 * self.asked.number


def _first_of_month(asked: Asked) -> dt.datetime:
    return dt.datetime.combine(asked.at.date().replace(day=1), dt.time(), dt.UTC) - A_DAY


def _partition_id(year: SampleYear, locale: str, at: dt.datetime) -> str:
    return digest("sample partition", year.year, year.seed, locale, at)


def _passage_id(at: dt.datetime) -> str:
    return digest("sample passage", at)
