"""Curves and operating points: as scikit-learn draws them, with intervals of clusters."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from workforce.statistics.operating import Costs, curves, operating_point


def scored(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    right = random.random(n) < 0.8
    return np.round(random.normal(right, 0.7), 1), right


def test_the_areas_are_those_of_scikit_learn() -> None:
    scores, right = scored(500)
    found = curves(scores, right)
    assert found.area.value == pytest.approx(roc_auc_score(right, scores))
    assert found.average_precision.value == pytest.approx(average_precision_score(right, scores))
    assert found.area.low < found.area.value < found.area.high


def test_questions_that_err_together_make_intervals_wider() -> None:
    scores, right = (np.repeat(each, 10) for each in scored(60))
    alone = curves(scores, right).area
    together = curves(scores, right, np.repeat(np.arange(60), 10)).area
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_of_more_scores_than_are_tried_the_area_hardly_changes() -> None:
    random = np.random.default_rng(1)
    right = random.random(5000) < 0.8
    scores = random.normal(right, 0.7)
    found = curves(scores, right)
    assert len(found.thresholds) == 1001
    assert found.area.value == pytest.approx(roc_auc_score(right, scores), abs=1e-3)


def test_the_operating_point_is_the_cheapest_of_all() -> None:
    scores, right = scored(400)
    costs = Costs(wrong_acceptance=20, unneeded_question=1)
    found = operating_point(scores, right, costs)

    def cost(threshold: float) -> float:
        accepted = scores >= threshold
        return float((20 * (accepted & ~right) + (~accepted & right)).mean())

    assert found.cost.value == pytest.approx(cost(found.threshold))
    assert found.cost.value == pytest.approx(min(map(cost, [*scores, np.inf])))


def test_dear_mistakes_accept_nothing_and_dear_questions_all() -> None:
    scores, right = np.array([0.1, 0.5, 0.9]), np.array([True, True, False])
    assert operating_point(scores, right, Costs(1000, 1)).threshold == np.inf
    assert operating_point(scores, right, Costs(0.001, 1)).threshold == 0.1


def test_without_anything_wrong_no_threshold_is_chosen() -> None:
    with pytest.raises(ValueError, match="some that were not"):
        curves([0.1, 0.9], [True, True])
