"""Every pair is in one stratum, by what the links say, and is drawn with the chance it is given."""

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.pairs import APART, FAR, REACH, Drawn, Frame, allocate

Link = tuple[int, int, float]
N = 12


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[int], list[Link]]:
    pieces = draw(st.lists(st.integers(0, 4), min_size=2, max_size=N))
    image = st.integers(0, len(pieces) - 1)
    probability = st.sampled_from([0.02, 0.1, 0.3, 0.4, 0.55, 0.9, 1.0])
    links = draw(st.lists(st.tuples(image, image, probability), max_size=30))
    return pieces, [link for link in links if link[0] != link[1]]


def frame_of(pieces: list[int], links: list[Link]) -> Frame:
    return Frame.of(pieces, *(zip(*links, strict=True) if links else ([], [], [])))


def every_pair(frame: Frame) -> list[Drawn]:
    return frame.draw(10**6, seed="all", found={})


@given(worlds())
def test_every_pair_is_in_one_stratum_and_can_be_drawn(
    world: tuple[list[int], list[Link]],
) -> None:
    pieces, links = world
    frame = frame_of(pieces, links)
    drawn = every_pair(frame)
    pairs = {tuple(sorted((each.first, each.second))) for each in drawn}
    assert pairs == set(combinations(range(len(pieces)), 2))
    assert len(drawn) == comb(len(pieces), 2) == sum(each.size for each in frame.strata)
    assert Counter(each.stratum for each in drawn) == {e.name: e.size for e in frame.strata}
    assert {each.chance for each in drawn} == {1.0}


@given(worlds())
def test_a_pair_apart_is_as_likely_as_its_strongest_link_to_the_other_piece(
    world: tuple[list[int], list[Link]],
) -> None:
    pieces, links = world
    frame = frame_of(pieces, links)
    joined = {stratum.name for stratum in frame.strata if stratum.joined}
    for each in every_pair(frame):
        ends = pieces[each.first], pieces[each.second]
        assert (each.stratum in joined) == (ends[0] == ends[1])
        if ends[0] == ends[1]:
            continue
        across = [(i, j, p) for i, j, p in links if {pieces[i], pieces[j]} == set(ends)]
        own = [p for i, j, p in across if {i, j} & {each.first, each.second}]
        assert each.score == max(own, default=0.0)
        if not own:
            beside = max((p for _, _, p in across), default=0.0) >= REACH
            assert (each.stratum == FAR) == (not beside)
        else:
            upper = next(end for end, _ in APART if each.score <= end)
            assert each.stratum == f"apart, links up to {upper:g}"


def test_a_joined_pair_is_as_sure_as_the_less_sure_of_its_images() -> None:
    frame = frame_of([0, 0, 0], [(0, 1, 0.9), (1, 0, 0.9), (2, 0, 0.2)])
    scores = {frozenset((each.first, each.second)): each.score for each in every_pair(frame)}
    assert scores == {
        frozenset(pair): s for pair, s in (((0, 1), 0.9), ((0, 2), 0.2), ((1, 2), 0.2))
    }


def test_a_seed_draws_the_same_again_and_each_pair_of_a_stratum_as_often_as_its_chance() -> None:
    pieces = [*range(4), 4, 4, 4, 5, 5]
    frame = frame_of(pieces, [(4, 5, 0.8), (7, 8, 0.8), (0, 1, 0.5), (0, 4, 0.3)])
    assert frame.draw(12, seed="1", found={}) == frame.draw(12, seed="1", found={})
    n_rounds = 2000
    rounds = [frame.draw(12, seed=str(number), found={}) for number in range(n_rounds)]
    assert {len(drawn) for drawn in rounds} == {12}
    assert all(len({(e.first, e.second) for e in drawn}) == 12 for drawn in rounds)
    chance = {(e.first, e.second): e.chance for e in every_pair(frame)} | {
        (e.first, e.second): e.chance for drawn in rounds for e in drawn
    }
    times = Counter((e.first, e.second) for drawn in rounds for e in drawn)
    for pair, count in times.items():
        expected = n_rounds * chance[pair]
        assert abs(count - expected) <= 5 * np.sqrt(expected) + 1e-9


def test_draws_go_where_earlier_audits_found_least_certainty() -> None:
    frame = frame_of([*range(20)], [(i, i + 1, 0.3 if i < 9 else 0.6) for i in range(19)])
    likely, unlikely = "apart, links up to 0.7", "apart, links up to 0.4"
    names = [stratum.name for stratum in frame.strata]

    def share(found: dict[str, tuple[int, int]]) -> float:
        draws = dict(zip(names, allocate(frame.strata, 14, found), strict=True))
        return draws[likely] / (draws[likely] + draws[unlikely])

    settled, doubtful = (0, 500), (250, 500)
    assert share({likely: settled, unlikely: doubtful}) < share(
        {likely: doubtful, unlikely: settled}
    )


@pytest.mark.parametrize("link", [(0, 5, 0.5), (0, 1, 1.5)])
def test_a_link_that_cannot_be_is_refused(link: Link) -> None:
    with pytest.raises(ValueError, match="a link has"):
        frame_of([0, 1], [link])
