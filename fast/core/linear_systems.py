"""The linear systems of `active_set`, for many signals at a time: conjugate gradients with a shared
W, or a Cholesky factor each.
"""

import torch
from torch import Tensor

from fast.core.layer import Layer, take

SPARSE = 0.7  # share of rows that go on below which the others are dropped
SHIFT = 1e-15  # keeps a singular system solvable; relative to its trace
CAP = 80  # conjugate gradient iterations for one linear system


def cholesky(K: Tensor, F: Tensor | None, gamma: Tensor | None) -> Tensor:
    """The factor of F (K + gamma) F + (I - F) for K (B, n, n), which is overwritten; without F for
    all entries.
    """
    diagonal = K.diagonal(dim1=1, dim2=2)
    shift = SHIFT * (1 + diagonal.sum(1, keepdim=True))
    diagonal.add_(shift if gamma is None else gamma + shift)
    if F is not None:
        K = (K * (F[:, :, None] * F[:, None, :])).add_(torch.diag_embed(1 - F))
    factor: Tensor = torch.linalg.cholesky_ex(K)[0]
    return factor


def conjugate_gradients(
    layer: Layer,
    F: Tensor,
    b: Tensor,
    weights: Tensor | None,
    rtol: Tensor,
    K: Tensor | None = None,
) -> Tensor:
    """F H F dx = F b from dx = 0, until the residual of each row has fallen by its rtol (B, 1), or
    CAP iterations.

    H = W' diag(weights) W + diag(gamma); F K F is the preconditioner, with K near the inverse of H
    for all signals.
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
