"""Eq. 5 with a nonlinear phi, which is not convex (erratum E3): projected Newton steps to a KKT
point, Algorithm 5 beside it.

The default starts where the convex problem on phi^-1(y) ends, near which eq. 5 has a KKT point, and
goes on with Gauss-Newton steps on the entries that are free: two-metric projection with a line
search on the objective (Bertsekas 1982).
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from cvxinv.activations import Activation
from cvxinv.problems import LastLayer
from cvxinv.rows import SHARED, take

from ..core import loop, residual
from ..core.diagonal import Diagonal, Zero, ones
from ..core.layer import Layer
from ..core.linear_systems import conjugate_gradients, dot
from ..core.units import column_units, positive
from .fista import FISTA, spectral

HALVINGS = 30
ARMIJO = 1e-4
RTOL = 1e-3  # relative accuracy of a linear solve
# distance from the ends of phi's range within which phi^-1 is not evaluated for the start
INSIDE = 1e-6
START_TOL = 1e-3  # accuracy of the start
PATIENCE = 20
MARGIN, MARGIN_FISTA = 1e-3, 0.03  # of tol: the goals of Gauss-Newton, and of FISTA
EVERY = 10  # iterations of FISTA between two looks at its residual
# entries this near to zero (relative to 1 / ||W_j||) whose gradient points there are not free
NEAR = 1e-3


@dataclass(frozen=True, eq=False)
class Nonlinear:
    """min 1/2 ||y - phi(W x + b)||^2 over the observed pixels + lam'x over x >= 0, with unit
    columns; what `FISTA` asks of a problem.
    """

    W: Tensor = field(metadata=SHARED)  # (m, n)
    b: Tensor = field(metadata=SHARED)  # (m,)
    phi: Activation
    y: Tensor  # (B, m)
    seen: Tensor  # (B, m) 0/1
    lam: Tensor  # (B, n)
    s: Tensor  # (B, 1) size of y: residuals are relative to it

    @property
    def no_dual(self) -> Tensor:
        """(B, 0): there are no inequalities."""
        return self.y[:, :0]

    def pixels(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """t = W x + b and the misfit y - phi(t) of what is seen."""
        t = torch.addmm(self.b, x, self.W.T)
        return t, (self.y - self.phi(t)) * self.seen

    def descent(self, x: Tensor) -> Tensor:
        """Minus the gradient of the smooth part: W'[phi'(t) (y - phi(t))]."""
        t, misfit = self.pixels(x)
        r: Tensor = (self.phi.derivative(t) * misfit) @ self.W
        return r

    def prox(self, w: Tensor, weight: float | Tensor = 1.0) -> Tensor:
        """max(w - weight lam, 0)."""
        return (w - weight * self.lam).clamp_min_(0)

    def natural(self, x: Tensor, r: Tensor) -> Tensor:
        """Largest entry of x - max(x + r - lam, 0), relative to the size of y, (B,)."""
        entries = residual.columns(x, r, self.lam, nonnegative=True)
        return residual.largest(entries) / self.s[:, 0]

    def value(self, x: Tensor) -> Tensor:
        """The objective, (B,)."""
        _, misfit = self.pixels(x)
        return 0.5 * (misfit * misfit).sum(1) + (self.lam * x).sum(1)

    def objective(self, x: Tensor) -> Tensor:
        """The objective, (B,), in units of ||y||^2."""
        return self.value(x) / self.s[:, 0] ** 2


class State(NamedTuple):
    """An iterate, its descent direction and objective."""

    x: Tensor
    r: Tensor
    value: Tensor  # (B, 1)


@dataclass(frozen=True, eq=False)
class GaussNewton:
    """The default as a `loop.Method`."""

    layer: Nonlinear
    inner: Layer  # W in float32, in which the linear systems are solved

    capturable: ClassVar[bool] = False

    def start(self, x: Tensor, dual: Tensor) -> State:
        """From a point."""
        return State(x, self.layer.descent(x), self.layer.value(x)[:, None])

    def step(self, state: State) -> State:
        """A Newton step on the free entries, halved until the objective falls."""
        p, (x, r, value) = self.layer, state
        gradient = p.lam - r
        free = ((x > NEAR * p.s) | (gradient < 0)).to(x.dtype)
        t, _ = p.pixels(x)
        weights = Diagonal((p.phi.derivative(t) ** 2 * p.seen).to(torch.float32))
        b = -gradient * free
        size = torch.sqrt(dot(b, b)).clamp_min(1e-300)
        right, F = (b / size).to(torch.float32), Diagonal(free.to(torch.float32))
        rtol = torch.full_like(right[:, :1], RTOL)
        none = ones(right.shape[1], right)
        d = conjugate_gradients(self.inner, F, right, weights, rtol, none).to(x.dtype) * size
        d = torch.where((d * -gradient).sum(1, keepdim=True) > 0, d, b) - gradient * (1 - free)
        length = torch.ones_like(value)
        for _ in range(HALVINGS):
            new = (x + length * d).clamp_min_(0)
            along = length * (gradient * d * free).sum(1, keepdim=True)
            slope = along + (gradient * (new - x) * (1 - free)).sum(1, keepdim=True)
            now = p.value(new)[:, None]
            short = now > value + ARMIJO * slope + 1e-15 * value.abs()
            if not bool(short.any()):
                break
            length = torch.where(short, length / 2, length)
        return State(new, p.descent(new), now)

    def residual(self, state: State) -> Tensor:
        return self.layer.natural(state.x, state.r)

    def answer(self, state: State) -> tuple[Tensor, Tensor]:
        return state.x, self.layer.no_dual


def nonlinear(problem: LastLayer, even: bool) -> tuple[Nonlinear, Tensor]:
    """The statement (tensors, batched) in float64, and the norms of the columns that were divided
    out; `even`: one for all of them.
    """
    q = replace(problem, activation="identity", bias=None).quadratic()
    norm = column_units(q.W, q.W, even)
    b = q.W.new_zeros(len(q.W)) if problem.bias is None else problem.bias.to(q.W.dtype)
    s = positive(torch.linalg.vector_norm(q.t, dim=1, keepdim=True), 1.0)
    seen = q.rows.to(q.W.dtype)
    return Nonlinear(q.W / norm, b, problem.phi, q.t, seen, q.lam / norm, s), norm


def newton(p: Nonlinear) -> GaussNewton:
    """Gauss-Newton for a problem."""
    W, y, lam = (a.to(torch.float32) for a in (p.W, p.y, p.lam))
    (m, n), gamma = W.shape, Zero(torch.zeros_like(W[0]))
    return GaussNewton(p, Layer(W, y, lam, gamma, ones(m, W), ones(n, W), nonnegative=True))


def fista(p: Nonlinear, restart: bool) -> FISTA:
    """Algorithm 5 with a step that W and phi allow (erratum E4): 1 / (lambda_max(W'W) sup(phi'^2 +
    |phi''| |phi - y|)), per signal.
    """
    return FISTA(p, 1 / (spectral(p.W) * p.phi.curvature(p.y).amax(1, keepdim=True)), restart)


def solve(p: Nonlinear, x: Tensor, tol: float, max_iter: int) -> loop.Result:
    """The default: Gauss-Newton from x, and FISTA with restart for what is left."""
    method, goal = newton(p), MARGIN * tol
    best = loop.run(method, method.start(x, p.no_dual), goal, max_iter, patience=PATIENCE)
    left = best.residual > MARGIN_FISTA * tol
    left = torch.nonzero(left & (best.iterations < max_iter))[:, 0]
    if len(left):
        begin, slow = take(best, left), fista(take(p, left), restart=True)
        budget = max(0, max_iter - int(begin.iterations.amax()))
        state = slow.start(begin.x, begin.dual)
        found = loop.run(slow, state, MARGIN_FISTA * tol, budget, EVERY)
        found.iterations += begin.iterations
        best.keep_better(left, found)
    return best
