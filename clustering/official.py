"""Files of the official code: its checkpoints as a `Lander`, its feature files as arrays.

Both are pickles, and a pickle is a program. Checkpoints go through torch's reader of nothing but
tensors. Feature files are read with stand-ins for the few functions that arrays are pickled by, so
nothing that the file names is ever called, numpy included.
"""

from __future__ import annotations

import math
import os
import pickle
import struct
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.published import Lander

SHARED_NAMES: Final = {
    "source.weight": "src_mlp.weight",
    "source.bias": "src_mlp.bias",
    "target.weight": "dst_mlp.weight",
    "target.bias": "dst_mlp.bias",
    "classifier.0.weight": "classifier_conn.0.weight",
    "classifier.1.weight": "classifier_conn.1.weight",
    "classifier.1.bias": "classifier_conn.1.bias",
    "classifier.2.weight": "classifier_conn.2.weight",
    "classifier.3.weight": "classifier_conn.3.weight",
    "classifier.3.bias": "classifier_conn.3.bias",
}
"""Names of `PublishedNetwork` and of the official model for the weights that read edges."""

GRAPH: Final = ("gcn_layer.mlp.weight", "gcn_layer.mlp.bias")
ATTENTION: Final = (
    "gcn_layer.fc.weight",
    "gcn_layer.attn_l",
    "gcn_layer.attn_r",
    "gcn_layer.bias",
    "bias",
)
"""Names within one official convolution, of each kind."""


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a state dictionary; anything but tensors by name is refused and not run.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(
            f"{path} is not a checkpoint of tensors alone: {error}. Save the model's "
            "state_dict() with torch.save."
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise ValueError(f"{path} holds no state dictionary; save the model's state_dict().")
    return dict(state)


def load_official(
    path: str | os.PathLike[str], n_features: int, *, n_neighbors: int = 10, tau: float = 0.8
) -> Lander:
    """Make a fitted `Lander` of an official checkpoint.

    Kind and number of convolutions, widths and heads follow from names and shapes, and the use of
    cluster features from the width of the first convolution.

    Parameters
    ----------
    path : path
        A state dictionary, as the official training scripts save it.
    n_features : int
        Width D of the features that the model was trained on.
    n_neighbors, tau
        As in `Lander`; the official scripts use 10 and .8 for faces, .1 for species.

    Raises
    ------
    ValueError
        If names are missing or unknown, or shapes do not fit together.
    """
    state = read_checkpoint(path)
    attention = "conv.0.gcn_layer.fc.weight" in state
    n_convolutions = max(1, len({name.split(".")[1] for name in state if name[:5] == "conv."}))
    parts, read = (ATTENTION, _read_attention) if attention else (GRAPH, _read_graph)
    layers = [[f"conv.{number}.{part}" for part in parts] for number in range(n_convolutions)]
    _check_names(path, state, {*SHARED_NAMES.values(), *chain(*layers)})
    try:
        tensors = {ours: state[theirs] for ours, theirs in SHARED_NAMES.items()}
        for number, names in enumerate(layers):
            for name, tensor in read(*(state[name] for name in names)).items():
                tensors[f"convolutions.{number}.{name}"] = tensor
        heads = len(state["conv.0.bias"]) if attention else 1
        outputs, inputs = state[layers[0][0]].shape
        width = inputs if attention else inputs // 2
        lander = Lander(
            n_neighbors,
            tau=tau,
            convolution="attention" if attention else "graph",
            cluster_features=width == 2 * n_features,
            hidden=outputs // heads,
            n_convolutions=n_convolutions,
            heads=heads,
        )
        if width in (n_features, 2 * n_features):
            return lander.restore(tensors, n_features, losses=[])
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} has shapes that do not fit together: {error}") from error
    raise ValueError(
        f"{path} reads {width} numbers per node, which is neither the {n_features} of the "
        "features nor twice that (with cluster features); give the n_features it was trained on."
    )


def _check_names(
    path: str | os.PathLike[str], state: dict[str, Tensor], expected: set[str]
) -> None:
    missing, unknown = sorted(expected - state.keys()), sorted(state.keys() - expected)
    if missing or unknown:
        raise ValueError(
            f"{path} is no checkpoint of the official LANDER: missing {missing or 'nothing'}, "
            f"unknown {unknown or 'nothing'}."
        )


