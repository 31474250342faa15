"""The arrays of a result file: one row per signal, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cvxinv.arrays import to_numpy

if TYPE_CHECKING:
    from cvxinv.solution import Inversion

Rows: TypeAlias = dict[str, Any]  # arrays with a row per signal, by name


def rows_of(inversion: "Inversion") -> Rows:
    """What is kept of an Inversion: its figures by their names there, x_i and S_i as layer_i and
    support_i, and of the layer problems z, x_1, .., x_L kkt and layer_status, (B, L+1).
    """
    values = {f.name: getattr(inversion, f.name) for f in fields(inversion)}
    rows = {name: _plain(a) for name, a in values.items() if hasattr(a, "ndim")}
    solutions = inversion.solutions
    rows["kkt"] = np.stack([to_numpy(s.certificate.kkt) for s in solutions], axis=1)
    rows["layer_status"] = np.stack([_plain(s.status) for s in solutions], axis=1)
    for i, (x, S) in enumerate(zip(inversion.layers, inversion.supports, strict=True), start=1):
        rows |= {f"layer_{i}": to_numpy(x), f"support_{i}": to_numpy(S)}
    return rows


def _plain(a: Any) -> Any:
    """An array that needs no pickle: names instead of statuses, one text instead of sentences."""
    if isinstance(a, np.ndarray) and a.dtype == object:
        return np.array([_text(v) for v in a.flat], dtype=str).reshape(a.shape)
    return to_numpy(a)


def _text(value: Any) -> str:
    return "; ".join(value) if isinstance(value, tuple) else str(getattr(value, "name", value))


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, one part after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write(path: Path, rows: Rows, shared: Mapping[str, Any]) -> None:
    """Write the rows, and what all of them share. Not compressed: floats hardly are, and it would
    take longer than Ctrl-C may.
    """
    with path.open("wb") as file:  # given a name, np.savez would append .npz to it
        content: dict[str, Any] = rows | {k: np.asarray(v) for k, v in shared.items()}
        np.savez(file, **content)
