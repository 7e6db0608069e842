"""A catalogue of generated work: questions of two vendors, and all that may become of them."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from random import Random
from typing import Any

from catalog import Catalog, content_digest, digest
from catalog.database import add_new
from catalog.schema import (
    NO_SITE,
    Answer,
    AnswerState,
    Decision,
    Desk,
    GateRun,
    Image,
    Judgement,
    Model,
    Product,
    Question,
    Removal,
    SiteTask,
    Table,
    TrainingSet,
    VerifiedLabel,
    WithdrawnQuestion,
)

FIRST = dt.datetime(2026, 10, 5, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
VENDORS = ("vendor-a", "vendor-b")
LOCALES = ("de-DE", "ja-JP")
KINDS = ("verify", "attach", "merge", "split")


@dataclass
class Work:
    """Rows, in an order in which they may be added."""

    rows: list[Table] = field(default_factory=list)

    def add(self, *rows: Any) -> None:
        self.rows.extend(rows)

    def into(self, catalog: Catalog) -> None:
        with catalog.begin() as transaction:
            for _, alike in groupby(self.rows, key=type):
                for row in alike:
                    add_new(transaction, [row])

    def image(self, name: str) -> str:
        key = content_digest(name.encode())
        size = {"width": 64, "height": 64, "n_bytes": 100}
        self.add(Image(id=key, locale="de-DE", media_type="image/jpeg", **size))
        return key

    def question(self, name: str, at: dt.datetime = FIRST, **changes: Any) -> Question:
        images = [self.image(f"{name} {k}") for k in range(changes.pop("n_images", 4))]
        usual = {"kind": "verify", "locale": "de-DE", "site": "vendor-a", "image_ids": images}
        asked = Question(id=digest(name), asked_at=at, **(usual | changes))
        self.add(asked)
        return asked

    def task(self, question: Question, at: dt.datetime, desk: Desk = Desk.CROWD) -> None:
        number = len(self.rows)
        place = {"project_id": 1, "task_id": number, "desk": desk}
        self.add(SiteTask(question_id=question.id, pushed_at=at, **place))

    def answer(
        self, question: Question, at: dt.datetime, annotator: str = "ada", **changes: Any
    ) -> Answer:
        usual: dict[str, Any] = {
            "annotation": annotator,
            "revision": 0,
            "state": AnswerState.GIVEN,
            "verdict": "confirm",
            "intruder_ids": [],
            "seconds": 10.0,
            "pulled_at": at + HOUR,
        }
        said = usual | changes
        key = digest(question.id, annotator, said["annotation"], said["revision"], said["state"])
        plain = {"name": None, "flags": [], "answered_at": at}
        row = Answer(id=key, question_id=question.id, annotator=annotator, **(plain | said))
        self.add(row)
        return row

    def decide(
        self,
        question: Question,
        at: dt.datetime,
        kind: str = "same",
        supersedes: Decision | None = None,
        **changes: Any,
    ) -> Decision:
        removed = changes.pop("removed", [])
        kept = [image for image in question.image_ids if image not in removed]
        usual: dict[str, Any] = {
            "groups": [kept] if kind == "same" else [],
            "agreement": 1.0,
            "confidence": 1.0,
            "seconds": 10.0,
            "memberships": [],
            "answer_ids": [],
            "annotators": [],
        }
        row = Decision(
            id=digest("decision", question.id, at, kind),
            question_id=question.id,
            supersedes_id=supersedes.id if supersedes else None,
            kind=kind,
            name=None,
            removed_ids=removed,
            decided_at=at,
            **(usual | changes),
        )
        self.add(row)
        return row

    def label(
        self, question: Question, decision: Decision, image: str, at: dt.datetime, **changes: Any
    ) -> VerifiedLabel:
        product = digest("product", changes.pop("product", question.id))
        self.add(Product(id=product))
        before = changes.pop("supersedes", None)
        usual = {"annotators": [], "agreement": 1.0, "seconds": 1.0, "name": None}
        row = VerifiedLabel(
            id=digest("label", image, decision.id, at, *changes.values()),
            image_id=image,
            product_id=product,
            locale=question.locale,
            origin="decision",
            decision_id=decision.id,
            supersedes_id=before.id if before else None,
            labelled_at=at,
            **(usual | changes),
        )
        self.add(row)
        return row

    def judge(
        self, labels: Sequence[VerifiedLabel], at: dt.datetime, *, refused: Sequence[str] = ()
    ) -> None:
        run = GateRun(
            id=digest("run", at, *(label.id for label in labels)),
            **{"n_accepted": 0, "n_quarantined": 0, "held": False, "rules": [], "judged_at": at},
        )
        self.add(run)
        for label in labels:
            accepted = label.id not in refused
            said = {"accepted": accepted, "reasons": [] if accepted else ["too fast"]}
            self.add(Judgement(label_id=label.id, gate_run_id=run.id, **said))

    def model(self) -> Model:
        known = {"version": 1, "digest": "0" * 64, "parent": None, "location": "none"}
        self.add(TrainingSet(**known, n_images=0, n_products=0, per_locale={}))
        row = Model(id=digest("model"), training_set=1, location="none", config={}, metrics={})
        self.add(row)
        return row


def a_busy_quarter(seed: int, n_questions: int = 400) -> Work:
    """Questions over nine weeks, of which some are gold, changed, undone, refused or removed."""
    work, chance = Work(), Random(seed)
    model = work.model()
    for number in range(n_questions):
        at = FIRST + HOUR * chance.randrange(9 * 7 * 24)
        kind = chance.choice(KINDS)
        gold = kind == "verify" and chance.random() < 0.4
        site = NO_SITE if not gold and chance.random() < 0.03 else chance.choice(VENDORS)
        asked = work.question(
            f"{seed} {number}", at, kind=kind, site=site, locale=chance.choice(LOCALES), n_images=5
        )
        if gold:
            intruders = sorted(asked.image_ids[: chance.choice((0, 2))])
            asked.expected = {"verdict": "confirm", "intruder_ids": intruders}
        _become(work, chance, asked, model)
    return work


def _become(work: Work, chance: Random, asked: Question, model: Model) -> None:
    """What becomes of a question after it was asked."""
    pushed = asked.asked_at + HOUR * chance.random()
    if chance.random() < 0.9:
        work.task(asked, pushed)
    if asked.expected is None and chance.random() < 0.03:
        work.decide(asked, pushed, model_id=model.id)
        return
    if chance.random() < 0.04:
        [gone] = asked.image_ids[:1]
        when = pushed + HOUR * chance.randrange(200)
        work.add(
            Removal(
                image_id=gone, by="a", reason="b", versions=[], model_ids=[], requested_at=when
            ),
            WithdrawnQuestion(question_id=asked.id, image_id=gone, withdrawn_at=when),
        )
        return
    if chance.random() < 0.08:
        return
    last = max(_answers(work, chance, asked, pushed))
    if asked.expected is None and chance.random() < 0.9:
        _decided(work, chance, asked, last + HOUR * chance.random() * 12)


def _answers(
    work: Work, chance: Random, asked: Question, pushed: dt.datetime
) -> Iterator[dt.datetime]:
    for annotator in chance.sample(("ada", "bo", "cy", "di"), chance.choice((1, 1, 1, 2, 3))):
        at = pushed + HOUR * chance.random() * 60
        for revision in range(chance.choice((1, 1, 1, 1, 2))):
            verdict = chance.choice(("confirm", "confirm", "confirm", "unsure"))
            ticked = sorted(chance.sample(asked.image_ids, chance.choice((0, 0, 1, 2))))
            state = chance.choice(("given",) * 9 + ("skipped",))
            said = {"verdict": verdict, "intruder_ids": ticked} if state == "given" else {}
            nothing = {"verdict": None} if state == "skipped" else {}
            seconds = chance.choice((None, 3.0 + 40 * chance.random()))
            extra = {"revision": revision, "state": state, "seconds": seconds, **said, **nothing}
            if asked.kind == "split":
                extra["groups"] = [asked.image_ids[:3], asked.image_ids[3:]]
            work.answer(asked, at, annotator, **extra)
            yield at
            at += HOUR * chance.random()
    if asked.expected is None and chance.random() < 0.08:
        work.task(asked, at, Desk.LEAD)
        work.answer(asked, at, "lead", annotation="of the lead", desk=Desk.LEAD)
        yield at


def _decided(work: Work, chance: Random, asked: Question, at: dt.datetime) -> None:
    kind = chance.choice(("same",) * 5 + ("different", "unusable", "unsure"))
    removed = asked.image_ids[:1] if kind == "same" and chance.random() < 0.3 else []
    decision = work.decide(asked, at, kind, removed=removed)
    kept = [image for image in asked.image_ids if image not in removed]
    labels = [work.label(asked, decision, image, at) for image in kept] if kind == "same" else []
    judged = at + HOUR * chance.random() * 24
    if labels:
        refused = [label.id for label in labels if chance.random() < 0.05]
        work.judge(labels, judged, refused=refused)
    fate = chance.random()
    later = judged + HOUR * chance.random() * 300
    if fate < 0.05:
        undone = work.decide(asked, later, "undone", decision, answer_ids=["x"])
        for label in labels:
            work.label(asked, decision, label.image_id, later, supersedes=label, withdrawn=True)
        if fate < 0.02:
            again = work.decide(asked, later + HOUR, "same", undone)
            work.label(asked, again, asked.image_ids[0], later + HOUR)
    elif fate < 0.1 and labels:
        first = labels[0]
        anew = work.label(asked, decision, first.image_id, later, supersedes=first, name="New")
        work.judge([anew], later + HOUR)
    elif fate < 0.15 and labels:
        fresh = work.decide(asked, later, "same", decision, answer_ids=["y"])
        given = {"supersedes": labels[0], "product": f"other {asked.id}"}
        work.label(asked, fresh, labels[0].image_id, later, **given)
