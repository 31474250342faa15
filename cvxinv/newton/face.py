"""The face of (Q) on which a solution lies, and the fit on it by orthogonal factors of A itself.

A'A squares the condition number of A: where that costs the digits, a method that works on A'A (a
solver on the Gram form, `newton.solve`) cannot tell an optimum from a point far away. Here, for the
few signals that need it, is the textbook's active-set method on A (Lawson and Hanson 1974; Nocedal
and Wright 2006, ch. 16): a face is the set of entries that may differ from zero and of rows C x <=
d that hold with equality; on it, the least squares problem is solved in the null space of those
rows by singular values, with weights as a linear term. Where a sign or another row stops the step,
the face shrinks; where a multiplier has the wrong sign, it grows.

Two things that rounding does to the textbook are minded. A step or a multiplier counts only above
the rounding of its own sums, from the data: no other tolerance enters. And columns are measured by
their own norms on the signal's own rows, in powers of two, so that scaling rounds nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import match, to_numpy
from cvxinv.newton.residual import Iterate, Scaled
from cvxinv.newton.units import power_of_two

EPS = float(np.finfo(np.float64).eps)
WORK = 4e9  # about the multiplications spent on a signal: bounds the rounds of large ones
REFINED = 3  # steps on one face: the first finds the point, the others correct its rounding


def fit_on_face(p: Scaled, at: Iterate) -> Iterate:
    """A solution of `p` and its multipliers by an active-set method on A, from the face of `at`.

    For few and difficult signals: dense, one at a time, in NumPy whatever the kind of the arrays.
    The columns of `p` may have any scale. Where the rounds do not suffice, the last iterate.
    """
    numpy = Scaled(*(to_numpy(getattr(p, name)) for name in p.__dataclass_fields__))
    start = Iterate(*(to_numpy(a) for a in (at.x, at.eta, at.nu)))
    x, eta = start.x.copy(), start.eta.copy()
    for b in range(len(x)):
        x[b], eta[b] = _one(numpy, b, start)
    nu = (numpy.theta(x @ numpy.W.T) - numpy.unit * eta) @ numpy.W + numpy.g - numpy.q * x
    return Iterate(*(match(a, at.x) for a in (x, eta, nu)))


@dataclass(frozen=True)
class _Signal:
    """One signal: min 1/2 ||A x - t||^2 + lam'|x| - g'x, C x <= d, x >= 0 where `nonnegative`."""

    A: Any  # (k, n), the root of q below it
    t: Any
    C: Any
    d: Any
    lam: Any
    g: Any
    nonnegative: Any  # (n,) bool

    @property
    def bounded(self) -> Any:
        """(n,) bool: entries that may be held at zero."""
        return self.nonnegative | (self.lam > 0)

    def rounding(self, x: Any) -> tuple[Any, Any]:
        """Of t - A x, and of d - C x: a multiple of what the sums can have lost."""
        fit, slack = abs(self.t) + abs(self.A) @ abs(x), abs(self.d) + abs(self.C) @ abs(x)
        return 4 * EPS * fit, 4 * EPS * slack


def _one(p: Scaled, b: int, start: Iterate) -> tuple[Any, Any]:
    """Point (n,) and multipliers (m,) of signal b, in the units of `p`."""
    used = p.rows[b] | p.inequalities[b]
    columns = p.columns[b] & (p.W[used].any(axis=0) | (p.q[b] > 0))
    rows, off = p.rows[b], p.inequalities[b]
    A, C = p.W[np.ix_(rows, columns)], (p.unit[:, None] * p.W)[np.ix_(off, columns)]
    t, q = p.t[b][rows], p.q[b][columns]
    if q.any():
        A, t = np.vstack([A, np.diag(np.sqrt(q))]), np.r_[t, np.zeros(len(q))]
    norm = np.linalg.norm(A, axis=0)
    D = power_of_two(np.where(norm > 0, norm, np.linalg.norm(C, axis=0)))
    R = power_of_two(np.linalg.norm(C / D, axis=1))
    C, d = C / D / R[:, None], p.d[b][off] / R
    lam, g, nonnegative = p.lam[b][columns] / D, p.g[b][columns] / D, p.nonnegative[b][columns]
    signal = _Signal(A / D, t, C, d, lam, g, nonnegative)
    guess = start.x[b][columns] * D, start.eta[b][off] * R, start.nu[b][columns] / D
    y, eta = _solve(signal, *guess)
    x, dual = np.zeros_like(start.x[b]), np.zeros_like(start.eta[b])
    x[columns], dual[off] = y / D, eta / R
    return x, dual


def _solve(p: _Signal, x: Any, eta: Any, nu: Any) -> tuple[Any, Any]:
    """From the guess; else from zero. Point and multipliers."""
    value, multiplier = abs(x), p.lam - np.where(p.nonnegative, nu, abs(nu))
    x = np.where(p.bounded & (value <= multiplier) | p.nonnegative & (x <= 0), 0.0, x)
    best = x, eta
    for start in (x, np.zeros_like(x)):
        start = _feasible(p, start)
        if start is None:
            continue
        face = _Face(p, start, eta)
        finished = face.run()
        best = face.x, face.eta
        if finished:
            break
        eta = np.zeros_like(eta)
    return best


def _feasible(p: _Signal, x: Any) -> Any:
    """A point of C x <= d and the signs, x itself if it is one; None where there seems to be none.

    Least squares again: of C x + w - d over w >= 0, which has no inequalities but signs.
    """
    if not (p.C @ x - p.d > p.rounding(x)[1]).any():
        return x
    k, n = p.C.shape
    none, both = np.zeros(n + k), np.r_[p.nonnegative, np.ones(k, bool)]
    A = np.hstack([p.C, np.eye(k)])
    phase_one = _Signal(A, p.d, np.zeros((0, n + k)), np.zeros(0), none, none, both)
    face = _Face(phase_one, np.r_[x, np.maximum(p.d - p.C @ x, 0.0)], np.zeros(0))
    face.run()
    x = face.x[:n]
    return x if (p.C @ x - p.d <= 16 * p.rounding(x)[1]).all() else None


class _Face:
    """A feasible point, the entries that may differ from zero, and the rows held with equality."""

    def __init__(self, p: _Signal, x: Any, eta: Any) -> None:
        self.p, self.x, self.eta = p, x, np.zeros_like(eta)
        self.free = (x != 0) | ~p.bounded
        self.sign = np.where(p.bounded, np.sign(x), 0.0)  # of the weight on each free entry
        self.held: list[int] = []
        self.implied: list[int] = []  # rows that those held keep where they are
        slack = np.maximum(p.d - p.C @ x, 0.0)
        guess = [int(i) for i in np.argsort(-eta, kind="stable") if eta[i] > slack[i]]
        C = p.C[np.ix_(guess, self.free)]
        if C.shape[1] - _null_space(C)[1].shape[1] == len(guess):  # of full rank
            self.held = guess
            return
        for i in guess:
            if self._independent(i):
                self.held.append(i)

    def _independent(self, i: int) -> bool:
        """Whether row i leaves the directions that keep the rows held."""
        C = self.p.C[:, self.free]
        _, N, _ = _null_space(C[self.held])
        return bool(np.linalg.norm(C[i] @ N) > 16 * EPS * np.linalg.norm(C[i]))

    def run(self) -> bool:
        """Whether no entry and no row wants to leave the face before the rounds are spent."""
        k, n = self.p.A.shape
        rounds = int(np.clip(WORK / (k * n * min(k, n) + n**3 + 1), 10, 10 * (n + len(self.eta))))
        refined, stuck, spurned = 0, 0, -1
        refused: set[int] = set()  # released, and pushed back at once: by rounding, or degenerate
        for _ in range(rounds):
            step, length, worth = self._step()
            if not worth or refined == REFINED:
                chosen = self._release(refused, first=stuck > n)
                if chosen is None:
                    self._correct()
                    return not refused
                spurned, refined = chosen, 0
                continue
            alpha, blocking = self._longest(step, length, first=stuck > n)
            if alpha == np.inf:  # no bound in a direction that rounding alone calls a descent
                return False
            self.x = self.x + alpha * step
            stuck = 0 if alpha > 0 else stuck + 1
            if alpha > 0:
                refused.clear()
            if blocking is None:
                refined += 1
                continue
            refined = 0
            if alpha == 0 and blocking == spurned:
                refused.add(blocking)
            self._hold(blocking)
        return False

    def _correct(self) -> None:
        """The last steps on the face of the solution, which are rounding, unless they leave it."""
        for _ in range(REFINED):
            step, length, _ = self._step()
            if length > 1 or self._longest(step, length, first=False)[1] is not None:
                break
            self.x = self.x + step
        self.eta = np.maximum(self.eta, 0.0)

    def _step(self) -> tuple[Any, float, bool]:
        """The step to the solution on the face (length 1), or a descent without end (inf), and
        whether it is more than rounding.
        """
        p, F = self.p, self.free
        step = np.zeros_like(self.x)
        fit, slack = p.rounding(self.x)
        back, N, condition = _null_space(p.C[np.ix_(self.held, F)])
        gap = (p.d - p.C @ self.x)[self.held]
        towards = back @ gap
        self._estimate(back)
        # C'eta is nothing to the null space but the rounding of the null space itself
        c = (p.lam * self.sign - p.g + self.eta @ p.C)[F]
        theta = p.t - p.A @ self.x - p.A[:, F] @ towards
        U, S, Vt = np.linalg.svd(p.A[:, F] @ N, full_matrices=True)
        # A N may be nothing but rounding: of N, for the most part
        noise = EPS * max(p.A.shape) * condition * np.linalg.norm(p.A[:, F])
        r = np.count_nonzero(noise < S)
        linear = Vt @ (c @ N)
        flat = linear[r:]
        if np.linalg.norm(flat) > 1e-12 * np.linalg.norm(c) > 0:
            step[F] = -N @ (flat @ Vt[r:])
            return step, np.inf, True
        moved = U[:, :r].T @ theta - linear[:r] / S[:r]  # of the fit, along each singular vector
        step[F] = towards + N @ ((moved / S[:r]) @ Vt[:r])
        worth = np.linalg.norm(moved) > np.linalg.norm(fit) or (abs(gap) > slack[self.held]).any()
        return step, 1.0, bool(worth)

    def _estimate(self, back: Any) -> None:
        """Multipliers of the rows held, from those before: a correction, so that they get exact."""
        p, F, held = self.p, self.free, self.held
        before, self.eta = self.eta, np.zeros(len(p.d))
        self.eta[held] = before[held]
        weight = ((p.t - p.A @ self.x) @ p.A + p.g - p.lam * self.sign)[F]
        for _ in range(2):
            self.eta[held] += (weight - self.eta @ p.C[:, F]) @ back

    def _longest(self, step: Any, length: float, first: bool) -> tuple[float, int | None]:
        """How far the step may go, and what stops it: an entry j, or n + i for row i."""
        p, n = self.p, len(self.x)
        along = p.C @ step
        rising = along > 4 * EPS * (abs(p.C) @ abs(step))
        rising[self.held + self.implied] = False
        alphas = np.full(n + len(along), np.inf)
        shrinking = self.free & p.bounded & (step * self.sign < 0)
        alphas[:n][shrinking] = abs(self.x[shrinking] / step[shrinking])
        slack = np.maximum(p.d - p.C @ self.x, 0.0)
        slack[slack <= p.rounding(self.x)[1]] = 0.0
        alphas[n:][rising] = slack[rising] / along[rising]
        alpha = float(alphas.min(initial=np.inf))
        if alpha >= length:
            return length, None
        ties = np.flatnonzero(alphas == alpha)
        if not first:  # the largest pivot is the safest
            pivots = np.r_[abs(step), along][ties]
            return alpha, int(ties[pivots.argmax()])
        return alpha, int(ties[0])

    def _hold(self, blocking: int) -> None:
        n = len(self.x)
        slack, rounding = self.p.d - self.p.C @ self.x, self.p.rounding(self.x)[1]
        # rows of the guess that a step cut short did not reach are not active after all
        self.held = [i for i in self.held if slack[i] <= 16 * rounding[i]]
        if blocking < n:
            self.x[blocking], self.free[blocking] = 0.0, False
        elif self._independent(blocking - n):
            self.held.append(blocking - n)
        else:
            self.implied.append(blocking - n)

    def _release(self, refused: set[int], first: bool) -> int | None:
        """Let go the entry or row whose multiplier has the wrong sign by most (or the first, which
        cannot cycle); None where there is none.
        """
        p, F, n = self.p, self.free, len(self.x)
        theta = p.t - p.A @ self.x
        r = theta @ p.A + p.g
        rho = r - self.eta @ p.C
        rounding = p.rounding(self.x)[0] @ abs(p.A) + 4 * EPS * (abs(self.eta) @ abs(p.C) + p.lam)
        wrong = np.full(n + len(p.d), -np.inf)
        columns = np.where(p.nonnegative, rho, abs(rho)) - p.lam - rounding
        wrong[:n] = np.where(F, -np.inf, columns)
        held = np.array(self.held, dtype=int)
        wrong[n + held] = -self.eta[held] - 4 * EPS * abs(self.eta).max(initial=0.0)
        wrong[list(refused)] = -np.inf
        candidates = np.flatnonzero(wrong > 0)
        if not len(candidates):
            return None
        self.implied.clear()
        chosen = int(candidates[0] if first else candidates[wrong[candidates].argmax()])
        if chosen < n:
            self.free[chosen] = True
            self.sign[chosen] = 1.0 if p.nonnegative[chosen] else np.sign(rho[chosen])
        else:
            self.held.remove(chosen - n)
        return chosen


def _null_space(C: Any) -> tuple[Any, Any, float]:
    """The pseudoinverse of C, an orthonormal basis of its null space as columns, and the condition
    number of what is inverted.
    """
    if not len(C):
        return np.zeros((C.shape[1], 0)), np.eye(C.shape[1]), 1.0
    U, S, Vt = np.linalg.svd(C, full_matrices=True)
    r = np.count_nonzero(EPS * max(C.shape) * S.max(initial=0.0) < S)
    condition = float(S[0] / S[r - 1]) if r else 1.0
    return (Vt[:r].T / S[:r]) @ U[:, :r].T, Vt[r:].T, condition
