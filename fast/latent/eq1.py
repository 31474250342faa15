"""Eq. 1 for a batch, min_z 1/2 ||y - G(z)||^2 over the observed pixels: objective, gradient and
Jacobian, written by hand.

The layers forward, then products masked by the supports: J = diag(phi') W_L D_L .. D_1 W_0 with D_i
the 0/1 diagonal of S_i.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from cvxinv.activations import Activation
from cvxinv.arrays import Array, dtype_name, is_torch
from cvxinv.generator import Generator
from cvxinv.generator.jacobian import through
from cvxinv.rows import SHARED
from cvxinv.solution import STATUS_TOLERANCE


@dataclass(frozen=True, eq=False)
class Fit:
    """Eq. 1 for a batch, with `weight` / 2 ||z||^2 added to the objective (as in eq. 9)."""

    weights: list[Tensor] = field(metadata=SHARED)
    biases: list[Tensor] = field(metadata=SHARED)
    phi: Activation = field(metadata=SHARED)
    y: Tensor  # (B, n), zero where it is not seen
    seen: Tensor | None  # (B, n) in 0/1, None for all
    weight: Tensor  # (B, 1), of the prior; zero without one

    def with_prior(self, weight: Tensor) -> "Fit":
        """The same with another weight (B,) of the prior."""
        return replace(self, weight=weight[:, None].to(self.y))

    def to(self, dtype: torch.dtype) -> "Fit":
        """The same in another precision."""
        weights, biases = ([a.to(dtype) for a in arrays] for arrays in (self.weights, self.biases))
        seen = None if self.seen is None else self.seen.to(dtype)
        y, weight = self.y.to(dtype), self.weight.to(dtype)
        return Fit(weights, biases, self.phi, y, seen, weight)

    def pixels(self, some: Tensor) -> "Fit":
        """The same over some of the pixels only, given by their indices."""
        weights = [*self.weights[:-1], self.weights[-1][some]]
        biases = [*self.biases[:-1], self.biases[-1][some]]
        seen = None if self.seen is None else self.seen[:, some]
        return replace(self, weights=weights, biases=biases, y=self.y[:, some], seen=seen)

    def objective(self, z: Tensor) -> Tensor:
        """The objective (B,) at z (B, n_0)."""
        e = self._masked(self.phi(self._forward(z)[1]) - self.y)
        return 0.5 * e.square().sum(dim=1) + self._prior(z)

    def gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The objective (B,) and its gradient (B, n_0) at z."""
        xs, t = self._forward(z)
        e = self._masked(self.phi(t) - self.y)
        objective = 0.5 * (e * e).sum(dim=1) + self._prior(z)
        return objective, self._backward(xs, e.mul_(self.phi.derivative(t))) + self.weight * z

    def jacobian(self, z: Tensor) -> Tensor:
        """J' of the observed rows at z (B, n_0, n), from a product with each W for all signals and
        latent directions at once.
        """
        xs, t = self._forward(z)
        Jt: Tensor = through(self.weights, [x.sign() for x in xs[1:]])
        return Jt * self._masked(self.phi.derivative(t))[:, None, :]

    def terms(self, z: Tensor) -> Tensor:
        """The size (B,) of the larger of the two terms of the gradient, J'(phi' * G(z)) and
        J'(phi' * y), which cancel at a stationary point.
        """
        xs, t = self._forward(z)
        slope = self._masked(self.phi.derivative(t))
        of_z, of_y = self._backward(xs, slope * self.phi(t)), self._backward(xs, slope * self.y)
        return torch.maximum(of_z.norm(dim=1), of_y.norm(dim=1))

    def stationary(self, z: Tensor) -> Tensor:
        """Whether the terms of the gradient cancel to the tolerance (B,)."""
        size = self.gradient(z)[1].norm(dim=1)
        return torch.le(size, STATUS_TOLERANCE[dtype_name(z)] * self.terms(z))

    def _forward(self, z: Tensor) -> tuple[list[Tensor], Tensor]:
        """[z, x_1, .., x_L] and W_L x_L + b_L."""
        xs = [z]
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            xs.append(torch.addmm(b, xs[-1], W.T).clamp_(min=0))
        return xs, torch.addmm(self.biases[-1], xs[-1], self.weights[-1].T)

    def _backward(self, xs: list[Tensor], d: Tensor) -> Tensor:
        """W_0' D_1 W_1' .. D_L W_L' d, with D_i the 0/1 diagonal of the support of x_i."""
        for x, W in zip(xs[:0:-1], self.weights[:0:-1], strict=True):
            d = (d @ W).mul_(x.sign())  # x >= 0; a float mask costs less than a boolean one
        return d @ self.weights[0]

    def _prior(self, z: Tensor) -> Tensor:
        return 0.5 * self.weight[:, 0] * z.square().sum(dim=1)

    def _masked(self, a: Tensor) -> Tensor:
        return a if self.seen is None else a * self.seen


def fit_to(G: Generator, y: Array, seen: Array | None) -> tuple[Fit, Tensor]:
    """Eq. 1 for y as a batch, without a prior, and which signals are finite where they are seen."""
    data = batch(y)
    M = torch.ones_like(data, dtype=torch.bool) & (True if seen is None else tensor(seen))
    usable = torch.isfinite(data)
    weights = [tensor(W).to(data) for W in G.weights]
    biases = [W.new_zeros(len(W)) for W in weights]
    if G.biases is not None:
        biases = [tensor(b).to(data) for b in G.biases]
    known = torch.where(M & usable, data, 0.0)
    mask = None if seen is None else M.to(data.dtype)
    fit = Fit(weights, biases, G.activation, known, mask, data.new_zeros(len(data), 1))
    return fit, (usable | ~M).all(dim=1)


def tensor(a: Array) -> Tensor:
    """`a` as a tensor; NumPy's memory is copied, because torch shares only what is writable and has
    positive strides.
    """
    found: Tensor = a if is_torch(a) else torch.from_numpy(np.array(a, order="C"))
    return found


def batch(a: Array) -> Tensor:
    """`a` as a tensor with a B axis."""
    return tensor(a).reshape(-1, a.shape[-1])
