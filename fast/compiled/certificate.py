"""The certificate of a few ordinary signals, in two passes over W: for so few, NumPy's calls take
longer than what they compute.

It is computed from the statement's data and the point alone, by the formulas of
`cvxinv.certificate`, whose names these are. What is not ordinary is left to those: data near the
ends of the range of float64; signals, columns and rows of zeros; entries and multipliers below
zero; points far out, weights too small for a tolerance, and points of which the residual does not
decide (`rival`).
"""

import math
from typing import NamedTuple

import numpy as np

from cvxinv.certificate.pair import EPS, FAR
from cvxinv.certificate.scaling import LARGEST, SMALLEST
from cvxinv.certificate.verify import FEW, ROUNDED, WEAK_GAMMA, WEAK_LAM
from cvxinv.newton.units import LEAST_SIZE

from ..core.units import TINY, TINY_GAMMA
from .lapack import entry, jit
from .state import Array, Statement

MOST = 1e100  # beyond it a figure says no more


class Columns(NamedTuple):
    """What belongs to columns, in its units, (n,)."""

    x: Array
    lam: Array
    gamma: Array
    pull: Array
    r: Array


class Pair(NamedTuple):
    """A point with multipliers: sums, in their units but for what says ||t||^2."""

    s: float
    rows: float  # largest natural residual of rows
    of_rows: float
    slackness: float
    violation: float
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
    c = Columns(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    for b in range(B):
        known, p = pair(q, b, x[b], eta[b], c)
        if not (known and decided(q, c, p, accuracy, figures[:, b], support[b])):
            return figures, support, False
    return figures, support, True


@jit
def pair(q: Statement, b: int, x: Array, eta: Array, c: Columns) -> tuple[bool, Pair]:
    """Signal b with its point and multipliers; whether its data are ordinary."""
    (m, n), on, t, d, lam = q.W.shape, q.on[b], q.t[b], q.d[b], q.lam[b]
    v, D, longest, shortest = first_pass(q, on, x)
    size, fit, squares, of_y, of_d, given = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    least, y = np.inf, np.empty(m)
    for i in range(m):
        theta = t[i] - v[i] if on[i] else 0.0
        y[i] = theta - eta[i]
        size += t[i] * t[i]
        fit += v[i] * v[i] if on[i] else 0.0
        squares += theta * theta
        of_y += y[i] * y[i]
        of_d += d[i] * d[i]
        given += (t[i] + d[i]) * y[i]
        least = min(least, eta[i])
    s = math.sqrt(max(size, fit))

    gradient, reached = second_pass(q.W, y, D)
    rows, of_rows, slackness, violation = 0.0, 0.0, 0.0, 0.0
    for i in range(m):
        row = min(max(abs(d[i]) / s, reached[i], LEAST_SIZE), 1.0) * s
        slack = (d[i] - v[i]) / row if q.constrained and not on[i] else 0.0
        multiplier = eta[i] * row / (s * s)
        rows = max(rows, abs(min(multiplier, slack)))
        of_rows += abs(multiplier * slack)
        slackness += multiplier * slack
        violation = max(violation, -slack)

    weighted, narrowest = 0.0, np.inf
    for j in range(n):
        unit = D[j] * s
        c.x[j], c.lam[j], c.gamma[j] = x[j] * D[j] / s, lam[j] / unit, q.gamma / (D[j] * D[j])
        c.pull[j], c.r[j] = gradient[j] / unit, (gradient[j] - q.gamma * x[j]) / unit
        weighted += lam[j] * abs(x[j]) + 0.5 * q.gamma * x[j] * x[j]
        narrowest = min(narrowest, D[j])

    low, high = SMALLEST * SMALLEST, LARGEST * LARGEST
    ordinary = shortest > low and narrowest > SMALLEST and longest * narrowest < LARGEST
    ordinary = ordinary and size > low and max(size, of_y, of_d) < high and least >= 0
    lost = (8 + math.sqrt(m)) * EPS
    of_pull, of_given = lost * math.sqrt(of_y) / s * longest, lost * squares
    of_given += lost * math.sqrt(of_y) * (s + math.sqrt(of_d))
    sums = s, rows, of_rows, slackness, violation, squares, weighted, given, of_pull, of_given
    return ordinary, Pair(*sums)


@jit
def first_pass(q: Statement, on: Array, x: Array) -> tuple[Array, Array, float, float]:
    """W x; the norms D of columns on the rows of A; the largest norm of a column beside its D; and
    the square of the shortest row's.
    """
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
    D, longest = np.empty(n), 0.0
    for j in range(n):
        norm = math.sqrt(fitted[j] + others[j])
        D[j] = math.sqrt(fitted[j]) if fitted[j] > 0 or not q.constrained else norm
        longest = max(longest, norm / D[j])
    return v, D, longest, shortest


@jit
def second_pass(W: Array, y: Array, D: Array) -> tuple[Array, Array]:
    """W'y, and ||W_i / D|| for each row."""
    (m, n), gradient, inverse = W.shape, np.zeros(len(D)), np.empty(len(D))
    for j in range(n):
        inverse[j] = 1 / (D[j] * D[j])
    reached = np.empty(m)
    for i in range(m):
        w, yi, square = W[i], y[i], 0.0
        for j in range(n):
            gradient[j] += yi * w[j]
            square += w[j] * w[j] * inverse[j]
        reached[i] = math.sqrt(square)
    return gradient, reached


@jit
def decided(
    q: Statement, c: Columns, p: Pair, accuracy: float, figures: Array, support: Array
) -> bool:
    """Figures and support; whether the residual decides, and the point is ordinary."""
    natural, products, length, lowest, largest = p.rows, p.of_rows, 0.0, 0.0, 0.0
    for j in range(len(c.x)):
        x, lam, r = c.x[j], c.lam[j], c.r[j]
        above = x if q.nonnegative else max(x, -lam - r)
        natural = max(natural, abs(min(above, lam - r)))
        products += abs(x) * abs(lam - (-r if x < 0 else r))
        length += abs(x)
        lowest, largest = min(lowest, x), max(largest, lam)
    s2, cost = p.s * p.s, 0.5 * p.squares + p.weighted
    value = max(0.5 * s2, cost)
    share = s2 / value
    complementarity = min(products * share, cost / value)
    known = min(max(natural, complementarity, accuracy), 1.0)
    for j in range(len(c.x)):
        r = c.r[j] if q.nonnegative else abs(c.r[j])
        support[j] = abs(c.x[j]) > max(c.lam[j] - r, known)

    lower, gap, weight, least = of_gamma(q, c, p) if q.gamma > 0 else of_lam(q, c, p)
    if least > 0:
        relative = min(gap / weight, MOST)
        gap *= share
        complementarity = min(complementarity, abs(gap))
        gap = max(gap, relative * relative)
        unclear = gap > FEW and least < (WEAK_GAMMA if q.gamma > 0 else WEAK_LAM)
    else:
        unclear = (natural > ROUNDED or products * share > FEW) and cost > FEW * value
    figures[0], figures[1], figures[2] = cost, lower, gap
    figures[3], figures[4] = max(natural, complementarity), p.violation
    ordinary = length <= FAR and products < np.inf  # a sum keeps nan, a maximum forgets it
    ordinary = ordinary and (lowest >= 0 or not q.nonnegative) and not 0 < largest < TINY
    return ordinary and not unclear and (q.gamma == 0 or least >= TINY_GAMMA)


@jit
def of_gamma(q: Statement, c: Columns, p: Pair) -> tuple[float, float, float, float]:
    """Lower bound, gap in units of s^2, what the weights cost, and the least weight."""
    most, gap, least = 0.0, p.slackness, np.inf
    for j in range(len(c.x)):
        pull, size, gamma = c.pull[j], abs(c.x[j]), c.gamma[j]
        over = max((pull if q.nonnegative else abs(pull)) - c.lam[j], 0.0)
        off = over - gamma * size
        gap += off * off / (2 * gamma) + (over + c.lam[j]) * size - pull * c.x[j]
        most += (over + p.of_pull) * (over + p.of_pull) / (2 * gamma)
        least = min(least, gamma)
    s2 = p.s * p.s
    lower = max(p.given - 0.5 * p.squares - p.of_given - s2 * most, 0.0)
    return lower, gap, max(p.weighted / s2, 0.5 * least), least


@jit
def of_lam(q: Statement, c: Columns, p: Pair) -> tuple[float, float, float, float]:
    """The same for gamma = 0; without weights on all columns there is no bound."""
    least, tightest, pulled = np.inf, -np.inf, 0.0
    for j in range(len(c.x)):
        pull = c.pull[j] if q.nonnegative else abs(c.pull[j])
        tightest = max(tightest, pull / c.lam[j])
        pulled += c.pull[j] * c.x[j]
        least = min(least, c.lam[j])
    s2, lower, gap = p.s * p.s, np.nan, np.nan
    weights = p.weighted / s2
    if least > 0:
        tightest += p.of_pull / least  # 1 / the largest feasible multiple of the dual point
        best = max(p.given, 0.0) / p.squares if p.squares > 0 else 1.0
        k = best / max(best * tightest, 1.0)
        lower = max(k * p.given - 0.5 * k * k * p.squares - k * max(k, 1.0) * p.of_given, 0.0)
        gap = 0.5 * (1 - k) * (1 - k) * p.squares / s2 + k * p.slackness + weights - k * pulled
    return lower, gap, max(weights, least), least
