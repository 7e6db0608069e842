"""Second questions are asked where they put most right, until the products are sure enough."""

import pytest

from annotation import Asking, DecisionGraph, Effort, doubt_of
from annotation.second_answers import TIMES, SecondAnswers, held_by_several, second_answers
from catalog.schema import DecisionKind, QuestionKind
from tests.annotation.test_partition import decided, merged, verified

WANTED = Asking(precision_at_least=0.99, mend_seconds=100)


def halves(posterior: float = 0.9) -> DecisionGraph:
    """A product of five and four pictures that one answer joins, and one of a single answer."""
    sure = 0.9999
    return DecisionGraph(
        [
            verified(1, "abcde", posterior=sure),
            verified(2, "fghi", posterior=sure),
            merged(3, "abcde", "fghi", posterior=posterior),
            verified(4, "uvwxyz", posterior=0.6),
        ],
        [],
    )


def asked(
    graph: DecisionGraph,
    *,
    standing: tuple[str, ...] = (),
    busy: str = "",
    removed: str = "",
    asking: Asking = WANTED,
) -> SecondAnswers:
    return second_answers(
        graph,
        [doubt_of(graph, product) for product in held_by_several(graph, "de-DE")],
        locale="de-DE",
        standing=standing,
        busy=busy,
        removed=removed,
        asking=asking,
        pace=Effort(),
    )


def test_two_halves_that_one_answer_joins_are_compared_again() -> None:
    found = asked(halves())
    [entry] = found.entries
    assert {len(entry.question.image_ids), len(entry.question.reference_ids)} == {4, 5}
    assert found.before < 0.99 <= found.after
    assert "of 5 and 4 pictures, hang together with 90%" in entry.reason
    assert entry.gain == pytest.approx(0.1 * 4)


def test_products_that_are_sure_enough_are_not_asked_about_again() -> None:
    assert asked(halves(posterior=0.9999)).entries == ()


def test_a_product_of_one_answer_has_no_halves() -> None:
    graph = halves()
    assert graph.product_of["u"] not in held_by_several(graph, "de-DE")
    assert held_by_several(graph, "sv-SE") == []


def test_what_is_asked_already_counts_as_settled() -> None:
    [entry] = asked(halves()).entries
    found = asked(halves(), standing=(entry.question.id,))
    assert found.entries == ()
    assert found.after >= 0.99


def test_no_picture_is_asked_about_twice_at_a_time() -> None:
    [entry] = asked(halves()).entries
    assert asked(halves(), busy=entry.question.image_ids[0]).entries == ()


def test_nobody_sees_what_was_removed() -> None:
    [entry] = asked(halves(), removed="ag").entries
    assert not {"a", "g"} & {*entry.question.image_ids, *entry.question.reference_ids}


def test_what_would_cost_more_than_it_puts_right_is_left() -> None:
    found = asked(halves(), asking=WANTED.model_copy(update={"mend_seconds": 5.0}))
    assert found.entries == ()
    assert found.n_dear > 0


def test_a_second_answer_is_asked_for_once() -> None:
    graph = halves()
    [entry] = asked(graph).entries
    said = decided(9, QuestionKind.MERGE, DecisionKind.UNSURE, [])
    said.question.id = said.decision.question_id = entry.question.id
    graph.learn([said])
    assert entry.question.id not in {each.question.id for each in asked(graph).entries}


def test_what_people_contradict_each_other_about_is_not_asked_for_ever() -> None:
    def compared(times: int) -> DecisionGraph:
        graph = halves()
        for number in range(times):
            said = DecisionKind.SAME if number % 2 else DecisionKind.DIFFERENT
            graph.learn([merged(5 + number, "abcde", "fghi", said, posterior=0.9)])
        return graph

    assert asked(compared(0)).entries
    assert asked(compared(TIMES + TIMES % 2)).entries == ()
