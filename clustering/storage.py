"""How models are kept: tensors as safetensors, everything else as JSON; never a pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

TENSORS = "model.safetensors"
DESCRIPTION = "model.json"
FORMAT = 3


def save_model(
    directory: str | os.PathLike[str],
    *,
    kind: str,
    params: dict[str, Any],
    state: dict[str, Any],
    tensors: dict[str, Tensor],
) -> None:
    """Write a fitted model to `directory`, which is made if need be.

    The same model always gives the same bytes. The description is written last, so a directory
    that has one is complete.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    packed = save({name: tensor.detach().contiguous() for name, tensor in tensors.items()})
    description = {"format": FORMAT, "kind": kind, "params": params, "state": state}
    _replace(folder / TENSORS, packed)
    _replace(folder / DESCRIPTION, json.dumps(description, indent=2, sort_keys=True).encode())


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def load_model(
    directory: str | os.PathLike[str], *, kind: str
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Read what `save_model` wrote: parameters, fitted state and tensors.

    Raises
    ------
    FileNotFoundError
        If `directory` holds no model.
    ValueError
        If it holds a model of another kind or in another format.
    """
    folder = Path(directory)
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no {kind}: {DESCRIPTION} is missing. Give the directory that was "
            f"passed to {kind}.save."
        )
    description = json.loads(path.read_text())
    if description["kind"] != kind:
        raise ValueError(f"{folder} holds a saved {description['kind']}, not a {kind}.")
    if description["format"] != FORMAT:
        raise ValueError(
            f"{folder} was saved in format {description['format']} and this version reads "
            f"{FORMAT}. Train the model anew, or read it with the version that wrote it."
        )
    return description["params"], description["state"], load((folder / TENSORS).read_bytes())
