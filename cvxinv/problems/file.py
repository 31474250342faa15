"""Statements in .npz files: `save` and `load` for any statement of `cvxinv.problems`. Nothing is
ever unpickled.

A file holds the string `problem` ("LastLayer", "MidLayer", "Latent", "BasisPursuit", "LeastSquares"
or "LinearProgram") and the statement's fields by name; a field that is not there has its default.
`activation` is a name, or JSON with its parameters.
"""

from dataclasses import MISSING, fields
from os import PathLike, fspath
from typing import Any

import numpy as np

from cvxinv import activations
from cvxinv.arrays import to_numpy
from cvxinv.checks import shown
from cvxinv.errors import ProblemFileError, one_line
from cvxinv.files import draft
from cvxinv.problems.kinds import Problem, as_problem
from cvxinv.problems.layers import LastLayer, Latent, MidLayer
from cvxinv.problems.linear_program import LinearProgram
from cvxinv.problems.npz import Arrays
from cvxinv.problems.pursuit import BasisPursuit, LeastSquares

STATEMENTS: dict[str, type[Problem]] = {
    cls.__name__: cls
    for cls in (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares, LinearProgram)
}


def save(problem: Problem, path: str | PathLike[str]) -> None:
    """Write one statement to an .npz file, with exactly this name.

    Parameters
    ----------
    problem : a statement of `cvxinv.problems`
        Tensors are written as arrays.
    path : path
    """
    values = {f.name: getattr(as_problem(problem), f.name) for f in fields(problem)}
    content: dict[str, Any] = {
        k: to_numpy(v) if hasattr(v, "ndim") else np.asarray(v)
        for k, v in values.items()
        if v is not None
    }
    if isinstance(problem, LastLayer):
        phi = problem.phi
        standard = phi == activations.activation(phi.name)
        content["activation"] = np.asarray(phi.name if standard else activations.to_json(phi))
    with draft(path) as new, new.open("wb") as file:  # np.savez would append .npz to a name
        np.savez_compressed(file, problem=np.asarray(type(problem).__name__), **content)


def load(path: str | PathLike[str]) -> Problem:
    """The statement in an .npz file, as NumPy arrays.

    Raises
    ------
    ProblemFileError
        Naming the file and what is wrong with it: not an .npz file, fields missing or unknown,
        shapes that do not fit.
    OSError
        For a file that is not there or cannot be read.
    """
    where = fspath(path)
    stored = Arrays(path)
    kind = _plain(stored["problem"]) if "problem" in stored else None
    if not isinstance(kind, str) or kind not in STATEMENTS:
        raise ProblemFileError(
            f"{where}: expected `problem` to be one of {', '.join(STATEMENTS)}, got {shown(kind)}"
        )
    statement = STATEMENTS[kind]
    known = {f.name: f for f in fields(statement)}
    if unknown := sorted(stored.keys() - known.keys() - {"problem"}):
        raise ProblemFileError(
            f"{where}: {kind} has no field {shown(unknown[0])}; its fields are {', '.join(known)}"
        )
    if missing := [k for k, f in known.items() if f.default is MISSING and k not in stored]:
        raise ProblemFileError(f"{where}: {kind} needs the field {missing[0]!r}")
    content = {name: _plain(stored[name]) for name in known if name in stored}
    try:
        phi = content.get("activation")
        if isinstance(phi, str) and phi.startswith("{"):
            content["activation"] = activations.from_json(phi)
        return statement(**content)
    except (ValueError, TypeError) as error:
        raise ProblemFileError(f"{where}: {one_line(error)}") from error


def _plain(a: Any) -> Any:
    """A number or a text where an array has no axis."""
    return a.item() if a.ndim == 0 else a
