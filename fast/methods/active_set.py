"""Primal-dual active sets (semismooth Newton) for (Q): the fast default, many signals at a time.

One step guesses which entries of x are free (F) and which inequalities are active (A) from value
against multiplier, and solves

    min 1/2 ||A x - t||^2 + lam'|x| + gamma/2 ||x||^2 + eta'(C x - d) + 1/2 sum_A mu_i (C_i x -
    d_i)^2   over x = 0 off F,

an equality-constrained problem by the method of multipliers, then eta <- max(0, eta + mu (C x -
d)). Near a solution the guess is right and the step is Newton's. The linear systems have the form F
(W' diag(w) W + gamma) F with a 0/1 mask F and row weights w per signal, so conjugate gradients need
only dense products with the shared W: they run in float32, around residuals in float64 (iterative
refinement). Systems with few columns are formed and factorised instead. Nothing forces a decrease:
the loop keeps the best iterate, and rows that cycle go to `graph_admm`.

Here is the method without inequalities; `active_rows` has them.

Source: Hintermueller, Ito, Kunisch (2002), primal-dual active sets as semismooth Newton; Hestenes
(1969), Powell (1969), multipliers.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from cvxinv.rows import take

from ..core import loop
from ..core.diagonal import Diagonal, Mask, ones
from ..core.layer import Layer
from ..core.linear_systems import Factorised, Iterative, Own, Preconditioner

# relative accuracy of a linear solve: while the sets still change, and at most (float32)
LOOSE, TIGHT = 1e-2, 1e-6
# value and multiplier that are both below it hang on the last digits; what float32 can tell of them
AMBIGUOUS, AMBIGUOUS_FLOAT32 = 1e-8, 1e-6
# entries that change sets while they are this small, relative to the residual, do not count as
# changes
SETTLED = 1e-3
# weight of relative errors of x beside residuals: answers are equal to 1e-10 whatever the
# companions
ERROR = 0.5
TINY = 1e-300  # divides instead of zero


class State(NamedTuple):
    """An iterate with what the next step needs of it; (B, 0) in place of (B, m) without
    inequalities.
    """

    x: Tensor
    eta: Tensor  # (B, m) multipliers of the inequalities
    over: Tensor  # (B, m) C x - d, zero elsewhere
    r: Tensor  # reduced gradient at (x, eta)
    free: Tensor  # the F that x was solved on ..
    active: Tensor  # .. and the A, (B, m)
    mu: Tensor  # (B, 1) penalty on active rows: it grows while the sets stay as they are
    natural: Tensor  # (B,) largest natural residual of columns and rows
    # (B,) ERROR times what the last step suggests that x is away from the solution, relative
    error: Tensor


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """The algorithm as a `loop.Method`, without inequalities."""

    layer: Layer  # residuals are taken in its precision
    systems: Iterative | Factorised | Own
    goal: float
    # whether every entry is free whatever its value: no signs, no weights, no columns left out
    open: bool

    capturable: ClassVar[bool] = False

    @property
    def direct(self) -> bool:
        """Whether systems are factorised."""
        return isinstance(self.systems, Factorised)

    @property
    def cheap(self) -> bool:
        """Whether a step costs so little that nothing need come before."""
        return isinstance(self.systems, Factorised) and not self.systems.dear

    @property
    def single(self) -> Layer:
        """The layer in float32."""
        return self.layer.to(torch.float32) if self.direct else self.inner

    @property
    def inner(self) -> Layer:
        """The layer in whose precision systems are solved."""
        return self.systems.layer(self.layer)

    # -- starts and answers ---------------------------------------------------------------------

    def at(self, x: Tensor, eta: Tensor, free: Tensor, active: Tensor, mu: Tensor) -> State:
        """The iterate (x, eta) with its residuals."""
        r = self.layer.descent(x)
        natural = self.layer.natural(x, r)
        return State(x, eta, eta, r, free, active, mu, natural, torch.zeros_like(natural))

    def start(self, x: Tensor, dual: Tensor) -> State:
        """From a point and its multipliers."""
        free = (x != 0).to(x.dtype)
        state = self.at(x, dual, free, torch.zeros_like(dual), self.penalty())
        return state._replace(active=self.guess(state))

    def near(self, x: Tensor) -> State:
        """From a point without multipliers."""
        return self.start(x, self.layer.no_dual)

    def cold(self) -> State:
        """From the projected least-squares solution."""
        layer, none, mu = self.layer, self.layer.no_dual, self.penalty()
        zero = torch.zeros_like(layer.lam)
        everywhere = layer.columns.times(torch.ones_like(zero))
        b = (layer.t @ layer.W).sub_(layer.lam if layer.nonnegative else 0.0)
        at = State(zero, none, none, b, everywhere, none, mu, mu[:, 0], mu[:, 0])
        x, _ = self.solve(at, everywhere, none, b, torch.full_like(mu, LOOSE))
        return self.start(layer.projected(x), none)

    def penalty(self) -> Tensor:
        """The first mu, (B, 1)."""
        return torch.ones_like(self.layer.lam[:, :1])

    def preconditioned(self, K: Preconditioner) -> Self:
        """The same with a preconditioner for the conjugate gradients, if there are any."""
        return self if self.direct else replace(self, systems=Iterative(self.inner, K))

    def exactly(self) -> Self:
        """The same, down to rounding: with residuals from the data."""
        return replace(self, layer=self.layer.without_gram(), goal=0.0)

    def residual(self, state: State) -> Tensor:
        """Natural residual, or error where that is larger: badly conditioned signals are solved
        more accurately, (B,).
        """
        return torch.maximum(state.natural, state.error)

    def answer(self, state: State) -> tuple[Tensor, Tensor]:
        return self.layer.projected(state.x), state.eta

    def ambiguous(self, found: loop.Result) -> Tensor:
        """Rows with an entry whose value and multiplier are both so small that accuracy decides
        which is zero: without noise, say.
        """
        # most rows have no such entry
        some = torch.nonzero(smallest(self.inner, found.x, found.dual) < AMBIGUOUS_FLOAT32)[:, 0]
        if not len(some):
            return some
        exact = smallest(take(self.layer, some), found.x[some], found.dual[some])
        return some[exact < AMBIGUOUS]

    # -- a step ---------------------------------------------------------------------------------

    def step(self, state: State) -> State:
        """Guess the sets, solve on them, update the multipliers."""
        active = self.guess(state)
        free, b, flip = self.entries(state)
        mu, rtol = self.effort(state, active, flip)
        dx, eta = self.solve(state._replace(mu=mu), free, active, b, rtol)
        x = state.x + dx if self.open else (state.x + dx).mul_(free)
        new = self.moved(x, eta, free, active, mu)
        moved = torch.linalg.vector_norm(dx, dim=1)
        moved = moved / torch.linalg.vector_norm(x, dim=1).clamp_min(TINY)
        fallen = (new.natural / state.natural.clamp_min(TINY)).clamp_max(1.0)
        return new._replace(error=ERROR * moved * fallen)

    def guess(self, state: State) -> Tensor:
        """The inequalities that value against multiplier calls active, as 0/1."""
        return state.active

    def moved(self, x: Tensor, eta: Tensor, free: Tensor, active: Tensor, mu: Tensor) -> State:
        """The next iterate, at x, with multipliers that started from eta."""
        return self.at(x, eta, free, active, mu)

    def effort(self, state: State, active: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Penalty and relative accuracy of the step (B, 1): more of both once the sets do not
        change; a factor is always exact.
        """
        if self.direct:
            return state.mu, torch.zeros_like(state.mu)
        residual = self.residual(state)[:, None].clamp_min(TINY)
        rtol = (0.5 * torch.clamp_min(flip, self.goal) / residual).clamp(TIGHT, LOOSE)
        return state.mu, torch.where(flip <= SETTLED * residual, rtol, LOOSE)

    def entries(self, state: State) -> tuple[Tensor, Tensor, Tensor]:
        """F, the gradient b on it, and (B, 1) how far the entries that change sets are from the
        border between them.
        """
        layer, x, r = self.layer, state.x, state.r
        if self.open:
            return state.free, r, torch.zeros_like(state.mu)
        w = x + r
        near = layer.prox(w)
        free = (near != 0).to(x.dtype)
        if layer.nonnegative:
            margin, b = w.sub_(layer.lam), r - layer.lam
        else:
            # without a weight an entry is free even where it happens to be zero
            weightless = (layer.lam == 0).to(x.dtype)
            free = torch.maximum(free, layer.columns.times_(weightless))
            margin, b = w.abs_().sub_(layer.lam), r - layer.lam * near.sign()
        return free, b, margin.mul_(free - state.free).abs_().amax(1, keepdim=True)

    def solve(
        self, state: State, free: Tensor, active: Tensor, b: Tensor, rtol: Tensor
    ) -> tuple[Tensor, Tensor]:
        """dx with F (A'A + gamma) F dx = F b and x + dx = 0 off F; and what eta is after that."""
        inner, F = self.inner, self.mask(free)
        if self.open:
            size = length(b)
            right = (b / size).to(inner.W.dtype)
        else:  # entries that leave: the others must know
            gone = state.x * (1 - free)
            size = length(b * free, gone)
            right, away = ((a / size).to(inner.W.dtype) for a in (b, gone))
            right = F.times_(right.add_(inner.normal(away, inner.rows)))
        dx = self.systems.inverse(inner, F, inner.rows, rtol)(right)
        return dx.to(b.dtype).mul_(size), state.eta

    def mask(self, free: Tensor) -> Mask:
        """F in the precision of the linear systems."""
        W = self.inner.W
        return ones(W.shape[1], W) if self.open else Diagonal(free.to(W.dtype))


def length(*parts: Tensor) -> Tensor:
    """The sum of the norms of the parts of a right-hand side, (B, 1)."""
    norms = [torch.linalg.vector_norm(a, dim=1) for a in parts]
    total = torch.stack(norms, 1).sum(1, keepdim=True)
    return total.clamp_min_(torch.finfo(torch.float32).tiny)


def smallest(layer: Layer, x: Tensor, eta: Tensor) -> Tensor:
    """The least over the entries of the larger of value and multiplier, (B,)."""
    x, eta = x.to(layer.W.dtype), eta.to(layer.W.dtype)
    r = layer.reduced(x, eta)
    larger = torch.maximum(x.abs(), layer.lam - (r if layer.nonnegative else r.abs_()))
    return (larger + (1 - layer.columns.values)).amin(1)
