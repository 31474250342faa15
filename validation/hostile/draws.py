"""Small layer problems with ties, rank deficiency, odd scales and weights, and contradictions."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

import cvxinv
from cvxinv.problems import LayerProblem

CLASSES: tuple[Any, ...] = (
    cvxinv.LastLayer,
    cvxinv.MidLayer,
    cvxinv.Latent,
    cvxinv.BasisPursuit,
    cvxinv.LeastSquares,
)
LARGEST = (6, 5)
WEIGHTS = (
    0.0,
    0.0,
    1e-12,
    1e-8,
    1e-3,
    0.1,
    0.5,
    1.0,
    1 + 1e-9,
    10.0,
    1e12,
)  # of the largest sensible
BITS = 50  # of targets and biases: their difference is then exact


@dataclass(frozen=True)
class Drawn:
    """A statement with a B axis, and what is hostile about it."""

    problem: LayerProblem
    labels: tuple[str, ...]

    @property
    def described(self) -> dict[str, str]:
        """The labels in one line."""
        return {"drawn": ", ".join(self.labels)}

    def one(self, k: int) -> LayerProblem:
        """Signal k as a statement of its own, without the B axis."""
        given = {f.name: getattr(self.problem, f.name) for f in fields(self.problem)}
        shared = {"W", "bias"}
        return type(self.problem)(
            **{
                name: v[k] if getattr(v, "ndim", 0) == 2 and name not in shared else v
                for name, v in given.items()
            }
        )

    def code(self, k: int) -> str:
        """Code that rebuilds signal k (see the package for what it imports)."""
        problem = self.one(k)
        given = {f.name: getattr(problem, f.name) for f in fields(problem)}
        given.pop("activation", None)  # the identity
        arguments = ", ".join(f"{name}={literal(v)}" for name, v in given.items() if v is not None)
        return f"cvxinv.{type(problem).__name__}({arguments})"


def literal(value: Any) -> str:
    """An argument as code that rebuilds it to the last bit."""
    return f"array({value.tolist()})" if isinstance(value, np.ndarray) else repr(value)


def draw(rng: np.random.Generator, signals: int) -> Drawn:
    """A statement for some signals that share W, bias and weight, and often more."""
    cls = CLASSES[rng.integers(len(CLASSES))]
    constrained = cls in (cvxinv.MidLayer, cvxinv.Latent)
    m, n = (int(rng.integers(1, most + 1)) for most in LARGEST)
    W, kind = _matrix(rng, m, n)
    W, scaling = _scaled(rng, W)
    x, planted = _planted(rng, W, signals, cls in (cvxinv.LastLayer, cvxinv.MidLayer))
    rows, mask = _mask(rng, signals, m)
    W, bias, biased = _bias(rng, W, x, constrained)
    data, fitted = _data(rng, W, x, bias)
    if constrained:
        data = np.maximum(data, 0)
    if rows is None and constrained:
        rows = data > 0
    entering = np.broadcast_to(True if rows is None else rows, data.shape)
    data, bias = _exactly(data, bias, entering)
    t = np.where(entering, data - (0 if bias is None else bias), 0)
    weight, weighted = _weight(rng, cls, W, t, entering)
    if cls is cvxinv.LeastSquares and rng.random() < 0.5:
        weight, weighted = {"columns": rng.random((signals, n)[rng.integers(2) :]) < 0.7}, "columns"
    data, spoilt = _spoilt(rng, data)
    name = {cvxinv.LastLayer: "observed"}.get(cls, "support" if constrained else "rows")
    problem = cls(W, data, **{name: rows, "bias": bias}, **weight)
    return Drawn(problem, (kind, scaling, planted, mask, biased, fitted, weighted, spoilt))


def _matrix(rng: np.random.Generator, m: int, n: int) -> tuple[Any, str]:
    """W, not yet scaled."""
    W = rng.standard_normal((m, n)) if rng.random() < 0.5 else rng.integers(-2, 3, (m, n)) + 0.0
    near = 10.0 ** -rng.integers(6, 13)
    i, k = rng.integers(n, size=2)
    kind = str(
        rng.choice(["plain", "duplicate", "near duplicate", "zero column", "low rank", "rows"])
    )
    if kind == "duplicate":
        W[:, k] = W[:, i] * rng.choice([1.0, -1.0, 2.0, 0.1])
    elif kind == "near duplicate":
        W[:, k] = rng.choice([1.0, -1.0]) * W[:, i] * (1 + near * rng.standard_normal(m))
    elif kind == "zero column":
        W[:, rng.random(n) < 0.5] = 0
    elif kind == "low rank":
        W = np.outer(W[:, 0], rng.integers(-2, 3, n)) + near * rng.integers(2) * W
    elif kind == "rows":  # opposite or nearly opposite rows
        r, s = rng.integers(m, size=2)
        W[r] = -W[s] * (1 + near * rng.integers(2) * rng.standard_normal(n))
    return W, kind


def _scaled(rng: np.random.Generator, W: Any) -> tuple[Any, str]:
    """W with its scale changed: as a whole, or that of some rows or columns."""
    kind = str(rng.choice(["even", "whole", "rows", "columns"], p=[0.4, 0.2, 0.2, 0.2]))
    size = {"even": (1, 1), "whole": (1, 1), "rows": (len(W), 1), "columns": (1, W.shape[1])}[kind]
    power = np.zeros(size) if kind == "even" else rng.integers(-12, 13, size)
    if kind in ("rows", "columns"):
        power = power * (rng.random(size) < 0.5)
    return W * 10.0**power, kind


def _planted(rng: np.random.Generator, W: Any, B: int, nonnegative: bool) -> tuple[Any, str]:
    """Points with ties and zeros, in the units of the columns or not."""
    shape = (B, W.shape[1])
    x = rng.standard_normal(shape) if rng.random() < 0.5 else rng.integers(-2, 3, shape) + 0.0
    x[rng.random(shape) < 0.3] = 0
    x = np.abs(x) if nonnegative else x
    kind = str(rng.choice(["even", "units", "signals"]))
    if kind == "units":
        size = np.abs(W).max(0)
        x = x / np.where(size > 0, size, 1)
    elif kind == "signals":
        x = x * 10.0 ** rng.integers(-12, 13, (B, 1))
    return x, f"x {kind}"


def _mask(rng: np.random.Generator, B: int, m: int) -> tuple[Any, str]:
    """The rows that enter."""
    kind = str(
        rng.choice(["default", "shared", "own", "empty", "full"], p=[0.3, 0.25, 0.25, 0.1, 0.1])
    )
    masks = {
        "default": None,
        "shared": rng.random(m) < 0.5,
        "own": rng.random((B, m)) < 0.5,
        "empty": np.zeros(m, dtype=bool),
        "full": np.ones(m, dtype=bool),
    }
    return masks[kind], f"rows {kind}"


def _bias(rng: np.random.Generator, W: Any, x: Any, constrained: bool) -> tuple[Any, Any, str]:
    """W and a bias: vertices become degenerate, or constraints contradict each other, or barely."""
    m = len(W)
    kind = str(rng.choice(["none", "random", "tied", "barely"], p=[0.35, 0.2, 0.2, 0.25]))
    if kind == "none" or (kind == "barely" and not constrained):
        return W, None, "no bias"
    value = W @ x[0]
    size = np.abs(value).max() or 1.0
    if kind == "random":
        return W, rng.standard_normal(m) * size * 10.0 ** rng.choice([0, 0, -8, 8]), "bias random"
    bias = -value * (rng.random(m) < 0.8)
    if kind == "barely":
        r, s = rng.integers(m, size=2)
        W, c = W.copy(), rng.choice([1.0, 0.5, 1e3])
        W[r] = -c * W[s] * (1 + rng.integers(2) * 1e-10 * rng.standard_normal(W.shape[1]))
        bias[s] = rng.choice([0.0, 1.0, -1.0, 0.7]) * size
        by = rng.choice([1.0, -1.0]) * 10.0 ** -rng.integers(0, 17) * size * rng.integers(2)
        bias[r] = -c * bias[s] + c * by
    return W, bias, f"bias {kind}"


def _data(rng: np.random.Generator, W: Any, x: Any, bias: Any) -> tuple[Any, str]:
    """What is fitted: what the planted points give, with or without noise, or anything else."""
    clean = x @ W.T + (0 if bias is None else bias)
    size = np.abs(clean).max(1, keepdims=True)
    kind = str(
        rng.choice(
            ["clean", "noise", "little noise", "zero", "integers"], p=[0.3, 0.3, 0.1, 0.1, 0.2]
        )
    )
    noise = rng.standard_normal(clean.shape) * np.where(size > 0, size, 1)
    data = {
        "clean": clean,
        "noise": clean + noise,
        "little noise": clean + 10.0 ** -rng.integers(6, 13) * noise,
        "zero": np.zeros_like(clean),
        "integers": rng.integers(-2, 3, clean.shape) + 0.0,
    }
    return data[kind], f"fit {kind}"


def _exactly(data: Any, bias: Any, entering: Any) -> tuple[Any, Any]:
    """Data and bias rounded so that data - bias is exact in float64 on the rows that enter."""
    if bias is None:
        return data, None
    used = entering.any(0)
    largest = np.maximum(np.abs(data).max(0), np.abs(bias))
    quantum = 2.0 ** (np.frexp(largest)[1] - BITS)
    return (
        np.where(used, np.round(data / quantum) * quantum, data),
        np.where(used, np.round(bias / quantum) * quantum, bias),
    )


def _weight(
    rng: np.random.Generator, cls: Any, W: Any, t: Any, entering: Any
) -> tuple[dict[str, Any], str]:
    """The weight of the prior relative to where x = 0 becomes the solution, or to ||A||^2."""
    if cls is cvxinv.LeastSquares:
        return {}, "unweighted"
    share = float(rng.choice(WEIGHTS))
    if cls is cvxinv.Latent:
        size = float(np.sum((W * entering[0][:, None]) ** 2)) or 1.0
        return {"gamma": share * size}, f"weight {share:g}"
    size = float(np.abs(t[0] @ W).max(initial=0.0)) or 1.0
    if cls is cvxinv.BasisPursuit and rng.random() < 0.5:
        shape = (len(t), W.shape[1])[rng.integers(2) :]
        return {"lam": size * rng.choice(WEIGHTS, shape)}, "weights mixed"
    return {"lam": share * size}, f"weight {share:g}"


def _spoilt(rng: np.random.Generator, data: Any) -> tuple[Any, str]:
    """Data in which, sometimes, one entry of one signal is not finite."""
    if rng.random() > 0.05:
        return data, "finite"
    data = data.copy()
    data[rng.integers(len(data)), rng.integers(data.shape[1])] = rng.choice(
        [np.nan, np.inf, -np.inf]
    )
    return data, "one not finite"