def _read_graph(weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    return {"linear.weight": weight, "linear.bias": bias}


def _read_attention(
    weight: Tensor, source: Tensor, target: Tensor, library_bias: Tensor, bias: Tensor
) -> dict[str, Tensor]:
    """Split the heads; both biases are added before the mean over heads, so they are one."""
    heads, outputs = bias.shape
    return {
        "project": weight.view(heads, outputs, -1),
        "source": source.view(heads, outputs),
        "target": target.view(heads, outputs),
        "bias": (bias + library_bias.view(heads, outputs)).mean(dim=0),
    }


def read_features(
    path: str | os.PathLike[str],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read a published feature file, a pickle of `[features, labels]`.

    Returns
    -------
    features : ndarray of float32 (N, D)
        As they are in the file, whatever their length.
    labels : ndarray of int64 (N,)

    Raises
    ------
    ValueError
        If the file names anything that a plain array does not need, is cut short, declares more
        than it holds, or holds something else than N rows of features and N integers.
    """
    try:
        with Path(path).open("rb") as file:
            content = _ArrayUnpickler(file, encoding="latin1").load()
    except _MALFORMED as error:
        raise ValueError(
            f"{path} cannot be read as a pickle of [features, labels]: {error}"
        ) from error
    if not isinstance(content, list | tuple) or len(content) != 2:
        raise ValueError(f"{path} does not hold a pair [features, labels].")
    features, labels = (
        _values(values, Path(path), name)
        for values, name in zip(content, ("features", "labels"), strict=True)
    )
    if features.ndim != 2 or features.dtype.kind != "f":
        raise ValueError(
            f"{path} has features of shape {features.shape} and type {features.dtype}, not real "
            "numbers (N, D)."
        )
    if labels.shape != features.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{path} has labels of shape {labels.shape} and type {labels.dtype} for "
            f"{len(features)} rows of features, not one integer for each."
        )
    return features.astype(np.float32), labels.astype(np.int64)


_MALFORMED = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What unpickling raises on bytes that are no pickle, are cut short, or lie about themselves."""


def _values(content: object, path: Path, name: str) -> NDArray[Any]:
    if isinstance(content, _PickledArray) and content.values is not None:
        if content.values.nbytes <= path.stat().st_size:
            return content.values
        raise ValueError(f"{path} is cut short: its {name} need {content.values.nbytes} bytes.")
    if isinstance(content, list | tuple):
        kinds = {type(value) for value in content}
        if kinds <= {int} or all(issubclass(kind, np.integer) for kind in kinds):
            return np.array(content, dtype=np.int64)
    raise ValueError(f"{path} has {name} that are neither an array nor a list of integers.")


def _build(raw: object, dtype: object, shape: object, *, columns_first: bool) -> NDArray[Any]:
    """View raw bytes as an array, if they are exactly as many as shape and type say."""
    if not isinstance(dtype, _PickledType):
        raise pickle.UnpicklingError("an array without a type")
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f"an array of shape {shape!r}")
    held = raw.encode("latin1") if isinstance(raw, str) else raw
    if not isinstance(held, bytes | bytearray):
        raise pickle.UnpicklingError("an array of objects")
    declared = math.prod(shape) * dtype.plain.itemsize
    if declared != len(held):
        raise pickle.UnpicklingError(
            f"an array of shape {shape} and type {dtype.plain} needs {declared} bytes, the file "
            f"holds {len(held)}"
        )
    flat = np.frombuffer(held, dtype.plain)
    return flat.reshape(shape, order="F" if columns_first else "C")


class _PickledType:
    """Stands in for `numpy.dtype`: real numbers and integers, nothing else."""

    def __init__(self, code: object, *_: object) -> None:
        if not (isinstance(code, str) and code[:1] in tuple("fiu") and code[1:] in tuple("1248")):
            raise pickle.UnpicklingError(f"values of type {code!r}; numbers are needed")
        self.plain = np.dtype(code)

    def take(self, state: tuple[Any, ...]) -> None:
        """Take the byte order; the rest describes types that are not numbers."""
        if state[1] == ">":
            self.plain = self.plain.newbyteorder(">")


class _PickledArray:
    """Stands in for `numpy.ndarray` while its contents are still to come."""

    values: NDArray[Any] | None = None

    def take(self, state: tuple[Any, ...]) -> None:
        """Take the contents, as numpy lays them down."""
        _, shape, dtype, columns_first, raw = state
        self.values = _build(raw, dtype, shape, columns_first=bool(columns_first))


class _Unused:
    """Stands in for the class that an array is told to be of."""


def _reconstruct(*_: object) -> _PickledArray:
    return _PickledArray()


def _frombuffer(raw: object, dtype: object, shape: object, order: object) -> _PickledArray:
    array = _PickledArray()
    array.values = _build(raw, dtype, shape, columns_first=order == "F")
    return array


def _scalar(dtype: object, raw: object) -> Any:
    return _build(raw, dtype, (), columns_first=False)[()]


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError(f"text in {encoding!r}")
    return text.encode("latin1")


class _ArrayUnpickler(pickle._Unpickler):
    """Unpickles arrays of numbers, lists and integers, and sets the state of nothing else.

    It is the one written in Python, for the compiled one reserves as much memory as a file tells
    it to, and would let a file change the stand-ins.
    """

    stack: list[Any]
    STAND_INS: Final = {
        ("_codecs", "encode"): _encode,
        ("numpy", "dtype"): _PickledType,
        ("numpy", "ndarray"): _Unused,
    } | {
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _frombuffer),
        )
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name, or refuse it."""
        try:
            return self.STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it names {module}.{name}, which no array of numbers needs; do not load this "
                "file with pickle"
            ) from None

    def load_build(self) -> None:
        """Give the last object the state that follows it."""
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, _PickledArray | _PickledType):
            raise pickle.UnpicklingError(f"it sets the state of {target!r}")
        target.take(state)

    dispatch = pickle._Unpickler.dispatch | {pickle.BUILD[0]: cast(Any, load_build)}
