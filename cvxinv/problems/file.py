"""Statements in .npz files: `save` and `load` for any statement of `cvxinv.problems`. Nothing is
ever unpickled.

A file holds the string `problem` ("LastLayer", "MidLayer", "Latent", "BasisPursuit", "LeastSquares"
or "LinearProgram") and the statement's fields by name; a field that is not there has its default.
`activation` is a name, or JSON with its parameters.
"""

import json
import zipfile
import zlib
from dataclasses import MISSING, fields
from os import PathLike, fspath
from typing import Any

import numpy as np

from cvxinv import activations
from cvxinv.arrays import to_numpy
from cvxinv.problems.kinds import Problem, as_problem
from cvxinv.problems.layers import LastLayer, Latent, MidLayer
from cvxinv.problems.linear_program import LinearProgram
from cvxinv.problems.pursuit import BasisPursuit, LeastSquares

STATEMENTS: dict[str, type[Problem]] = {
    cls.__name__: cls
    for cls in (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares, LinearProgram)
}


class ProblemFileError(ValueError):
    """A .npy or .npz file is malformed, truncated, pickled, or does not hold what it should; the
    message names it.
    """


def arrays(path: str | PathLike[str]) -> dict[str, Any]:
    """The arrays of an .npz file by name; that of an .npy file under the empty name.

    Raises
    ------
    ProblemFileError
        For a malformed or truncated file, and for one that holds pickled objects.
    OSError
        For a file that is not there or cannot be read.
    """
    with open(path, "rb") as file:
        try:
            loaded = np.load(file, allow_pickle=False)
            return (
                {name: loaded[name] for name in loaded.files}
                if isinstance(loaded, np.lib.npyio.NpzFile)
                else {"": loaded}
            )
        # NotImplementedError is how zipfile says that it does not know a compression
        except (
            ValueError,
            EOFError,
            KeyError,
            NotImplementedError,
            MemoryError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            why = (
                "it holds pickled objects, or is no such file at all"
                if "pickle" in str(error)
                else error
            )
            raise ProblemFileError(
                f"{fspath(path)}: not a readable .npy or .npz file ({why})"
            ) from error


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
        content["activation"] = np.asarray(
            phi.name if standard else json.dumps(activations.to_dict(phi))
        )
    with open(path, "wb") as file:  # given a name, np.savez would append .npz to it
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
    content = {k: v.item() if v.ndim == 0 else v for k, v in arrays(path).items()}
    kind = content.pop("problem", None)
    if not isinstance(kind, str) or kind not in STATEMENTS:
        raise ProblemFileError(
            f"{where}: expected `problem` to be one of {', '.join(STATEMENTS)}, got {_shown(kind)}"
        )
    statement = STATEMENTS[kind]
    known = {f.name: f for f in fields(statement)}
    if unknown := sorted(content.keys() - known.keys()):
        raise ProblemFileError(
            f"{where}: {kind} has no field {unknown[0]!r}; its fields are {', '.join(known)}"
        )
    if missing := [
        name for name, f in known.items() if f.default is MISSING and name not in content
    ]:
        raise ProblemFileError(f"{where}: {kind} needs the field {missing[0]!r}")
    try:
        if str(content.get("activation", "")).startswith("{"):
            content["activation"] = activations.from_dict(json.loads(content["activation"]))
        return statement(**content)
    except (ValueError, TypeError) as error:
        raise ProblemFileError(f"{where}: {error}") from error


def _shown(value: Any) -> str:
    return (
        "nothing"
        if value is None
        else f"an array of shape {value.shape}"
        if hasattr(value, "shape")
        else repr(value)
    )
