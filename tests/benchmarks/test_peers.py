"""Peers are fitted on training classes only, never mix encoders, and find what is plain to see."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.peers import all_peers
from benchmarks.peers.confidence import candidates
from benchmarks.peers.convolution import graph_of
from benchmarks.peers.counted import Counted, TrulyCounted, k_means
from benchmarks.peers.dendrogram import agglomerative
from benchmarks.peers.intimacy import intimacy
from benchmarks.peers.map_equation import infomap
from benchmarks.peers.neighbours import cosine_distances, nearest
from benchmarks.peers.official import lander_as_published
from benchmarks.peers.rank_order import rank_order, rank_order_distances
from benchmarks.peers.tuning import Labels, Trained, Tuned, halves, noise_alone
from clustering import bcubed_f
from tests.clustering.conftest import blobs

PEERS = all_peers(None)
TRAINING = blobs(12, 15, noise=0.35, seed=1)
OTHERS = blobs(8, 15, noise=0.35, seed=2)


@cache
def clusters_of_others(name: str) -> Labels:
    [peer] = [peer for peer in PEERS if peer.name == name]
    return peer.fit(*TRAINING).predict(OTHERS[0], n_classes=8)


def named(kind: str) -> list[str]:
    return [peer.name for peer in PEERS if peer.kind == kind]


@pytest.mark.parametrize("name", named("unsupervised"))
def test_a_method_without_a_network_separates_new_classes_that_lie_far_apart(name):
    assert bcubed_f(OTHERS[1], clusters_of_others(name)) > 0.85


@pytest.mark.parametrize("name", named("gnn"))
def test_a_network_says_more_of_new_classes_than_the_trivial_partitions_do(name):
    truth = OTHERS[1]
    trivial = max(bcubed_f(truth, truth * 0), bcubed_f(truth, np.arange(len(truth))))
    assert bcubed_f(truth, clusters_of_others(name)) > 2 * trivial


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_gives_every_image_the_same_cluster_when_fitted_again(peer):
    first = clusters_of_others(peer.name)
    again = peer.fit(*TRAINING).predict(OTHERS[0], n_classes=8)
    assert first.dtype == np.int64
    assert first.shape == OTHERS[1].shape
    np.testing.assert_array_equal(first, again)


def test_peers_have_names_of_their_own():
    assert len({peer.name for peer in PEERS}) == len(PEERS)


def test_the_setting_that_agrees_best_with_the_training_classes_is_kept():
    labels = np.array([0, 0, 1, 1])
    partitions = {"all": labels * 0, "right": labels + 5, "alone": np.arange(4)}
    peer = Tuned("table", list(partitions), lambda _, chosen: (partitions[name] for name in chosen))
    peer.fit(np.zeros((4, 2), dtype=np.float32), labels)
    assert peer.setting_ == "right"
    np.testing.assert_array_equal(peer.predict(np.zeros((4, 2))), labels + 5)


@pytest.mark.parametrize("peer", [agglomerative("average"), rank_order()], ids=lambda p: p.name)
def test_a_setting_does_not_depend_on_how_the_encoders_of_two_groups_lie_to_each_other(peer):
    features, labels = blobs(12, 10, noise=0.8, seed=3)
    groups = labels % 2
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(features.shape[1],) * 2))
    turned = np.where(groups[:, None] == 1, features @ turn, features).astype(np.float32)
    before = peer.fit(features, labels, groups).setting_
    assert peer.fit(turned, labels, groups).setting_ == before


def test_a_network_is_tried_only_on_classes_that_did_not_train_it():
    features, labels = TRAINING
    seen = []

    def train(features, labels, groups):
        seen.append(set(labels))
        return seen[-1]

    def sweep(model, features, settings):
        row_of = {row.tobytes(): label for row, label in zip(*TRAINING, strict=True)}
        held = {row_of[row.tobytes()] for row in features}
        assert held.isdisjoint(model)
        return [np.zeros(len(features), dtype=np.int64) for _ in settings]

    Trained("probe", [0.5], train, sweep).fit(features, labels)
    assert seen[0] | seen[1] == seen[2] == set(labels)


def test_a_network_is_told_which_encoder_made_which_features():
    features, labels = TRAINING
    told = []

    def train(features, labels, groups):
        told.append(set(groups))

    def sweep(model, features, settings):
        return [np.zeros(len(features), dtype=np.int64) for _ in settings]

    Trained("probe", [0.5], train, sweep).fit(features, labels, labels % 3)
    assert told == [{1, 2}, {0, 2}, {0, 1}, {0, 1, 2}]


@given(st.integers(2, 40), st.integers(0, 5))
def test_halves_divide_classes_and_not_images(n_classes, seed):
    labels = np.repeat(np.arange(n_classes), 3)
    side = halves(labels, seed)
    assert all(len(set(side[labels == name])) == 1 for name in range(n_classes))
    assert abs((side == 0).sum() - (side == 1).sum()) <= 3


def test_the_estimated_number_of_clusters_follows_from_the_images_of_a_training_class():
    peer = Counted("k-means", k_means).fit(*TRAINING)
    assert len(np.unique(peer.predict(OTHERS[0]))) == len(OTHERS[0]) / 15


def test_a_peer_that_must_know_the_number_of_classes_says_so():
    peer = TrulyCounted("k-means (true k)", k_means).fit(*TRAINING)
    with pytest.raises(ValueError, match=r"k-means \(true k\) needs n_classes"):
        peer.predict(OTHERS[0])


@given(arrays(np.int64, st.integers(0, 30), elements=st.integers(-1, 4)))
def test_noise_becomes_clusters_of_one_image(clusters):
    found = noise_alone(clusters)
    assert all((found == found[i]).sum() == 1 for i in np.flatnonzero(clusters < 0))
    np.testing.assert_array_equal(found[clusters >= 0], clusters[clusters >= 0])


@given(st.integers(2, 30), st.integers(1, 12), st.integers(0, 100))
def test_neighbours_are_the_others_with_the_greatest_cosines(n, k, seed):
    features, _ = blobs(n, 1, noise=1.0, seed=seed)
    found = nearest(features, k)
    assert found.indices.shape == (n, min(k, n - 1))
    for i in range(n):
        others = np.delete(features @ features[i], i)
        assert i not in found.indices[i]
        np.testing.assert_allclose(
            found.cosines[i], np.sort(others)[::-1][: found.cosines.shape[1]], atol=1e-5
        )


def test_cosine_distances_are_those_of_the_definition():
    features, _ = blobs(6, 2, noise=1.0, seed=0)
    expected = [[1 - float(a @ b) for b in features] for a in features]
    np.testing.assert_allclose(cosine_distances(features), expected, atol=1e-6)


@given(st.integers(3, 20), st.integers(1, 8), st.integers(0, 100))
def test_rank_order_distances_are_those_of_the_equations(n, k, seed):
    features, _ = blobs(n, 1, noise=1.0, seed=seed)
    lists = nearest(features, k).indices
    k = lists.shape[1]
    ordered = [[a, *lists[a]] for a in range(n)]

    def rank(a, b):
        return ordered[a].index(b) if b in ordered[a] else k

    def one_way(a, b):
        return sum(ordered[a][i] not in ordered[b] for i in range(rank(a, b) + 1))

    expected = [
        [(one_way(a, b) + one_way(b, a)) / min(rank(a, b), rank(b, a)) for b in lists[a]]
        for a in range(n)
    ]
    np.testing.assert_allclose(rank_order_distances(lists), expected)


def test_an_image_without_an_edge_is_a_module_of_its_own():
    features = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 1, 2]]
    [found] = infomap().sweep(features, [(2, 0.5)])
    assert [len(set(found[:3])), len(set(found[3:6])), len(set(found))] == [1, 1, 3]


def test_candidates_are_the_nearest_neighbours_of_higher_confidence():
    features, _ = blobs(10, 4, noise=1.0, seed=4)
    graph = graph_of(features, 12)
    confidence = torch.from_numpy(np.random.default_rng(0).random(len(features)))
    chosen = candidates(graph, confidence)
    for i in range(len(features)):
        higher = [j for j in graph.indices[i].tolist() if confidence[j] > confidence[i]]
        assert chosen.indices[i][chosen.present[i]].tolist() == higher[:10]


@given(st.integers(2, 12), st.floats(0, 1), st.integers(0, 100))
def test_intimacy_is_the_share_of_common_neighbours(n, share, seed):
    features, _ = blobs(n, 1, noise=1.0, seed=seed)
    indices = nearest(features, 4).indices
    kept = np.random.default_rng(seed).random(indices.shape) < share
    around = [{i} for i in range(n)]
    for i, place in np.argwhere(kept):
        around[i].add(int(indices[i, place]))
        around[indices[i, place]].add(int(i))
    expected = np.zeros((n, n))
    for i in range(n):
        for j in around[i]:
            expected[i, j] = len(around[i] & around[j]) / min(len(around[i]), len(around[j]))
    np.testing.assert_allclose(intimacy(indices, kept).toarray(), expected)


def test_images_of_different_groups_are_not_neighbours():
    features, labels = blobs(10, 6, noise=1.0, seed=5)
    groups = labels % 2
    graph = graph_of(features, 8, groups)
    np.testing.assert_array_equal(groups[graph.indices], np.repeat(groups[:, None], 8, axis=1))


def test_a_folder_without_the_official_scripts_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"checkout of github\.com/dmlc/dgl"):
        lander_as_published(tmp_path)


TRAIN_SCRIPT = """
import argparse, pickle
import torch
from dataset import LanderDataset
from utils import Timer, evaluation
parser = argparse.ArgumentParser()
parser.add_argument("--data_path"), parser.add_argument("--model_filename")
arguments, _ = parser.parse_known_args()
with open(arguments.data_path, "rb") as file:
    features, labels = pickle.load(file)
