"""Generator files: safetensors (never pickle) whose metadata say what they hold."""

from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from cvxinv.activations import Activation, from_json, to_json
from cvxinv.checks import shown
from cvxinv.errors import GeneratorFileError, one_line
from cvxinv.files import draft

FORMAT = "cvxinv.Generator"
VERSION = "1"
# weights, biases, phi, image shape
Content: TypeAlias = tuple[list[Any], list[Any] | None, Activation, tuple[int, ...] | None]


def write(
    path: str | PathLike[str],
    weights: list[Any],
    biases: list[Any] | None,
    phi: Activation,
    image_shape: tuple[int, ...] | None,
) -> None:
    """Write one generator; the metadata hold format, version, activation and image shape."""
    from safetensors.numpy import save

    if not Path(path).resolve().parent.is_dir():
        raise FileNotFoundError(f"{fspath(path)}: the folder does not exist")
    tensors = {f"weights.{i}": np.ascontiguousarray(W) for i, W in enumerate(weights)}
    tensors |= {f"biases.{i}": np.ascontiguousarray(b) for i, b in enumerate(biases or [])}
    metadata = {"format": FORMAT, "version": VERSION, "activation": to_json(phi)}
    if image_shape is not None:
        metadata["image_shape"] = ",".join(map(str, image_shape))
    content = save(tensors, metadata)  # its own writer would leave half a file on a full disk
    with draft(path) as new:
        new.write_bytes(content)


def read(path: str | PathLike[str]) -> Content:
    """What one generator is made of; any file that `write` did not write is a
    `GeneratorFileError`.
    """
    from safetensors import safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"{fspath(path)}: no such file")
    try:
        with safe_open(fspath(path), framework="numpy") as file:
            return _content(file)
    except Exception as error:  # whatever a file from anywhere makes the reader raise
        raise GeneratorFileError(
            f"{fspath(path)}: not a readable generator file ({one_line(error)})"
        ) from error


def _content(file: Any) -> Content:
    """What the file holds; names and dtypes are looked at before anything is read."""
    metadata = file.metadata() or {}
    kind, version = metadata.get("format"), metadata.get("version")
    if (kind, version) != (FORMAT, VERSION):
        raise ValueError(
            f"expected a {FORMAT} file of version {VERSION}, found format {shown(kind)}, version"
            f" {shown(version)}; Generator.from_state_dict reads plain weights"
        )
    phi = from_json(metadata.get("activation", "null"))
    sizes = metadata.get("image_shape")
    image_shape = None if sizes is None else tuple(map(int, sizes.split(",")))
    names = set(file.keys())
    count = sum(name.startswith("weights.") for name in names)
    W, b = ([f"{kind}.{i}" for i in range(count)] for kind in ("weights", "biases"))
    if names not in ({*W}, {*W, *b}):
        found = ", ".join(sorted(names)) or "nothing"
        raise ValueError(f"expected weights.0, .. and as many biases or none, found {found}")
    for name in names:
        dtype = file.get_slice(name).get_dtype()
        if dtype not in ("F32", "F64"):  # as an argument, integers would do
            raise TypeError(f"{name}: expected float32 or float64, found {dtype}")
    weights = [file.get_tensor(name) for name in W]
    biases = [file.get_tensor(name) for name in b] if len(names) > count else None
    return weights, biases, phi, image_shape
