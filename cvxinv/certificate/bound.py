"""The dual objective of (Q) at the multipliers of a pair: a lower bound, and the gap to it.

The dual, over y on the rows of A and eta >= 0 on those of C, with v = A'y - C'eta:

    maximise  t'y - 1/2 ||y||^2 - d'eta - 1/(2 gamma) sum_j max(|v_j| - lam_j, 0)^2     (gamma > 0)
    subject to |v_j| <= lam_j,                                                          (gamma = 0)

with v_j for |v_j| where x >= 0. Multiples c (theta, eta) of what the pair has are tried: c = 1 for
gamma > 0, the best that is feasible for gamma = 0. What rounding does to v and to the sums is
bounded, by `rounding` times the norms of their terms, and taken off the bound. With t = theta + A x
and d = C x + slack the gap is a sum of terms >= 0, in which nothing cancels:

    1/2 (1 - c)^2 ||theta||^2 + sum_j (lam_j |x_j| - c v_j x_j) + c sum_i eta_i slack_i .
"""

import math
from dataclasses import dataclass

from cvxinv.arrays import Array, at_least, namespace
from cvxinv.certificate.pair import EPS, Pair
from cvxinv.newton import units


@dataclass(frozen=True)
class Bound:
    """What the dual says of a pair, (B,) each."""

    lower: Array  # on the optimal value; nan where there is none
    gap: Array  # in units of s^2; nan where there is none
    weight: Array  # in units of s^2: what the weights cost at x, or at an x of size s / D
    least: Array  # the smallest weight, in its units


def bound(pair: Pair) -> Bound:
    """The lower bound and the gap to it; for (Q)."""
    return _of_gamma(pair) if pair.at.q.gamma > 0 else _of_lam(pair)


def rounding(pair: Pair) -> float:
    """What a sum of m products loses to rounding, relative to the norms of its factors: more than
    blocked sums lose in practice.
    """
    return (8 + math.sqrt(pair.at.q.W.shape[0])) * EPS


def _lost(pair: Pair) -> tuple[Array, Array]:
    """What rounding can do to an entry of `pull`, and to t'y - d'eta, (B,) each."""
    xp, at, W = namespace(pair.y), pair.at, pair.at.q.W
    size = rounding(pair) * units.norm(pair.y)
    norms = xp.sqrt(xp.sum(W * W, axis=0))
    given = size * at.s + rounding(pair) * at.squares
    if at.q.constrained:
        given = given + size * units.norm(at.q.d)
    return size / at.s * xp.max(norms / at.D, axis=1), given


def _lower(pair: Pair, value: Array) -> Array:
    """The objective is nowhere below zero, or below what no x changes."""
    return at_least(value, 0) + 0.5 * pair.at.constant


def _of_gamma(pair: Pair) -> Bound:
    xp, at, q = namespace(pair.y), pair.at, pair.at.q
    gamma, s2 = q.gamma / (at.D * at.D), at.s * at.s
    v = pair.pull if q.nonnegative else xp.abs(pair.pull)
    if q.restricted:  # the other columns bound nothing
        v = xp.where(q.columns, v, 0.0)
    over = at_least(v - pair.lam, 0)
    of_pull, of_given = _lost(pair)
    most = over + of_pull[:, None]
    value = xp.vecdot(q.right, pair.y) - 0.5 * at.squares - of_given
    value = value - s2 * xp.sum(most * most / (2 * gamma), axis=1)
    off = over - gamma * at.sizes
    terms = off * off / (2 * gamma) + (over + pair.lam) * at.sizes - pair.pull * at.scaled
    gap = xp.sum(terms, axis=1) + pair.slackness
    smallest = xp.min(gamma, axis=1) + xp.zeros_like(gap)
    weight = xp.maximum(at.weighted / s2, 0.5 * smallest)
    return Bound(_lower(pair, value), gap, weight, smallest)


def _of_lam(pair: Pair) -> Bound:
    xp, at, q = namespace(pair.y), pair.at, pair.at.q
    v, lam = pair.pull if q.nonnegative else xp.abs(pair.pull), pair.lam
    if q.restricted:  # the other columns bound nothing
        v, lam = xp.where(q.columns, v, 0.0), xp.where(q.columns, lam, xp.inf)
    smallest, s2, squares = xp.min(lam, axis=1), at.s * at.s, at.squares
    nothing = xp.full_like(smallest, xp.nan)
    if not bool(xp.any(smallest > 0)):
        return Bound(nothing, nothing, at.weighted / s2, smallest)
    there = smallest > 0
    of_pull, of_given = _lost(pair)
    # 1 / the largest feasible multiple
    tightest = xp.max(v / xp.where(there[:, None], lam, xp.inf), axis=1)
    tightest = tightest + of_pull / units.positive(smallest)
    given = xp.vecdot(q.right, pair.y)
    best = xp.where(squares > 0, at_least(given, 0) / units.positive(squares), 1.0)
    c = best / at_least(best * tightest, 1.0)
    value = c * given - 0.5 * c * c * squares - c * at_least(c, 1.0) * of_given
    weights = at.weighted / s2
    gap = 0.5 * (1 - c) ** 2 * squares / s2 + c * pair.slackness
    gap = gap + weights - c * xp.vecdot(pair.pull, at.scaled)
    lower = _lower(pair, value)
    return Bound(
        xp.where(there, lower, nothing),
        xp.where(there, gap, nothing),
        xp.maximum(weights, smallest),
        smallest,
    )
