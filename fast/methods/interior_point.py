"""Mehrotra's predictor-corrector interior point method for (Q) with x >= 0 or without l1 term:
slow, and sure.

For the few signals on which ADMM and active sets make no headway, such as wide layers with a weight
close to zero, where thousands of entries are nearly free: every step is a dense factorisation of W'
diag(w) W + diag per signal.

Source: Mehrotra (1992); Nocedal, Wright, Numerical Optimization (2006), section 16.6.
"""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from cvxinv.rows import SHARED

from ..core.diagonal import Diagonal, Identity, Mask
from ..core.layer import ConstrainedLayer, Layer, wide
from ..core.linear_systems import Inverse

STEPS = 100
PATIENCE = 12
INSIDE = 0.1  # distance of the start from the boundary; signals have size 1
BACK = 0.995  # share of the way to the boundary
SHIFT = 1e-15  # keeps a singular system solvable, relative to its largest diagonal entry


class State(NamedTuple):
    """Point x with multipliers z of x >= 0, slack w with multipliers eta of C x + w = d.

    Without signs z is zero; without inequalities w and eta are (B, 0).
    """

    x: Tensor
    z: Tensor
    w: Tensor
    eta: Tensor


@dataclass(frozen=True, eq=False)
class InteriorPoint:
    """The method as a `loop.Method`; signals are few when it is called."""

    layer: Layer
    H: Tensor = field(metadata=SHARED)  # W'W, of V if W = [V, -V]
    halves: bool  # whether W = [V, -V]

    capturable: ClassVar[bool] = False

    def start(self, x: Tensor, dual: Tensor) -> State:
        """Well inside, near a point and its multipliers."""
        layer, signed = self.layer, float(self.layer.nonnegative)
        C, d, off = layer.inequalities
        z = (layer.lam - layer.reduced(x, dual)).clamp_min_(0) + INSIDE
        w = ((d - x @ C.T).clamp_min_(0) + INSIDE) * off + (1 - off)
        return State(x + INSIDE * signed, z * signed, w, (dual + INSIDE) * off)

    def residual(self, state: State) -> Tensor:
        """Natural residual, or x'z + w'eta where that is larger: it falls all the way."""
        natural = self.layer.residual(*self.answer(state))
        return torch.maximum(natural, self.products(state)[:, 0])

    def answer(self, state: State) -> tuple[Tensor, Tensor]:
        return state.x, state.eta

    def step(self, state: State) -> State:
        """Predictor, centring, corrector: two solves with one factor."""
        layer, (x, z, w, eta) = self.layer, state
        C, d, off = layer.inequalities
        signed = float(layer.nonnegative)
        s = self.distance(x)
        stationarity = layer.reduced(x, eta) - signed * layer.lam + z
        feasibility = (d - x @ C.T - w) * off
        inverse = self.inverse(self.weights(state), z / s + layer.gamma.values)

        def direction(cz: Tensor, cw: Tensor) -> State:
            """For targets x z -> cz and w eta -> cw of the products (minus corrections)."""
            towards_z = signed * (cz - s * z) / s
            towards_w = (cw - w * eta - eta * feasibility) / w
            dx = inverse(layer.columns.times(stationarity + towards_z - towards_w @ C))
            dw = (feasibility - dx @ C.T) * off
            return State(dx, towards_z - z * dx / s, dw, (cw - w * eta - eta * dw) / w * off)

        guess = direction(torch.zeros_like(x), torch.zeros_like(w))
        primal, dual = self.reach(state, guess)
        ahead = moved(state, guess, primal, dual)
        gap = self.products(state)
        count = max(1, signed * x.shape[1] + float(off.sum(1).amax()))
        share = (self.products(ahead) / gap.clamp_min(1e-300)).clamp(0, 1)
        centre = share**3 * gap / count
        towards = direction(centre - guess.x * guess.z, (centre - guess.w * guess.eta) * off)
        # a quadratic objective couples the two
        length = torch.minimum(*self.reach(state, towards))
        new = moved(state, towards, length, length)
        return new._replace(x=torch.nan_to_num(new.x, torch.inf))

    def weights(self, state: State) -> Mask:
        """Of the rows in the linear systems."""
        return self.layer.rows

    def distance(self, x: Tensor) -> Tensor:
        """What must stay positive: x where it has a sign, else a constant."""
        return x if self.layer.nonnegative else torch.ones_like(x)

    def products(self, state: State) -> Tensor:
        """x'z + w'eta, (B, 1)."""
        columns = (self.distance(state.x) * state.z).sum(1, keepdim=True)
        return columns + (state.w * state.eta).sum(1, keepdim=True)

    def reach(self, state: State, d: State) -> tuple[Tensor, Tensor]:
        """How far x and w may go along a direction, and how far their multipliers, (B, 1)."""
        signed = float(self.layer.nonnegative)
        primal = reach([self.distance(state.x), state.w], [signed * d.x, d.w])
        return primal, reach([state.z, state.eta], [d.z, d.eta])

    def inverse(self, weights: Mask, D: Tensor) -> Inverse:
        """That of W' diag(weights) W + diag(D), by Cholesky, for what is zero off the columns.

        Where W = [V, -V] and H = V' diag(weights) V, the two halves solve (H + D_1) a - H b = r_1
        and (H + D_2) b - H a = r_2. Then u = a - b solves (H + E) u = E (r_1 / D_1 - r_2 / D_2)
        with 1 / E = 1 / D_1 + 1 / D_2: half the size. The smaller of the two D_j divides nothing.
        """
        n = D.shape[1] // 2 if self.halves else D.shape[1]
        D = D + SHIFT * self.diagonal(weights)
        D1, D2 = D[:, :n], D[:, n:]
        E = D1 * D2 / (D1 + D2) if self.halves else D
        some = torch.arange(n, device=D.device)
        few = wide(self.layer.W[:, :n]) and self.layer.nonnegative  # then E > 0
        solve = self.by_rows if few else self.by_columns
        whole = solve(self.layer.W[:, :n], weights, E, self.layer.columns.on(some))

        def halves(right: Tensor) -> Tensor:
            r1, r2 = right[:, :n], right[:, n:]
            r = (D2 * r1 - D1 * r2) / (D1 + D2)
            u = whole(r)
            Hu = r - E * u
            a, b = (r1 - Hu) / D1, (r2 + Hu) / D2
            first = D1 < D2
            return torch.cat([torch.where(first, u + b, a), torch.where(first, b, a - u)], 1)

        return halves if self.halves else whole

    def diagonal(self, weights: Mask) -> Tensor:
        """The largest diagonal entry of W' diag(weights) W, at most, (B, 1)."""
        return weights.values.amax(1, keepdim=True) * (self.layer.W**2).sum(0).amax()

    def by_columns(self, V: Tensor, weights: Mask, E: Tensor, columns: Mask) -> Inverse:
        """That of H = V' diag(weights) V + diag(E) from a factor of H."""
        n = V.shape[1]
        H = self.H.expand(len(E), n, n)
        if not isinstance(weights, Identity):
            H = (V.T[None] * weights.values[:, None, :]) @ V
        K = H.clone()
        K.diagonal(dim1=1, dim2=2).add_(E)
        factor, _ = torch.linalg.cholesky_ex(columns.restrict(K))
        return lambda right: torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]

    def by_rows(self, V: Tensor, weights: Mask, E: Tensor, columns: Mask) -> Inverse:
        """The same for a wide V from a factor of I + S E^-1 S', S = diag(weights)^1/2 V: E^-1 -
        E^-1 S'(I + S E^-1 S')^-1 S E^-1.
        """
        root, F = weights.values.sqrt(), columns.values / E
        K = ((V[None] * F[:, None, :]) @ V.T) * (root[:, :, None] * root[:, None, :])
        K.diagonal(dim1=1, dim2=2).add_(1.0)
        factor, _ = torch.linalg.cholesky_ex(K)

        def inverse(right: Tensor) -> Tensor:
            x = F * right
            y = torch.cholesky_solve((root * (x @ V.T))[:, :, None], factor)[:, :, 0]
            return x - F * ((root * y) @ V)

        return inverse