graphs = LanderDataset(features=features, labels=labels, k=3, levels=1).gs
torch.save({"sizes": torch.tensor(graphs)}, arguments.model_filename)
"""
TEST_SCRIPT = """
import argparse, pickle
import numpy as np
import torch
from dataset import LanderDataset
from utils import evaluation
parser = argparse.ArgumentParser()
for name in ("--data_path", "--model_filename"):
    parser.add_argument(name)
parser.add_argument("--tau", type=float)
arguments, _ = parser.parse_known_args()
with open(arguments.data_path, "rb") as file:
    features, labels = pickle.load(file)
LanderDataset(features=features, labels=labels, k=3, levels=1)
global_pred_labels = (np.arange(len(features)) >= arguments.tau * 10).astype(np.long)
least = np.Inf
LanderDataset(features=features[:3], labels=labels[:3], k=3, levels=1)
global_pred_labels = None
"""
DATASET = """
from utils import build_knns
class LanderDataset:
    def __init__(self, features, labels, k, levels):
        assert max(max(far) for _, far in build_knns(features, k)) <= 1
        self.gs, self.nbrs = [len(features)], []
"""
SEARCH = """
import numpy as np
from utils import Timer
def build_knns(features, k):
    return [(np.arange(k), np.full(k, 1.5))]
