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

Source: Hintermueller, Ito, Kunisch (2002), primal-dual active sets as semismooth Newton; Hestenes
(1969), Powell (1969), multipliers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from cvxinv import newton
from fast.core import loop
from fast.core.layer import Layer, take
from fast.core.linear_systems import cholesky, conjugate_gradients

FEW = 32  # columns up to which systems are formed and factorised ..
LITTLE = 2e7  # .. and products that forming them for all signals may take beyond
MU, MU_MOST = 10.0, 300.0  # penalty on active rows: while the sets change, and once they do not
MU_DIRECT, MU_OPEN = (
    3e3,
    3e4,
    # .. where systems are factorised, and where nothing weighs on x besides: no step costs more for
    # it
)
LOOSE, TIGHT = (
    1e-2,
    1e-6,
)  # relative accuracy of a linear solve: while the sets still change, and at most (float32)
AMBIGUOUS, AMBIGUOUS_FLOAT32 = 1e-8, 1e-6  # value and multiplier; what float32 can tell of them
# entries that change sets while they are this small, relative to the residual, do not count as
# changes
SETTLED = 1e-3
# weight of relative errors of x beside residuals: answers are equal to 1e-10 whatever the
# companions
ERROR = 0.5
TOUCHING = 1e-9  # slack below which a row counts as active at a point without multipliers


