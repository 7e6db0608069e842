"""HiLander learns on some classes how images cluster, and clusters others."""

from __future__ import annotations

import pickle
from copy import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering

import clustering.lander
from clustering import HiLander, bcubed_f, pairwise_f
from clustering.communities import find_communities
from clustering.lander import TAUS

from .conftest import blobs


def by_threshold(features, threshold):
    """Average linkage, the usual way to cluster embeddings."""
    model = AgglomerativeClustering(
        n_clusters=None, distance_threshold=threshold, metric="cosine", linkage="average"
    )
    return model.fit_predict(features)


def fitted_as(lander, **params):
    """The same model with other parameters."""
    return copy(lander).set_params(**params)


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
        density = np.where(clusters == cluster, lander.linkage_.density(), -1.0)
        assert density[lander.peaks_[cluster]] == density.max()
    assert ((lander.membership_ >= 0) & (lander.membership_ <= 1)).all()


def test_membership_is_an_honest_probability(lander, other_world):
    features, truth = other_world
    clusters = lander.predict(features)
    majority = np.array([np.bincount(truth[clusters == c]).argmax() for c in np.unique(clusters)])
    assert lander.membership_.mean() == pytest.approx((majority[clusters] == truth).mean(), abs=0.1)


worlds = st.builds(
    blobs, st.integers(2, 12), st.integers(14, 20), noise=st.just(0.3), seed=st.integers(0, 999)
)


@settings(max_examples=15)
@given(worlds, st.integers(0, 99))
def test_permuting_the_images_permutes_the_clusters_where_these_are_clear(lander, world, seed):
    features = world[0]
    order = np.random.default_rng(seed).permutation(len(features))
    assert pairwise_f(lander.predict(features)[order], lander.predict(features[order])) == 1.0


@settings(max_examples=15)
@given(worlds)
def test_a_far_away_point_changes_nothing_else_where_clusters_are_clear(lander, world):
    features = world[0]
    far = np.linalg.lstsq(features, -np.ones(len(features)))[0]
    clusters = lander.predict(np.concatenate([features, [far / np.linalg.norm(far)]]))
    assert pairwise_f(lander.predict(features), clusters[:-1]) == 1.0
    assert (clusters == clusters[-1]).sum() == 1


def test_permuting_images_that_are_hard_to_tell_apart_changes_little(lander, other_world):
    features = other_world[0]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(features))
        assert pairwise_f(lander.predict(features)[order], lander.predict(features[order])) > 0.98


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


def test_a_model_that_was_unpickled_clusters_as_before(lander, other_world):
    again = pickle.loads(pickle.dumps(lander))
    np.testing.assert_array_equal(lander.predict(other_world[0]), again.predict(other_world[0]))


def test_memory_mapped_features_are_clustered_as_those_in_memory(
    lander, training_world, other_world, tmp_path
):
    mapped = []
    for name, features in (("known", training_world[0]), ("new", other_world[0])):
        np.save(tmp_path / f"{name}.npy", features)
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    again = HiLander(epochs=3).fit(mapped[0], training_world[1])
    plain = HiLander(epochs=3).fit(*training_world)
    assert again.losses_ == plain.losses_
    np.testing.assert_array_equal(again.predict(mapped[1]), plain.predict(other_world[0]))
    np.testing.assert_array_equal(again.membership_, plain.membership_)


def test_training_tells_how_far_it_is_and_lowers_the_loss(training_world):
    told = []
    fitted = HiLander(epochs=4).fit(*training_world, on_epoch=lambda *heard: told.append(heard))
    assert told == list(enumerate(fitted.losses_, start=1))
    assert fitted.losses_[-1] < fitted.losses_[0]


def test_training_leaves_the_global_random_state_alone(training_world):
    before = torch.get_rng_state()
    HiLander(epochs=1).fit(*training_world)
    assert torch.equal(torch.get_rng_state(), before)


def test_bars_show_how_far_training_and_clustering_are(training_world, other_world, capsys):
    talking = HiLander(epochs=2, verbose=True).fit(*training_world)
    bars = capsys.readouterr().err
    assert all(bar in bars for bar in ("neighbours: 100%", "training: 100%"))
    talking.predict(other_world[0])
    bars = capsys.readouterr().err
    assert all(bar in bars for bar in ("neighbours: 100%", "linkage: 100%"))


def test_nothing_is_shown_unless_it_is_asked_for(training_world, other_world, capsys):
    HiLander(epochs=2).fit(*training_world).predict(other_world[0])
    assert capsys.readouterr() == ("", "")


def test_the_same_model_is_saved_as_the_same_bytes(lander, tmp_path):
    for name in ("one", "two"):
        lander.save(tmp_path / name)
    files = [sorted((tmp_path / name).iterdir()) for name in ("one", "two")]
    assert [path.suffix for path in files[0]] == [".json", ".safetensors"]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_a_directory_without_a_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no HiLander"):
        HiLander.load(tmp_path)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 30, 31, 60, 61, 62])
def test_any_number_of_images_can_be_clustered(lander, other_world, n):
    assert lander.predict(other_world[0][:n]).shape == (n,)
    assert lander.membership_.shape == (n,)
    assert len(lander.peaks_) == len(lander.purity_) == lander.labels_.max(initial=-1) + 1


def test_points_that_coincide_are_one_cluster(lander):
    for n in (2, 8, 100, 500):
        assert set(lander.predict(np.ones((n, 24)))) == {0}


def test_copies_of_an_image_are_clustered_with_it(lander, other_world):
    features, labels = other_world
    plain = lander.predict(features)
    for n_copies in (5, 200):
        clusters = lander.predict(np.concatenate([features, np.repeat(features[:1], n_copies, 0)]))
        assert set(clusters[len(labels) :]) == {clusters[0]}
        assert pairwise_f(plain, clusters[: len(labels)]) > 0.98