@dataclass(frozen=True, eq=False)
class ConstrainedInteriorPoint(InteriorPoint):
    """The same with inequalities."""

    layer: ConstrainedLayer

    def weights(self, state: State) -> Mask:
        return Diagonal(self.layer.rows.values + state.eta / state.w)


def moved(state: State, d: State, primal: Tensor, dual: Tensor) -> State:
    """A step along d, of one length for x and w and one for their multipliers."""
    lengths = (primal, dual, primal, dual)
    return State(*(a + length * da for a, da, length in zip(state, d, lengths, strict=True)))


def reach(values: list[Tensor], directions: list[Tensor]) -> Tensor:
    """How far values that must stay positive may go along their directions, at most 1, (B, 1)."""
    a, d = torch.cat(values, 1), torch.cat(directions, 1)
    return torch.where(d < 0, BACK * a / -d, torch.inf).amin(1, keepdim=True).clamp_max(1.0)


def method(layer: Layer, halves: bool = False) -> InteriorPoint:
    """The method for a layer in float64; `halves` says that its W is [V, -V]."""
    V = layer.W[:, : layer.W.shape[1] // 2] if halves else layer.W
    if isinstance(layer, ConstrainedLayer):
        return ConstrainedInteriorPoint(layer, V.T @ V, halves)
    return InteriorPoint(layer, V.T @ V, halves)
