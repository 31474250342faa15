"""The certificate of a few ordinary signals, in two passes over W: for so few, NumPy's calls take
longer than what they compute.

It is computed from the statement's data and the point alone, by the formulas of
`cvxinv.certificate`, whose names these are. What is not ordinary is left to those: data near the
ends of the range of float64; signals, columns and rows of zeros; entries and multipliers below
zero; points far out, and those of which the residual does not decide (`rival`).
"""

import math
from typing import NamedTuple

import numpy as np

from cvxinv.certificate.pair import EPS, FAR
from cvxinv.certificate.scaling import LARGEST, SMALLEST
from cvxinv.certificate.verify import FEW, ROUNDED, WEAK_GAMMA, WEAK_LAM
from cvxinv.newton.units import LEAST_SIZE

from .lapack import entry, jit
from .state import Array, Statement

MOST = 1e100  # beyond it a figure says no more


class Pair(NamedTuple):
    """A point with multipliers, in its units but for `s`, and for all that says ||t||^2."""

    s: float
    x: Array  # (n,)
    lam: Array  # (n,)
    gamma: Array  # (n,)
    pull: Array  # (n,)
    r: Array  # (n,)
    multiplier: Array  # (m,)
    slack: Array  # (m,)
    squares: float  # ||t - A x||^2
    weighted: float  # what the weights cost, as ||t||^2
    given: float  # t'y - d'eta for the dual point y, as ||t||^2
    of_pull: float  # what rounding can do to an entry of `pull`,
    of_given: float  # and to `given`


@entry
def certificate(q: Statement, x: Array, eta: Array, accuracy: float) -> tuple[Array, Array, bool]:
    """Objective, lower bound, gap, KKT residual and violation, (5, B), and the support, (B, n); and
    whether all signals are ordinary: else these say nothing.
    """
    B, n = x.shape
    figures, support = np.empty((5, B)), np.empty((B, n), np.bool_)
    for b in range(B):
        known, p = pair(q, b, x[b], eta[b])
        if not (known and decided(q, p, accuracy, figures[:, b], support[b])):
            return figures, support, False
    return figures, support, True


@jit
def pair(q: Statement, b: int, x: Array, eta: Array) -> tuple[bool, Pair]:
    """Signal b with its point and multipliers; whether its data are ordinary."""
    on, t, d = q.on[b], q.t[b], q.d[b]
    v, D, norms, shortest = first_pass(q, on, x)
    size, furthest = math.sqrt(np.sum(t * t)), np.max(np.abs(d))
    s = max(size, math.sqrt(np.sum(np.where(on, v * v, 0.0))))
    known = shortest > 0 and np.min(D) > SMALLEST and np.max(norms) < LARGEST
    known = known and size > SMALLEST and max(s, furthest) < LARGEST and np.min(eta) >= 0

    theta = np.where(on, t - v, 0.0)
    y, unit = theta - eta, D * s
    gradient, reached = second_pass(q.W, y, D)
    pull = gradient / unit
    rows = np.minimum(np.maximum(np.maximum(np.abs(d) / s, reached), LEAST_SIZE), 1.0) * s
    slack = (d - v) / rows if q.constrained else np.zeros_like(v)
    squares, rounding = np.sum(theta * theta), (8 + math.sqrt(len(v))) * EPS
    lost = rounding * math.sqrt(np.sum(y * y))
    return known, Pair(
        s,
        x * (D / s),
        q.lam[b] / unit,
        q.gamma / (D * D),
        pull,
        pull - q.gamma * x / unit,
        eta * rows / (s * s),
        np.where(on, 0.0, slack),
        squares,
        np.sum(q.lam[b] * np.abs(x)) + 0.5 * q.gamma * np.sum(x * x),
        np.sum((t + d) * y),
        lost / s * np.max(norms / D),
        lost * (s + math.sqrt(np.sum(d * d))) + rounding * squares,
    )


@jit
def first_pass(q: Statement, on: Array, x: Array) -> tuple[Array, Array, Array, float]:
    """W x, the norms D of columns on the rows of A, all their norms, and the shortest row's."""
    (m, n), W = q.W.shape, q.W
    v, fitted, others, shortest = np.empty(m), np.zeros(n), np.zeros(n), np.inf
    for i in range(m):
        w, vi, length = W[i], 0.0, 0.0
        squares = fitted if on[i] else others
        for j in range(n):
            square = w[j] * w[j]
            vi += w[j] * x[j]
            length += square
            squares[j] += square
        v[i], shortest = vi, min(shortest, length)
    norms = np.sqrt(fitted + others)
    D = np.where(fitted > 0, np.sqrt(fitted), norms) if q.constrained else np.sqrt(fitted)
    return v, D, norms, shortest


