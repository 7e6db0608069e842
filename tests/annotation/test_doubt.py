"""What is doubtful is found, weighed by what it would spoil, and asked about once."""

from itertools import combinations
from random import Random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import (
    DecisionGraph,
    DoubtfulJoin,
    doubt_of,
    doubtful_joins,
    expected_precision,
    redundancy_questions,
)
from annotation.evidence import posterior_of
from catalog.schema import DecisionKind, QuestionKind
from tests.annotation.test_partition import DOUBTFUL, SURE, listed, merged, verified


def doubts_of(graph: DecisionGraph) -> list[DoubtfulJoin]:
    doubts = [doubt_of(graph, product) for product in sorted(set(graph.product_of.values()))]
    return doubtful_joins(graph, doubts, most=100)


def sheets(random: Random) -> DecisionGraph:
    """Products that hang together by one edge at each place: sheets and merges of one picture."""
    log = []
    for number, kept in enumerate(("abc", "def", "ghij")):
        log.append(verified(number, kept, posterior=random.uniform(0.6, 0.99)))
    log.append(merged(7, "a", "d", posterior=random.uniform(0.6, 0.99)))
    log.append(merged(8, "e", "g", posterior=random.uniform(0.6, 0.99)))
    return DecisionGraph(log, [])


@given(st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_without_cycles_every_pair_is_wrong_as_often_as_an_edge_between_them(
    random: Random,
) -> None:
    graph = sheets(random)
    [product] = set(graph.product_of.values())
    held = graph.evidence(product)
    for edge in held.edges:  # what a single picture was merged for is not in doubt
        if any(node[:2] in {("group", "decision 007"), ("group", "decision 008")} for node in edge):
            certain = any(node[0] == "image" for node in edge)
            held.edges[edge]["weight"] = 10**12 if certain else held.edges[edge]["weight"]
    wrong = sum(
        1 - posterior_of(held.edges[step]["weight"])
        for pair in combinations([("image", image) for image in "abcdefghij"], 2)
        for step in nx.utils.pairwise(nx.shortest_path(held, *pair))
    )
    assert doubt_of(graph, product).wrong_pairs == pytest.approx(min(wrong, 45.0))


def test_the_join_that_would_spoil_most_pairs_comes_first() -> None:
    graph = DecisionGraph(
        [verified(1, "abc"), verified(2, "def"), merged(3, "abc", "def", posterior=DOUBTFUL)], []
    )
    first, *others = doubts_of(graph)
    assert {frozenset(first.left), frozenset(first.right)} == {frozenset("abc"), frozenset("def")}
    assert first.posterior == pytest.approx(DOUBTFUL, abs=1e-6)
    assert first.wrong_pairs == pytest.approx((1 - DOUBTFUL) * 9, abs=1e-4)
    assert all(other.wrong_pairs < first.wrong_pairs for other in others)


def test_what_is_asked_compares_pictures_of_the_two_sides_and_mends_the_doubt() -> None:
    log = [verified(1, "abc"), verified(2, "def"), merged(3, "abc", "def", posterior=DOUBTFUL)]
    graph = DecisionGraph(log, [])
    [asked] = redundancy_questions(doubts_of(graph)[:1], per_sheet=60)
    assert asked.question.kind == QuestionKind.MERGE
    sides = {frozenset(asked.question.image_ids), frozenset(asked.question.reference_ids)}
    assert sides == {frozenset("abc"), frozenset("def")}
    before = expected_precision(doubt_of(graph, each) for each in set(graph.product_of.values()))
    graph.learn([merged(4, "abc", "def")])
    after = expected_precision(doubt_of(graph, each) for each in set(graph.product_of.values()))
    assert after > before
    assert doubts_of(graph)[0].wrong_pairs < 1


def test_a_doubt_keeps_its_key_whatever_else_is_decided() -> None:
    log = [verified(1, "abc"), verified(2, "def"), merged(3, "abc", "def", posterior=DOUBTFUL)]
    graph = DecisionGraph(log, [])
    key = doubts_of(graph)[0].key
    graph.learn([verified(5, "gh"), verified(6, "ai", name="Tee")])
    assert doubts_of(graph)[0].key == key


def test_a_difference_that_gave_way_makes_the_join_more_doubtful() -> None:
    log = [verified(1, "abc"), verified(2, "def"), merged(3, "abc", "def", posterior=SURE)]
    alone = doubts_of(DecisionGraph(log, []))
    against = merged(4, "abc", "def", DecisionKind.DIFFERENT, posterior=0.9)
    disputed = doubts_of(DecisionGraph([*log, against], []))
    assert disputed[0].wrong_pairs > alone[0].wrong_pairs
    assert disputed[0].key != alone[0].key


def test_pictures_that_each_hang_alone_share_a_sheet() -> None:
    graph = DecisionGraph([verified(1, "abcde", posterior=0.8)], [])
    [asked] = redundancy_questions(doubts_of(graph), per_sheet=60)
    assert asked.question.kind == QuestionKind.VERIFY
    assert set(asked.question.image_ids) == set("abcde")
    assert asked.question.id != "question 001"


def test_nobody_is_asked_whether_a_manifest_is_right() -> None:
    assert doubts_of(DecisionGraph([], listed("abc", "Tee"))) == []


def test_two_that_say_different_outweigh_one_that_says_same() -> None:
    log = [verified(1, "abc"), verified(2, "def"), merged(3, "abc", "def", posterior=0.95)]
    told = [merged(n, "abc", "def", DecisionKind.DIFFERENT, posterior=0.9) for n in (4, 5)]
    graph = DecisionGraph([*log, told[0]], [])
    assert graph.partition.product_of["a"] == graph.partition.product_of["d"]
    graph.learn([told[1]])
    assert graph.partition.product_of["a"] != graph.partition.product_of["d"]


def test_a_listed_image_that_a_sure_decision_tells_apart_has_no_product() -> None:
    ruled = verified(1, "a", removed="b", posterior=0.9999)
    graph = DecisionGraph([ruled], listed("ab", "Tee"))
    assert "b" not in graph.product_of
    assert len(graph.partition.contradictions) == 1
