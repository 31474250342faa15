"""Primal-dual active sets for one signal of (Q), as `methods.active_set` has them for a batch.

One step guesses the free entries F of x and the active inequalities A from value against
multiplier, and solves the optimality conditions on them,

    [ H_FF  C_AF' ] [ dx   ]   [ r - lam   ]
    [ C_AF    0   ] [ deta ] = [ d - C x   ] ,    H = W_S'W_S + diag(gamma),   S the rows of A,

by a Cholesky factor of H_FF and the Schur complement C_AF H_FF^-1 C_AF' of the active rows. Factors
are in float32, around residuals in float64 from the data: a step on the same sets is a step of
iterative refinement. Entries of H are computed once for a signal, when a column first becomes free;
so further steps cost a factor, and little else.

Source: Hintermueller, Ito, Kunisch (2002).
"""

import numpy as np

from .lapack import gram, gram_rows, jit, solve, solve_one
from .state import Room, Shared, Signal

RIDGE = 1e-7  # on H, whose diagonal is at most 1: keeps a factor in float32 positive
RIDGE_ROWS = 1e-6  # on the Schur complement, relative to its diagonal
MU = 10.0  # weight of an inequality's violation beside its multiplier, in units of rows
# conjugate gradients in place of a factor: steps, and relative accuracy
CG_STEPS, CG_TOL = 30, 2e-6
TINY = 1e-300  # divides instead of zero


@jit
def choose_columns(q: Shared, s: Signal, w: Room) -> tuple[int, bool]:
    """The free columns F: how many there are, and whether they are others than before."""
    count, changed = 0, False
    for j in range(len(s.x)):
        free = not q.nonnegative or s.x[j] + s.r[j] - s.lam[j] > 0
        changed = changed or free != w.free[j]
        w.free[j] = free
        if free:
            w.F[count] = j
            count += 1
    return count, changed


@jit
def choose_rows(q: Shared, s: Signal, w: Room, none: bool) -> tuple[int, bool]:
    """The active rows A, `none` in a first step from nothing: how many there are, and whether they
    are others than before.
    """
    count, changed, n = 0, False, len(s.x)
    for i in range(len(s.v)):
        margin = s.eta[i] + MU * q.unit[i] ** 2 * (s.v[i] - s.d[i])
        active = not s.on[i] and margin > 0 and count < n and not none
        changed = changed or active != w.active[i]
        w.active[i] = active
        if active:
            w.A[count] = i
            count += 1
    return count, changed


@jit
def extend(q: Shared, s: Signal, w: Room, first: int) -> int:
    """P and H, which have `first` columns, on those that are free or leave as well: how many they
    have then.
    """
    known, rows, H = first, 0, w.H
    for j in range(len(s.x)):
        if w.place[j] < 0 and (w.free[j] or s.x[j] != 0):
            w.place[j], w.known[known] = known, j
            known += 1
    if known == first:
        return known
    for i in range(len(s.t)):
        if s.on[i]:
            a, p = q.narrow[i], w.P[rows]
            for k in range(first, known):
                p[k] = a[w.known[k]]
            rows += 1
    if first < known - first:
        first = 0
        gram(w.P, rows, known, H, w.spare)
        for k in range(known):
            h = H[k]
            for c in range(k):
                h[c] = H[c, k]
    else:
        gram_rows(w.P, rows, first, known, H, w.spare)
        for k in range(first, known):
            h = H[k]
            for c in range(first):
                H[c, k] = h[c]
    for k in range(first, known):
        H[k, k] += np.float32(q.gamma[w.known[k]] + RIDGE)
    return known


@jit
def restrict(w: Room, nf: int) -> None:
    """H_FF, in the place of its factor."""
    for k in range(nf):
        w.at[k] = w.place[w.F[k]]
    for k in range(nf):
        h, f = w.H[w.at[k]], w.factor[k]
        for c in range(nf):
            f[c] = h[w.at[c]]


