"""Two vendors compared: intervals that hold the truth though errors come in clusters."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from statsmodels.stats.proportion import confint_proportions_2indep

from workforce.statistics.comparison import Answers, difference, equivalence, judged


def answers(
    random: np.random.Generator, accuracy: float, hardness: np.ndarray, *, spread: float, n: int
) -> Answers:
    """Of five annotators who differ, about clusters that differ."""
    annotators = random.integers(0, 5, n)
    clusters = random.integers(0, len(hardness), n)
    effects = (spread * random.standard_normal(5))[annotators] + hardness[clusters]
    return Answers(random.random(n) < expit(logit(accuracy) + effects), annotators, clusters)


def test_the_interval_of_equal_vendors_holds_zero_in_nineteen_of_twenty() -> None:
    random = np.random.default_rng(0)
    held, naive = [], []
    for seed in range(150):
        hardness = random.standard_normal(40)
        sides = [answers(random, 0.9, hardness, spread=0.6, n=300) for _ in range(2)]
        found = difference(*sides, seed=seed)
        low, high = confint_proportions_2indep(
            *(int(x) for side in sides for x in (np.sum(side.right), 300)), method="newcomb"
        )
        held.append(found.low <= 0 <= found.high)
        naive.append(low <= 0 <= high)
    assert np.mean(held) >= 0.92
    assert np.mean(naive) < np.mean(held)


def test_independent_answers_have_about_the_interval_of_independent_answers() -> None:
    random = np.random.default_rng(1)
    sides = [
        Answers(random.random(2000) < 0.9, random.integers(0, 40, 2000), np.arange(2000))
        for _ in range(2)
    ]
    found = difference(*sides)
    counts = [int(np.sum(side.right)) for side in sides]
    low, high = confint_proportions_2indep(counts[0], 2000, counts[1], 2000, method="newcomb")
    assert found.high - found.low == pytest.approx(high - low, rel=0.25)


def test_shared_work_is_compared_pair_by_pair() -> None:
    """Clusters are right or wrong for both sides alike: they differ in nothing."""
    random = np.random.default_rng(2)
    right = np.repeat(random.random(100) < 0.7, 5)
    people, clusters = np.tile(np.arange(5), 100), np.repeat(np.arange(100), 5)
    shared = difference(Answers(right, people, clusters), Answers(right, people, clusters))
    apart = difference(Answers(right, people, clusters), Answers(right, people, clusters + 100))
    assert shared.standard_error < 0.7 * apart.standard_error


def test_all_right_is_not_taken_for_certainty() -> None:
    clean = Answers(np.ones(20), np.repeat([1, 2], 10), np.arange(20))
    found = difference(clean, clean)
    assert found.value == 0
    assert found.low < -0.1 < 0.1 < found.high
    assert not equivalence(found, 0.05).shown


def test_swapping_the_sides_turns_the_sign() -> None:
    random = np.random.default_rng(3)
    one, other = (answers(random, a, np.zeros(50), spread=0.3, n=400) for a in (0.95, 0.85))
    found, back = difference(one, other), difference(other, one)
    assert found.value == -back.value
    assert found.low == pytest.approx(-back.high, abs=0.02)


def test_equivalence_is_shown_by_many_answers_and_not_by_few() -> None:
    def found(n: int) -> bool:
        side = Answers(np.arange(n) % 20 > 0, np.arange(n) % 7, np.arange(n) // 3)
        return equivalence(difference(side, side), 0.03).shown

    assert found(4000)
    assert not found(100)


def test_equal_vendors_are_not_found_to_differ_however_many_there_are() -> None:
    random = np.random.default_rng(4)
    family = {
        place: difference(
            *(answers(random, 0.95, np.zeros(50), spread=0.0, n=200) for _ in range(2)), seed=place
        )
        for place in range(15)
    }
    bad = answers(random, 0.70, np.zeros(50), spread=0.0, n=200)
    good = answers(random, 0.95, np.zeros(50), spread=0.0, n=200)
    found = judged({**family, 15: difference(good, bad)})
    assert [place for place, each in found.items() if each.differs] == [15]
    assert all(each.p >= each.difference.p for each in found.values())
    strict = {place for place, each in found.items() if each.differs}
    lenient = judged({**family, 15: difference(good, bad)}, method="fdr_bh")
    assert strict <= {place for place, each in lenient.items() if each.differs}


def test_nothing_compared_is_nothing_found() -> None:
    assert judged({}) == {}


def test_a_side_without_answers_is_refused() -> None:
    some = Answers([1, 0], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="one answer or more"):
        difference(some, Answers([], [], []))
    with pytest.raises(ValueError, match="one of each for every answer"):
        difference(some, replace(some, clusters=[1]))
