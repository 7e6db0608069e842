"""Components of variance: found again where they are known, and as REML finds them."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from workforce.statistics.variance import components

TRUE = {"annotator": 0.09, "cluster": 0.04, "vendor": 0.06, "locale": 0.02, "noise": 0.25}


def world(seed: int, n: int = 1500) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Annotators lie within vendors, clusters within locales; annotators cross clusters."""
    random = np.random.default_rng(seed)
    annotator, cluster = random.integers(0, 30, n), random.integers(0, 200, n)
    factors = {
        "annotator": annotator,
        "cluster": cluster,
        "vendor": annotator % 3,
        "locale": cluster % 5,
    }
    values = np.sqrt(TRUE["noise"]) * random.standard_normal(n)
    for name, level in factors.items():
        values += (np.sqrt(TRUE[name]) * random.standard_normal(200))[level]
    return values, factors


def test_known_components_lie_in_their_intervals() -> None:
    worlds = [components(*world(seed, 800), seed=seed) for seed in range(8)]
    held = [
        each[name].low <= true <= each[name].high for each in worlds for name, true in TRUE.items()
    ]
    assert np.mean(held) >= 0.85
    for name in ("annotator", "cluster", "noise"):
        mean = np.mean([each[name].variance for each in worlds])
        assert mean == pytest.approx(TRUE[name], rel=0.25), name


def test_shares_add_up_to_all() -> None:
    found = components(*world(0))
    assert sum(each.share for each in found.values()) == pytest.approx(1)
    assert all(each.low <= each.variance <= each.high for each in found.values())
    assert (found["vendor"].levels, found["annotator"].levels) == (3, 30)


def test_it_agrees_with_reml_where_that_can_be_had() -> None:
    random = np.random.default_rng(5)
    people, clusters = np.repeat(np.arange(12), 25), np.tile(np.arange(25), 12)
    values = (
        0.6 * random.standard_normal(12)[people]
        + 0.5 * random.standard_normal(25)[clusters]
        + 0.4 * random.standard_normal(300)
    )
    frame = pd.DataFrame({"y": values, "person": people, "cluster": clusters, "all": 1})
    reml = MixedLM.from_formula(
        "y ~ 1",
        groups="all",
        vc_formula={"cluster": "0 + C(cluster)", "person": "0 + C(person)"},
        data=frame,
    ).fit()
    found = components(values, {"cluster": clusters, "person": people})
    assert [found[name].variance for name in ("cluster", "person")] == pytest.approx(
        reml.vcomp, rel=0.01
    )
    assert found["noise"].variance == pytest.approx(reml.scale, rel=0.01)


def test_neither_scale_nor_names_matter() -> None:
    values, factors = world(1, 400)
    found = components(values, factors)
    renamed = {name: [f"no. {each}" for each in level] for name, level in factors.items()}
    for name, again in components(10 * values + 3, renamed).items():
        assert again.variance == pytest.approx(100 * found[name].variance)


def test_answers_that_are_all_right_vary_in_nothing() -> None:
    found = components(np.ones(10), {"annotator": np.arange(10) % 3})
    assert [each.variance for each in found.values()] == [0, 0]


def test_what_cannot_be_told_apart_says_so() -> None:
    with pytest.raises(ValueError, match="leave one out"):
        components(np.arange(6.0), {"vendor": [0, 0, 0, 1, 1, 1], "locale": [1, 1, 1, 0, 0, 0]})
    with pytest.raises(ValueError, match="two or more"):
        components([1.0], {"vendor": [0]})
    with pytest.raises(ValueError, match="one of each"):
        components([1.0, 0.0], {"vendor": [0]})