@jit
def conjugate_gradients(w: Room, nf: int) -> bool:
    """dx <- H_FF^-1 b; whether a few steps are enough."""
    H, x, r, p, Hp = w.factor, w.dx, w.Y[0], w.Y[1], w.Y[2]
    rr = np.float32(0)
    for k in range(nf):
        r[k] = p[k] = w.b[k]
        x[k] = 0.0
        rr += r[k] * r[k]
    goal = CG_TOL * CG_TOL * rr
    for _ in range(CG_STEPS):
        if rr <= goal:
            return True
        for k in range(nf):
            Hp[k] = 0.0
        for k in range(0, nf - 3, 4):
            h0, h1, h2, h3 = H[k], H[k + 1], H[k + 2], H[k + 3]
            p0, p1, p2, p3 = p[k], p[k + 1], p[k + 2], p[k + 3]
            for c in range(nf):
                Hp[c] += (p0 * h0[c] + p1 * h1[c]) + (p2 * h2[c] + p3 * h3[c])
        for k in range(nf - nf % 4, nf):
            h, pk = H[k], p[k]
            for c in range(nf):
                Hp[c] += pk * h[c]
        pHp = np.float32(0)
        for k in range(nf):
            pHp += p[k] * Hp[k]
        alpha, new = rr / pHp, np.float32(0)
        for k in range(nf):
            x[k] += alpha * p[k]
            r[k] -= alpha * Hp[k]
            new += r[k] * r[k]
        beta = new / rr
        for k in range(nf):
            p[k] = r[k] + beta * p[k]
        rr = new
    return bool(rr <= goal)


@jit
def divide(w: Room, nf: int) -> None:
    """dx <- H_FF^-1 b by the factor."""
    for k in range(nf):
        w.dx[k] = w.b[k]
    solve_one(w.factor, nf, w.dx, w.spare)


@jit
def factor_rows(q: Shared, w: Room, nf: int, na: int) -> None:
    """C_AF H_FF^-1, and the factor of the Schur complement of the active rows."""
    C, Y, S = w.C, w.Y, w.S
    for a in range(na):
        row = q.narrow[w.A[a]]
        for k in range(nf):
            C[a, k] = Y[a, k] = row[w.F[k]]
    solve(w.factor, nf, Y, na, w.spare)
    for a in range(na):
        for b in range(a + 1):
            y, c, entry = Y[a], C[b], np.float32(0)
            for k in range(nf):
                entry += y[k] * c[k]
            S[a, b] = entry
        S[a, a] += RIDGE_ROWS * S[a, a] + RIDGE_ROWS * RIDGE_ROWS
        for b in range(a + 1):
            rest = S[a, b]
            for c in range(b):
                rest -= S[a, c] * S[b, c]
            S[a, b] = np.sqrt(max(rest, RIDGE_ROWS**2)) if a == b else rest / S[b, b]


@jit
def right_sides(q: Shared, s: Signal, w: Room, nf: int, na: int) -> float:
    """The right-hand sides, divided by the largest entry, which is returned: dx <- b, deta <- -e.

    What leaves F and A is zero from here on, which r and v do not know yet.
    """
    b, e = w.b, w.deta
    for k in range(nf):
        b[k] = s.r[w.F[k]] - s.lam[w.F[k]]
    for a in range(na):
        e[a] = s.v[w.A[a]] - s.d[w.A[a]]
    for j in range(len(s.x)):
        if s.x[j] != 0 and not w.free[j]:
            h = w.H[w.place[j]]
            for k in range(nf):
                b[k] += h[w.at[k]] * s.x[j]
            for a in range(na):
                e[a] -= q.narrow[w.A[a], j] * s.x[j]
            s.x[j] = 0.0
    for i in range(len(s.eta)):
        if s.eta[i] != 0 and not w.active[i]:
            for k in range(nf):
                b[k] += q.narrow[i, w.F[k]] * s.eta[i]
            s.eta[i] = 0.0
    size = TINY
    for k in range(nf):
        size = max(size, abs(b[k]))
    for a in range(na):
        size = max(size, abs(e[a]))
    for k in range(nf):
        b[k] /= size
    for a in range(na):
        e[a] /= size
    return size


@jit
def move(s: Signal, w: Room, nf: int, na: int, size: float) -> float:
    """From H_FF^-1 b to dx and deta, and go there; how far, relative to ||x||."""
    dx, e, S = w.dx, w.deta, w.S
    for a in range(na):  # S deta = C dx - (d - C x)
        c, rest = w.C[a], e[a]
        for k in range(nf):
            rest += c[k] * dx[k]
        for b in range(a):
            rest -= S[a, b] * e[b]
        e[a] = rest / S[a, a]
    for a in range(na - 1, -1, -1):
        rest = e[a]
        for b in range(a + 1, na):
            rest -= S[b, a] * e[b]
        e[a] = rest / S[a, a]
        s.eta[w.A[a]] += e[a] * size
        y, ea = w.Y[a], np.float32(e[a])
        for k in range(nf):
            dx[k] -= ea * y[k]
    moved, length = 0.0, TINY
    for k in range(nf):
        step, j = size * dx[k], w.F[k]
        s.x[j] += step
        moved += step * step
        length += s.x[j] * s.x[j]
    return float(np.sqrt(moved / length))