def test_an_image_without_features_stays_alone(lander, other_world):
    clusters = lander.predict(np.concatenate([other_world[0], np.zeros((2, 24))]))
    assert clusters[-2:].tolist() == [clusters.max() - 1, clusters.max()]
    assert (lander.membership_[-2:] == 1.0).all()


def test_opposite_points_are_never_in_one_cluster(lander, other_world):
    features, labels = (column[:160] for column in other_world)
    clusters = lander.predict(np.concatenate([features, -features]))
    truth = np.concatenate([labels, labels + labels.max() + 1])
    assert (clusters[:160] != clusters[160:]).all()
    assert pairwise_f(truth, clusters) > 0.8


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_model_can_be_learnt_from_very_few_images(training_world, other_world, n):
    few = np.array([0, 20, 1, 21])[:n]
    fitted = HiLander(epochs=1).fit(training_world[0][few], training_world[1][few])
    assert fitted.predict(other_world[0]).shape == (len(other_world[0]),)


def test_sixteen_labelled_images_teach_enough_for_clear_classes():
    agreement = []
    for seed in range(4):
        fitted = HiLander(seed=seed).fit(*blobs(4, 4, noise=0.8, seed=seed))
        features, labels = blobs(10, 6, noise=0.5, seed=100 + seed)
        agreement.append(pairwise_f(labels, fitted.predict(features)))
    assert np.mean(agreement) > 0.8


def test_a_given_threshold_is_followed(lander, other_world):
    given = fitted_as(lander, tau=0.5)
    clusters = given.predict(other_world[0])
    assert given.tau_ == 0.5
    np.testing.assert_array_equal(
        clusters, find_communities(given.linkage_.links(0.5), seed=given.seed)
    )


def test_the_threshold_with_the_best_expected_f_is_chosen(lander, other_world):
    expected = {}
    for tau in TAUS:
        given = fitted_as(lander, tau=tau)
        clusters = given.predict(other_world[0])
        expected[tau] = given.linkage_.expected_f(clusters)
    clusters = lander.predict(other_world[0])
    assert lander.tau_ == max(TAUS, key=expected.__getitem__)
    assert lander.linkage_.expected_f(clusters) == max(expected.values())


def test_the_threshold_of_a_large_set_is_chosen_on_some_of_it(lander, monkeypatch):
    features, _ = blobs(60, 16, noise=0.8, seed=5)
    on_all = fitted_as(lander, tau=None)
    on_all.predict(features)
    monkeypatch.setattr(clustering.lander, "CHOOSING", 600)
    on_some = fitted_as(lander, tau=None)
    clusters = on_some.predict(features)
    assert on_some.tau_ == on_all.tau_
    np.testing.assert_array_equal(clusters, on_all.labels_)


def test_images_that_must_be_linked_end_in_one_cluster(lander, other_world):
    features, labels = other_world
    known = np.where(np.random.default_rng(0).random(len(labels)) < 0.2, labels // 2, -1)
    clusters = lander.predict(features, must_link=known)
    for group in range(15):
        assert len(np.unique(clusters[known == group])) == 1
    np.testing.assert_array_equal(np.unique(clusters), np.arange(clusters.max() + 1))


def test_knowing_what_belongs_together_does_not_harm(lander, other_world):
    features, labels = other_world
    known = np.where(np.random.default_rng(0).random(len(labels)) < 0.3, labels, -1)
    plain = pairwise_f(labels, lander.predict(features))
    assert pairwise_f(labels, lander.predict(features, must_link=known)) >= plain - 0.01


def test_images_that_cannot_be_linked_never_end_in_one_cluster(lander, other_world):
    features = other_world[0]
    plain = lander.predict(features)
    random = np.random.default_rng(0)
    pairs = random.integers(0, len(plain), size=(3000, 2))
    pairs = pairs[(plain[pairs[:, 0]] == plain[pairs[:, 1]]) & (pairs[:, 0] != pairs[:, 1])][:20]
    clusters = lander.predict(features, cannot_link=pairs)
    assert len(pairs) == 20
    assert (clusters[pairs[:, 0]] != clusters[pairs[:, 1]]).all()


def test_even_points_that_coincide_can_be_kept_apart(lander):
    clusters = lander.predict(np.ones((20, 24)), cannot_link=[[3, 8]])
    assert clusters[3] != clusters[8]


def test_groups_that_must_be_linked_can_be_kept_apart_by_one_pair(lander, other_world):
    features, labels = other_world
    known = np.where(labels == 0, np.arange(len(labels)) % 2, -1)
    zeros, ones = np.flatnonzero(known == 0), np.flatnonzero(known == 1)
    clusters = lander.predict(features, must_link=known, cannot_link=[[zeros[0], ones[0]]])
    assert len(set(clusters[zeros])) == len(set(clusters[ones])) == 1
    assert clusters[zeros[0]] != clusters[ones[0]]


def test_a_threshold_that_no_edge_reaches_leaves_every_image_alone(lander, other_world):
    alone = clone(lander).set_params(tau=1.0, epochs=1).fit(*blobs(6, 8, noise=1.0, seed=3))
    assert alone.predict(other_world[0]).max() == len(other_world[0]) - 1
    assert (alone.purity_ == 1.0).all()


@pytest.mark.parametrize("shape", [(40, 6), (100, 6), (20, 40)])
def test_classes_of_another_size_than_in_training_are_clustered_as_well(shape):
    trained = HiLander().fit(*blobs(30, 16, noise=0.3, seed=1))
    features, truth = blobs(*shape, noise=0.3, seed=2)
    assert pairwise_f(truth, trained.predict(features)) > 0.95
