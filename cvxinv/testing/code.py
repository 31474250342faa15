"""A statement as code that builds it again, to the last bit: copy, paste, run."""

from dataclasses import fields
from typing import Any

from cvxinv.arrays import dtype_name, is_torch, to_numpy
from cvxinv.problems import LayerProblem
from cvxinv.problems.statement import word


def imports(problem: LayerProblem) -> str:
    """What `rebuilt` needs."""
    kinds = "numpy as np, torch" if is_torch(problem.data) else "numpy as np"
    return f"import {kinds}\nimport cvxinv\nfrom numpy import array, inf, nan"


def rebuilt(problem: LayerProblem) -> str:
    """`cvxinv.LastLayer(..)`, one field a line."""
    given = problem.given()
    names = [f.name for f in fields(problem) if f.name in given]
    lines = [f"    {name}={literal(given[name])},\n" for name in names]
    return f"cvxinv.{type(problem).__name__}(\n{''.join(lines)})"


def literal(value: Any) -> str:
    """A field as code; arrays to the last bit, in their dtype and library."""
    if not hasattr(value, "ndim"):
        return word(value)
    name, library = dtype_name(value), "torch.tensor" if is_torch(value) else "array"
    prefix = "torch" if is_torch(value) else "np"
    plain = name == "bool" or (name == "float64" and prefix == "np")
    dtype = "" if plain else f", dtype={prefix}.{name}"
    shape = to_numpy(value).tolist()
    if 0 in value.shape:
        return f"{prefix}.zeros({tuple(value.shape)}, dtype={prefix}.{name})"
    return f"{library}({shape}{dtype})"
