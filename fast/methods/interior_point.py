"""Mehrotra's predictor-corrector interior point method for (Q) with x >= 0 or without l1 term:
slow, and sure.

For the few signals on which ADMM and active sets make no headway, such as wide layers with a weight
close to zero, where thousands of entries are nearly free: every step is a dense factorisation of W'
diag(w) W + diag per signal.

Source: Mehrotra (1992); Nocedal, Wright, Numerical Optimization (2006), section 16.6.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from fast.core.layer import Layer

STEPS = 100
PATIENCE = 12
INSIDE = 0.1  # distance of the start from the boundary; signals have size 1
BACK = 0.995  # share of the way to the boundary


class State(NamedTuple):
    """Point x with multipliers z of x >= 0, slack w with multipliers eta of C x + w = d."""

    x: Tensor
    z: Tensor | None
    w: Tensor | None
    eta: Tensor | None


@dataclass(frozen=True, eq=False)
class InteriorPoint:
    """The method as a `loop.Method`; signals are few when it is called."""

    layer: Layer
    H: Tensor | None  # A'A where all signals share it, of V if W = [V, -V]
    halves: bool  # whether W = [V, -V]

    capturable: ClassVar[bool] = False

    def __getitem__(self, b: Any) -> "InteriorPoint":
        return replace(self, layer=self.layer[b])

    def start(self, x: Tensor, eta: Tensor | None) -> State:
        """Well inside, near a point and its multipliers."""
        layer = self.layer
        inside = INSIDE * layer.t.new_ones(1)
        z = (
            (layer.lam - layer.gradient(x, None, eta)).clamp_min_(0) + inside
            if layer.nonnegative
            else None
        )
        slack = None if layer.d is None else (layer.d - x @ layer.W.T).clamp_min_(0)
        x = x + inside if layer.nonnegative else x
        if slack is None or eta is None or layer.off is None:
            return State(x, z, None, None)
        return State(
            x, z, (slack + inside) * layer.off + (1 - layer.off), (eta + inside) * layer.off
        )

    def residual(self, state: State) -> Tensor:
        layer, (x, eta) = self.layer, self.answer(state)
        v = x @ layer.W.T
        columns = layer.natural(x, layer.gradient(x, v, eta))
        if layer.off is None or layer.d is None or eta is None:
            return columns
        return torch.maximum(columns, torch.minimum(eta, (layer.d - v) * layer.off).abs().amax(1))

    def answer(self, state: State) -> tuple[Tensor, Tensor | None]:
        return state.x, state.eta

    def step(self, state: State) -> State:
        """Predictor, centring, corrector: two solves with one factor."""
        layer, (x, z, w, eta) = self.layer, state
        n = x.shape[1]
        columns = torch.ones_like(x) if layer.columns is None else layer.columns
        stationarity = layer.gradient(x, None, eta) - layer.lam * (
            1.0 if layer.nonnegative else 0.0
        )
        stationarity = stationarity if z is None else stationarity + z
        feasibility = (
            None
            if w is None or layer.d is None or layer.off is None
            else (layer.d - x @ layer.W.T - w) * layer.off
        )
        barrier = torch.zeros_like(x) if z is None else z / x
        weights = (
            layer.rows
            if w is None or eta is None
            else eta / w
            if layer.rows is None
            else layer.rows + eta / w
        )
        inverse = self.inverse(weights, barrier if layer.gamma is None else barrier + layer.gamma)

        def direction(
            cz: Tensor | None, cw: Tensor | None
        ) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
            """For targets x z -> cz and w eta -> cw of the products (minus corrections)."""
            right = stationarity
            if z is not None and cz is not None:
                right = right + (cz - x * z) / x
            if w is not None and eta is not None and feasibility is not None and cw is not None:
                right = right - ((cw - w * eta - eta * feasibility) / w) @ layer.W
            dx = inverse(right * columns)
            dz = None if z is None or cz is None else (cz - x * z - z * dx) / x
            if w is None or eta is None or feasibility is None or cw is None or layer.off is None:
                return dx, dz, None, None
            dw = (feasibility - dx @ layer.W.T) * layer.off
            return dx, dz, dw, (cw - w * eta - eta * dw) / w * layer.off

        zero = None if z is None else torch.zeros_like(x)
        none = None if w is None else torch.zeros_like(w)
        dx, dz, dw, de = direction(zero, none)
        gap, count = (
            products(state),
            max(
                1,
                (n if z is not None else 0)
                + (0 if layer.off is None else int(layer.off.sum(1).amax())),
            ),
        )
        primal, dual = reach((x if z is not None else None, dx), (w, dw)), reach((z, dz), (eta, de))
        ahead = State(
            x + primal * dx, advance(z, dual, dz), advance(w, primal, dw), advance(eta, dual, de)
        )
        centre = (products(ahead) / gap.clamp_min(1e-300)).clamp(0, 1) ** 3 * gap / count
        cz = None if z is None or dz is None else centre - dx * dz
        cw = (
            None
            if layer.off is None or dw is None or de is None
            else (centre - dw * de) * layer.off
        )
        dx, dz, dw, de = direction(cz, cw)
        primal, dual = reach((x if z is not None else None, dx), (w, dw)), reach((z, dz), (eta, de))
        primal = dual = torch.minimum(
            torch.as_tensor(primal), torch.as_tensor(dual)
        )  # a quadratic objective couples the two
        new = State(
            x + primal * dx, advance(z, dual, dz), advance(w, primal, dw), advance(eta, dual, de)
        )
        return State(torch.nan_to_num(new.x, torch.inf), *new[1:])

    def inverse(self, weights: Tensor | None, D: Tensor) -> Callable[[Tensor], Tensor]:
        """That of W' diag(weights) W + diag(D), by Cholesky, for what is zero off the columns.

        Where W = [V, -V] and H = V' diag(weights) V, the two halves solve (H + D_1) a - H b = r_1
        and (H + D_2) b - H a = r_2. Then u = a - b solves (H + E) u = E (r_1 / D_1 - r_2 / D_2)
        with 1 / E = 1 / D_1 + 1 / D_2: half the size. The smaller of the two D_j divides nothing.
        """
        n = D.shape[1] // 2 if self.halves else D.shape[1]
        W, columns = self.layer.W[:, :n], self.layer.columns
        if weights is None:
            assert self.H is not None
            H = self.H.expand(len(D), n, n)
        else:
            H = (W.T[None] * weights[:, None, :]) @ W
        D = D + 1e-15 * H.diagonal(dim1=-2, dim2=-1).amax(-1, keepdim=True)
        D1, D2 = D[:, :n], D[:, n:]
        E = D1 * D2 / (D1 + D2) if self.halves else D
        K = H.clone()
        K.diagonal(dim1=1, dim2=2).add_(E)
        if columns is not None:
            inside = columns[:, :n]
            K = K * (inside[:, :, None] * inside[:, None, :]) + torch.diag_embed(1 - inside)
        factor, _ = torch.linalg.cholesky_ex(K)

        def whole(right: Tensor) -> Tensor:
            return torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]

        def halves(right: Tensor) -> Tensor:
            r1, r2 = right[:, :n], right[:, n:]
            r = (D2 * r1 - D1 * r2) / (D1 + D2)
            u = whole(r)
            Hu = r - E * u
            a, b = (r1 - Hu) / D1, (r2 + Hu) / D2
            first = D1 < D2
            return torch.cat([torch.where(first, u + b, a), torch.where(first, b, a - u)], 1)

        return halves if self.halves else whole


def products(state: State) -> Tensor:
    """x'z + w'eta, (B, 1)."""
    x, z, w, eta = state
    value = torch.zeros_like(x[:, :1]) if z is None else (x * z).sum(1, keepdim=True)
    return value if w is None or eta is None else value + (w * eta).sum(1, keepdim=True)


def advance(a: Tensor | None, length: Tensor | float, d: Tensor | None) -> Tensor | None:
    """a + length d, or None."""
    return a if a is None or d is None else a + length * d


def reach(*pairs: tuple[Tensor | None, Tensor | None]) -> Tensor | float:
    """How far all values that must stay positive may go along their directions, at most 1, (B,
    1).
    """
    length: Tensor | float = 1.0
    for value, d in pairs:
        if value is not None and d is not None:
            here = (
                torch.where(d < 0, BACK * value / -d, torch.inf)
                .amin(1, keepdim=True)
                .clamp_max(1.0)
            )
            length = here if isinstance(length, float) else torch.minimum(length, here)
    return length


def method(layer: Layer, halves: bool = False) -> InteriorPoint:
    """The method for a layer in float64; `halves` says that its W is [V, -V]."""
    V = layer.W[:, : layer.W.shape[1] // 2] if halves else layer.W
    return InteriorPoint(layer, V.T @ V if layer.rows is None else None, halves)
