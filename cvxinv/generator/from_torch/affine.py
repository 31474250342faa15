"""What a module has made of z so far: an affine map of the last hidden layer, or phi of one.

Entries are those of one signal, flattened; everything is float64.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import torch

from cvxinv.activations import PLU, Activation, LeakyReLU, Sigmoid, Tanh


@dataclass(frozen=True, eq=False)
class Layer:
    """x_k of eq. 2: z, or the ReLU of an affine map of the layer below."""

    values: torch.Tensor  # (B, n_k), as the module computed them
    t: "Affine | None" = None  # x_k = ReLU(t); None for z
    place: str = ""  # the submodule that applied the ReLU


@dataclass(frozen=True, eq=False)
class Affine:
    """t = W x + b."""

    x: Layer
    W: torch.Tensor  # (m, n), or (n,) for a diagonal
    b: torch.Tensor  # (m,)
    size: torch.Tensor  # (B, m): magnitudes that were summed on the way, the measure of rounding

    def times(self, A: torch.Tensor) -> "Affine":
        """A t."""
        W = A * self.W if self.W.ndim == 1 else A @ self.W
        return Affine(self.x, W, A @ self.b, self.size @ A.abs().T)

    def scaled(self, s: torch.Tensor) -> "Affine":
        """s * t, entry by entry."""
        W = s * self.W if self.W.ndim == 1 else s[:, None] * self.W
        return Affine(self.x, W, s * self.b, s.abs() * self.size)

    def shifted(self, c: torch.Tensor) -> "Affine":
        """t + c."""
        return replace(self, b=self.b + c, size=self.size + c.abs())

    def picked(self, entries: torch.Tensor) -> "Affine":
        """The entries of t with these numbers, in their order."""
        return Affine(self.x, self.matrix()[entries], self.b[entries], self.size[:, entries])

    def plus(self, other: "Affine") -> "Affine":
        """The sum of two affine maps of the same layer."""
        W = self.matrix() + other.matrix()
        return Affine(self.x, W, self.b + other.b, self.size + other.size)

    def matrix(self) -> torch.Tensor:
        """W (m, n)."""
        return torch.diag(self.W) if self.W.ndim == 1 else self.W

    def values(self) -> torch.Tensor:
        """W x + b (B, m)."""
        x = self.x.values
        return (x * self.W if self.W.ndim == 1 else x @ self.W.T) + self.b

    def rounding(self, unit: float) -> torch.Tensor:
        """Bound on the error of t (B, m) where each layer is off by `unit` of what it sums."""
        error = unit * self.size
        return (
            error if self.x.t is None else self.x.t.rounding(unit) @ self.matrix().abs().T + error
        )

    def is_not_negative(self) -> bool:
        """Whether it rescales a hidden layer upwards, so that a ReLU does nothing."""
        on_its_own = self.x.t is not None and self.W.ndim == 1
        return on_its_own and bool((self.W >= 0).all() and (self.b >= 0).all())


@dataclass(frozen=True, eq=False)
class Output:
    """y = scale * phi(t) + shift."""

    t: Affine
    phi: Activation
    scale: torch.Tensor  # (m,)
    shift: torch.Tensor  # (m,)
    place: str  # the submodule that applied phi

    @property
    def size(self) -> torch.Tensor:
        """As of an affine map: phi has slopes of at most 1."""
        return self.scale.abs() * (self.t.size + 1) + self.shift.abs()

    def scaled(self, s: torch.Tensor) -> "Output":
        """s * y, entry by entry."""
        return replace(self, scale=s * self.scale, shift=s * self.shift)

    def shifted(self, c: torch.Tensor) -> "Output":
        """y + c."""
        return replace(self, shift=self.shift + c)

    def picked(self, entries: torch.Tensor) -> "Output":
        """The entries of y with these numbers, in their order."""
        t = self.t.picked(entries)
        return replace(self, t=t, scale=self.scale[entries], shift=self.shift[entries])

    def values(self) -> torch.Tensor:
        """scale * phi(t) + shift (B, m)."""
        y: torch.Tensor = self.scale * self.phi(self.t.values()) + self.shift
        return y

    def rounding(self, unit: float) -> torch.Tensor:
        """As of an affine map: phi has slopes of at most 1."""
        return self.scale.abs() * (self.t.rounding(unit) + unit) + unit * self.shift.abs()

    def range(self) -> tuple[float, float]:
        """Bounds on all entries of y."""
        ends = torch.stack([self.scale * end + self.shift for end in self.phi.range])
        return float(ends.min()), float(ends.max())

    def as_phi(self) -> tuple[Affine, Activation] | None:
        """y as an activation of an affine map, which need not be phi: (tanh(t) + 1) / 2 is
        sigmoid(2 t). None where there is none.
        """
        a, c = self.scale, self.shift

        def all_are(size: float, c_of_a: torch.Tensor | float) -> bool:
            return bool((a.abs() == size).all() and (c == c_of_a).all())

        match self.phi:
            case Tanh() if all_are(1, 0):  # tanh is odd
                return self.t.scaled(a), self.phi
            case Tanh() if all_are(0.5, 0.5):
                return self.t.scaled(4 * a), Sigmoid()
            case Sigmoid() if all_are(1, (1 - a) / 2):  # 1 - sigmoid(t) = sigmoid(-t)
                return self.t.scaled(a), self.phi
            case Sigmoid() if all_are(2, -a / 2):
                return self.t.scaled(a / 4), Tanh()
            case LeakyReLU() if bool((a > 0).all() and (c == 0).all()):
                return self.t.scaled(a), self.phi
            case PLU() if bool((a == a[0]).all() and a[0] != 0 and (c == 0).all()):
                return self.t.scaled(a), PLU(self.phi.alpha, self.phi.c * abs(float(a[0])))
            case _:
                return None


Expression: TypeAlias = Affine | Output


def latent(z: torch.Tensor) -> Affine:
    """z (B, n_0) itself."""
    return variable(Layer(z))


def variable(x: Layer) -> Affine:
    """x itself, as an affine map of it."""
    ones = torch.ones_like(x.values[0])
    return Affine(x, ones, torch.zeros_like(ones), x.values.abs())
