"""LANDER as published: its layers are the graph library's, its estimator clusters other classes."""

from __future__ import annotations

import dgl.function as fn
import numpy as np
import pytest
import torch
from dgl.nn import GATConv
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from clustering import pairwise_f
from clustering.convolution import GraphAttention, GraphConvolution, PublishedNetwork
from clustering.graph import edge_ends
from clustering.published import Lander, find_peers, joint_loss, link_nodes, read_truth
from clustering.supernodes import SuperNodes

from .conftest import World, blobs


def graph_of(n: int, k: int, seed: int):
    """A graph of random nodes, and other random numbers to convolve over it."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    nodes = SuperNodes.of_images(rows)
    values = torch.from_numpy(random.normal(size=(n, 5)).astype(np.float32))
    return link_nodes(find_peers(nodes, k)), values.requires_grad_()


def assert_same_with_gradients(ours, plain, inputs):
    torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)
    weights = torch.linspace(-1, 1, ours.numel()).view_as(ours)
    ours_back = torch.autograd.grad((ours * weights).sum(), inputs)
    plain_back = torch.autograd.grad((plain * weights).sum(), inputs)
    for one, other in zip(ours_back, plain_back, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


sizes, widths, seeds = st.integers(2, 25), st.integers(2, 8), st.integers(0, 99)


@settings(max_examples=30)
@given(sizes, widths, seeds)
def test_a_graph_convolution_is_the_graph_librarys_weighted_sum_beside_the_node(n, k, seed):
    graph, values = graph_of(n, k, seed)
    torch.manual_seed(seed)
    layer = GraphConvolution(5, 7)
    ours = layer(graph, layer.prepare(graph, values))
    with graph.local_scope():
        graph.ndata["h"] = values
        graph.update_all(fn.u_mul_e("h", "share", "m"), fn.sum("m", "s"))
        plain = torch.relu(layer.linear(torch.cat([values, graph.ndata["s"]], dim=1)))
    assert_same_with_gradients(ours, plain, [values, *layer.parameters()])


@settings(max_examples=30)
@given(sizes, widths, seeds, st.integers(1, 3))
def test_attention_is_the_graph_librarys(n, k, seed, heads):
    graph, values = graph_of(n, k, seed)
    torch.manual_seed(seed)
    ours = GraphAttention(5, 7, heads)
    theirs = GATConv(5, 7, heads, allow_zero_in_degree=True)
    theirs.fc.weight.data = ours.project.data.view(heads * 7, 5)
    theirs.attn_l.data, theirs.attn_r.data = ours.source.data[None], ours.target.data[None]
    torch.nn.init.normal_(ours.bias)
    theirs.bias.data = ours.bias.data.repeat(heads)

    out = ours(graph, ours.prepare(graph, values))
    plain = torch.relu(theirs(graph, values).mean(dim=1))
    torch.testing.assert_close(out, plain, atol=1e-5, rtol=1e-4)
    scale = torch.linspace(-1, 1, out.numel()).view_as(out)
    by_ours = torch.autograd.grad((out * scale).sum(), [values, ours.project])
    by_theirs = torch.autograd.grad((plain * scale).sum(), [values, theirs.fc.weight])
    torch.testing.assert_close(by_ours[0], by_theirs[0], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(by_ours[1].view(-1, 5), by_theirs[1], atol=1e-4, rtol=1e-3)


@settings(max_examples=20)
@given(sizes, widths, seeds, st.sampled_from(["graph", "attention"]), st.integers(1, 4))
def test_the_order_of_the_nodes_does_not_matter_to_the_network(n, k, seed, kind, n_convolutions):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    order = random.permutation(n)
    torch.manual_seed(seed)
    network = PublishedNetwork(6, 8, n_convolutions, convolution=kind, heads=2)

    def odds_by_ends(features, names):
        nodes = SuperNodes.of_images(features)
        graph = link_nodes(find_peers(nodes, k))
        odds = network(graph, network.prepare(graph, torch.from_numpy(features)))
        ends = (names[end.numpy()].tolist() for end in edge_ends(graph))
        return dict(zip(zip(*ends, strict=True), odds.tolist(), strict=True))

    as_it_is = odds_by_ends(rows, np.arange(n))
    assert odds_by_ends(rows[order], order) == pytest.approx(as_it_is, abs=1e-4)


def test_neighbours_with_a_negative_cosine_are_not_linked():
    rows = np.array([[1, 0], [0.8, 0.6], [-1, 0], [-0.8, -0.6]], dtype=np.float32)
    nodes = SuperNodes.of_images(rows)
    graph = link_nodes(find_peers(nodes, 4))
    j, i = edge_ends(graph)
    assert set(zip(j.tolist(), i.tolist(), strict=True)) == {(1, 0), (0, 1), (3, 2), (2, 3)}


def test_the_balanced_loss_is_the_mean_over_what_the_official_code_draws():
    features, labels = blobs(4, 6, noise=0.9, seed=5)
    nodes = SuperNodes.of_images(features)
    graph = link_nodes(find_peers(nodes, 8))
    level = read_truth(graph, torch.zeros(24, 1), labels)
    logits = torch.randn(graph.num_edges(), generator=torch.Generator().manual_seed(0))
    errors = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, level.same, reduction="none"
    )
    linked = errors[level.denser & (level.same == 1)]
    apart = errors[level.denser & (level.same == 0)]
    density_loss = joint_loss(logits, level, torch.zeros_like(logits), focusing=0.0)
    whole = joint_loss(logits, level, level.edge_weights(balanced=True), focusing=0.0)
    assert len(linked) != len(apart)
    torch.testing.assert_close(whole - density_loss, (linked.mean() + apart.mean()) / 2)


def test_focusing_weighs_an_edge_by_how_wrong_it_is():
    features, labels = blobs(4, 6, noise=0.9, seed=5)
    nodes = SuperNodes.of_images(features)
    graph = link_nodes(find_peers(nodes, 8))
    level = read_truth(graph, torch.zeros(24, 1), labels)
    logits = torch.randn(graph.num_edges(), generator=torch.Generator().manual_seed(0))
    edges = level.edge_weights(balanced=False)
    truth = torch.where(level.same == 1, torch.sigmoid(logits), torch.sigmoid(-logits))
    expected = -(edges * (1 - truth) ** 2 * truth.log()).sum()
    density_loss = joint_loss(logits, level, torch.zeros_like(logits), focusing=2.0)
    torch.testing.assert_close(
        joint_loss(logits, level, edges, focusing=2.0) - density_loss, expected
    )


@pytest.fixture(scope="module", params=["graph", "attention"])
def published(request, training_world: World) -> Lander:
    """A small one, trained faster than the paper's."""
    return Lander(
        6,
        tau=0.8,
        convolution=request.param,
        cluster_features=request.param == "graph",
        hidden=32,
        graphs=((6, 2),),
        epochs=150,
        learning_rate=0.1,
    ).fit(*training_world)


