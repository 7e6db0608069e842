"""What it takes to make products sure: doubtful joins, a second vote on everything, two of each.

    python -m benchmarks.redundancy

Annotators who err at a known rate answer about generated candidate clusters: sheets with intruders,
and comparisons of look-alikes. Their answers weigh what the rates of the world say they are worth.
Then questions are added in three ways until the products are precise: those that
`annotation.doubtful_joins` proposes, every question once more (and again where two leave too much
risk), and comparisons until every product hangs together twice (`k_edge_augmentation`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import comb
from pathlib import Path

import networkx as nx
import numpy as np
import typer

from annotation import (
    Decided,
    DecisionGraph,
    Effort,
    doubt_of,
    doubtful_joins,
    expected_precision,
    redundancy_questions,
)
from annotation.evidence import Graph, Node
from annotation.partition import Contradiction
from annotation.questions import merge_question
from catalog.identity import digest
from catalog.schema import Decision, DecisionKind, Question, QuestionKind

RESULT = Path(__file__).parent / "results" / "redundancy.md"
LOCALE = "en-US"
N_PRODUCTS = 40
CLUSTERS_OF_PRODUCT = 3
IMAGES_OF_CLUSTER = 5
INTRUDERS = 0.1
SAME = 0.6
PROMISED = 0.99
ERRORS = (0.0, 0.02, 0.05, 0.1)
SEEDS = 2
PER_SHEET = 60
BATCH = 20
SUREST = 0.999
RISK = 0.2


@dataclass
class Annotators:
    """People who err at a rate, what they say of a question, and the seconds that they spent."""

    truth: dict[str, int]
    error: float
    draw: np.random.Generator
    effort: Effort = field(default_factory=Effort)
    seconds: float = 0.0
    n_questions: int = 0

    def decide(self, question: Question, prior: float = 0.5, votes: int = 1) -> Decided:
        """The decision of `votes` people on a question.

        `prior` is how often what the question supposes is so, before anybody looked.
        """
        decided = self._said(question, prior, votes)
        surest = [decided.decision.confidence, *decided.decision.memberships]
        if votes == 2 and min(surest) < 1 - RISK:
            spent = self.seconds, self.n_questions
            decided = self._said(question, prior, 3)
            # The third vote follows two that were given.
            self.seconds = spent[0] + (self.seconds - spent[0]) / 3
            self.n_questions = spent[1] + 1
        return decided

    def _said(self, question: Question, prior: float, votes: int) -> Decided:
        if question.kind == QuestionKind.MERGE:
            return self._compared(question, prior, votes)
        product, _ = Counter(self.truth[i] for i in question.image_ids).most_common(1)[0]
        places = {
            image: self._posterior(self.truth[image] == product, prior, votes)
            for image in question.image_ids
        }
        kept = [image for image, place in places.items() if place > 0.5]
        removed = [image for image in places if image not in kept]
        for _ in range(votes):
            self._spend(question, len(removed))
        memberships = [*(places[i] for i in kept), *(1 - places[i] for i in removed)]
        return _decided(question, DecisionKind.SAME, [kept], removed, memberships, 1 - self.error)

    def _compared(self, question: Question, prior: float, votes: int) -> Decided:
        products = [
            Counter(self.truth[i] for i in images).most_common(1)[0][0]
            for images in (question.reference_ids, question.image_ids)
        ]
        same = self._posterior(products[0] == products[1], prior, votes)
        for _ in range(votes):
            self._spend(question, 0)
        groups = [list(question.reference_ids), list(question.image_ids)]
        kind = DecisionKind.SAME if same > 0.5 else DecisionKind.DIFFERENT
        n_places = sum(map(len, groups))
        return _decided(question, kind, groups, [], [1.0] * n_places, max(same, 1 - same))

    def _posterior(self, so: bool, prior: float, votes: int) -> float:
        """How likely it is after some votes that something is so."""
        odds = prior / (1 - prior)
        right = min(1 - self.error, SUREST)
        for _ in range(votes):
            yes = so ^ (self.draw.random() < self.error)
            odds *= right / (1 - right) if yes else (1 - right) / right
        return float(np.clip(odds / (1 + odds), 1 - SUREST, SUREST))

    def _spend(self, question: Question, n_removed: int) -> None:
        n_pictures = len(question.image_ids) + len(question.reference_ids)
        self.seconds += self.effort.seconds(QuestionKind(question.kind), n_pictures, n_removed)
        self.n_questions += 1


@dataclass(frozen=True)
class World:
    """The questions that a loop asks about some products, whatever is asked again later."""

    truth: dict[str, int]
    sheets: list[Question]
    comparisons: list[tuple[list[str], list[str]]]

    @classmethod
    def of(cls, seed: int) -> "World":
        draw = np.random.default_rng(seed)
        truth: dict[str, int] = {}
        clusters: list[tuple[int, list[str]]] = []
        for product in range(N_PRODUCTS):
            for part in range(1 + draw.poisson(CLUSTERS_OF_PRODUCT - 1)):
                size = 2 + draw.poisson(IMAGES_OF_CLUSTER - 2)
                images = [f"{product:04}-{part}-{number}" for number in range(size)]
                strangers = (draw.random(size) < INTRUDERS) & (np.arange(size) > size // 2)
                for image, stranger in zip(images, strangers, strict=True):
                    elsewhere = int(draw.integers(N_PRODUCTS))
                    truth[image] = elsewhere if stranger else product
                clusters.append((product, images))
        sheets = [_verify(images) for _, images in clusters]
        pairs = [(first, second) for first, second in pairwise(clusters) if first[0] == second[0]]
        n_others = round(len(pairs) * (1 - SAME) / SAME)
        for _ in range(n_others):
            first, second = draw.choice(len(clusters), 2, replace=False)
            if clusters[first][0] != clusters[second][0]:
                pairs.append((clusters[first], clusters[second]))
        together = [(first, second) for (_, first), (_, second) in pairs]
        return cls(truth, sheets, together)

    def answered(self, people: Annotators, votes: int = 1) -> list[Decided]:
        """The sheets, and the comparisons of what they kept."""
        seen = [people.decide(each, 1 - INTRUDERS, votes) for each in self.sheets]
        kept = {image for each in seen for group in each.decision.groups for image in group}
        shown = [[[i for i in side if i in kept] for side in pair] for pair in self.comparisons]
        asked = [
            merge_question(first, second, about=[first[0], second[0]], locale=LOCALE)
            for first, second in shown
            if first and second
        ]
        return [*seen, *(people.decide(each, SAME, votes) for each in asked)]


@dataclass(frozen=True)
class Outcome:
    """Pairwise precision and recall, what was expected of them, and what was spent on it."""

    precision: float
    recall: float
    expected: float
    seconds: float
    n_questions: int


def once(world: World, people: Annotators) -> DecisionGraph:
    return DecisionGraph(world.answered(people), [])


def by_doubt(world: World, people: Annotators) -> DecisionGraph:
    """Ask about what is doubtful until the expected precision is what was promised."""
    graph = once(world, people)
    doubts = {each: doubt_of(graph, each) for each in set(graph.product_of.values())}
    asked: set[str] = set()
    while True:
        joins = doubtful_joins(graph, doubts.values(), most=10 * BATCH)
        fresh = [
            each
            for each in redundancy_questions(joins, per_sheet=PER_SHEET)
            if each.question.id not in asked
        ]
        contested = [
            question
            for each in graph.partition.contradictions
            if (question := _about(each)).id not in asked
        ]
        sure = expected_precision(doubts.values()) >= PROMISED
        if not contested and (sure or not fresh):
            return graph
        best = sorted(fresh, key=lambda each: -_rate(each.question, each.wrong_pairs, people))
        chosen = [*contested, *(each.question for each in best[:BATCH] if not sure)]
        asked.update(each.id for each in chosen)
        touched = graph.learn(people.decide(each) for each in chosen)
        there = set(graph.product_of.values())
        for product in touched.products:
            doubts.pop(product, None)
            if product in there:
                doubts[product] = doubt_of(graph, product)


def everything_twice(world: World, people: Annotators) -> DecisionGraph:
    """A second vote on every question, and a third where two leave too much risk."""
    return DecisionGraph(world.answered(people, votes=2), [])


def everything_thrice(world: World, people: Annotators) -> DecisionGraph:
    return DecisionGraph(world.answered(people, votes=3), [])


def twice_connected(world: World, people: Annotators) -> DecisionGraph:
    """Comparisons of two pictures each, until no single answer holds any product together."""
    graph = once(world, people)
    asked = []
    for product in sorted(set(graph.product_of.values())):
        held = graph.evidence(product)
        for ends in nx.k_edge_augmentation(held, 2, partial=True):
            one, other = (_picture(held, end) for end in ends)
            if one != other:
                asked.append(
                    merge_question([one], [other], about=[product, one, other], locale=LOCALE)
                )
    graph.learn(people.decide(each) for each in asked)
    return graph


WAYS: dict[str, Callable[[World, Annotators], DecisionGraph]] = {
    "one vote": once,
    "doubtful joins": by_doubt,
    "two votes on everything": everything_twice,
    "three votes on everything": everything_thrice,
    "every product connected twice": twice_connected,
}


def measure(way: str, error: float, seed: int) -> Outcome:
    world = World.of(seed)
    people = Annotators(world.truth, error, np.random.default_rng([seed, 1]))
    graph = WAYS[way](world, people)
    found = graph.product_of
    together = sum(comb(n, 2) for n in Counter(found.values()).values())
    right = sum(
        comb(n, 2)
        for n in Counter((product, world.truth[image]) for image, product in found.items()).values()
    )
    real = sum(comb(n, 2) for n in Counter(world.truth.values()).values())
    expected = expected_precision(doubt_of(graph, each) for each in set(found.values()))
    return Outcome(right / together, right / real, expected, people.seconds, people.n_questions)


def rows() -> Iterator[str]:
    for error in ERRORS:
        start = 0.0
        for way in WAYS:
            found = [measure(way, error, seed) for seed in range(SEEDS)]
            seconds = _mean(each.seconds for each in found)
            start = start or seconds
            yield (
                f"| {error:.0%} | {way} | {_mean(each.precision for each in found):.4f} |"
                f" {_mean(each.expected for each in found):.4f} |"
                f" {_mean(each.recall for each in found):.3f} |"
                f" {_mean(each.n_questions for each in found):,.0f} | {seconds:,.0f} |"
                f" {seconds / start - 1:+.0%} |"
            )


def main() -> None:
    """Measure all ways and write the page."""
    page = "\n".join(
        [
            "# Redundancy",
            "",
            f"`python -m benchmarks.redundancy`: {N_PRODUCTS} products in some"
            f" {CLUSTERS_OF_PRODUCT} candidate clusters each, one picture in"
            f" {1 / INTRUDERS:.0f} an intruder, comparisons of which {SAME:.0%} are of one product."
            " Simulated annotators err at a rate, in each picture and in each comparison, and their"
            " answers weigh what they are worth. Means of"
            f" {SEEDS} worlds; pairs of images. *Doubtful joins* stops where the expected precision"
            f" is {PROMISED}; seconds by the default `Effort`.",
            "",
            "| errors | way | precision | expected | recall | questions | seconds | more |",
            "|---|---|---|---|---|---|---|---|",
            *rows(),
            "",
        ]
    )
    RESULT.write_text(page, encoding="utf-8")
    print(page)


def _verify(images: list[str]) -> Question:
    return Question(
        id=digest("sheet", *images),
        kind=QuestionKind.VERIFY,
        locale=LOCALE,
        site="",
        image_ids=images,
    )


def _decided(
    question: Question,
    kind: DecisionKind,
    groups: list[list[str]],
    removed: list[str],
    memberships: list[float],
    confidence: float,
) -> Decided:
    groups = [group for group in groups if group]
    decision = Decision(
        id=digest("decision", question.id),
        question_id=question.id,
        supersedes_id=None,
        kind=kind if groups else DecisionKind.UNSURE,
        name=None,
        groups=groups,
        removed_ids=removed,
        memberships=memberships,
        answer_ids=[],
        annotators=[],
        agreement=1.0,
        confidence=confidence,
        seconds=0.0,
    )
    return Decided(question, decision)


def _about(contradiction: Contradiction) -> Question:
    return merge_question(
        contradiction.left, contradiction.right, about=[contradiction.key], locale=LOCALE
    )


def _picture(held: Graph, node: Node) -> str:
    """The picture that a node is, or one that it was given."""
    return next(each[1] for each in (node, *sorted(held[node])) if each[0] == "image")


def _rate(question: Question, wrong_pairs: float, people: Annotators) -> float:
    n_pictures = len(question.image_ids) + len(question.reference_ids)
    return wrong_pairs / people.effort.seconds(QuestionKind(question.kind), n_pictures)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    typer.run(main)
