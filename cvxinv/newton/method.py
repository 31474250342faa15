"""A proximal augmented-Lagrangian semismooth Newton method for (Q): the polish of the reference and
the multipliers of verify.

With unit-scaled columns, and h_j the l1 weight or sign constraint on x_j, one outer step of the
proximal method of multipliers (Rockafellar 1976) minimises

    1/2 x'Hx - g'x + sigma/2 ||x - x_k||^2 + mu/2 dist^2(C x + eta_k/mu, {v <= d}) + mu-envelope of
    h at x + nu_k/mu,

which is smooth and piecewise quadratic, by Newton's method with a line search: each Newton step is
an equality-constrained solve on the rows and columns that are active at the iterate, so that near a
solution this *is* an active-set method - but one that needs neither strict complementarity nor full
rank. All signals of a batch advance together; finished ones drop out.
"""

from dataclasses import dataclass, replace
from typing import Any

from cvxinv.arrays import Array, namespace, solve_spd
from cvxinv.newton.residual import Iterate, Scaled, eye, prox, residual

OUTER, INNER, HALVINGS = 60, 60, 30
SMALLEST_SIGMA, PROXIMAL = (
    1e-8,
    5,
)  # proximal steps that make a singular least violation unique without moving it
PATIENCE = 10  # outer steps in which the residual need not halve: multipliers may have far to grow


@dataclass(frozen=True)
class _Penalty:
    """The smooth function of one outer step: value, gradient and generalised Hessian."""

    p: Scaled
    H: Array  # A'A + diag(q)
    at: Iterate
    sigma: float
    mu: float

    def __getitem__(self, b: Any) -> "_Penalty":
        return replace(self, p=self.p[b], H=self.H[b], at=self.at[b])

    def over(self, Wx: Array) -> Array:
        """Distance of C x + eta/mu to {v <= d}: the new multipliers of the rows, over mu."""
        xp = namespace(Wx)
        v = self.p.unit * Wx + self.at.eta / self.mu - self.p.d
        return xp.where(self.p.inequalities & (v > 0), v, xp.zeros_like(v))

    def near(self, x: Array) -> Array:
        """The prox of h at x + nu/mu."""
        return prox(self.p, x + self.at.nu / self.mu, self.mu)

    def value(self, x: Array) -> Array:
        xp = namespace(x)
        Wx, near, p = x @ self.p.W.T, self.near(x), self.p
        rows = xp.sum(p.theta(Wx) ** 2 + self.mu * self.over(Wx) ** 2, axis=1)
        columns = (
            p.q * x**2
            + self.sigma * (x - self.at.x) ** 2
            + self.mu * (x + self.at.nu / self.mu - near) ** 2
        )
        return 0.5 * rows + xp.sum(0.5 * columns - p.g * x + p.lam * xp.abs(near), axis=1)

    def gradient(self, x: Array) -> Array:
        Wx, p = x @ self.p.W.T, self.p
        columns = (
            p.q * x - p.g + self.sigma * (x - self.at.x) + self.mu * (x - self.near(x)) + self.at.nu
        )
        return (self.mu * p.unit * self.over(Wx) - p.theta(Wx)) @ p.W + columns

    def hessian(self, x: Array) -> Array:
        xp = namespace(x)
        fixed = (self.near(x) == 0) & (~self.p.columns | self.p.nonnegative | (self.p.lam > 0))
        diagonal = self.sigma + self.mu * xp.astype(fixed, x.dtype)
        H = self.H + diagonal[:, :, None] * eye(self.p.W)
        over = self.over(x @ self.p.W.T) > 0
        return (
            H + self.p.gram(self.mu * self.p.unit**2 * xp.astype(over, x.dtype))
            if bool(xp.any(over))
            else H
        )

    def multipliers(self, x: Array) -> Iterate:
        """The next iterate of the method of multipliers, given the minimiser x."""
        return Iterate(
            x, self.mu * self.over(x @ self.p.W.T), self.mu * (x - self.near(x)) + self.at.nu
        )


def _minimise(f: _Penalty, x: Array, accuracy: Array) -> Array:
    """Newton's method with halving steps on the strongly convex, piecewise quadratic `f`, from x to
    a gradient <= accuracy (B,).
    """
    xp = namespace(x)
    x = xp.asarray(x, copy=True)
    left = xp.arange(x.shape[0], device=getattr(x, "device", None))
    before = xp.full_like(accuracy, xp.inf)
    for _ in range(INNER):
        here, xs = f[left], x[left]
        gradient = here.gradient(xs)
        size = xp.max(xp.abs(gradient), axis=1)
        step = -solve_spd(here.hessian(xs), gradient)
        slope = xp.sum(gradient * step, axis=1)
        start, length = here.value(xs), xp.ones_like(slope)
        floor = 1e-14 * (
            1 + xp.abs(start)
        )  # rounding of the value: below it no decrease can be seen
        for _ in range(HALVINGS):
            short = here.value(xs + length[:, None] * step) > start + 1e-4 * length * slope + floor
            if not bool(xp.any(short)):
                break
            length = xp.where(short, length / 2, length)
        x[left] = xs + length[:, None] * step
        # at rounding level the gradient is the only witness of progress: stop once it has ceased to
        # fall
        keep = (size > accuracy[left]) & ((-slope > floor) | (size < 0.5 * before[left]))
        before[left] = size
        left = left[xp.nonzero(keep)[0]]
        if left.shape[0] == 0:
            break
    return x


