"""Our own way of asking: the project's planner, questions, answers, rulings and decision graph.

In every wave the planner says what is worth asking of what is decided so far, people answer, the
answers are ruled on and the partition follows. What people verified teaches the embedding before
the next wave; what hangs together by too little is asked about again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation import (
    GALLERY,
    Asking,
    Cut,
    Decided,
    DecisionGraph,
    Doubt,
    Effort,
    Misfit,
    Outlook,
    Planned,
    Ruling,
    Stray,
    Votes,
    doubt_of,
    follow_ups,
    learn_trust,
    mixed_sheets,
    named_pieces,
    plan,
    right_all_the_same,
    rule,
)
from annotation.second_answers import held_by_several, second_answers
from benchmarks.asking.people import People, name_of, row_of
from benchmarks.asking.worlds import World
from catalog.schema import Answer, AnswerState, Desk, Question, QuestionKind, Verdict
from clustering import RelevantComponents
from clustering.prospects import foresee

Labels = NDArray[np.int64]

LOCALE = "en-US"
CHUNK = 25
"""Questions after which the partition is looked at."""
MEND, PROMISED = 100.0, 0.9999
"""What it is worth to find a misplaced image, and the expected precision that is enough: the target
leaves few wrong pairs."""


@dataclass
class Ours:
    """The project's planner.

    `agreeing` people see each question; `share` of what has no product is open at a time.
    """

    agreeing: int = 1
    share: float = 0.25
    name: str = "ours, with the planner"

    def settings(self) -> Sequence[Ours]:
        return [self]

    def ask(self, world: World, people: People) -> Iterator[Labels]:
        asking = Asking(
            open_share=self.share,
            open_at_least=40,
            worth_seconds=1000.0,
            mend_seconds=MEND,
            precision_at_least=PROMISED,
        )
        votes = Votes(first=self.agreeing, most=2 * self.agreeing - 1)
        state = _State(world, people, DecisionGraph([], []))
        while True:
            planned = state.plan(asking)
            questions = [
                *follow_ups(state.log, state.graph.partition, asking),
                *(each.question for each in planned),
            ]
            questions += state.second_questions(asking, questions)
            fresh = [each for each in questions if each.id not in state.asked]
            if not fresh:
                return
            state.asked.update(each.id for each in fresh)
            state.forecasts.update((each.question.id, each.belonging) for each in planned)
            wave = decide(fresh, people, votes)
            spent = people.seconds, people.questions
            for start in range(0, len(wave), CHUNK):
                part = wave[start : start + CHUNK]
                state.learn([each.decided for each in part])
                people.seconds, people.questions = part[-1].seconds, part[-1].questions
                yield labels_of(state.graph.product_of, len(world))
            people.seconds, people.questions = spent


class Given(NamedTuple):
    """A decision, and what people had spent when it could be made."""

    decided: Decided
    seconds: float
    questions: int


@dataclass
class _State:
    """What has been asked and decided so far."""

    world: World
    people: People
    graph: DecisionGraph
    log: list[Decided] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    forecasts: dict[str, tuple[float, ...]] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)

    def learn(self, decided: Sequence[Decided]) -> None:
        self.log += decided
        for product in self.graph.learn(decided).products:
            self.doubts.pop(product, None)

    def plan(self, asking: Asking) -> list[Planned]:
        known = self.graph.partition
        outcomes = (
            (self.forecasts[each.question.id], *each)
            for each in self.log
            if each.question.id in self.forecasts
        )
        galleries = {product: images[:GALLERY] for product, images in known.images().items()}
        return plan(
            self.outlook(),
            known,
            galleries,
            follow_ups(self.log, known, asking),
            asking,
            effort_of(self.people),
            mixed=mixed_sheets(self.log),
            trust=learn_trust(outcomes),
        )

    def outlook(self) -> Outlook:
        """What Hi-LANDER makes of the images without a product, as `tasks.outlook` does."""
        known = self.graph.partition
        images = [name_of(row) for row in range(len(self.world))]
        waiting = [image for image in images if image not in known.product_of]
        placed = [image for image in images if image in known.product_of]
        names = sorted(set(known.product_of.values()))
        number = {product: place for place, product in enumerate(names)}
        _, cannot_link = known.constraints(waiting)
        found = foresee(
            self.world.known.lander,
            self.world.features[[row_of(image) for image in waiting]],
            self.world.features[[row_of(image) for image in placed]],
            np.array([number[known.product_of[image]] for image in placed], dtype=np.int64),
            teaches=np.ones(len(placed), dtype=bool),
            cannot_link=cannot_link or None,
        )
        return Outlook(
            LOCALE,
            waiting,
            [Cut(*cut) for cut in found.cuts],
            {},
            names,
            found.products,
            found.probability,
            misfits=tuple(self.misfits()),
            strays=tuple(self.strays()),
        )

    def misfits(self) -> Iterator[Misfit]:
        """Pieces that look more like another product than like the rest of their own."""
        pieces = named_pieces(self.log, self.graph.partition, LOCALE)
        shown = [(image, n) for n, each in enumerate(pieces) for image in each.images[:GALLERY]]
        if len(pieces) < 2:
            return
        rows = [row_of(image) for image, _ in shown]
        found = copy(self.world.known.lander).resemble(
            self.world.features[rows], np.array([n for _, n in shown])
        )
        for piece, other, likely in zip(pieces, found.products, found.probability, strict=True):
            if piece.others and other >= 0 and pieces[other].product != piece.product:
                right = right_all_the_same(float(likely))
                yield Misfit(piece.images, piece.others[:GALLERY], right)

    def strays(self) -> Iterator[Stray]:
        """Images that look more like another product than like their own."""
        known = self.graph.partition
        n_said = Counter(image for each in self.log for image in each.question.image_ids)
        images = sorted(known.product_of)
        names = sorted(set(known.product_of.values()))
        if len(names) < 2:
            return
        number = {product: place for place, product in enumerate(names)}
        own = np.array([number[known.product_of[image]] for image in images])
        rows = [row_of(image) for image in images]
        relevant = RelevantComponents().fit(self.world.features[rows], own)
        seen = relevant.transform(self.world.features[rows])
        found = self.world.known.lander.place(seen, own)
        shown = known.images()
        for image, mine, best, likely in zip(
            images, own, found.products, found.probability, strict=True
        ):
            if n_said[image] == 1 and best >= 0 and best != mine:
                others = tuple(each for each in shown[names[mine]] if each != image)
                if not others:
                    continue
                right = right_all_the_same(float(likely))
                yield Stray(image, names[mine], others[:GALLERY], right)

    def second_questions(self, asking: Asking, planned: Sequence[Question]) -> list[Question]:
        """What to ask again, as `tasks.turn` does."""
        several = held_by_several(self.graph, LOCALE)
        for product in several:
            if product not in self.doubts:
                self.doubts[product] = doubt_of(self.graph, product)
        found = second_answers(
            self.graph,
            [self.doubts[product] for product in several],
            locale=LOCALE,
            standing=self.asked,
            busy={image for each in planned for image in each.image_ids},
            removed=(),
            asking=asking,
            pace=effort_of(self.people),
        )
        return [each.question for each in found.entries]


def effort_of(people: People) -> Effort:
    """The times of these people, as the planner takes them."""
    times = people.times
    return Effort(
        seconds_per_sheet=times.pace * times.sheet,
        seconds_per_picture=times.look,
        seconds_per_intruder=times.pace * times.intruder,
        seconds_per_merge=times.pace * times.merge,
        seconds_per_sorted=times.pace * times.sorted,
        seconds_per_name=times.name_of_sheet,
    )


def decide(questions: Sequence[Question], people: People, votes: Votes) -> list[Given]:
    """Have each question answered by as many people as its ruling wants, and rule on them.

    All of a kind are ruled on together, as in the loop; they are given in the order of the answers.
    """
    answers: dict[str, list[Answer]] = {question.id: [] for question in questions}
    spent = {}
    wanted = {question.id: votes.first for question in questions}
    rulings: dict[str, Ruling] = {}
    while open_ones := [each for each in questions if len(answers[each.id]) < wanted[each.id]]:
        for question in open_ones:
            given = answers[question.id]
            while len(given) < wanted[question.id]:
                given.append(answer(question, people, len(given)))
            spent[question.id] = people.seconds, people.questions
        for kind in QuestionKind:
            of_kind = [question for question in questions if question.kind == kind]
            rulings |= rule(of_kind, answers, {}, votes) if of_kind else {}
        wanted = {
            key: max(wanted[key], ruling.votes, _votes_on_name(answers[key], votes))
            for key, ruling in rulings.items()
        }
    made = [
        Given(Decided(question, decision), *spent[question.id])
        for question in questions
        if (decision := rulings[question.id].decision) is not None
    ]
    return sorted(made, key=lambda each: each.seconds)


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
        name=people.name(kept, question.suggestion) if is_named else None,
        flags=[],
        desk=Desk.CROWD,
        groups=[list(group) for group in said.get("groups", ())],
        seconds=1.0,
        answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


def labels_of(product_of: Mapping[str, str], n: int) -> Labels:
    """The number of each image's product, -1 where it has none."""
    numbers = {product: number for number, product in enumerate(sorted(set(product_of.values())))}
    return np.array([numbers.get(product_of.get(name_of(row), ""), -1) for row in range(n)])
