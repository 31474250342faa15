"""Primal-dual active sets (semismooth Newton) for (Q): the fast default, many signals at a time.

One step guesses which entries of x are free (F) and which inequalities are active (A) from value against multiplier, and solves

    min 1/2 ||A x - t||^2 + lam'|x| + gamma/2 ||x||^2 + eta'(C x - d) + 1/2 sum_A mu_i (C_i x - d_i)^2   over x = 0 off F,

an equality-constrained problem by the method of multipliers, then eta <- max(0, eta + mu (C x - d)). Near a solution the guess is right
and the step is Newton's. The linear systems have the form F (W' diag(w) W + gamma) F with a 0/1 mask F and row weights w per signal,
so conjugate gradients need only dense products with the shared W: they run in float32, around residuals in float64 (iterative
refinement). Systems with few columns are formed and factorised instead. Nothing forces a decrease: the loop keeps the best iterate,
and rows that cycle go to `graph_admm`.

Source: Hintermueller, Ito, Kunisch (2002), primal-dual active sets as semismooth Newton; Hestenes (1969), Powell (1969), multipliers.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from cvxinv import newton

from . import loop
from .layer import Layer, take

FEW = 32  # columns up to which systems are formed and factorised ..
LITTLE = 2e7  # .. and products that forming them for all signals may take beyond
MU, MU_MOST, MU_DIRECT = 10.0, 300.0, 1e4  # penalty on active rows: while the sets change, once they do not, and where it costs nothing
LOOSE, TIGHT = 1e-2, 1e-6  # relative accuracy of a linear solve: while the sets still change, and at most (float32)
SPARSE = 0.7  # share of rows that go on below which the others are dropped
SHIFT = 1e-15  # keeps a singular system solvable; relative to its trace
AMBIGUOUS, AMBIGUOUS_FLOAT32 = 1e-8, 1e-6  # value and multiplier; what float32 can tell of them
SETTLED = 1e-3  # entries that change sets while they are this small, relative to the residual, do not count as changes
ERROR = 0.5  # weight of relative errors of x beside residuals: answers are equal to 1e-10 whatever the companions
TOUCHING = 1e-9  # slack below which a row counts as active at a point without multipliers
CAP = 80  # conjugate gradient iterations for one linear system


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
    error: Tensor  # (B,) ERROR times what the last step suggests that x is away from the solution, relative


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """The algorithm as a `loop.Method`; `layer` says in which precision residuals are taken, `inner` in which systems are solved."""

    layer: Layer
    inner: Layer
    unit: Tensor  # (m,) 1 / ||W_i||: makes rows comparable
    goal: float
    direct: bool  # whether systems are formed and factorised
    open: bool  # whether every entry is free whatever its value: no signs, no weights, no columns left out
    K: Tensor | None  # (n, n) preconditioner shared by all signals

    capturable: ClassVar[bool] = False

    def __getitem__(self, b: Any) -> "ActiveSet":
        return replace(self, layer=self.layer[b], inner=self.inner[b])

    @cached_property
    def outer(self) -> Tensor:
        """Products of the entries of each row of W, (m, n^2): Hessians of all signals are one product of weights with it."""
        W = self.inner.W
        return (W[:, :, None] * W[:, None, :]).reshape(len(W), W.shape[1] ** 2)

    def state(self, x: Tensor, eta: Tensor | None, free: Tensor, active: Tensor | None, mu: Tensor, v: Tensor | None = None) -> State:
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
        mu = torch.full_like(zero[:, :1], MU_DIRECT if self.direct else MU)
        if x is None:
            b = (layer.t @ layer.W).sub_(layer.lam if layer.nonnegative else 0.0)
            at = State(zero, none, none, b, everywhere, none, mu, mu[:, 0], mu[:, 0])
            x = self.solve(at, everywhere, none, b, torch.full_like(mu, LOOSE))
            x = x.clamp_min_(0) if layer.nonnegative else x
            eta = none
        free = (x != 0).to(x.dtype)
        if eta is None and none is not None and layer.off is not None and layer.d is not None:
            # no multipliers, without which the gradient says nothing of the sets: those that x suggests bring some
            at = self.state(x, none, free, none, mu)
            active = (at.r.new_tensor(-TOUCHING) <= (x @ layer.W.T - layer.d) * self.unit).to(x.dtype).mul_(layer.off)
            b = at.r - layer.lam * (1 if layer.nonnegative else x.sign())
            x = (x + self.solve(at, free, active, b, torch.full_like(mu, LOOSE))).mul_(free)
            eta = (x @ layer.W.T - layer.d).mul_(mu * self.unit**2).clamp_min_(0).mul_(active)
        state = self.state(x, eta, free, None, mu)
        return state._replace(active=self.guess(state))

    def guess(self, state: State) -> Tensor | None:
        """The inequalities that value against multiplier calls active, as 0/1."""
        if state.eta is None or state.over is None:
            return None
        return ((state.eta + state.over * (MU * self.unit**2)) > 0).to(state.x.dtype)

    def preconditioned(self, K: Tensor) -> "ActiveSet":
        """The same with a preconditioner for the conjugate gradients."""
        return replace(self, K=K)

    def exactly(self) -> "ActiveSet":
        """The same, down to rounding: with residuals from the data, because a Gram matrix squares the condition number."""
        return replace(self, layer=self.layer.without_gram(), goal=0.0)

    def ambiguous(self, found: loop.Result) -> Tensor:
        """Rows with an entry whose value and multiplier are both so small that accuracy decides which is zero: without noise, say."""
        rows = torch.nonzero(_smallest(self.inner, found.x, found.dual) < AMBIGUOUS_FLOAT32)[:, 0]  # most rows have no such entry
        return rows[_smallest(self.layer[rows], found.x[rows], take(found.dual, rows)) < AMBIGUOUS] if len(rows) else rows

    def residual(self, state: State) -> Tensor:
        """Natural residual, or error where that is larger: badly conditioned signals are solved more accurately, (B,)."""
        return torch.maximum(state.natural, state.error)

    def answer(self, state: State) -> tuple[Tensor, Tensor | None]:
        """The projected point and its multipliers."""
        return (state.x.clamp_min(0) if self.layer.nonnegative else state.x), state.eta

    def step(self, state: State) -> State:
        """Guess the sets, solve on them, update the multipliers."""
        layer, x, active = self.layer, state.x, self.guess(state)
        free, b, flip = self.entries(state)
        if active is not None and state.active is not None and state.eta is not None and state.over is not None:
            margin = (active - state.active).mul_(state.eta / self.unit + state.over * (MU * self.unit))
            flip = torch.maximum(flip, margin.abs_().amax(1, keepdim=True))
        residual = self.residual(state)[:, None].clamp_min(1e-300)
        settled = flip <= SETTLED * residual
        mu = state.mu if self.direct else torch.where(settled, MU_MOST, MU)
        rtol = torch.where(settled, (0.5 * torch.clamp_min(flip, self.goal) / residual).clamp(TIGHT, LOOSE), LOOSE)
        dx = self.solve(state._replace(mu=mu), free, active, b, rtol)
        x = x + dx if self.open else (x + dx).mul_(free)
        v, eta = None, None
        if state.eta is not None and active is not None and layer.d is not None:
            v = x @ layer.W.T
            eta = (v - layer.d).mul_(mu * self.unit**2).add_(state.eta).clamp_min_(0).mul_(active)
        new = self.state(x, eta, free, active, mu, v)
        moved = torch.linalg.vector_norm(dx, dim=1) / torch.linalg.vector_norm(x, dim=1).clamp_min(1e-300)
        return new._replace(error=ERROR * moved * (new.natural / state.natural.clamp_min(1e-300)).clamp_max(1.0))

    def entries(self, state: State) -> tuple[Tensor, Tensor, Tensor]:
        """F, the gradient b on it, and (B, 1) how far the entries that change sets are from the border between them."""
        layer, x, r = self.layer, state.x, state.r
        if self.open:
            return state.free, r, torch.zeros_like(state.mu)
        w = x + r
        near = layer.prox(w)
        free = (near != 0).to(x.dtype)
        if not layer.nonnegative:  # without a weight an entry is free even where it happens to be zero
            weightless = (layer.lam == 0).to(x.dtype)
            free = torch.maximum(free, weightless if layer.columns is None else layer.columns * weightless)
        margin = (w if layer.nonnegative else w.abs_()).sub_(layer.lam)
        b = r - layer.lam * (1 if layer.nonnegative else near.sign())
        return free, b, margin.mul_(free - state.free).abs_().amax(1, keepdim=True)

    def solve(self, state: State, free: Tensor, active: Tensor | None, b: Tensor, rtol: Tensor) -> Tensor:
        """dx with F K dx = F (b - C'mu(C x - d)) on the active rows and x + dx = 0 off F, K = A'A + gamma + mu C'C."""
        inner = self.inner
        dtype = inner.W.dtype
        F = free.to(dtype)
        size = torch.linalg.vector_norm(b * free, dim=1, keepdim=True)
        gone = state.x * (1 - free)  # entries that leave: the others must know
        size = size + torch.linalg.vector_norm(gone, dim=1, keepdim=True)
        weights = inner.rows
        if active is None or state.over is None or state.eta is None:
            size = size.clamp_min(torch.finfo(dtype).tiny)
            right = (b / size).to(dtype).add_(inner.normal((gone / size).to(dtype), None))
        else:
            penalty = active * (state.mu * self.unit**2)
            pull = state.eta * (1 - active) - state.over * penalty  # multipliers that leave, and the distance of active rows
            size = (size + torch.linalg.vector_norm(pull, dim=1, keepdim=True)).clamp_min(torch.finfo(dtype).tiny)
            pull = (pull / size).to(dtype)
            penalty = penalty.to(dtype)
            weights = penalty if weights is None else penalty.add_(weights)
            away = (gone / size).to(dtype)
            right = torch.addmm((b / size).to(dtype), (away @ inner.W.T).mul_(weights).add_(pull), inner.W)
            right = right if inner.gamma is None else right.addcmul_(away, inner.gamma)
        right.mul_(F)
        dx = self.factorised(F, right, weights) if self.direct else conjugate_gradients(inner, F, right, weights, rtol.to(dtype), self.K)
        return dx.to(b.dtype).mul_(size)

    def factorised(self, F: Tensor, right: Tensor, weights: Tensor | None) -> Tensor:
        """By Cholesky; small Hessians of all signals from one product, others from the rows and columns that take part."""
        W, n = self.inner.W, F.shape[1]
        weights = F.new_ones(1, len(W)) if weights is None else weights
        if n <= FEW:
            K = (weights @ self.outer).view(-1, n, n)
            return cholesky_solve(K, None if self.open else F, right, self.inner.gamma)
        columns, rows = (torch.nonzero(mask.amax(0))[:, 0] for mask in (F, weights))
        W, gamma = W[rows][:, columns], None if self.inner.gamma is None else self.inner.gamma[columns]
        K = (W.T * weights[:, None, rows]) @ W
        return torch.zeros_like(F).index_copy_(1, columns, cholesky_solve(K, F[:, columns], right[:, columns], gamma))


def cholesky_solve(K: Tensor, F: Tensor | None, right: Tensor, gamma: Tensor | None) -> Tensor:
    """F (K + gamma) F dx = F right, for K (B, n, n), which is overwritten; without F for all entries."""
    diagonal = K.diagonal(dim1=1, dim2=2)
    shift = SHIFT * (1 + diagonal.sum(1, keepdim=True))
    diagonal.add_(shift if gamma is None else gamma + shift)
    if F is not None:
        K = (K * (F[:, :, None] * F[:, None, :])).add_(torch.diag_embed(1 - F))
    factor, _ = torch.linalg.cholesky_ex(K)
    dx = torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
    return dx if F is None else dx.mul_(F)


def _smallest(layer: Layer, x: Tensor, eta: Tensor | None) -> Tensor:
    """The least over the entries of the larger of value and multiplier, (B,)."""
    x, eta = x.to(layer.W.dtype), None if eta is None else eta.to(layer.W.dtype)
    r = layer.gradient(x, None, eta)
    larger = torch.maximum(x.abs(), layer.lam - (r if layer.nonnegative else r.abs_()))
    return (larger if layer.columns is None else larger + (1 - layer.columns)).amin(1)


def conjugate_gradients(layer: Layer, F: Tensor, b: Tensor, weights: Tensor | None, rtol: Tensor, K: Tensor | None = None) -> Tensor:
    """F H F dx = F b from dx = 0, until the residual of each row has fallen by its rtol (B, 1), or CAP iterations.

    H = W' diag(weights) W + diag(gamma); F K F is the preconditioner, with K near the inverse of H for all signals.
    """
    tiny = torch.finfo(b.dtype).tiny
    out, rows = torch.zeros_like(b), None
    r, dx = b * F, torch.zeros_like(b)
    goal = dot(r, r) * rtol**2
    p = r.clone() if K is None else (r @ K).mul_(F)
    rz = dot(r, p)
    every = 8 if b.is_cuda else 2  # looking costs a synchronisation there
    for k in range(1, CAP + 1):
        Hp = layer.normal(p, weights).mul_(F)
        alpha = rz / dot(p, Hp).clamp_min_(tiny)
        dx.addcmul_(alpha, p)
        r.addcmul_(alpha, Hp, value=-1)
        if k % every == 0:
            going = (dot(r, r) > goal)[:, 0]
            count = int(going.sum())
            if count == 0:
                break
            if count < SPARSE * len(p):  # finished rows would only be carried along
                out = dx if rows is None else out.index_copy_(0, rows, dx)
                kept = torch.nonzero(going)[:, 0]
                rows = kept if rows is None else rows[kept]
                layer, F, weights = layer[kept], F[kept], take(weights, kept)
                dx, r, p, rz, goal = dx[kept], r[kept], p[kept], rz[kept], goal[kept]
        z = r if K is None else (r @ K).mul_(F)
        new = dot(r, z)
        p.mul_(new / rz.clamp_min(tiny)).add_(z)
        rz = new
    return dx if rows is None else out.index_copy_(0, rows, dx)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """a'b per row, (B, 1)."""
    return (a * b).sum(1, keepdim=True)


def method(layer: Layer, goal: float, exact: bool = False) -> ActiveSet:
    """Active sets for a layer in float64: a factorisation where it has few columns, else conjugate gradients in float32.

    `exact`: conjugate gradients in float64 and without preconditioner, which stay in the range of A' and so find the least-squares
    solution of least norm.
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
    return ActiveSet(gram, gram.to(torch.float32), unit, goal, direct, open, None)
