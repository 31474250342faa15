"""Signals one after another, each from its start to the goal, in one thread."""

from typing import NamedTuple

import numpy as np

from .lapack import entry, factorise
from .looks import look, natural, unclear
from .state import Array, Room, Shared, Signal
from .step import (
    TINY,
    choose_columns,
    choose_rows,
    conjugate_gradients,
    divide,
    extend,
    factor_rows,
    move,
    restrict,
    right_sides,
)

PATIENCE = 8  # looks without halving the residual
# weight of relative errors of x beside residuals: answers are equal to 1e-10 whatever the
# companions; and what a step leaves of an error, where the residual falls by more
ERROR, LEFT = 0.25, 1e-5


class Signals(NamedTuple):
    """The data of some signals, and their answers, all with a leading B axis."""

    t: Array  # (B, m)
    on: Array  # (B, m) bool
    d: Array  # (B, m)
    lam: Array  # (B, n)
    g: Array  # (B, n), or (B, 0)
    x: Array  # (B, n) where to start, and the best point seen
    eta: Array  # (B, m)
    residual: Array  # (B,) that of the best point
    steps: Array  # (B,) int
    doubtful: Array  # (B,) bool: whether its support hangs on the last digits


@entry
def solve_some(
    q: Shared,
    some: Signals,
    w: Room,
    goal: float,
    rounded: float,
    max_iter: int,
    first: int,
    last: int,
) -> None:
    """Solve the signals from `first` up to `last`: the best points seen, their residuals, and the
    steps taken; down to the goal, or to rounding where supports hang on the last digits.
    """
    n, m, shared = len(q.gamma), len(q.unit), len(q.gram) > 0
    for b in range(first, last):
        s = Signal(some.t[b], some.on[b], some.d[b], some.lam[b], some.g[b], w.x, w.eta, w.v, w.r)
        x, eta = some.x[b], some.eta[b]
        nothing = True
        for j in range(n):
            w.place[j] = j if shared else -1
            w.free[j], s.x[j] = False, x[j]
            nothing = nothing and x[j] == 0
        for i in range(m):
            w.active[i], s.eta[i] = False, eta[i]
        best, mark, before = np.inf, np.inf, np.inf
        moved, known, waited, step = 0.0, 0, 0, 0
        easy, factored = q.easy, False
        while True:
            look(q, s)
            residual = natural(q, s)
            if not residual < np.inf:
                break
            error = ERROR * moved * min(1.0, max(residual / before, LEFT))
            before = max(residual, TINY)
            total = max(residual, error)
            if total < best:
                best = total
                for j in range(n):
                    x[j] = s.x[j]
                for i in range(m):
                    eta[i] = s.eta[i]
            if total < 0.5 * mark:
                mark, waited = total, 0
            else:
                waited += 1
            doubtful = q.nonnegative and best <= goal and unclear(s)
            some.doubtful[b] = doubtful
            if best <= (rounded if doubtful else goal) or step >= max_iter or waited > PATIENCE:
                break
            step += 1
            nf, other_columns = choose_columns(q, s, w)
            na, other_rows = choose_rows(q, s, w, nothing and step == 1)
            if other_columns:
                known = extend(q, s, w, known)
                restrict(w, nf)
                factored = False
            size = right_sides(q, s, w, nf, na)
            easy = easy and na == 0 and not factored
            easy = easy and conjugate_gradients(w, nf)
            if not easy:
                if not factored:
                    factored = factorise(w.factor, nf, w.spare)
                    if not factored:
                        break
                    other_rows = True
                if other_rows:
                    factor_rows(q, w, nf, na)
                divide(w, nf)
            moved = move(s, w, nf, na, size)
        for j in range(n):
            if q.nonnegative and x[j] < 0:
                x[j] = 0.0
        for i in range(m):
            if s.on[i] or eta[i] < 0:
                eta[i] = 0.0
        some.residual[b], some.steps[b] = best, step
