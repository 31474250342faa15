"""Seeded random instances of the layer problems, one kind of difficulty at a time, in NumPy."""

from dataclasses import fields
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import linprog

from cvxinv import BasisPursuit, Generator, LastLayer, Latent, LeastSquares, MidLayer, Solution
from cvxinv.testing.hard import CLASSES, DIFFICULTIES, MASKS, UNIQUE, instance

UNIQUE_KINDS, KINDS = UNIQUE, DIFFICULTIES
SEEDS = range(4)  # bit 0: with a bias; bit 1: with lam or gamma
# signals of a class: SIGNALS * len(SEEDS) * len(KINDS) > 200
DATA = {
    LastLayer: "y",
    MidLayer: "x_next",
    Latent: "x_next",
    BasisPursuit: "target",
    LeastSquares: "target",
}
MASK = MASKS
CONSTRAINED = (MidLayer, Latent)
PRINTED_METHOD = {cls: "linearized_admm" if cls in CONSTRAINED else "fista" for cls in CLASSES}


@cache
def solved(cls: type, kind: str, seed: int) -> tuple[object, Solution]:
    """The instance and its reference solution."""
    from cvxinv import reference  # here: most users of this file can do without cvxpy

    problem = instance(cls, kind, seed)
    return problem, reference.solve(problem)


def replaced(problem, **changes):
    """The same statement with other values for some of its fields."""
    return type(problem)(
        **{**{f.name: getattr(problem, f.name) for f in fields(problem)}, **changes}
    )


def tensors(problem, device: str = "cpu"):
    """The statement in torch tensors."""
    arrays = {
        f.name: getattr(problem, f.name)
        for f in fields(problem)
        if isinstance(getattr(problem, f.name), np.ndarray)
    }
    return replaced(problem, **{k: torch.tensor(v, device=device) for k, v in arrays.items()})


def constraints(problem, b: int) -> tuple[np.ndarray, np.ndarray]:
    """C and d of signal b, from the statement's own fields."""
    if not isinstance(problem, CONSTRAINED):
        return np.zeros((0, problem.W.shape[1])), np.zeros(0)
    off = ~np.broadcast_to(problem.support, problem.x_next.shape)[b]
    bias = np.zeros(len(off)) if problem.bias is None else problem.bias
    return problem.W[off], -bias[off]


def feasible(problem, b: int) -> bool:
    """Whether some x satisfies the constraints of signal b, by linear programming on scaled
    data.
    """
    C, d = constraints(problem, b)
    if not np.any(d < 0):
        return True  # x = 0
    C, d = C / (np.abs(C).max() or 1), d / np.abs(d).max()
    free = (None, None) if isinstance(problem, Latent) else (0, None)
    answer = linprog(np.zeros(C.shape[1]), A_ub=C, b_ub=d, bounds=free, method="highs")
    assert answer.status in (0, 2)
    return answer.status == 0


def objective(problem, x: np.ndarray) -> np.ndarray:
    """The objective of each signal at x, from the statement's own fields."""
    data = getattr(problem, DATA[type(problem)])
    used = getattr(problem, MASK[type(problem)])
    residual = x @ problem.W.T + (0 if problem.bias is None else problem.bias) - data
    residual = residual if used is None else residual * used
    lam, gamma = getattr(problem, "lam", 0.0), getattr(problem, "gamma", 0.0)
    penalty = (np.abs(x) * lam).sum(axis=1) + 0.5 * gamma * (x**2).sum(axis=1)
    return 0.5 * (residual**2).sum(axis=1) + penalty


def generator(
    sizes: tuple[int, ...], activation: str = "identity", seed: int = 0, biased: bool = False
) -> Generator:
    """Gaussian weights of variance 2 / n_i (1 / n_L at the output), which keep signals at one
    scale.
    """
    rng = np.random.default_rng(seed)
    last = len(sizes) - 2
    W = [
        rng.standard_normal((m, n)) * np.sqrt((2 - (i == last)) / n)
        for i, (n, m) in enumerate(pairwise(sizes))
    ]
    biases = [0.1 * rng.standard_normal(len(w)) for w in W] if biased else None
    return Generator(W, biases, activation)
