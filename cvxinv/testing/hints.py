"""How a solver may want to be called, by its signature and by what it raised."""

import inspect
from collections.abc import Callable
from typing import Any

ONE = "If it takes one signal at a time, pass batch=None."
ARRAYS = "If it takes plain arrays of one signal, as solve(A, b), pass arrays=True."
TENSORS = 'If it takes tensors, pass library="torch".'
MISSING = ("missing", "not enough arguments", "expected at least")  # an argument, of a TypeError
# what is said of an array by those who take tensors
OF_TENSORS = (
    "'numpy.ndarray' object has no attribute",
    "must be tensor",
    "expected tensor",
    "got (numpy.ndarray",
)


def hint(
    solve: Callable[..., Any], error: Exception, arrays: bool, tensors: bool, many: bool
) -> str:
    """The option of `check_solver` that may be missing; nothing where none comes to mind.

    Parameters
    ----------
    solve : callable
    error : Exception
        What it raised, or what is wrong with what it returned.
    arrays, tensors, many : bool
        How it was called: with plain arrays, with tensors, with a batch.
    """
    words = str(error).lower()
    missing = isinstance(error, TypeError) and any(word in words for word in MISSING)
    if not arrays and (missing or required(solve) > 1):
        return ARRAYS
    if not tensors and any(word in words for word in OF_TENSORS):
        return TENSORS
    return ONE if many else ""


def required(solve: Callable[..., Any]) -> int:
    """How many positional arguments a function asks for; 0 where that is not known."""
    try:
        parameters = inspect.signature(solve).parameters.values()
    except (TypeError, ValueError):  # of compiled functions
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)
