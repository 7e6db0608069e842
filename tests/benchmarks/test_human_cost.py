"""Ways of asking find the right partition when people do not slip, and every second is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotation.questions import merge_question, split_question, verify_questions
from benchmarks.asking.clusters import EVERY_HAC_CLUSTER, EVERY_LANDER_CLUSTER
from benchmarks.asking.correlation import Jeig, Pivots, joint_gain, local_search
from benchmarks.asking.curve import cheapest, draw_curve, measure
from benchmarks.asking.one_by_one import OneByOne
from benchmarks.asking.ours import Ours
from benchmarks.asking.pairs import Groups, ImageAgainstGroups, PairsInOrder
from benchmarks.asking.people import People, name_of
from benchmarks.asking.times import TIME_MODELS, USUAL
from benchmarks.asking.worlds import Known, World, training_world
from clustering import bcubed, pairwise
from tests.clustering.conftest import blobs

CLOSE, PRODUCTS = blobs(6, 9, noise=0.6, seed=2)
WORLD = World(CLOSE, PRODUCTS, Known(*blobs(12, 10, noise=0.6, seed=1)), seed=0)
WAYS = [
    OneByOne("pick"),
    OneByOne("type"),
    PairsInOrder(negative=False),
    PairsInOrder(negative=True),
    ImageAgainstGroups(),
    Jeig(),
    Pivots(),
    EVERY_HAC_CLUSTER,
    EVERY_LANDER_CLUSTER,
    Ours(),
]
sheets = st.lists(st.integers(0, len(WORLD) - 1), min_size=2, max_size=20, unique=True)


def people(error: float = 0.0, times=USUAL, seed: int = 0) -> People:
    return People(WORLD.truth, error, times, seed)


def sheet_of(rows):
    [sheet] = verify_questions(
        [name_of(row) for row in rows], locale="", cluster_id=None, per_sheet=60
    )
    return sheet


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_without_slips_every_way_of_asking_ends_with_the_right_partition(way):
    best = draw_curve(way.settings()[0], WORLD, people()).best
    assert best.precision == 1.0
    assert best.recall >= 0.95


def test_a_pick_takes_what_the_keystroke_level_model_says():
    # Look, M, H, five letters, M, down and enter, H, next.
    assert USUAL.pick == pytest.approx(0.9 + 1.35 + 0.4 + 5 * 0.28 + 1.35 + 2 * 0.28 + 0.4 + 0.28)
    # Look, M, H, twelve letters, M, H, next.
    assert USUAL.type == pytest.approx(0.9 + 1.35 + 0.4 + 12 * 0.28 + 1.35 + 0.4 + 0.28)
    assert USUAL.pair == pytest.approx(1.35 + 2 * 0.9 + 0.28)


@pytest.mark.parametrize("times", TIME_MODELS, ids=lambda times: times.name)
def test_a_sheet_takes_its_pictures_and_its_ticks(times):
    of_one, of_other = (np.flatnonzero(number == PRODUCTS)[:5].tolist() for number in (0, 1))
    asked = people(times=times)
    kept = asked.keep(sheet_of([*of_one, *of_other[:2]]), 1)
    assert kept == of_one
    assert asked.seconds == pytest.approx(7 * times.look + times.pace * (4.0 + 2 * 1.5))
    assert asked.questions == 1


def test_a_merge_takes_the_same_however_large_the_galleries_and_a_split_each_picture():
    ids = [name_of(row) for row in range(6)]
    merge = merge_question(ids[:2], ids[2:], about=["one", "other"], locale="")
    assert USUAL.question(merge, 0) == 6.0
    split = split_question(ids, locale="", cluster_id=None)
    assert USUAL.question(split, 0) == pytest.approx(4.0 + 6 * (0.9 + 2.6))


@pytest.mark.parametrize(("agreeing", "asked"), [(1, 1), (2, 2), (3, 3)])
def test_people_who_agree_are_not_joined_by_more(agreeing, asked):
    everybody = people()
    assert everybody.pick(0, agreeing) == PRODUCTS[0]
    assert everybody.questions == asked
    assert everybody.seconds == pytest.approx(asked * USUAL.pick)


def test_slips_come_as_often_as_stated_and_votes_outvote_them():
    slips = {
        votes: np.mean([people(0.1, seed=seed).same(0, 1, votes) is False for seed in range(4000)])
        for votes in (1, 2, 3)
    }
    assert slips[1] == pytest.approx(0.1, abs=0.02)
    assert slips[2] == pytest.approx(3 * 0.1**2 - 2 * 0.1**3, abs=0.01)
    assert slips[3] == pytest.approx(0.00856, abs=0.005)


@given(sheets)
def test_a_sheet_without_a_majority_is_mixed_and_keeps_nothing(rows):
    shown = PRODUCTS[rows]
    majority = np.bincount(shown).argmax()
    kept = people().keep(sheet_of(rows), 1)
    right = [row for row in rows if PRODUCTS[row] == majority]
    assert kept == (right if 2 * len(right) > len(rows) else None)


@given(
    arrays(np.int64, 30, elements=st.integers(0, 5)),
    arrays(np.int64, 30, elements=st.integers(-1, 6)),
)
def test_a_point_is_what_the_metrics_say_of_undecided_images_as_products_of_their_own(truth, found):
    _, truth = np.unique(truth, return_inverse=True)
    point = measure(found, truth, people())
    alone = np.where(found < 0, 100 + np.arange(30), found)
    pairs, images = pairwise(truth, alone), bcubed(truth, alone)
    assert (point.precision, point.recall) == pytest.approx((pairs.precision, pairs.recall))
    assert point.bcubed_precision == pytest.approx(images.precision)
    assert point.bcubed_recall == pytest.approx(images.recall)
    assert point.verified == np.mean(found >= 0)


def test_the_target_is_the_first_point_where_precision_and_recall_hold():
    curve = draw_curve(OneByOne("pick"), WORLD, people())
    assert curve.reached is not None
    assert [point.good for point in curve.points].index(True) == curve.points.index(curve.reached)
    assert curve.reached.seconds == pytest.approx(people().times.pick * curve.reached.verified)


def test_settings_are_chosen_on_products_that_are_not_in_the_world():
    teaching = training_world(WORLD)
    assert len(np.unique(teaching.truth)) + len(np.unique(teaching.known.products)) == 12
    shown = {row.tobytes() for row in (*teaching.features, *teaching.known.features)}
    assert shown.isdisjoint(row.tobytes() for row in WORLD.features)
    assert cheapest(OneByOne("pick"), teaching, 0.0, USUAL) == OneByOne("pick", agreeing=1)
    assert cheapest(OneByOne("pick"), teaching, 0.05, USUAL).agreeing > 1


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30), st.integers(0, 99))
def test_what_follows_from_true_answers_is_true(pairs, seed):
    truth = np.random.default_rng(seed).integers(0, 3, 8)
    groups = Groups(8)
    for first, second in pairs:
        if truth[first] == truth[second] and groups.of[first] != groups.of[second]:
            groups.join(first, second)
        elif truth[first] != truth[second]:
            groups.part(first, second)
    for first in range(8):
        for second in range(8):
            a, b = groups.of[first], groups.of[second]
            if a == b:
                assert truth[first] == truth[second]
            elif b in groups.apart[a]:
                assert truth[first] != truth[second]


@given(st.integers(2, 12), st.integers(0, 200))
def test_no_image_gains_by_leaving_the_group_that_local_search_gave_it(n, seed):
    random = np.random.default_rng(seed)
    weights = np.triu(random.normal(size=(n, n)), 1).astype(np.float32)
    weights += weights.T
    labels = local_search(weights, np.arange(n), random, sweeps=100)
    for image in range(n):
        here = weights[image, labels == labels[image]].sum()
        assert here >= -1e-4
        for group in range(labels.max() + 1):
            assert here >= weights[image, labels == group].sum() - 1e-4


def test_nothing_is_gained_from_a_pair_that_is_certain_already():
    truth = np.repeat([0, 1, 2], 4)
    weights = np.where(truth[:, None] == truth, 5.0, -5.0).astype(np.float32)
    np.fill_diagonal(weights, 0)
    field = np.eye(3, dtype=np.float32)[truth]
    assert np.abs(joint_gain(weights, field, np.random.default_rng(0))).max() < 1e-3
