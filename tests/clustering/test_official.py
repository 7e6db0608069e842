"""Official checkpoints become a `Lander`; official feature files are read without running them."""

from __future__ import annotations

import os
import pickle
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from clustering.graph import edge_ends
from clustering.official import load_official, read_checkpoint, read_features
from clustering.published import find_peers, link_nodes
from clustering.supernodes import SuperNodes

from .conftest import blobs

WIDTHS = (16, 16, 8, 8)


def random_state(*, inputs: int, kind: str, n_convolutions: int = 1, heads: int = 1):
    """A state dictionary in the layout of the official code, hidden width 16."""
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random) / shape[-1] ** 0.5

    state = {}
    for number in range(n_convolutions):
        before, after = (inputs, *WIDTHS)[number], WIDTHS[number]
        layer = f"conv.{number}"
        if kind == "graph":
            state[f"{layer}.gcn_layer.mlp.weight"] = draw(after, 2 * before)
            state[f"{layer}.gcn_layer.mlp.bias"] = draw(after)
        else:
            state[f"{layer}.bias"] = draw(heads, after)
            state[f"{layer}.gcn_layer.attn_l"] = draw(1, heads, after)
            state[f"{layer}.gcn_layer.attn_r"] = draw(1, heads, after)
            state[f"{layer}.gcn_layer.bias"] = draw(heads * after)
            state[f"{layer}.gcn_layer.fc.weight"] = draw(heads * after, before)
    last = WIDTHS[n_convolutions - 1]
    for name, *shape in (
        ("src_mlp.weight", 8, last),
        ("src_mlp.bias", 8),
        ("dst_mlp.weight", 8, last),
        ("dst_mlp.bias", 8),
        ("classifier_conn.0.weight", 8),
        ("classifier_conn.1.weight", 8, 8),
        ("classifier_conn.1.bias", 8),
        ("classifier_conn.2.weight", 8),
        ("classifier_conn.3.weight", 2, 8),
        ("classifier_conn.3.bias", 2),
    ):
        state[name] = draw(*shape)
    return state


def save(state, folder):
    path = folder / "lander.pth"
    torch.save(state, path)
    return path


def by_the_book(state, features, weights):
    """Linkage probability of every ordered pair, of one convolution, by dense matrices.

    weights (n, n) are w_ij of the graph convolution, or None for attention; absent edges are zero
    in `linked`.
    """
    linked, shares = weights
    n = len(features)
    if "conv.0.gcn_layer.mlp.weight" in state:
        joined = torch.cat([features, shares @ features], dim=1)
        nodes = F.linear(
            joined, state["conv.0.gcn_layer.mlp.weight"], state["conv.0.gcn_layer.mlp.bias"]
        )
    else:
        heads, outputs = state["conv.0.bias"].shape
        projected = (features @ state["conv.0.gcn_layer.fc.weight"].T).view(n, heads, outputs)
        from_j = (projected * state["conv.0.gcn_layer.attn_l"]).sum(-1)
        from_i = (projected * state["conv.0.gcn_layer.attn_r"]).sum(-1)
        scores = F.leaky_relu(from_i[:, None] + from_j[None], 0.2)
        alpha = torch.softmax(scores.masked_fill(~linked[..., None], -torch.inf), dim=1)
        out = torch.einsum("ijh,jho->iho", alpha, projected)
        out = out + state["conv.0.gcn_layer.bias"].view(heads, outputs) + state["conv.0.bias"]
        nodes = out.mean(dim=1)
    nodes = F.relu(nodes)
    source = F.linear(nodes, state["src_mlp.weight"], state["src_mlp.bias"])
    target = F.linear(nodes, state["dst_mlp.weight"], state["dst_mlp.bias"])
    hidden = F.prelu(
        (target[:, None] + source[None]).flatten(0, 1), state["classifier_conn.0.weight"]
    )
    hidden = F.linear(hidden, state["classifier_conn.1.weight"], state["classifier_conn.1.bias"])
    hidden = F.prelu(hidden, state["classifier_conn.2.weight"])
    logits = F.linear(hidden, state["classifier_conn.3.weight"], state["classifier_conn.3.bias"])
    return torch.softmax(logits, dim=1)[:, 1].view(n, n)


