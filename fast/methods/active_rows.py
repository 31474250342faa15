"""Active sets with inequalities: multipliers eta <- max(0, eta + mu (C x - d)), and which rows are
active.

The source of mu and eta is the method of multipliers; `active_set` has the rest.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core import residual
from ..core.diagonal import Diagonal, Identity, ones
from ..core.layer import ConstrainedLayer, Layer
from ..core.linear_systems import FEW, Factorised, Iterative, formed
from .active_set import LOOSE, SETTLED, TINY, ActiveSet, State, length

LITTLE = 2e7  # products that forming larger systems than of FEW columns may take, for all signals
MU, MU_MOST = 10.0, 300.0  # penalty on active rows: while the sets change, and once they do not ..
# .. where systems are factorised, and where nothing weighs on x besides: no step costs more for it
MU_DIRECT, MU_OPEN = 3e3, 3e4
TOUCHING = 1e-9  # slack below which a row counts as active at a point without multipliers


@dataclass(frozen=True, eq=False)
class ConstrainedActiveSet(ActiveSet):
    """The algorithm as a `loop.Method`, with inequalities."""

    layer: ConstrainedLayer

    def at(self, x: Tensor, eta: Tensor, free: Tensor, active: Tensor, mu: Tensor) -> State:
        return self.at_image(x, x @ self.layer.W.T, eta, free, active, mu)

    def at_image(
        self, x: Tensor, v: Tensor, eta: Tensor, free: Tensor, active: Tensor, mu: Tensor
    ) -> State:
        """The iterate (x, eta) with its residuals, v = W x being at hand."""
        layer = self.layer
        r, over = layer.reduced_at(x, v, eta), layer.over(v)
        columns = residual.largest(r) if self.open else layer.natural(x, r)
        natural = torch.maximum(columns, residual.rows(eta, over, layer.unit))
        return State(x, eta, over, r, free, active, mu, natural, torch.zeros_like(natural))

    def near(self, x: Tensor) -> State:
        """From a point without multipliers, without which the gradient says nothing of the sets:
        those that x suggests bring some.
        """
        layer, none, mu = self.layer, self.layer.no_dual, self.penalty()
        free = (x != 0).to(x.dtype)
        at = self.at(x, none, free, none, mu)
        touching = at.over * layer.unit >= -TOUCHING
        active = touching.to(x.dtype).mul_(layer.off)
        b = at.r - layer.lam * (1 if layer.nonnegative else x.sign())
        dx, eta = self.solve(at, free, active, b, torch.full_like(mu, LOOSE))
        x = (x + dx).mul_(free)
        return self.start(x, self.multipliers(x @ layer.W.T, eta, active, mu))

    def penalty(self) -> Tensor:
        mu = (MU_OPEN if self.open else MU_DIRECT) if self.direct else MU
        return torch.full_like(self.layer.lam[:, :1], mu)

    def guess(self, state: State) -> Tensor:
        margin = state.eta + state.over * (MU * self.layer.unit**2)
        return (margin > 0).to(state.x.dtype)

    def multipliers(self, v: Tensor, eta: Tensor, active: Tensor, mu: Tensor) -> Tensor:
        """The next multipliers, max(0, eta + mu (C x - d)) on the active rows."""
        over = (v - self.layer.d).mul_(mu * self.layer.unit**2)
        return over.add_(eta).clamp_min_(0).mul_(active)

    def moved(self, x: Tensor, eta: Tensor, free: Tensor, active: Tensor, mu: Tensor) -> State:
        v = x @ self.layer.W.T
        return self.at_image(x, v, self.multipliers(v, eta, active, mu), free, active, mu)

    def effort(self, state: State, active: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        if self.direct:
            return super().effort(state, active, flip)
        unit = self.layer.unit
        margin = (state.eta / unit).add_(state.over * (MU * unit)).mul_(active - state.active)
        flip = torch.maximum(flip, margin.abs_().amax(1, keepdim=True))
        _, rtol = super().effort(state, active, flip)
        settled = flip <= SETTLED * self.residual(state)[:, None].clamp_min(TINY)
        return torch.where(settled, MU_MOST, MU), rtol

    def solve(
        self, state: State, free: Tensor, active: Tensor, b: Tensor, rtol: Tensor
    ) -> tuple[Tensor, Tensor]:
        """dx with F K dx = F (b - C'mu(C x - d)) on the active rows and x + dx = 0 off F, K = A'A +
        gamma + mu C'C; and what eta is after that.
        """
        inner, F, W = self.inner, self.mask(free), self.inner.W
        penalty = active * (state.mu * self.layer.unit**2)
        # what leaves, and the distance of active rows
        pull = torch.addcmul(state.eta * (1 - active), state.over, penalty, value=-1)
        gone = state.x[:, :0] if self.open else state.x * (1 - free)
        size = length(b if self.open else b * free, gone, pull)
        right, away, pull = ((a / size).to(W.dtype) for a in (b, gone, pull))
        penalty = penalty.to(W.dtype)
        weights = Diagonal(penalty + inner.rows.values)
        if self.open:
            right = torch.addmm(right, pull, W)
        else:  # entries that leave: the others must know
            forces = weights.times_(away @ W.T).add_(pull)
            right = F.times_(inner.gamma.add_(torch.addmm(right, forces, W), away))
        inverse = self.systems.inverse(inner, F, weights, rtol)
        dx, eta = inverse(right), state.eta
        if self.direct:  # another round of multipliers costs no factor
            moved = dx if self.open else dx - away
            more = (moved @ W.T).mul_(penalty).sub_(pull).mul_(active)
            dx = dx - inverse(F.times_(more @ W))
            eta = eta + more.mul_(size)
        return dx.to(b.dtype).mul_(size), eta


def method(layer: Layer, goal: float, exact: bool = False) -> ActiveSet:
    """Active sets for a layer in float64: a factorisation where it has few columns, else conjugate
    gradients in float32.

    `exact`: conjugate gradients in float64 and without preconditioner, which stay in the range of
    A' and so find the least-squares solution of least norm.
    """
    m, n = layer.W.shape
    at_once = formed(layer.W, isinstance(layer, ConstrainedLayer))
    little = n <= FEW or len(layer.t) * m * n * n <= LITTLE
    direct = not exact and (at_once or little)
    every_column = isinstance(layer.columns, Identity)
    open = not layer.nonnegative and every_column and not bool(layer.lam.any())
    plain = ones(n, layer.W)
    systems: Iterative | Factorised
    gram = layer if direct else layer.with_gram()
    if direct:
        systems = Factorised.of(layer.W, at_once, dear=not little)
    elif exact:
        systems = Iterative(gram, plain)
    else:  # in float32, and for systems that are solved again and again, A'A always pays
        systems = Iterative(gram.to(torch.float32).with_gram(0), plain)
    if isinstance(gram, ConstrainedLayer):
        return ConstrainedActiveSet(gram, systems, goal, open)
    return ActiveSet(gram, systems, goal, open)
