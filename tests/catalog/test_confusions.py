"""What vendors took for one another, read from labels, gold and merges."""

import datetime as dt
from dataclasses import dataclass

import pytest

from catalog import digest
from catalog.schema import (
    Answer,
    AnswerState,
    Decision,
    DecisionKind,
    Product,
    Question,
    QuestionKind,
    Verdict,
    VerifiedLabel,
)
from tasks.confusion import said
from tests.catalog.rows import NOON, Bench
from workforce.periods import Period, week_of
from workforce.statistics.confusion import Verdict as Said

WEEK = week_of(NOON.date())


@dataclass(frozen=True)
class Shop:
    """Images of products, labelled by what questions of vendor-b decided."""

    bench: Bench

    def products(self, **images: str) -> dict[str, str]:
        """An image for each letter, of the product that its word names."""
        found = {}
        for product, letters in images.items():
            self.bench.add(Product(id=product))
            for letter, image in zip(letters, self.bench.ingest(*letters), strict=True):
                question = self.ask(image)
                self.label(image, product, self.decide(question, DecisionKind.SAME))
                found[letter] = image
        return found

    def ask(self, *images: str, kind: str = QuestionKind.VERIFY, **more: object) -> Question:
        identity = digest("question", kind, *images, *map(str, more.values()))
        question = Question(
            id=identity,
            kind=kind,
            locale="de-DE",
            site="vendor-b",
            image_ids=list(images),
            **more,
        )
        self.bench.add(question)
        return question

    def decide(self, question: Question, kind: str, model: str | None = None) -> Decision:
        decision = Decision(
            id=digest("decision", question.id, kind),
            question_id=question.id,
            supersedes_id=None,
            kind=kind,
            name=None,
            groups=[],
            removed_ids=[],
            memberships=[],
            answer_ids=[],
            annotators=[],
            agreement=1.0,
            confidence=1.0,
            seconds=1.0,
            model_id=model,
        )
        self.bench.add(decision)
        return decision

    def label(self, image: str, product: str, decision: Decision) -> VerifiedLabel:
        label = VerifiedLabel(
            id=digest("label", image, product),
            image_id=image,
            product_id=product,
            name=product.title(),
            locale="de-DE",
            origin="decision",
            decision_id=decision.id,
            annotators=[],
            agreement=1.0,
            seconds=1.0,
            labelled_at=NOON,
        )
        self.bench.add(label)
        return label

    def answer(
        self,
        question: Question,
        verdict: str,
        *ticked: str,
        at: dt.datetime = NOON,
        revision: int = 0,
    ) -> None:
        self.bench.add(
            Answer(
                id=digest("answer", question.id, verdict, revision),
                question_id=question.id,
                annotation="1",
                revision=revision,
                annotator="ada",
                state=AnswerState.GIVEN,
                verdict=verdict,
                intruder_ids=list(ticked),
                name=None,
                flags=[],
                seconds=5.0,
                answered_at=at,
            )
        )

    def wrong(self, period: Period = WEEK) -> list[tuple[str, str]]:
        """What was said, and what is true, where they differ."""
        return sorted((each.said, each.true) for each in self.all(period) if each.said != each.true)

    def all(self, period: Period = WEEK) -> list[Said]:
        with self.bench.catalog.read() as transaction:
            return list(said(transaction, period))


@pytest.fixture
def shop(bench: Bench) -> Shop:
    return Shop(bench)


def test_a_label_that_was_corrected_was_a_confusion_of_its_vendor(shop: Shop) -> None:
    image = shop.products(tea="ab", salt="c")["a"]
    with shop.bench.catalog.read() as transaction:
        before = transaction.get(VerifiedLabel, digest("label", image, "tea"))
    assert before is not None
    shop.bench.succeed(before, product_id="salt")
    assert shop.wrong() == [("tea", "salt")]
    assert {each.vendor for each in shop.all()} == {"vendor-b"}


def test_products_that_were_joined_were_not_confused(shop: Shop) -> None:
    image = shop.products(tea="a", salt="c")["a"]
    with shop.bench.catalog.read() as transaction:
        before = transaction.get(VerifiedLabel, digest("label", image, "tea"))
    assert before is not None
    shop.bench.succeed(before, product_id="salt")
    assert shop.wrong() == []


def test_intruders_left_in_and_members_ticked_are_confusions(shop: Shop) -> None:
    image = shop.products(tea="abc", salt="xy")
    expected = {"verdict": "confirm", "intruder_ids": [image["x"], image["y"]]}
    gold = shop.ask(*image.values(), expected=expected)
    shop.answer(gold, Verdict.CONFIRM, image["x"], image["a"])
    assert shop.wrong() == [("salt", "tea"), ("tea", "salt")]
    # Each image of its labels, and of the gold sheet.
    assert len(shop.all()) == 10


def test_a_changed_answer_counts_as_it_stands(shop: Shop) -> None:
    image = shop.products(tea="abc", salt="x")
    gold = shop.ask(*image.values(), expected={"verdict": "confirm", "intruder_ids": [image["x"]]})
    shop.answer(gold, Verdict.CONFIRM)
    assert shop.wrong() == [("tea", "salt")]
    shop.answer(gold, Verdict.CONFIRM, image["x"], revision=1)
    assert shop.wrong() == []


def test_two_products_said_to_be_one_are_a_confusion(shop: Shop) -> None:
    image = shop.products(tea="a", salt="x")
    merge = shop.ask(image["a"], kind=QuestionKind.MERGE, reference_ids=[image["x"]])
    shop.answer(merge, Verdict.CONFIRM)
    assert shop.wrong() == []
    shop.decide(merge, DecisionKind.DIFFERENT)
    assert shop.wrong() == [("salt", "tea")]


def test_what_was_said_in_another_week_does_not_count(shop: Shop) -> None:
    image = shop.products(tea="abc", salt="x")
    gold = shop.ask(*image.values(), expected={"verdict": "confirm", "intruder_ids": [image["x"]]})
    shop.answer(gold, Verdict.CONFIRM, at=WEEK.over)
    assert shop.wrong() == []
    assert shop.wrong(week_of(WEEK.over.date())) == [("tea", "salt")]