@pytest.mark.parametrize(
    ("kind", "heads", "with_clusters"),
    [("graph", 1, True), ("graph", 1, False), ("attention", 1, False), ("attention", 3, True)],
)
def test_an_official_checkpoint_gives_the_probabilities_of_the_official_equations(
    tmp_path, kind, heads, with_clusters
):
    state = random_state(inputs=12 if with_clusters else 6, kind=kind, heads=heads)
    lander = load_official(save(state, tmp_path), 6, n_neighbors=5)
    rows, _ = blobs(4, 5, noise=0.5, seed=0, dim=6)
    nodes = SuperNodes.of_images(rows)
    graph = link_nodes(find_peers(nodes, 5))
    features = torch.from_numpy(np.concatenate([rows, rows], axis=1) if with_clusters else rows)
    with torch.no_grad():
        odds = lander.network_(graph, lander.network_.prepare(graph, features))
    j, i = edge_ends(graph)
    linked, shares = torch.zeros(20, 20, dtype=torch.bool), torch.zeros(20, 20)
    linked[i, j], shares[i, j] = True, graph.edata["share"]
    expected = by_the_book(state, features, (linked, shares))[i, j]
    torch.testing.assert_close(torch.sigmoid(odds), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["graph", "attention"])
@pytest.mark.parametrize("n_convolutions", [1, 2, 3, 4])
def test_an_official_checkpoint_clusters(tmp_path, kind, n_convolutions):
    state = random_state(inputs=24, kind=kind, n_convolutions=n_convolutions)
    lander = load_official(save(state, tmp_path), 24, tau=0.3)
    clusters = lander.predict(blobs(5, 6, noise=0.5, seed=0)[0])
    assert (lander.n_convolutions, lander.hidden) == (n_convolutions, 16)
    assert (lander.convolution, lander.cluster_features, lander.tau) == (kind, False, 0.3)
    np.testing.assert_array_equal(np.unique(clusters), np.arange(clusters.max() + 1))


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: without(state, "src_mlp.bias"), r"missing \['src_mlp.bias'\]"),
        (lambda state: state | {"fc.weight": torch.ones(2)}, r"unknown \['fc.weight'\]"),
        (lambda state: {}, "missing .*conv.0"),
        (lambda state: state | {"src_mlp.bias": torch.ones(3)}, "shapes that do not fit"),
        (lambda state: state | {"conv.0.gcn_layer.mlp.weight": torch.ones(3)}, "shapes"),
        (lambda state: {1: torch.ones(2)}, "no state dictionary"),
        (lambda state: [1, 2], "no state dictionary"),
    ],
)
def test_a_checkpoint_of_another_layout_is_refused_with_what_is_wrong(tmp_path, change, message):
    state = random_state(inputs=6, kind="graph")
    with pytest.raises(ValueError, match=message):
        load_official(save(change(state), tmp_path), 6)


def test_a_checkpoint_for_features_of_another_width_is_refused(tmp_path):
    path = save(random_state(inputs=6, kind="graph"), tmp_path)
    with pytest.raises(ValueError, match="reads 6 numbers per node"):
        load_official(path, 5)


