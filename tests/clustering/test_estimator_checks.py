"""scikit-learn's own checks of an estimator, and why some cannot hold for these."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from clustering import HiLander, Lander

OF_BOTH = {
    "check_fit_score_takes_y": "the second argument of fit is called what it is: labels",
    "check_clustering": "learns from labels: features alone cannot be fitted",
    "check_dict_unchanged": "predict clusters all images at once and keeps what it found",
}
OF_LANDER = {
    "check_methods_sample_order_invariance": "clusters are numbered in the order of their images",
    "check_methods_subset_invariance": "an image is clustered with those beside it, not alone",
}


def cannot_hold(estimator: Any) -> dict[str, str]:
    return OF_BOTH | OF_LANDER if isinstance(estimator, Lander) else OF_BOTH


@parametrize_with_checks(
    [HiLander(epochs=2), Lander(epochs=2, hidden=8, graphs=((5, 1),))],
    expected_failed_checks=cannot_hold,
)
def test_scikit_learn_finds_what_it_expects(estimator, check):
    check(estimator)
