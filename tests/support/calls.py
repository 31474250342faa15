"""Calls of the doors whose arguments are arrays: plain values for all of these, and what comes
back as plain arrays.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch

import cvxinv
import fast
from cvxinv import reference
from cvxinv.testing import assert_optimal
from tests.support.doors import DOORS, LAYER, SIGNALS, SOLUTION, G, X, Z, never
from tests.support.pretend import memory

# kinds of arguments (tests.support.doors) and the column of the table that speaks of them
COLUMNS = {
    "matrix": "matrix",
    "list of matrices": "matrix",
    "vector?": "vector",
    "list of vectors?": "vector",
    "signals": "signals",
    "numbers": "signals",
    "latents": "signals",
    "points": "points",
    "points?": "points",
    "mask?": "mask",
    "supports": "mask",
    "layers?": "layers",
    "weights": "numbers",
    "per signal": "numbers",
    "per signal?": "numbers",
}
STARTS = {"x0", "start"}
RNG = np.random.default_rng(1)
OF_STATEMENTS = {
    "bias": -0.1 * np.abs(RNG.standard_normal(6)),
    "support": RNG.random((3, 6)) < 0.7,
    "observed": RNG.random((3, 6)) < 0.8,
    "rows": RNG.random((3, 6)) < 0.8,
    "columns": np.array([True, True, False, True]),
    "lam": np.array([0.1, 0.2, 0.3, 0.4]),
    "x0": RNG.standard_normal((3, 4)),
    "dual": np.abs(RNG.standard_normal((3, 6))),
}
OF_GENERATORS = {
    "observed": RNG.random((5, 12)) < 0.9,
    "start": Z + 0.1,
    "noise": np.full(5, 0.1),
    "prior": np.full(5, 0.3),
    "sigma": np.full(5, 0.2),
    "layers": G.layers(Z),
    "signal": SIGNALS,
    "biases": [RNG.standard_normal(8), RNG.standard_normal(12)],
}
# fewer steps than by default, and minimisers that are unique
QUICK: dict[str, dict[str, Any]] = {
    "gradient_descent": {"steps": 30},
    "levenberg_marquardt": {"start": OF_GENERATORS["start"], "starts": 0},
    "invert": {"starts": 2},
    "snr": {"x_hat": X + 0.1},
    "Latent": {"gamma": 0.1},
    "MidLayer": {"lam": 0.1},
}
NOT_COMPARED = {"seconds", "iterations", "notes", "history", "agreement", "bounding"}
STATEMENTS = [d for d in DOORS if d.function.__name__ in {*cvxinv.problems.__all__}]


@dataclass(frozen=True)
class Call:
    """One function, a call that is right, and the column of the table for an array argument."""

    name: str
    function: Callable[..., Any]
    right: dict[str, Any]
    argument: str
    column: str

    @property
    def value(self) -> Any:
        """The plain value of the argument."""
        if not isinstance(value := self.right.get(self.argument, 0.0), float):
            return value
        known = OF_GENERATORS if {"G", "weights"} & {*self.right} else OF_STATEMENTS
        return known[self.argument]

    def __call__(self, value: Any) -> Any:
        """What the function says to a value."""
        return self.function(**{**self.right, self.argument: value})


def stated(solve: Any, statement: Any, **fields: Any) -> Any:
    """State and solve."""
    return solve(statement(**fields))


def wrong_rows(problem: Any, x: Any, dual: Any = None) -> Any:
    """(B,) bool: the signals that `assert_optimal` complains of."""
    wrong = np.zeros(len(problem), bool)
    try:
        assert_optimal(problem, x, dual=dual)
    except AssertionError as error:
        for b in range(len(problem)):
            wrong[b] = f"row {b}: " in str(error)
    return wrong


def made(**fields: Any) -> Any:
    """A generator's parameters, and signals of it."""
    G = cvxinv.Generator(**fields)
    return G.weights, G.biases, G(Z)


def _calls() -> Iterator[Call]:
    for door in DOORS:
        right = {k: v for k, v in door.right.items() if v is not never}
        solvers = {door.name: door.function}
        if door.function.__name__ in STATED:
            solvers = {
                f"{room.__name__.split('.')[-1]}.solve of {door.function.__name__}": partial(
                    stated, room.solve, door.function
                )
                for room in STATED[door.function.__name__]
            }
        if door.function is cvxinv.Generator:
            solvers = {door.name: made}
        right |= QUICK.get(door.function.__name__, {})
        if "solve" in door.kinds and door.function is not cvxinv.linear_programming:
            right["solve"] = None
        for name, function in solvers.items():
            for argument, kind in door.kinds.items():
                column = "start" if argument in STARTS else COLUMNS.get(kind)
                if column is not None:
                    yield Call(name, function, right, argument, column)
    for argument in ("x", "dual"):
        right = {"problem": LAYER, "x": SOLUTION.x, "dual": SOLUTION.dual}
        yield Call("testing.assert_optimal", wrong_rows, right, argument, "points")


STATED = {
    "LastLayer": (fast, reference),
    "MidLayer": (fast, reference),
    "Latent": (fast,),
    "LinearProgram": (reference,),
    "BasisPursuit": (fast,),
    "LeastSquares": (fast, reference),
}
CALLS = list(_calls())


# -- answers ---------------------------------------------------------------------------------------


def leaves(answer: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays, numbers and words of an answer, by their place in it."""
    if isinstance(answer, torch.Tensor):
        assert not answer.requires_grad, f"{name} keeps a graph"
        yield name, memory(answer).numpy()
    elif is_dataclass(answer) and not isinstance(answer, type):
        for f in fields(answer):
            if f.name not in NOT_COMPARED:
                yield from leaves(getattr(answer, f.name), f"{name}.{f.name}")
    elif isinstance(answer, (list, tuple)):
        for i, part in enumerate(answer):
            yield from leaves(part, f"{name}[{i}]")
    elif isinstance(answer, cvxinv.Generator):
        yield from leaves((answer.weights, answer.biases), name)
    elif isinstance(answer, np.ndarray) and answer.dtype == object:  # one for each signal
        for b, part in enumerate(answer):
            yield from leaves(part, f"{name}{{{b}}}")
    else:
        yield name, answer


@cache
def _numbers() -> dict[Any, Any]:
    return {}


def expected(call: Call, integer: bool, value: Any) -> dict[str, Any]:
    """The answer for the plain value, computed once."""
    known, key = _numbers(), (call.name, call.argument, integer)
    if key not in known:
        known[key] = dict(leaves(call(value)))
    return known[key]
