"""Our own way of asking: the project's questions, answers, rulings and partition, wave by wave.

In every wave a planner says what is worth asking of what is decided so far, people answer, the
answers are ruled on and the partition follows. Nothing is asked twice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from annotation import (
    GALLERY,
    Asking,
    Candidate,
    Decided,
    Partition,
    Votes,
    cluster_questions,
    follow_ups,
    partition,
    rule,
)
from benchmarks.asking.people import People, name_of, row_of
from benchmarks.asking.worlds import World
from catalog.schema import Answer, AnswerState, Desk, Question, QuestionKind, Verdict

Labels = NDArray[np.int64]

LOCALE = "en-US"
CHUNK = 50
"""Questions after which the partition is looked at."""


class Planner(Protocol):
    """Says what to ask next: of what is decided, and of the images that have no product yet."""

    def next_questions(self, known: Partition, unplaced: Sequence[str]) -> list[Question]: ...


@dataclass(frozen=True)
class WithoutPlanner:
    """What the loop asks by itself: about candidate clusters, known products and doubts.

    Clusters come first, then what looks like a known product, sheet by sheet, and in the end every
    image alone.
    """

    world: World
    tau: float
    asking: Asking
    log: list[Decided]

    def next_questions(self, known: Partition, unplaced: Sequence[str]) -> list[Question]:
        doubts = follow_ups(self.log, known, self.asking)
        waiting = {i for q in doubts if q.kind != QuestionKind.MERGE for i in q.image_ids}
        candidates = self._candidates(known, [i for i in unplaced if i not in waiting])
        galleries = {product: images[:GALLERY] for product, images in known.images().items()}
        return doubts + [
            question
            for candidate in candidates
            for question in cluster_questions(candidate, known, galleries, self.asking)
        ]

    def _candidates(self, known: Partition, unplaced: Sequence[str]) -> Iterator[Candidate]:
        if not unplaced:
            return
        rows = np.array([row_of(image) for image in unplaced])
        lander = copy(self.world.known.lander).set_params(tau=self.tau)
        shown = known.images()
        if not shown:
            clusters = lander.predict(self.world.features[rows])
            for cluster in np.argsort(-np.bincount(clusters), kind="stable").tolist():
                members = [unplaced[place] for place in np.flatnonzero(clusters == cluster)]
                if len(members) > 1:
                    yield Candidate(None, LOCALE, tuple(members), None, 0.0)
            return
        products = list(shown)
        numbers = [n for n, product in enumerate(products) for _ in shown[product]]
        old = [row_of(image) for product in products for image in shown[product]]
        found = lander.attach(
            self.world.features[rows], self.world.features[old], np.array(numbers)
        )
        alike: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for image, number, likely in zip(unplaced, found.products, found.probability, strict=True):
            product = products[number] if number >= 0 else ""
            if likely < self.asking.suggest_at_least or known.differ(image, product):
                yield Candidate(None, LOCALE, (image,), None, 0.0)
            else:
                alike[product].append((float(likely), image))
        for product, images in alike.items():
            best = tuple(image for _, image in sorted(images, reverse=True))
            yield Candidate(None, LOCALE, best, product, 1.0)


@dataclass(frozen=True)
class Ours:
    """Questions, rulings and partition of the project, with a planner or without."""

    tau: float = 0.4
    agreeing: int = 1
    name: str = "ours, before the planner"

    def settings(self) -> Sequence[Ours]:
        return [replace(self, tau=tau, agreeing=votes) for tau in (0.4, 0.8) for votes in (1, 2)]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        log: list[Decided] = []
        planner = WithoutPlanner(world, self.tau, Asking(), log)
        votes = Votes(first=self.agreeing, most=2 * self.agreeing - 1)
        known = partition([], [])
        asked: set[str] = set()
        while True:
            unplaced = [i for i in map(name_of, range(len(world))) if i not in known.product_of]
            fresh = [q for q in planner.next_questions(known, unplaced) if q.id not in asked]
            if not fresh:
                return
            asked.update(question.id for question in fresh)
            for start in range(0, len(fresh), CHUNK):
                log += decide(fresh[start : start + CHUNK], people, votes)
                known = partition(log, [])
                yield labels_of(known, len(world))


def decide(questions: Sequence[Question], people: People, votes: Votes) -> list[Decided]:
    """Have each question answered by as many people as its ruling wants, and rule on it."""
    decided = []
    for kind in QuestionKind:
        of_kind = [question for question in questions if question.kind == kind]
        wanted = {question.id: votes.first for question in of_kind}
        answers: Mapping[str, list[Answer]] = {question.id: [] for question in of_kind}
        rulings = {}
        while any(len(answers[key]) < number for key, number in wanted.items()):
            for question in of_kind:
                given = answers[question.id]
                while len(given) < wanted[question.id]:
                    given.append(answer(question, people, len(given)))
            rulings = rule(of_kind, answers, {}, votes, method="majority")
            wanted = {
                key: max(wanted[key], ruling.votes, _votes_on_name(answers[key], votes))
                for key, ruling in rulings.items()
            }
        for question in of_kind:
            decision = rulings[question.id].decision
            if decision is not None:
                decided.append(Decided(question, decision))
    return decided


def _votes_on_name(given: Sequence[Answer], votes: Votes) -> int:
    """One vote more where people who have verified a product call it by different names."""
    names = {answer.name for answer in given if answer.name}
    return min(len(given) + 1, votes.most) if len(names) > 1 else 0


def answer(question: Question, people: People, number: int) -> Answer:
    """What one of the people says of a question, with a name where a new product is verified."""
    said = people.answer(question, annotator=number)
    out = set(said.get("intruder_ids", ()))
    kept = [row_of(image) for image in question.image_ids if image not in out]
    confirmed = said["verdict"] == Verdict.CONFIRM
    is_named = confirmed and question.kind == QuestionKind.VERIFY and kept
    return Answer(
        id=f"{question.id}/{number}",
        question_id=question.id,
        annotation=f"{question.id}/{number}",
        revision=0,
        annotator=f"annotator {number}",
        state=AnswerState.GIVEN,
        verdict=said["verdict"],
        intruder_ids=sorted(out),
        name=f"product {people.name(kept)}" if is_named else None,
        flags=[],
        desk=Desk.CROWD,
        groups=[list(group) for group in said.get("groups", ())],
        seconds=1.0,
        answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


def labels_of(known: Partition, n: int) -> Labels:
    """The number of each image's product, -1 where it has none."""
    numbers = {product: number for number, product in enumerate(known.images())}
    return np.array([numbers.get(known.product_of.get(name_of(row), ""), -1) for row in range(n)])
