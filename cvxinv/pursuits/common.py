"""What the pursuits share: the backend and the answer."""

import importlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from cvxinv.arrays import Array, cast_to, dtype_name, namespace, to_numpy
from cvxinv.generator import Generator
from cvxinv.generator.arguments import observed_norm
from cvxinv.problems import Latent, LeastSquares, LinearProgram, Problem
from cvxinv.progress import Meter
from cvxinv.pursuits.determined import determined
from cvxinv.solution import Inversion, Solution, Status, marked, worst
from cvxinv.solution.certified import is_own, judged
from cvxinv.solution.notes import noted, on_fit

Solve: TypeAlias = Callable[[Problem], Any]  # x, (x, dual) or a Solution
Certified: TypeAlias = Callable[[Problem], Solution]
# relative residual up to which a signal counts as reproduced, hence free of noise
REPRODUCED = {"float64": 1e-6, "float32": 1e-4}
# relative accuracy of signals beyond which layers need not be solved exactly, and steps for them
ROUGH, FEW = 1e-5, 50
UNLIKE = 0.01  # relative residual from which z is said not to make a signal
FITS = 1e-3  # relative residual of the image layer that says that there is little noise
LAYER_PROBLEMS = "layer problems"  # what progress counts, for each signal

# Squares of a signal that float64 holds may overflow: that is a status of the signal, no warning.
overflow_is_a_status = np.errstate(over="ignore", invalid="ignore")


def backend(solve: Solve | None) -> Certified:
    """`solve`, by default `fast.solve` (imported only then), with every answer certified from the
    statement's own data; our own backends do that themselves.
    """
    if solve is None:
        solve = importlib.import_module("cvxinv.fast").solve
    if not callable(solve):
        raise TypeError(f"solve: expected a callable solve(problem), got {solve!r}")
    if is_own(solve):
        return solve

    def certified(problem: Problem) -> Solution:
        begin = time.perf_counter()
        return judged(problem, solve(problem), begin)

    return certified


def layerwise(solve: Any, done: Meter) -> Any:
    """`solve`, each of whose calls is a piece of work for every signal of its statement."""
    if done.silent:
        return solve

    def told(problem: Problem, **options: Any) -> Solution:
        begin, size = done.done, signals_in(problem.data)
        if is_own(solve):
            options["progress"] = done.within(begin, size)
        found: Solution = solve(problem, **options)
        done.reach(begin + size)
        return found

    return told


def signals_in(y: Array) -> int:
    """How many signals (B, n) or (n,) are."""
    return 1 if y.ndim == 1 else len(y)


def briefly(solve: Solve | None, steps: int) -> Certified:
    """The backend with no more than `steps` iterations and no last resort, if it is the default,
    for what need not be exact; one that was given as it is.
    """
    ours: Any = backend(None)
    if solve is None or solve is ours:
        return partial(ours, max_iter=steps, sure=False)
    return backend(solve)


def known_to(solve: Certified, accuracy: float) -> Certified:
    """`solve`, which goes no further than the accuracy of the signals if it is the default; with a
    limited number of steps where they are known so roughly that no status could hold.
    """
    ours: Any = backend(None)
    if solve is not ours and getattr(solve, "func", None) is not ours:
        return solve
    own: Any = solve
    exact = partial(own, accuracy=accuracy)
    return exact if accuracy <= ROUGH else partial(exact, max_iter=FEW, sure=False)


def collected(
    G: Generator,
    y: Array,
    seen: Array | None,
    z: Array,
    solutions: list[Solution],
    last: Latent | LeastSquares | LinearProgram,
    invalid: Array,
) -> Inversion:
    """The answer: solutions come from the image down, the one of the problem `last` at the end, and
    are kept in the order z, x_1, .., x_L.
    """
    xp = namespace(z)
    lost = ~xp.all(xp.isfinite(solutions[0].x), axis=-1, keepdims=True)  # no x_L to go on from
    z = xp.where(lost, xp.nan, z)
    fine = np.full(np.shape(solutions[0].status), Status.OPTIMAL, dtype=object)
    of_z = marked(fine, ~to_numpy(determined(last, solutions[-1])), Status.NOT_IDENTIFIABLE)
    status = worst([*(s.status for s in solutions), of_z])
    signal = cast_to(G(z), z)
    residual = cast_to(observed_norm(y - signal, seen), z)
    layers = solutions[-2::-1]
    notes = noted(on_fit(G, y, seen, residual), *_not_made(y, seen, residual))
    return Inversion(
        z,
        [s.x for s in layers],
        [s.support for s in layers],
        solutions[::-1],
        signal,
        marked(status, to_numpy(invalid), Status.INVALID_SIGNAL),
        residual=residual,
        notes=notes,
    )


def _not_made(y: Array, seen: Array | None, residual: Array) -> tuple[Any, Callable[[int], str]]:
    """Which signals z does not make, though every layer may be solved, and how to say it."""
    given = to_numpy(observed_norm(y, seen)).reshape(-1)
    left = to_numpy(residual).reshape(-1)
    share = np.divide(left, given, out=np.zeros_like(given), where=given > 0)
    where = np.reshape(np.isfinite(share) & (share > UNLIKE), np.shape(to_numpy(residual)))
    return (
        where,
        lambda b: (
            f"z does not make the signal: ||y - G(z)|| is {100 * share[b]:.2g} % of ||y||; `invert`"
            " takes noise and rounding"
        ),
    )


def not_reproduced(y: Array, seen: Array | None, found: Inversion) -> Array:
    """The indices of the finite signals y (B, n) that the z found does not reproduce."""
    xp = namespace(y)
    given = observed_norm(y, seen)
    reproduced = found.residual <= REPRODUCED[dtype_name(y)] * given
    indices: Array = xp.nonzero(xp.isfinite(given) & ~reproduced)[0]
    return indices


def image_layer_fits(G: Generator, y: Array, seen: Array | None, x: Array) -> Array:
    """(B,) bool: whether the x_L of a pursuit makes the signals, so that there is little noise, and
    what z lacks are digits.
    """
    x = cast_to(x, G.weights[-1])
    t, bias = x @ G.weights[-1].T, G.bias(G.depth)
    image = cast_to(G.activation(t if bias is None else t + bias), y)
    return observed_norm(y - image, seen) <= FITS * observed_norm(y, seen)