class State(NamedTuple):
    """An iterate with what the next step needs of it."""

    x: Tensor
    eta: Tensor | None  # multipliers of the inequalities
    over: Tensor | None  # C x - d, zero elsewhere
    r: Tensor  # reduced gradient at (x, eta)
    free: Tensor  # the F that x was solved on ..
    active: Tensor | None  # .. and the A
    mu: Tensor  # (B, 1) penalty on active rows: it grows while the sets stay as they are
    natural: Tensor  # (B,) largest natural residual of columns and rows
    # (B,) ERROR times what the last step suggests that x is away from the solution, relative
    error: Tensor


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """The algorithm as a `loop.Method`; `layer` says in which precision residuals are taken,
    `inner` in which systems are solved.
    """

    layer: Layer
    inner: Layer
    unit: Tensor  # (m,) 1 / ||W_i||: makes rows comparable
    goal: float
    direct: bool  # whether systems are formed and factorised
    # whether every entry is free whatever its value: no signs, no weights, no columns left out
    open: bool
    K: Tensor | None  # (n, n) preconditioner shared by all signals

    capturable: ClassVar[bool] = False

    def __getitem__(self, b: Any) -> Self:
        layer = self.layer[b]
        return replace(
            self, layer=layer, inner=layer if self.inner is self.layer else self.inner[b]
        )

    @cached_property
    def outer(self) -> Tensor:
        """Products of the entries of each row of W, (m, n^2): Hessians of all signals are one
        product of weights with it.
        """
        W = self.inner.W
        return (W[:, :, None] * W[:, None, :]).reshape(len(W), W.shape[1] ** 2)

    def state(
        self,
        x: Tensor,
        eta: Tensor | None,
        free: Tensor,
        active: Tensor | None,
        mu: Tensor,
        v: Tensor | None = None,
    ) -> State:
        """The iterate (x, eta) with its residuals."""
        layer = self.layer
        if eta is None or layer.off is None or layer.d is None:
            r = layer.gradient(x, None, None)
            natural = layer.natural(x, r)
            return State(x, None, None, r, free, None, mu, natural, torch.zeros_like(natural))
        v = x @ layer.W.T if v is None else v
        r, over = layer.gradient(x, v, eta), (v - layer.d).mul_(layer.off)
        rows = torch.minimum(eta / self.unit, over * -self.unit).abs_().amax(1)
        columns = r.abs().amax(1) if self.open else layer.natural(x, r)
        natural = torch.maximum(columns, rows)
        return State(x, eta, over, r, free, active, mu, natural, torch.zeros_like(natural))

    def start(self, x: Tensor | None, eta: Tensor | None) -> State:
        """From a point and its multipliers, or from the projected least-squares solution."""
        layer = self.layer
        zero = torch.zeros_like(layer.lam)
        everywhere = torch.ones_like(zero) if layer.columns is None else layer.columns
        none = None if layer.off is None else torch.zeros_like(layer.t)
        mu = torch.full_like(
            zero[:, :1], (MU_OPEN if self.open else MU_DIRECT) if self.direct else MU
        )
        if x is None:
            b = (layer.t @ layer.W).sub_(layer.lam if layer.nonnegative else 0.0)
            at = State(zero, none, none, b, everywhere, none, mu, mu[:, 0], mu[:, 0])
            x, _ = self.solve(at, everywhere, none, b, torch.full_like(mu, LOOSE))
            x = x.clamp_min_(0) if layer.nonnegative else x
            eta = none
        free = (x != 0).to(x.dtype)
        if eta is None and none is not None and layer.off is not None and layer.d is not None:
            # no multipliers, without which the gradient says nothing of the sets: those that x
            # suggests bring some
            at = self.state(x, none, free, none, mu)
            active = (
                (at.r.new_tensor(-TOUCHING) <= (x @ layer.W.T - layer.d) * self.unit)
                .to(x.dtype)
                .mul_(layer.off)
            )
            b = at.r - layer.lam * (1 if layer.nonnegative else x.sign())
            dx, more = self.solve(at, free, active, b, torch.full_like(mu, LOOSE))
            x = (x + dx).mul_(free)
            eta = (
                (x @ layer.W.T - layer.d)
                .mul_(mu * self.unit**2)
                .add_(0.0 if more is None else more)
                .clamp_min_(0)
                .mul_(active)
            )
        state = self.state(x, eta, free, None, mu)
        return state._replace(active=self.guess(state))

    def guess(self, state: State) -> Tensor | None:
        """The inequalities that value against multiplier calls active, as 0/1."""
        if state.eta is None or state.over is None:
            return None
        return ((state.eta + state.over * (MU * self.unit**2)) > 0).to(state.x.dtype)

    def preconditioned(self, K: Tensor) -> Self:
        """The same with a preconditioner for the conjugate gradients."""
        return replace(self, K=K)

    def exactly(self) -> Self:
        """The same, down to rounding: with residuals from the data, because a Gram matrix squares
        the condition number.
        """
        return replace(self, layer=self.layer.without_gram(), goal=0.0)

    def ambiguous(self, found: loop.Result) -> Tensor:
        """Rows with an entry whose value and multiplier are both so small that accuracy decides
        which is zero: without noise, say.
        """
        rows = torch.nonzero(_smallest(self.inner, found.x, found.dual) < AMBIGUOUS_FLOAT32)[
            :, 0
        ]  # most rows have no such entry
        return (
            rows[_smallest(self.layer[rows], found.x[rows], take(found.dual, rows)) < AMBIGUOUS]
            if len(rows)
            else rows
        )

    def residual(self, state: State) -> Tensor:
        """Natural residual, or error where that is larger: badly conditioned signals are solved
        more accurately, (B,).
        """
        return torch.maximum(state.natural, state.error)

    def answer(self, state: State) -> tuple[Tensor, Tensor | None]:
        """The projected point and its multipliers."""
        return (state.x.clamp_min(0) if self.layer.nonnegative else state.x), state.eta

    def step(self, state: State) -> State:
        """Guess the sets, solve on them, update the multipliers."""
        layer, x, active = self.layer, state.x, self.guess(state)
        free, b, flip = self.entries(state)
        mu, rtol = self.effort(state, active, flip)
        dx, more = self.solve(state._replace(mu=mu), free, active, b, rtol)
        x = x + dx if self.open else (x + dx).mul_(free)
        v, eta = None, None
        if state.eta is not None and active is not None and layer.d is not None:
            v = x @ layer.W.T
            eta = (
                (v - layer.d)
                .mul_(mu * self.unit**2)
                .add_(state.eta if more is None else state.eta + more)
                .clamp_min_(0)
                .mul_(active)
            )
        new = self.state(x, eta, free, active, mu, v)
        moved = torch.linalg.vector_norm(dx, dim=1) / torch.linalg.vector_norm(x, dim=1).clamp_min(
            1e-300
        )
        return new._replace(
            error=ERROR * moved * (new.natural / state.natural.clamp_min(1e-300)).clamp_max(1.0)
        )

    def effort(self, state: State, active: Tensor | None, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Penalty and relative accuracy of the step (B, 1): more of both once the sets do not
        change; a factor is always exact.
        """
        if self.direct:
            return state.mu, torch.zeros_like(state.mu)
        if (
            active is not None
            and state.active is not None
            and state.eta is not None
            and state.over is not None
        ):
            margin = (active - state.active).mul_(
                state.eta / self.unit + state.over * (MU * self.unit)
            )
            flip = torch.maximum(flip, margin.abs_().amax(1, keepdim=True))
        residual = self.residual(state)[:, None].clamp_min(1e-300)
        settled = flip <= SETTLED * residual
        rtol = (0.5 * torch.clamp_min(flip, self.goal) / residual).clamp(TIGHT, LOOSE)
        return torch.where(settled, MU_MOST, MU), torch.where(settled, rtol, LOOSE)

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
        if (
            not layer.nonnegative
        ):  # without a weight an entry is free even where it happens to be zero
            weightless = (layer.lam == 0).to(x.dtype)
            free = torch.maximum(
                free, weightless if layer.columns is None else layer.columns * weightless
            )
        margin = (w if layer.nonnegative else w.abs_()).sub_(layer.lam)
        b = r - layer.lam * (1 if layer.nonnegative else near.sign())
        return free, b, margin.mul_(free - state.free).abs_().amax(1, keepdim=True)

    def solve(
        self, state: State, free: Tensor, active: Tensor | None, b: Tensor, rtol: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """dx with F K dx = F (b - C'mu(C x - d)) on the active rows and x + dx = 0 off F, K = A'A +
        gamma + mu C'C; and what eta gained.
        """
        inner = self.inner
        dtype = inner.W.dtype
        F = free.to(dtype)
        gone = (
            None if self.open else state.x * (1 - free)
        )  # entries that leave: the others must know
        size = torch.linalg.vector_norm(b if self.open else b * free, dim=1, keepdim=True)
        size = size if gone is None else size + torch.linalg.vector_norm(gone, dim=1, keepdim=True)
        weights, pull, penalty = inner.rows, None, None
        if active is not None and state.over is not None and state.eta is not None:
            penalty = active * (state.mu * self.unit**2)
            pull = torch.addcmul(
                state.eta * (1 - active), state.over, penalty, value=-1
            )  # what leaves, and the distance of active rows
            size = size + torch.linalg.vector_norm(pull, dim=1, keepdim=True)
        size = size.clamp_min(torch.finfo(dtype).tiny)
        right, away = (b / size).to(dtype), None if gone is None else (gone / size).to(dtype)
        if pull is not None and penalty is not None:
            pull, penalty = (pull / size).to(dtype), penalty.to(dtype)
            weights = penalty if weights is None else penalty + weights
            right = torch.addmm(
                right,
                pull if away is None else (away @ inner.W.T).mul_(weights).add_(pull),
                inner.W,
            )
            right = (
                right if away is None or inner.gamma is None else right.addcmul_(away, inner.gamma)
            )
        elif away is not None:
            right.add_(inner.normal(away, None))
        right = right if self.open else right.mul_(F)
        if not self.direct:
            return conjugate_gradients(inner, F, right, weights, rtol.to(dtype), self.K).to(
                b.dtype
            ).mul_(size), None
        inverse = self.inverse(F, weights)
        dx, more = inverse(right), None
        if (
            pull is not None and penalty is not None and active is not None
        ):  # another round of multipliers costs no factor
            moved = dx if away is None else dx - away
            more = (moved @ inner.W.T).mul_(penalty).sub_(pull).mul_(active)
            dx -= inverse(more @ inner.W if self.open else (more @ inner.W).mul_(F))
            more.mul_(size)
        return dx.mul_(size), more

    def inverse(self, F: Tensor, weights: Tensor | None) -> Callable[[Tensor], Tensor]:
        """That of F (W' diag(weights) W + gamma) F for what is zero off F, by Cholesky; small ones
        of all signals from one product.
        """
        W, n, gamma = self.inner.W, F.shape[1], self.inner.gamma
        weights = F.new_ones(1, len(W)) if weights is None else weights
        if n <= FEW:
            factor = cholesky(
                (weights @ self.outer).view(-1, n, n), None if self.open else F, gamma
            )
            return lambda right: torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
        columns, rows = (
            torch.nonzero((mask != 0).any(0))[:, 0] for mask in (F, weights)
        )  # that take part
        W, some = W[rows][:, columns], F[:, columns]
        factor = cholesky(
            (W.T * weights[:, None, rows]) @ W, some, None if gamma is None else gamma[columns]
        )

        def apply(right: Tensor) -> Tensor:
            dx = torch.cholesky_solve(right[:, columns, None], factor)[:, :, 0]
            return torch.zeros_like(F).index_copy_(1, columns, dx)

        return apply


def _smallest(layer: Layer, x: Tensor, eta: Tensor | None) -> Tensor:
    """The least over the entries of the larger of value and multiplier, (B,)."""
    x, eta = x.to(layer.W.dtype), None if eta is None else eta.to(layer.W.dtype)
    r = layer.gradient(x, None, eta)
    larger = torch.maximum(x.abs(), layer.lam - (r if layer.nonnegative else r.abs_()))
    return (larger if layer.columns is None else larger + (1 - layer.columns)).amin(1)


def method(layer: Layer, goal: float, exact: bool = False) -> ActiveSet:
    """Active sets for a layer in float64: a factorisation where it has few columns, else conjugate
    gradients in float32.

    `exact`: conjugate gradients in float64 and without preconditioner, which stay in the range of
    A' and so find the least-squares solution of least norm.
    """
    unit = newton.row_units(layer.W)
    m, n = layer.W.shape
    direct = not exact and (n <= FEW or len(layer.t) * m * n * n <= LITTLE)
    open = not layer.nonnegative and layer.columns is None and not bool(layer.lam.any())
    if direct:
        return ActiveSet(layer, layer, unit, goal, direct, open, None)
    gram = layer.with_gram()
    if exact:
        return ActiveSet(layer, gram, unit, goal, direct, open, None)
    inner = gram.to(torch.float32).with_gram(
        0
    )  # in float32, and for systems that are solved again and again, it always pays
    return ActiveSet(gram, inner, unit, goal, direct, open, None)