@jit
def second_pass(W: Array, y: Array, D: Array) -> tuple[Array, Array]:
    """W'y, and ||W_i / D|| for each row."""
    (m, n), inverse = W.shape, 1 / (D * D)
    gradient, reached = np.zeros(n), np.empty(m)
    for i in range(m):
        w, yi, square = W[i], y[i], 0.0
        for j in range(n):
            gradient[j] += yi * w[j]
            square += w[j] * w[j] * inverse[j]
        reached[i] = math.sqrt(square)
    return gradient, reached


@jit
def decided(q: Statement, p: Pair, accuracy: float, figures: Array, support: Array) -> bool:
    """Figures and support; whether the residual decides, and the point is ordinary."""
    size, s2 = np.abs(p.x), p.s * p.s
    above, outward = p.x, p.r
    if not q.nonnegative:
        above = np.maximum(p.x, -p.lam - p.r)
        outward = np.where(p.x < 0, -p.r, p.r)
    natural = np.max(np.abs(np.minimum(above, p.lam - p.r)))
    natural = max(natural, np.max(np.abs(np.minimum(p.multiplier, p.slack))))
    products = np.sum(size * np.abs(p.lam - outward)) + np.sum(np.abs(p.multiplier * p.slack))
    cost = 0.5 * p.squares + p.weighted
    value = max(0.5 * s2, cost)
    share = s2 / value
    complementarity = min(products * share, cost / value)
    known = min(max(natural, complementarity, accuracy), 1.0)
    for j in range(len(size)):
        pull = p.r[j] if q.nonnegative else abs(p.r[j])
        support[j] = size[j] > max(p.lam[j] - pull, known)

    unclear = natural > ROUNDED or products * share > FEW
    lower, gap, weight, least = of_gamma(q, p) if q.gamma > 0 else of_lam(q, p)
    if least > 0:
        relative = min(gap / weight, MOST)
        gap *= share
        complementarity = min(complementarity, abs(gap))
        gap = max(gap, relative * relative)
        unclear = gap > FEW and least < (WEAK_GAMMA if q.gamma > 0 else WEAK_LAM)
    else:
        unclear = unclear and cost > FEW * value
    kkt = max(natural, complementarity)
    violation = max(0.0, -np.min(p.slack)) + 0.0
    figures[0], figures[1], figures[2], figures[3], figures[4] = cost, lower, gap, kkt, violation
    ordinary = np.sum(size) <= FAR and (not q.nonnegative or np.min(p.x) >= 0)
    return ordinary and not unclear and kkt < np.inf


@jit
def of_gamma(q: Statement, p: Pair) -> tuple[float, float, float, float]:
    """Lower bound, gap in units of s^2, what the weights cost, and the least weight."""
    size, s2 = np.abs(p.x), p.s * p.s
    over = np.maximum((p.pull if q.nonnegative else np.abs(p.pull)) - p.lam, 0.0)
    most, off = over + p.of_pull, over - p.gamma * size
    lower = p.given - 0.5 * p.squares - p.of_given - s2 * np.sum(most * most / (2 * p.gamma))
    gap = np.sum(off * off / (2 * p.gamma) + (over + p.lam) * size - p.pull * p.x)
    gap += np.sum(p.multiplier * p.slack)
    least = np.min(p.gamma)
    return max(lower, 0.0), gap, max(p.weighted / s2, 0.5 * least), least


@jit
def of_lam(q: Statement, p: Pair) -> tuple[float, float, float, float]:
    """The same for gamma = 0; without weights on all columns there is no bound."""
    least, s2, lower, gap = np.min(p.lam), p.s * p.s, np.nan, np.nan
    weights = p.weighted / s2
    if least > 0:
        pull = p.pull if q.nonnegative else np.abs(p.pull)
        tightest = np.max(pull / p.lam) + p.of_pull / least  # 1 / the largest feasible multiple
        best = max(p.given, 0.0) / p.squares if p.squares > 0 else 1.0
        c = best / max(best * tightest, 1.0)
        lower = max(c * p.given - 0.5 * c * c * p.squares - c * max(c, 1.0) * p.of_given, 0.0)
        gap = 0.5 * (1 - c) ** 2 * p.squares / s2 + c * np.sum(p.multiplier * p.slack)
        gap += weights - c * np.sum(p.pull * p.x)
    return lower, gap, max(weights, least), least
