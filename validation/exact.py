"""Exact solutions of small layer problems in rationals: the oracle that no rounding can fool.

Each signal of a statement is read from the statement's public fields as an instance of (Q),

    minimise    1/2 ||A x - t||^2 + sum_j lam_j |x_j| + gamma/2 ||x||^2
    subject to  C x <= d, and x >= 0 where stated,

whose data are the exact rationals of the floats. t = target - bias is taken exactly, where the
library rounds it in float64: draw biases for which the difference is exact. The library's own
reduction to (Q) is not used.

The optimality conditions are a linear complementarity problem, w = M z + q >= 0, z >= 0, w'z = 0,
for z = (x, multipliers) with entries of either sign split into two. M is positive semidefinite, so
that Lemke's method ends at a solution, or on a ray which proves that C x <= d has none, whatever is
degenerate, rank deficient or unbounded. What `solve` returns has then passed the exact optimality
conditions, or the exact Farkas conditions, on the data of the statement: the method need not be
trusted.
"""

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

import cvxinv
from cvxinv.problems import LayerProblem

from . import lemke

Vector: TypeAlias = Sequence[Fraction]
ZERO = Fraction(0)


@dataclass(frozen=True)
class Truth:
    """The exact answer to one signal: a minimiser and its multipliers, or a Farkas certificate.

    Attributes
    ----------
    optimum, x, eta
        Optimal value, a minimiser and multipliers of the rows of C; None if nothing is feasible.
    farkas
        Then p >= 0 with C'p >= 0 (= 0 where x may be negative) and d'p < 0; else None.
    """

    optimum: Fraction | None
    x: Vector | None
    eta: Vector | None
    farkas: Vector | None

    @property
    def feasible(self) -> bool:
        """Whether any x satisfies the constraints."""
        return self.farkas is None


@dataclass(frozen=True)
class Signal:
    """One signal as an instance of (Q) in rationals; entries of x off `columns` have to be zero."""

    A: list[Vector]
    t: Vector
    C: list[Vector]
    d: Vector
    lam: Vector
    gamma: Fraction
    nonnegative: bool
    columns: list[int]

    def objective(self, x: Iterable[Any]) -> Fraction:
        """The exact objective at x (floats or rationals), constraints ignored."""
        x = rationals(x)
        misfit = [dot(a, x) - t for a, t in zip(self.A, self.t, strict=True)]
        weighted = dot(self.lam, [abs(v) for v in x])
        return dot(misfit, misfit) / 2 + weighted + self.gamma * dot(x, x) / 2

    def violation(self, x: Iterable[Any]) -> Fraction:
        """The exact largest violation of any constraint at x, absolute; 0 at feasible points."""
        x = rationals(x)
        return max([ZERO, *self.excess(x), *self.outside(x)])

    def excess(self, x: Vector) -> Vector:
        """C x - d."""
        return [dot(c, x) - d for c, d in zip(self.C, self.d, strict=True)]

    def outside(self, x: Vector) -> Vector:
        """How far each entry of x lies below zero where x >= 0, and from zero off the columns."""
        below = [max(-v, ZERO) if self.nonnegative else ZERO for v in x]
        return [below[j] if j in self.columns else abs(v) for j, v in enumerate(x)]

    def optimal(self, x: Vector, eta: Vector) -> bool:
        """Whether x with the multipliers eta meets the optimality conditions exactly."""
        if self.violation(x) > 0 or any(e < 0 for e in eta) or dot(eta, self.excess(x)) != 0:
            return False
        theta = [t - dot(a, x) for a, t in zip(self.A, self.t, strict=True)]
        for j in self.columns:
            r = dot(column(self.A, j), theta) - dot(column(self.C, j), eta) - self.gamma * x[j]
            lam = self.lam[j]
            if x[j] and r != (lam if x[j] > 0 else -lam):
                return False
            if not x[j] and (r > lam or (not self.nonnegative and r < -lam)):
                return False
        return True

    def refuted(self, p: Vector) -> bool:
        """Whether p is an exact proof that the constraints contradict each other."""
        v = [dot(column(self.C, j), p) for j in self.columns]
        bent = any(a < 0 if self.nonnegative else a != 0 for a in v)
        return all(a >= 0 for a in p) and not bent and dot(self.d, p) < 0


def rationals(values: Iterable[Any]) -> list[Fraction]:
    """Floats as the rational numbers that they are."""
    return [v if isinstance(v, Fraction) else Fraction(float(v)) for v in values]


def dot(a: Vector, b: Vector) -> Fraction:
    """The inner product."""
    return sum(map(operator.mul, a, b), ZERO)


def norm(a: Vector) -> float:
    """The Euclidean norm, rounded."""
    return math.hypot(*map(float, a))


def column(rows: list[Vector], j: int) -> Vector:
    """Column j of a matrix given by its rows."""
    return [row[j] for row in rows]


