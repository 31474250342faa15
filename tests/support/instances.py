"""Seeded random instances of the layer problems, one kind of difficulty at a time, in NumPy."""

from dataclasses import fields
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import linprog

from cvxinv import BasisPursuit, Generator, LastLayer, Latent, LeastSquares, MidLayer, Solution

CLASSES = (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares)
UNIQUE_KINDS = (
    "plain",
    "noisy",
    "small_matrix",
    "large_matrix",
    "small_signal",
    "large_signal",
    "uneven_columns",
)
KINDS = (
    *UNIQUE_KINDS,
    "rank_deficient",
    "zero_columns",
    "duplicate_columns",
    "empty_support",
    "full_support",
    "one_row",
    "wide",
    "mask",
    "shared_mask",
    "zero_signal",
)
SEEDS = range(4)  # bit 0: with a bias; bit 1: with lam or gamma
SIGNALS = 3  # per instance: SIGNALS * len(SEEDS) * len(KINDS) > 200 for each class
DATA = {
    LastLayer: "y",
    MidLayer: "x_next",
    Latent: "x_next",
    BasisPursuit: "target",
    LeastSquares: "target",
}
MASK = {
    LastLayer: "observed",
    MidLayer: "support",
    Latent: "support",
    BasisPursuit: "rows",
    LeastSquares: "rows",
}
CONSTRAINED = (MidLayer, Latent)
PRINTED_METHOD = {cls: "linearized_admm" if cls in CONSTRAINED else "fista" for cls in CLASSES}


def matrix(kind: str, rng: np.random.Generator) -> np.ndarray:
    """W (m, n), not yet scaled."""
    m, n = {"one_row": (1, 6), "wide": (7, 12)}.get(kind, (20, 8))
    W = rng.standard_normal((m, n))
    if kind == "rank_deficient":
        W = rng.standard_normal((m, 3)) @ rng.standard_normal((3, n))
    elif kind == "zero_columns":
        W[:, ::3] = 0
    elif kind == "duplicate_columns":
        W[:, 1::2] = W[:, 0::2]
    elif kind == "uneven_columns":
        W *= np.logspace(-2, 2, n)
    return W


def mask(cls: type, kind: str, shape: tuple[int, int], rng: np.random.Generator):
    """The rows that enter (S of eqs. 6 and 9), None for the default."""
    if kind in ("empty_support", "full_support"):
        return np.full(shape, kind == "full_support")
    if kind == "shared_mask":
        return rng.random(shape[1]) < 0.6
    return rng.random(shape) < 0.6 if kind == "mask" else None


def instance(cls: type, kind: str, seed: int, count: int = SIGNALS):
    """A batch of `count` signals; with a bias where seed is odd, with lam or gamma where its second
    bit is set.
    """
    rng = np.random.default_rng([CLASSES.index(cls), KINDS.index(kind), seed])
    W = matrix(kind, rng)
    m, n = W.shape
    x = rng.standard_normal((count, n)) / np.maximum(np.linalg.norm(W, axis=0), 1e-3)
    x = np.maximum(x, 0) if cls in (LastLayer, MidLayer) else x
    bias = 0.3 * rng.standard_normal(m) if seed & 1 else None
    data = x @ W.T + (0 if bias is None else bias)
    data = data + 0.1 * rng.standard_normal(data.shape) if kind != "plain" else data
    data = np.maximum(data, 0) if cls in CONSTRAINED else data
    data = 0 * data if kind == "zero_signal" else data
    of_matrix = {"small_matrix": 1e-6, "large_matrix": 1e6}.get(kind, 1.0)
    of_signal = {"small_signal": 1e-6, "large_signal": 1e6}.get(kind, 1.0)
    W, data, bias = of_matrix * W, of_signal * data, None if bias is None else of_signal * bias
    options = {"W": W, DATA[cls]: data, "bias": bias, MASK[cls]: mask(cls, kind, data.shape, rng)}
    if cls is LeastSquares:
        return cls(**options, columns=rng.random((count, n)) < 0.7 if seed & 2 else None)
    weight = weights(cls, W, data, seed, rng) if seed & 2 else 0.0
    return cls(**options, **{"gamma" if cls is Latent else "lam": weight})


def weights(cls: type, W: np.ndarray, data: np.ndarray, seed: int, rng: np.random.Generator):
    """A gamma or lam that matters without setting all of x to zero."""
    if cls is Latent:
        return 0.1 * float(np.linalg.norm(W, 2) ** 2)
    lam = 0.1 * float(np.abs(data @ W).max()) or 0.1
    if cls is not BasisPursuit:
        return lam
    n = W.shape[1]
    return lam * rng.uniform(0.5, 1.5, (n,) if seed & 1 else (len(data), n))


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