def test_training_lowers_the_loss(published):
    assert published.losses_[-1] < published.losses_[0] / 2


def test_classes_that_were_learnt_are_told_apart(published, training_world):
    features, labels = training_world
    together = pairwise_f(labels, np.zeros_like(labels))
    assert pairwise_f(labels, published.predict(features)) > 5 * together


def test_a_step_too_long_is_an_error_and_no_model(training_world):
    with pytest.raises(FloatingPointError, match="lower learning_rate than"):
        Lander(hidden=32, learning_rate=1e6).fit(*training_world)


def test_every_image_is_in_one_cluster_that_its_peak_stands_for(published, other_world):
    clusters = published.predict(other_world[0])
    assert clusters.shape == other_world[1].shape
    np.testing.assert_array_equal(np.unique(clusters), np.arange(clusters.max() + 1))
    np.testing.assert_array_equal(clusters[published.peaks_], np.arange(clusters.max() + 1))


def test_levels_are_added_until_no_edge_is(published, other_world):
    published.predict(other_world[0])
    assert [level.n_edges > 0 for level in published.levels_[:-1]] == [True] * (
        len(published.levels_) - 1
    )
    assert published.levels_[-1].n_edges == 0


def test_stopping_early_gives_one_of_the_levels(published, other_world):
    published.predict(other_world[0])
    whole = [level.labels.tolist() for level in published.levels_]
    hasty = Lander(**{**published.get_params(), "early_stop": True}).restore(
        published.network_.state_dict(), published.n_features_in_, published.losses_
    )
    assert hasty.predict(other_world[0]).tolist() in whole
    assert len(hasty.levels_) <= len(whole)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_fewer_images_than_neighbours_are_clustered(published, other_world, n):
    assert published.predict(other_world[0][:n]).shape == (n,)


def test_opposite_points_are_never_in_one_cluster(published, other_world):
    features = other_world[0][:40]
    clusters = published.predict(np.concatenate([features, -features]))
    assert (clusters[:40] != clusters[40:]).all()


def test_a_seed_fixes_the_result(published, training_world):
    again = clone(published).set_params(epochs=2).fit(*training_world)
    once_more = clone(published).set_params(epochs=2).fit(*training_world)
    assert again.losses_ == once_more.losses_


def test_training_leaves_the_global_random_state_alone(published, training_world):
    before = torch.get_rng_state()
    clone(published).set_params(epochs=1).fit(*training_world)
    assert torch.equal(torch.get_rng_state(), before)


def test_training_tells_how_far_it_is(published, training_world):
    told = []
    fitted = clone(published).set_params(epochs=3)
    fitted.fit(*training_world, on_epoch=lambda epoch, loss: told.append((epoch, loss)))
    assert told == list(enumerate(fitted.losses_, start=1))


def test_a_saved_model_clusters_the_same(published, other_world, tmp_path):
    published.save(tmp_path)
    loaded = Lander.load(tmp_path)
    expected = published.predict(other_world[0])
    np.testing.assert_array_equal(loaded.predict(other_world[0]), expected)
    assert loaded.losses_ == published.losses_


@pytest.mark.parametrize(
    "params",
    [
        {"n_neighbors": 1},
        {"tau": 1.5},
        {"convolution": "none"},
        {"n_convolutions": 5},
        {"focusing": -1.0},
        {"graphs": "10,2"},
    ],
)
def test_bad_parameters_are_refused_in_fit(training_world, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        Lander(**params).fit(*training_world)


@pytest.mark.parametrize("graphs", [((1, 2),), ((10, 0),), ((10,),), ()])
def test_graphs_without_neighbours_or_levels_are_refused(training_world, graphs):
    with pytest.raises(ValueError, match="graphs is"):
        Lander(graphs=graphs).fit(*training_world)


def test_features_without_an_edge_are_refused_in_fit():
    with pytest.raises(ValueError, match="no two rows with a cosine of 0 or more"):
        Lander().fit([[1.0, 0.0], [-1.0, 0.0]], [0, 1])


def test_a_model_must_be_fitted_first(other_world):
    with pytest.raises(NotFittedError):
        Lander().predict(other_world[0])
