"""What cannot be clustered or learnt from is refused, and the message names the argument."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError

from clustering import HiLander
from clustering.validation import check_features


def with_nan(features):
    features = features.copy()
    features[3, 1] = np.nan
    return features


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (with_nan(x), y), "features has NaN .* row 3"),
        (lambda x, y: (x, y[:-1]), "labels has shape"),
        (lambda x, y: (x, np.zeros_like(y)), "at least 2"),
        (lambda x, y: (x, y / 2), "labels must be integers"),
        (lambda x, y: (x[0], y), "features must be a matrix"),
        (lambda x, y: (x[:0], y[:0]), "at least 2"),
        (lambda x, y: (x[:, :0], y), r"features has 0 feature\(s\)"),
        (lambda x, y: (x * 1j, y), "features: Complex data not supported"),
        (lambda x, y: (csr_matrix(x), y), "features is a sparse matrix"),
    ],
)
def test_bad_training_input_is_refused_with_its_name(training_world, change, message):
    with pytest.raises(ValueError, match=message):
        HiLander().fit(*change(*training_world))


@pytest.mark.parametrize(
    "params",
    [
        {"n_neighbors": 0},
        {"n_neighbors": 2.5},
        {"tau": 1.5},
        {"tau": -0.1},
        {"hidden": 0},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"seed": -1},
        {"verbose": "very"},
    ],
)
def test_bad_parameters_are_refused_in_fit(training_world, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        HiLander(**params).fit(*training_world)


def test_features_of_another_width_are_refused(lander):
    with pytest.raises(ValueError, match="X has 7 features, but HiLander is expecting 24 features"):
        lander.predict(np.ones((3, 7)))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"must_link": [0, 1]}, "must_link must be 480 integers"),
        ({"cannot_link": [[0, 480]]}, r"cannot_link\[0\] is \[0, 480\]"),
        ({"must_link": np.zeros(480, int), "cannot_link": [[3, 4]]}, r"separates rows \[3, 4\]"),
    ],
)
def test_knowledge_that_cannot_be_is_refused(lander, other_world, known, message):
    with pytest.raises(ValueError, match=message):
        lander.predict(other_world[0], **known)


def test_a_model_must_be_fitted_first(other_world):
    with pytest.raises(NotFittedError):
        HiLander().predict(other_world[0])


def test_memory_mapped_rows_of_length_one_are_not_copied(other_world, tmp_path):
    np.save(tmp_path / "features.npy", other_world[0])
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    assert np.shares_memory(check_features(mapped), mapped)


@pytest.mark.parametrize("scale", [1e-12, 0.5, 1e25])
def test_features_of_any_length_are_brought_to_length_one(other_world, scale):
    features = other_world[0]
    np.testing.assert_allclose(check_features(features * np.float32(scale)), features, atol=1e-6)