"""
EVALUATE = """
from clustering_benchmark import ClusteringBenchmark
from utils import TextColors, Timer
def evaluation(*_):
    ClusteringBenchmark({})
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that is laid out as the official code, and stumbles over the same things."""
    files = {
        "train_subg.py": TRAIN_SCRIPT,
        "test_subg.py": TEST_SCRIPT,
        "dataset/__init__.py": "from .dataset import LanderDataset",
        "dataset/dataset.py": DATASET,
        "utils/__init__.py": "from .evaluate import *\nfrom .knn import *\nfrom .misc import *",
        "utils/evaluate.py": EVALUATE,
        "utils/knn.py": SEARCH,
        "utils/misc.py": "class Timer: pass\nclass TextColors: pass",
    }
    for name, text in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "checkout"


def test_scripts_of_the_official_layout_run_unchanged_for_every_tau(checkout):
    peer, _ = lander_as_published(checkout)
    features, labels = TRAINING
    model = peer.train(features, labels, labels % 2)
    found = peer.sweep(model, features[:12], [0.3, 0.8])
    for tau, clusters in zip([0.3, 0.8], found, strict=True):
        np.testing.assert_array_equal(clusters, np.arange(12) >= tau * 10)


def test_every_group_of_training_images_has_its_own_graph(checkout, tmp_path):
    peer, _ = lander_as_published(checkout)
    features, labels = TRAINING
    groups = (labels > 3).astype(np.int64)
    saved = tmp_path / "model"
    saved.write_bytes(peer.train(features, labels, groups))
    sizes = torch.load(saved, weights_only=True)["sizes"]
    assert sizes.tolist() == np.bincount(groups).tolist()


def test_a_failing_script_is_reported_with_its_last_words(checkout):
    (checkout / "train_subg.py").write_text("raise ValueError('no such layer')")
    peer, _ = lander_as_published(checkout)
    with pytest.raises(RuntimeError, match="no such layer"):
        peer.fit(*TRAINING)
