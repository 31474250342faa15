"""The linear systems of `active_set`, F (W' diag(w) W + gamma) F dx = F b, for many signals at a
time: conjugate gradients with a shared W, or a Cholesky factor each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cvxinv.memory import BUDGET
from cvxinv.rows import SHARED, take

from .diagonal import Identity, Mask
from .layer import Layer, wide
from .precision import ample_float64

# columns up to which the systems of all signals come from one product; and, with inequalities, on a
# GPU that has float64 to spare
FEW, MANY = 32, 128
SPARSE = 0.7  # share of rows that go on below which the others are dropped
SHIFT = 1e-15  # keeps a singular system solvable; relative to its trace
SHIFT_FLOAT32 = 1e-6  # .. and a factor in float32 positive; relative to its diagonal
ROUNDED = 1e-12  # what a residual falls by, relative, where a factor preconditions
CAP = 80  # conjugate gradient iterations for one linear system


def formed(W: Tensor, constrained: bool) -> bool:
    """Whether the systems of all signals come from one product of their weights with the products
    of the entries of each row of W (m, n).
    """
    m, n = W.shape
    if n <= FEW:
        return True
    few = constrained and n <= MANY and 8 * m * n * n <= BUDGET
    return few and ample_float64(W.device)


Inverse = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Shared:
    """A preconditioner near the inverse for all signals, (n, n)."""

    K: Tensor = field(metadata=SHARED)

    def times(self, r: Tensor) -> Tensor:
        """K r."""
        return r @ self.K


@dataclass(frozen=True, eq=False)
class LowRank:
    """(tau I + W'W)^-1 for a wide W (m, n): (I - W'(tau I + W W')^-1 W) / tau."""

    W: Tensor = field(metadata=SHARED)
    M: Tensor = field(metadata=SHARED)  # (m, m) the inverse
    tau: float

    def times(self, r: Tensor) -> Tensor:
        """K r."""
        return (r - ((r @ self.W.T) @ self.M) @ self.W).div_(self.tau)


@dataclass(frozen=True, eq=False)
class Factors:
    """The inverse of each signal's own matrix on its free columns, by factors in float32."""

    columns: Tensor  # (B, k) the free columns, and others in the places left over
    used: Tensor  # (B, k) 0/1: not left over
    factor: Tensor  # (B, k, k) lower, the identity in the places left over

    @classmethod
    def of(cls, layer: Layer, F: Mask, weights: Mask) -> "Factors":
        """Of F (W' diag(weights) W + gamma) F."""
        W, B = layer.W.to(torch.float32), len(layer.t)
        free, w = F.values.expand(B, -1) != 0, weights.values.to(W.dtype).expand(B, -1)
        count = free.sum(1)
        k = max(1, int(count.amax()))
        places = torch.arange(k, device=W.device)
        used = (places < count[:, None]).to(W.dtype)
        columns = torch.argsort(free.to(torch.int8), dim=1, descending=True, stable=True)[:, :k]
        if W.is_cuda:
            At = W.T[columns].mul_(used[:, :, None])
            H = (At * w[:, None, :]) @ At.mT
        else:
            H = _one_by_one(W, w, columns, count)
        diagonal = H.diagonal(dim1=1, dim2=2)
        diagonal.add_(layer.gamma.values.to(W.dtype)[columns] * used)
        diagonal.add_(SHIFT_FLOAT32 * diagonal.amax(1, keepdim=True)).add_(1 - used)
        return cls(columns, used, torch.linalg.cholesky_ex(H)[0])

    @staticmethod
    def each(W: Tensor) -> int:
        """Bytes for those of one signal and its part of W, of which a CPU has one at a time."""
        m, n = W.shape
        return 4 * (2 * n * n + (2 * m * n if W.is_cuda else 0))

    def times(self, r: Tensor) -> Tensor:
        """K r."""
        right = r.gather(1, self.columns).to(self.factor.dtype).mul_(self.used)
        found = torch.cholesky_solve(right[:, :, None], self.factor)[:, :, 0].mul_(self.used)
        return torch.zeros_like(r).scatter_add_(1, self.columns, found.to(r.dtype))


def _one_by_one(W: Tensor, w: Tensor, columns: Tensor, count: Tensor) -> Tensor:
    """A' diag(w) A for each signal's columns of W, on the rows that have a weight."""
    B, k = columns.shape
    H = torch.zeros(B, k, k, dtype=W.dtype, device=W.device)
    for b in range(B):
        rows, own = torch.nonzero(w[b])[:, 0], columns[b, : int(count[b])]
        A = W.index_select(0, rows).index_select(1, own)
        torch.mm((A * w[b, rows, None]).T, A, out=H[b, : len(own), : len(own)])
    return H


Preconditioner = Identity | Shared | LowRank | Factors


def shrinkage(W: Tensor, tau: float) -> Shared | LowRank:
    """(tau I + W'W)^-1, as it costs least."""
    A = W.to(torch.float64)
    H = A @ A.T if wide(W) else A.T @ A
    H.diagonal().add_(tau)
    K = inverse(H).to(W.dtype)
    return LowRank(W, K, tau) if wide(W) else Shared(K)


def inverse(H: Tensor) -> Tensor:
    """H^-1 of a symmetric positive definite matrix, by Cholesky."""
    return torch.cholesky_inverse(torch.linalg.cholesky(H))


@dataclass(frozen=True, eq=False)
class Iterative:
    """Conjugate gradients, on a layer in float32 or with its Gram matrix."""

    inner: Layer
    K: Preconditioner

    def layer(self, layer: Layer) -> Layer:
        """The one in whose precision systems are solved, for the one in which residuals are
        taken.
        """
        return self.inner

    def inverse(self, layer: Layer, F: Mask, weights: Mask, rtol: Tensor) -> Inverse:
        """That of F (W' diag(weights) W + gamma) F for what is zero off F, to an accuracy."""
        accuracy = rtol.to(layer.W.dtype)
        return lambda right: conjugate_gradients(layer, F, right, weights, accuracy, self.K)


@dataclass(frozen=True, eq=False)
class Own:
    """Conjugate gradients in float64, those of a signal with the factor of its own matrix."""

    def layer(self, layer: Layer) -> Layer:
        """The layer itself."""
        return layer

    def inverse(self, layer: Layer, F: Mask, weights: Mask, rtol: Tensor) -> Inverse:
        """That of F (W' diag(weights) W + gamma) F for what is zero off F, to rounding."""
        K = Factors.of(layer, F, weights)
        most = torch.full_like(rtol, ROUNDED)
        return lambda right: conjugate_gradients(layer, F, right, weights, most, K)


@dataclass(frozen=True, eq=False)
class Factorised:
    """Cholesky factors, where columns are few."""

    # (m, n^2) products of the entries of each row of W, if systems are formed at once
    outer: Tensor = field(metadata=SHARED)
    dear: bool  # whether a step costs so much that some of ADMM pay before

    @classmethod
    def of(cls, W: Tensor, at_once: bool, dear: bool) -> "Factorised":
        """For a matrix (m, n)."""
        few = W if at_once else W[:, :0]
        return cls((few[:, :, None] * few[:, None, :]).flatten(1), dear)

    def layer(self, layer: Layer) -> Layer:
        """The layer itself."""
        return layer

    def inverse(self, layer: Layer, F: Mask, weights: Mask, rtol: Tensor) -> Inverse:
        """That of F (W' diag(weights) W + gamma) F for what is zero off F."""
        W, n, gamma = layer.W, layer.W.shape[1], layer.gamma.values
        if self.outer.shape[1] == n * n:
            factor = cholesky((weights.values @ self.outer).view(-1, n, n), F, gamma)
            return lambda right: torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
        # only rows and columns that take part count
        columns, rows = (torch.nonzero((D.values != 0).any(0))[:, 0] for D in (F, weights))
        W = W[rows][:, columns]
        K = (W.T * weights.values[:, None, rows]) @ W
        factor = cholesky(K, F.on(columns), gamma[columns])

        def apply(right: Tensor) -> Tensor:
            dx = torch.cholesky_solve(right[:, columns, None], factor)[:, :, 0]
            return torch.zeros_like(right).index_copy_(1, columns, dx)

        return apply


def cholesky(K: Tensor, F: Mask, gamma: Tensor) -> Tensor:
    """The factor of F (K + gamma) F + (I - F) for K (B, n, n), which is overwritten."""
    diagonal = K.diagonal(dim1=1, dim2=2)
    diagonal.add_(gamma + SHIFT * (1 + diagonal.sum(1, keepdim=True)))
    factor: Tensor = torch.linalg.cholesky_ex(F.restrict(K))[0]
    return factor


def conjugate_gradients(
    layer: Layer,
    F: Mask,
    b: Tensor,
    weights: Mask,
    rtol: Tensor,
    K: Preconditioner,
) -> Tensor:
    """F H F dx = F b from dx = 0, until the residual of each row has fallen by its rtol (B, 1), or
    CAP iterations.

    H = W' diag(weights) W + diag(gamma); F K F is the preconditioner.
    """
    tiny = torch.finfo(b.dtype).tiny
    out, kept_rows = torch.zeros_like(b), torch.arange(len(b), device=b.device)
    r, dx = F.times(b).clone(), torch.zeros_like(b)
    goal = dot(r, r) * rtol**2
    p = F.times_(K.times(r)).clone()
    rz = dot(r, p)
    every = 8 if b.is_cuda else 2  # looking costs a synchronisation there
    # further steps of a finished row, whose residual is rounding, lead anywhere if H is singular;
    # without K the residual is at hand
    held = isinstance(K, Identity)
    for k in range(1, CAP + 1):
        Hp = F.times_(layer.normal(p, weights))
        alpha = rz / dot(p, Hp).clamp_min_(tiny)
        if held:
            alpha.mul_(rz > goal)
        dx.addcmul_(alpha, p)
        r.addcmul_(alpha, Hp, value=-1)
        if k % every == 0:
            going = (dot(r, r) > goal)[:, 0]
            kept = torch.nonzero(going)[:, 0]
            if not len(kept):
                break
            if len(kept) < SPARSE * len(p):  # finished rows would only be carried along
                out.index_copy_(0, kept_rows, dx)
                F, weights, K = take(F, kept), take(weights, kept), take(K, kept)
                kept_rows, dx, r, p, rz, goal = take([kept_rows, dx, r, p, rz, goal], kept)
        z = F.times_(K.times(r))  # without K it is r, which is zero off F
        new = dot(r, z)
        p.mul_(new / rz.clamp_min(tiny)).add_(z)
        rz = new
    return dx if len(dx) == len(out) else out.index_copy_(0, kept_rows, dx)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """a'b per row, (B, 1)."""
    return (a * b).sum(1, keepdim=True)
