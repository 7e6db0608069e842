"""HiLander learns on some classes how images cluster, and clusters others."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering
from sklearn.exceptions import NotFittedError

from clustering import HiLander, bcubed_f, pairwise_f

from .conftest import blobs


def by_threshold(features, threshold):
    """Average linkage, the usual way to cluster embeddings."""
    model = AgglomerativeClustering(
        n_clusters=None, distance_threshold=threshold, metric="cosine", linkage="average"
    )
    return model.fit_predict(features)


def test_unseen_classes_are_clustered_as_well_as_by_a_threshold_tuned_on_the_training_classes(
    lander, training_world, other_world
):
    features, labels = training_world
    tuned = max(np.arange(0.1, 1.0, 0.1), key=lambda t: bcubed_f(labels, by_threshold(features, t)))
    features, labels = other_world
    ours, theirs = lander.predict(features), by_threshold(features, tuned)
    assert bcubed_f(labels, ours) >= bcubed_f(labels, theirs) - 0.02
    assert pairwise_f(labels, ours) > 0.8


def test_every_image_is_in_one_cluster_and_clusters_are_numbered_from_zero(lander, other_world):
    clusters = lander.predict(other_world[0])
    assert clusters.dtype == np.int64
    assert clusters.shape == other_world[1].shape
    np.testing.assert_array_equal(np.unique(clusters), np.arange(clusters.max() + 1))


def test_every_cluster_has_a_peak_among_its_members_and_a_purity(lander, other_world):
    clusters = lander.predict(other_world[0])
    np.testing.assert_array_equal(clusters[lander.peaks_], np.arange(clusters.max() + 1))
    for cluster, purity in enumerate(lander.purity_):
        assert purity == pytest.approx(lander.membership_[clusters == cluster].mean())
    assert ((lander.membership_ >= 0) & (lander.membership_ <= 1)).all()


def test_every_level_only_joins_nodes_of_the_one_below(lander, other_world):
    clusters = lander.predict(other_world[0])
    levels = lander.levels_
    assert levels[0].n_nodes == len(clusters)
    np.testing.assert_array_equal(levels[-1].labels, clusters)
    for below, above in itertools.pairwise(levels):
        assert above.n_nodes == below.n_nodes - below.n_edges
        pairs = np.unique(np.stack([below.labels, above.labels]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_membership_is_an_honest_probability(lander, other_world):
    features, truth = other_world
    clusters = lander.predict(features)
    majority = np.array([np.bincount(truth[clusters == c]).argmax() for c in np.unique(clusters)])
    assert lander.membership_.mean() == pytest.approx((majority[clusters] == truth).mean(), abs=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_permuting_the_images_permutes_the_clusters(lander, other_world, seed):
    features = other_world[0]
    order = np.random.default_rng(seed).permutation(len(features))
    assert pairwise_f(lander.predict(features)[order], lander.predict(features[order])) == 1.0


def test_the_length_of_features_does_not_matter(lander, other_world):
    features = other_world[0]
    scaled = features * np.float32(4.0)
    np.testing.assert_array_equal(lander.predict(features), lander.predict(scaled))


def test_the_same_seed_gives_the_same_result_bit_for_bit(training_world, other_world):
    first, second = (HiLander(epochs=3, seed=7).fit(*training_world) for _ in range(2))
    np.testing.assert_array_equal(first.predict(other_world[0]), second.predict(other_world[0]))
    np.testing.assert_array_equal(first.membership_, second.membership_)
    assert first.losses_ == second.losses_


def test_a_saved_model_clusters_as_before(lander, other_world, tmp_path):
    lander.save(tmp_path / "model")
    loaded = HiLander.load(tmp_path / "model")
    np.testing.assert_array_equal(lander.predict(other_world[0]), loaded.predict(other_world[0]))
    np.testing.assert_array_equal(lander.membership_, loaded.membership_)
    assert loaded.get_params() == lander.get_params()


def test_the_same_model_is_saved_as_the_same_bytes(lander, tmp_path):
    for name in ("one", "two"):
        lander.save(tmp_path / name)
    files = [sorted((tmp_path / name).iterdir()) for name in ("one", "two")]
    assert [path.suffix for path in files[0]] == [".json", ".safetensors"]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_a_directory_without_a_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no HiLander"):
        HiLander.load(tmp_path)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 10, 11])
def test_any_number_of_images_can_be_clustered(lander, other_world, n):
    assert lander.predict(other_world[0][:n]).shape == (n,)
    assert lander.membership_.shape == (n,)


def test_points_that_coincide_are_one_cluster(lander):
    assert set(lander.predict(np.ones((8, 24)))) == {0}


def test_opposite_points_are_never_in_one_cluster(lander, other_world):
    features, labels = (column[:160] for column in other_world)
    clusters = lander.predict(np.concatenate([features, -features]))
    truth = np.concatenate([labels, labels + labels.max() + 1])
    assert (clusters[:160] != clusters[160:]).all()
    assert pairwise_f(truth, clusters) > 0.8


def test_a_given_threshold_is_followed_until_no_edge_is_added(lander, training_world, other_world):
    given = clone(lander).set_params(tau=0.5, epochs=2).fit(*training_world)
    given.predict(other_world[0])
    assert given.tau_ == 0.5
    assert given.levels_[-1].n_edges == 0


def test_a_threshold_that_no_edge_reaches_leaves_every_image_alone(lander, other_world):
    alone = clone(lander).set_params(tau=1.0, epochs=1).fit(*blobs(6, 8, noise=1.0, seed=3))
    assert alone.predict(other_world[0]).max() == len(other_world[0]) - 1
    assert (alone.purity_ == 1.0).all()


def test_groups_are_never_compared(training_world):
    features, labels = training_world
    groups = labels % 2
    turned = np.where(groups[:, None] == 0, features, features[:, ::-1])
    first = HiLander(epochs=2).fit(features, labels, groups)
    second = HiLander(epochs=2).fit(turned, labels, groups)
    np.testing.assert_allclose(first.losses_, second.losses_, rtol=1e-3)


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
        (lambda x, y: (x, y, y[:3]), "groups must be"),
    ],
)
def test_bad_training_input_is_refused_with_its_name(training_world, change, message):
    with pytest.raises(ValueError, match=message):
        HiLander().fit(*change(*training_world))


@pytest.mark.parametrize(
    "params", [{"n_neighbors": 0}, {"tau": 1.5}, {"epochs": 0}, {"held_out": 1.0}, {"seed": -1}]
)
def test_bad_parameters_are_refused_in_fit(training_world, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        HiLander(**params).fit(*training_world)


def test_features_of_another_width_are_refused(lander):
    with pytest.raises(ValueError, match="7 columns but fit saw 24"):
        lander.predict(np.ones((3, 7)))


def test_a_model_must_be_fitted_first(other_world):
    with pytest.raises(NotFittedError):
        HiLander().predict(other_world[0])
