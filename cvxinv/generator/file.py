"""Generator files: safetensors (never pickle) whose metadata say what they hold."""

import json
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from cvxinv.activations import Activation, from_dict, to_dict
from cvxinv.arrays import FLOATS, dtype_name
from cvxinv.errors import GeneratorFileError

FORMAT = "cvxinv.Generator"
VERSION = "1"


def write(
    path: str | PathLike[str], weights: list[Any], biases: list[Any] | None, phi: Activation
) -> None:
    """Write one generator; the metadata hold format, version and activation."""
    from safetensors.numpy import save_file

    if not Path(path).resolve().parent.is_dir():
        raise FileNotFoundError(f"{fspath(path)}: the folder does not exist")
    tensors = {f"weights.{i}": np.ascontiguousarray(W) for i, W in enumerate(weights)}
    tensors |= {f"biases.{i}": np.ascontiguousarray(b) for i, b in enumerate(biases or [])}
    save_file(
        tensors,
        fspath(path),
        metadata={"format": FORMAT, "version": VERSION, "activation": json.dumps(to_dict(phi))},
    )


def read(path: str | PathLike[str]) -> tuple[list[Any], list[Any] | None, Activation]:
    """Weights, biases and activation of one generator; any file that `write` did not write is a
    `GeneratorFileError`.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"{fspath(path)}: no such file")
    try:
        with safe_open(fspath(path), framework="numpy") as f:
            metadata = f.metadata() or {}
            if metadata.get("format") != FORMAT or metadata.get("version") != VERSION:
                found = f"format {metadata.get('format')!r}, version {metadata.get('version')!r}"
                raise GeneratorFileError(
                    f"{fspath(path)}: expected a {FORMAT} file of version {VERSION}, found {found}"
                )
            tensors = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118 (not a dict)
        for name, a in tensors.items():
            if dtype_name(a) not in FLOATS:  # as an argument, integers would do
                raise GeneratorFileError(
                    f"{fspath(path)}: {name}: expected float32 or float64, found {dtype_name(a)}"
                )
        weights = [
            tensors[f"weights.{i}"]
            for i in range(sum(key.startswith("weights.") for key in tensors))
        ]
        biases = (
            [tensors[f"biases.{i}"] for i in range(len(weights))]
            if len(tensors) > len(weights)
            else None
        )
        if len(tensors) != len(weights) * (1 if biases is None else 2):
            raise GeneratorFileError(
                f"{fspath(path)}: expected weights.0, .. and as many biases or none, found"
                f" {', '.join(sorted(tensors))}"
            )
        return weights, biases, from_dict(json.loads(metadata["activation"]))
    except GeneratorFileError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise GeneratorFileError(
            f"{fspath(path)}: not a readable generator file ({error})"
        ) from error