def signals(problem: LayerProblem) -> list[Signal | None]:
    """The signals of a statement in NumPy arrays; None for those whose data are not finite.

    Of a `LastLayer`, the activation is taken to be the identity.
    """
    target = np.atleast_2d(problem.data)
    (B, m), n = target.shape, np.shape(problem.W)[1]
    constrained = isinstance(problem, cvxinv.MidLayer | cvxinv.Latent)
    last = isinstance(problem, cvxinv.LastLayer)
    name = "observed" if last else "support" if constrained else "rows"
    used, columns = (_mask(problem, *a) for a in ((name, (B, m)), ("columns", (B, n))))
    lam = np.broadcast_to(getattr(problem, "lam", 0.0), (B, n))
    W, b = (
        list(map(rationals, problem.W)),
        rationals(problem.bias if problem.bias is not None else [0] * m),
    )
    found: list[Signal | None] = []
    for k in range(B):
        A, C = (np.flatnonzero(mask).tolist() for mask in (used[k], ~used[k] & constrained))
        if not np.isfinite(target[k, A]).all():
            found.append(None)
            continue
        found.append(
            Signal(
                A=[W[i] for i in A],
                t=[Fraction(float(target[k, i])) - b[i] for i in A],
                C=[W[i] for i in C],
                d=[-b[i] for i in C],
                lam=rationals(lam[k]),
                gamma=Fraction(float(getattr(problem, "gamma", 0.0))),
                nonnegative=last or isinstance(problem, cvxinv.MidLayer),
                columns=np.flatnonzero(columns[k]).tolist(),
            )
        )
    return found


def _mask(problem: LayerProblem, name: str, shape: tuple[int, int]) -> Any:
    """A mask of the statement for every signal; all of it where there is none."""
    mask = getattr(problem, name, None)
    return np.broadcast_to(True if mask is None else mask, shape)


def solve(signal: Signal) -> Truth:
    """The exact answer to one signal, proven by its own optimality or Farkas conditions."""
    split = _Split.of(signal)
    z, ray = lemke.solve(split.M, split.q)
    if ray is not None:
        farkas = split.multipliers(ray)
        if not signal.refuted(farkas):
            raise ArithmeticError("no Farkas certificate where Lemke's method found no solution")
        return Truth(None, None, None, farkas)
    x, eta = split.point(z), split.multipliers(z)
    if not signal.optimal(x, eta):
        raise ArithmeticError("Lemke's method ended at a point that is not optimal")
    return Truth(signal.objective(x), x, eta, None)


@dataclass(frozen=True)
class _Split:
    """w = M z + q in integers, for z = (parts of x, multipliers) / scale."""

    M: Any  # (N, N) and (N,) object arrays of Python integers
    q: Any
    parts: list[tuple[int, int]]  # (column, sign) of the first entries of z
    scale: list[Fraction]
    n: int

    @classmethod
    def of(cls, s: Signal) -> "_Split":
        """The complementarity problem of a signal."""
        signs = (1,) if s.nonnegative else (1, -1)
        parts = [(j, sign) for sign in signs for j in s.columns]
        columns = [[sign * a for a in column(s.A, j)] for j, sign in parts]
        below = [[sign * c for c in column(s.C, j)] for j, sign in parts]
        n, N = len(parts), len(parts) + len(s.C)
        M, q = np.full((N, N), ZERO, dtype=object), np.full(N, ZERO, dtype=object)
        scale = [_unit(a) if any(a) else _unit(c) for a, c in zip(columns, below, strict=True)]
        for k, (j, sign) in enumerate(parts):
            for h, (i, other) in enumerate(parts):
                ridge = sign * other * s.gamma if i == j else 0
                M[k, h] = (dot(columns[k], columns[h]) + ridge) * scale[k] * scale[h]
            q[k] = (s.lam[j] - dot(columns[k], s.t)) * scale[k]
        for i in range(len(s.C)):
            row = [below[k][i] * scale[k] for k in range(n)]
            scale.append(_unit(row))
            M[:n, n + i] = [a * scale[-1] for a in row]
            M[n + i, :n] = -M[:n, n + i]
            q[n + i] = s.d[i] * scale[-1]
        size = _unit(list(q))
        q *= size
        M, down = _integers(M)
        q, factor = _integers(q)
        return cls(M, q, parts, [a * down / (factor * size) for a in scale], len(s.lam))

    def point(self, z: Any) -> Vector:
        """x from z."""
        x = [ZERO] * self.n
        for k, (j, sign) in enumerate(self.parts):
            x[j] += sign * z[k] * self.scale[k]
        return x

    def multipliers(self, z: Any) -> Vector:
        """Multipliers of C x <= d, or weights of a Farkas certificate up to a factor, from z."""
        first = len(self.parts)
        return [a * b for a, b in zip(z[first:], self.scale[first:], strict=True)]


def _unit(values: Sequence[Fraction]) -> Fraction:
    """A power of two near 1 / the largest of the values."""
    largest = max(map(abs, values), default=ZERO)
    bits = largest.numerator.bit_length() - largest.denominator.bit_length() if largest else 0
    return Fraction(2) ** -bits


def _integers(values: Any) -> tuple[Any, int]:
    """An array of rationals as integers, and the factor that made them so."""
    factor = math.lcm(*(v.denominator for v in values.ravel()))
    scaled = np.array([int(v * factor) for v in values.ravel()], dtype=object)
    return scaled.reshape(values.shape), factor