@dataclass(frozen=True)
class Weights:
    """First and last proximal weight sigma and penalty mu; between them they change eightfold with
    every outer step.
    """

    sigma: float
    mu: float
    least_sigma: float = 1e-8
    largest_mu: float = 1e6


# the first suits nearly all; the second starts gently, the third presses hardest (multipliers far
# larger than the data)
SETTINGS = (Weights(1e-4, 10.0), Weights(1e-3, 1.0), Weights(1e-2, 1e4, 1e-4, 1e8))


def solve(p: Scaled, at: Iterate, tol: float = 1e-14) -> Iterate:
    """The best iterate found from `at`, per signal: smallest `residual`, stopping below `tol` or
    when it no longer falls.

    Source: Rockafellar (1976), proximal method of multipliers; Li, Sun, Toh (2018), semismooth
    Newton inner solves.
    """
    xp = namespace(at.x)
    best = Iterate(*(xp.asarray(a, copy=True) for a in (at.x, at.eta, at.nu)))
    for weights in SETTINGS:
        left = xp.nonzero(residual(p, best) > (tol if weights is SETTINGS[0] else max(tol, 1e-13)))[
            0
        ]
        if left.shape[0]:
            found = _run(p[left], best[left], tol, weights)
            best.x[left], best.eta[left], best.nu[left] = found.x, found.eta, found.nu
    return best


def least_violation(
    W: Array, unit: Array, d: Array, inequalities: Array, nonnegative: bool
) -> tuple[Array, Array]:
    """min 1/2 ||max(C x - d, 0)||^2, plus 1/2 ||min(x, 0)||^2 for x >= 0: (x, max(C x - d, 0)) with
    C = diag(unit) W[inequalities].
    """
    xp = namespace(d)
    zero, none = xp.zeros_like(d @ W), xp.zeros_like(d)
    at = Iterate(zero, none, zero)
    p = Scaled(
        W,
        unit,
        none,
        none > 0,
        d,
        inequalities,
        zero,
        zero,
        zero,
        xp.full_like(zero > 0, nonnegative),
        xp.full_like(zero > 0, True),
    )
    f = _Penalty(p, p.hessian(), at, SMALLEST_SIGMA, 1.0)
    for _ in range(PROXIMAL):
        at = replace(at, x=_minimise(replace(f, at=at), at.x, xp.full_like(zero[:, 0], 1e-15)))
    return at.x, f.over(at.x @ W.T)


def _run(p: Scaled, at: Iterate, tol: float, weights: Weights) -> Iterate:
    """The proximal method of multipliers with one setting of its weights."""
    sigma, mu = weights.sigma, weights.mu
    xp = namespace(at.x)
    best = Iterate(*(xp.asarray(a, copy=True) for a in (at.x, at.eta, at.nu)))
    smallest = residual(p, best)
    left = xp.arange(at.x.shape[0], device=getattr(at.x, "device", None))
    H = p.hessian()
    current, stalled = at, xp.zeros_like(left)
    for _ in range(OUTER):
        here = p[left]
        f = _Penalty(here, H[left], current, sigma, mu)
        x = _minimise(f, current.x, xp.clip(1e-2 * smallest[left], 1e-15, 1e-6))
        current = f.multipliers(x)
        projected = replace(current, x=f.near(x))
        now = residual(here, projected)
        stalled = xp.where(now < 0.5 * smallest[left], xp.zeros_like(stalled), stalled + 1)
        # indices once: every mask would make a GPU's host wait
        better = xp.nonzero(now < smallest[left])[0]
        chosen = left[better]
        best.x[chosen], best.eta[chosen], best.nu[chosen] = (
            projected.x[better],
            projected.eta[better],
            projected.nu[better],
        )
        smallest[chosen] = now[better]
        keep = xp.nonzero((smallest[left] > tol) & (stalled < PATIENCE))[0]
        left, current, stalled = left[keep], current[keep], stalled[keep]
        if left.shape[0] == 0:
            break
        sigma, mu = max(sigma / 8, weights.least_sigma), min(8 * mu, weights.largest_mu)
    return best
