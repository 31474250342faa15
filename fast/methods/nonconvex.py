"""Eq. 5 with a nonlinear phi, which is not convex (erratum E3): projected Newton steps to a KKT
point, Algorithm 5 beside it.

The default starts where the convex problem on phi^-1(y) ends, near which eq. 5 has a KKT point, and
goes on with Gauss-Newton steps on the entries that are free: two-metric projection with a line
search on the objective (Bertsekas 1982).
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from cvxinv.activations import Activation
from cvxinv.problems import LastLayer
from fast.core.layer import Layer
from fast.core.linear_systems import conjugate_gradients, dot
from fast.methods.fista import FISTA, spectral

HALVINGS = 30
ARMIJO = 1e-4
RTOL = 1e-3  # relative accuracy of a linear solve
INSIDE = (
    1e-6  # distance from the ends of phi's range within which phi^-1 is not evaluated for the start
)
START_TOL = 1e-3  # accuracy of the start
PATIENCE = 20
# entries this near to zero (relative to 1 / ||W_j||) whose gradient points there are not free
NEAR = 1e-3


@dataclass(frozen=True, eq=False)
class Nonlinear:
    """min 1/2 ||y - phi(W x + b)||^2 over the observed pixels + lam'x over x >= 0, with unit
    columns; what `FISTA` asks of a problem.
    """

    W: Tensor  # (m, n)
    b: Tensor  # (m,)
    phi: Activation
    y: Tensor  # (B, m)
    seen: Tensor  # (B, m) 0/1
    lam: Tensor  # (B, n)
    s: Tensor  # (B, 1) size of y: residuals are relative to it

    def __getitem__(self, b: Any) -> Self:
        return replace(self, y=self.y[b], seen=self.seen[b], lam=self.lam[b], s=self.s[b])

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
        return (x - self.prox(x + r)).abs_().amax(1) / self.s[:, 0]

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

    def __getitem__(self, b: Any) -> "GaussNewton":
        return replace(self, layer=self.layer[b], inner=self.inner[b])

    def start(self, x: Tensor | None) -> State:
        """From a point, or from zero."""
        x = torch.zeros_like(self.layer.lam) if x is None else x
        return State(x, self.layer.descent(x), self.layer.value(x)[:, None])

    def step(self, state: State) -> State:
        """A Newton step on the free entries, halved until the objective falls."""
        p, (x, r, value) = self.layer, state
        gradient = p.lam - r
        free = ((x > NEAR * p.s) | (gradient < 0)).to(x.dtype)
        t, _ = p.pixels(x)
        weights = (p.phi.derivative(t) ** 2 * p.seen).to(torch.float32)
        F, b = free.to(torch.float32), -gradient * free
        size = torch.sqrt(dot(b, b)).clamp_min(1e-300)
        rtol = torch.full_like(size, RTOL, dtype=torch.float32)
        d = (
            conjugate_gradients(self.inner, F, (b / size).to(torch.float32), weights, rtol).to(
                x.dtype
            )
            * size
        )
        d = torch.where((d * -gradient).sum(1, keepdim=True) > 0, d, b) - gradient * (1 - free)
        length = torch.ones_like(value)
        for _ in range(HALVINGS):
            new = (x + length * d).clamp_min_(0)
            slope = length * (gradient * d * free).sum(1, keepdim=True) + (
                gradient * (new - x) * (1 - free)
            ).sum(1, keepdim=True)
            now = p.value(new)[:, None]
            short = now > value + ARMIJO * slope + 1e-15 * value.abs()
            if not bool(short.any()):
                break
            length = torch.where(short, length / 2, length)
        return State(new, p.descent(new), now)

    def residual(self, state: State) -> Tensor:
        return self.layer.natural(state.x, state.r)

    def answer(self, state: State) -> tuple[Tensor, None]:
        return state.x, None


def nonlinear(problem: LastLayer, finite: Tensor, even: bool) -> tuple[Nonlinear, Tensor]:
    """The statement (tensors, batched) in float64, and the norms of the columns that were divided
    out; `even`: one for all of them.
    """
    W, y = problem.W.to(torch.float64), problem.y.to(torch.float64)
    norm = torch.linalg.vector_norm(W, dim=0)
    largest = torch.where(norm.amax() > 0, norm.amax(), 1.0)
    norm = largest.expand_as(norm).contiguous() if even else torch.where(norm > 0, norm, largest)
    seen = (
        torch.ones_like(y, dtype=torch.bool)
        if problem.observed is None
        else problem.observed.expand_as(y)
    )
    y = torch.where(seen & finite[:, None], y, 0.0)
    b = W.new_zeros(len(W)) if problem.bias is None else problem.bias.to(torch.float64)
    s = torch.linalg.vector_norm(y, dim=1, keepdim=True)
    lam = (problem.lam / norm).expand(len(y), -1)
    return Nonlinear(
        W / norm, b, problem.phi, y, seen.to(W.dtype), lam, torch.where(s > 0, s, 1.0)
    ), norm


def newton(p: Nonlinear) -> GaussNewton:
    """Gauss-Newton for a problem."""
    W = p.W.to(torch.float32)
    empty = Layer(
        W,
        None,
        None,
        True,
        p.y.to(torch.float32),
        p.lam.to(torch.float32),
        None,
        None,
        None,
        None,
        None,
    )
    return GaussNewton(p, empty)


def fista(p: Nonlinear, restart: bool) -> FISTA:
    """Algorithm 5 with a step that W and phi allow (erratum E4): 1 / (lambda_max(W'W) sup(phi'^2 +
    |phi''| |phi - y|)), per signal.
    """
    return FISTA(p, 1 / (spectral(p.W) * p.phi.curvature(p.y).amax(1, keepdim=True)), restart)