class Harmful:
    """Unpickled as a program would be: it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_is_a_program_is_refused_and_not_run(tmp_path):
    path = save({"conv": Harmful(tmp_path / "harm")}, tmp_path)
    with pytest.raises(ValueError, match="not a checkpoint of tensors alone"):
        read_checkpoint(path)
    assert not (tmp_path / "harm").exists()


def test_bytes_that_are_no_checkpoint_are_refused(tmp_path):
    path = tmp_path / "lander.pth"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="not a checkpoint of tensors alone"):
        read_checkpoint(path)


FEATURES = np.arange(12, dtype=np.float32).reshape(4, 3)
LABELS = np.array([3, 3, 1, 2])


def write(folder, content, protocol=4):
    path = folder / "features.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
def test_feature_files_of_every_protocol_and_precision_are_read(tmp_path, protocol, dtype):
    path = write(tmp_path, [FEATURES.astype(dtype), LABELS], protocol)
    features, labels = read_features(path)
    np.testing.assert_array_equal(features, FEATURES)
    np.testing.assert_array_equal(labels, LABELS)
    assert (features.dtype, labels.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize(
    "labels", [LABELS.tolist(), list(LABELS), tuple(LABELS.astype(np.int32)), LABELS.astype("u1")]
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_labels_may_be_a_list_or_an_array_of_any_integers(tmp_path, labels, protocol):
    _, read = read_features(write(tmp_path, (FEATURES, labels), protocol))
    np.testing.assert_array_equal(read, LABELS)


@pytest.mark.parametrize("protocol", [2, 5])
def test_features_that_are_stored_column_by_column_are_read_row_by_row(tmp_path, protocol):
    path = write(tmp_path, [np.asfortranarray(FEATURES), LABELS], protocol)
    np.testing.assert_array_equal(read_features(path)[0], FEATURES)


def test_a_feature_file_of_the_time_of_python_2_is_read(tmp_path):
    module, raw = b"cnumpy.core.multiarray\n", FEATURES.tobytes()
    array = (
        module + b"_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I4\nI3\ntcnumpy\ndtype\n"
        b"(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nT"
        + struct.pack("<i", len(raw))
        + raw
        + b"tb"
    )
    path = tmp_path / "features.pkl"
    path.write_bytes(b"(l" + array + b"a(lI3\naI3\naI1\naI2\naa.")
    features, labels = read_features(path)
    np.testing.assert_array_equal(features, FEATURES)
    np.testing.assert_array_equal(labels, LABELS)


def test_a_feature_file_that_is_a_program_is_refused_by_name_and_not_run(tmp_path):
    path = write(tmp_path, [FEATURES, Harmful(tmp_path / "harm")])
    with pytest.raises(ValueError, match=f"names {os.mkdir.__module__}.mkdir"):
        read_features(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "name",
    ["builtins\neval", "numpy\nload", "numpy\nfromfile", "numpy.core.multiarray\nfrombuffer"],
)
def test_names_that_an_array_does_not_need_are_refused(tmp_path, name):
    path = tmp_path / "features.pkl"
    path.write_bytes(b"c" + name.encode() + b"\n.")
    with pytest.raises(ValueError, match="which no array of numbers needs"):
        read_features(path)


@pytest.mark.parametrize("name", ["_codecs\nencode", "numpy\ndtype", "numpy\nndarray"])
def test_a_file_cannot_change_the_reader(tmp_path, name):
    path = tmp_path / "features.pkl"
    path.write_bytes(b"c" + name.encode() + b"\n(N}S'changed'\nI1\nstb.")
    with pytest.raises(ValueError, match="sets the state of"):
        read_features(path)


def test_an_array_that_declares_more_than_the_file_holds_is_refused(tmp_path):
    content = pickle.dumps([FEATURES, LABELS], protocol=2)
    assert content.count(b"K\x04K\x03\x86") == 1
    path = tmp_path / "features.pkl"
    path.write_bytes(content.replace(b"K\x04K\x03\x86", b"J\xff\xff\xff\x7fK\x03\x86"))
    with pytest.raises(ValueError, match=r"needs 25769803764 bytes, the file holds 48"):
        read_features(path)


def test_an_array_that_is_cut_short_is_refused(tmp_path):
    content = pickle.dumps([FEATURES, LABELS.tolist()], protocol=5)
    raw = pickle.BYTEARRAY8 + struct.pack("<Q", 48)
    assert content.count(raw) == 1
    longer = content.replace(raw, pickle.BYTEARRAY8 + struct.pack("<Q", 48 * 10**6))
    path = tmp_path / "features.pkl"
    path.write_bytes(longer)
    with pytest.raises(ValueError, match="cannot be read as a pickle"):
        read_features(path)


def test_a_file_cannot_make_the_reader_reserve_memory_by_a_high_memo_number(tmp_path):
    path = tmp_path / "features.pkl"
    path.write_bytes(b"]r\xff\xff\xff\x7f.")
    with pytest.raises(ValueError, match="does not hold a pair"):
        read_features(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"features": 1}, "does not hold a pair"),
        ([FEATURES], "does not hold a pair"),
        ([FEATURES, LABELS, LABELS], "does not hold a pair"),
        ([FEATURES[0], LABELS], r"features of shape \(3,\)"),
        ([FEATURES.astype(np.int64), LABELS], "type int64, not real numbers"),
        ([FEATURES, LABELS[:-1]], r"labels of shape \(3,\)"),
        ([FEATURES, LABELS / 2], "labels .* type float64"),
        ([FEATURES, ["a", "b", "c", "d"]], "neither an array nor a list of integers"),
        ([FEATURES, [[1], [2], [3], [4]]], "neither an array nor a list of integers"),
        ([FEATURES, LABELS.astype(object)], "values of type 'O8'"),
        ([FEATURES.astype(complex), LABELS], "values of type 'c16'"),
        ([FEATURES, np.zeros(4, dtype=[("a", "i4")])], "values of type 'V4'"),
    ],
)
def test_a_file_of_something_else_is_refused_with_what_it_holds(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_features(write(tmp_path, content, protocol=2))


@settings(max_examples=100)
@given(st.data(), st.sampled_from([2, 5]))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path_factory, data, protocol):
    content = bytearray(pickle.dumps([FEATURES, LABELS], protocol=protocol))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "features.pkl"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        features, labels = read_features(path)
    except ValueError:
        return
    assert len(features) == len(labels)
