"""Debiasing (last step of Algorithm 3): all supports frozen, min 1/2 ||y - phi(W_L D_L W_{L-1}
D_{L-1} .. W_0 z)||^2 over z.

With D_i the 0/1 diagonal of S_i, the generator is affine in z up to phi: G(z) = phi(J z + k). Least
squares where phi is the identity; else a smooth (PLU: piecewise smooth) problem in n_0 unknowns,
for which damped Gauss-Newton steps are taken.
"""

from cvxinv.activations import Activation
from cvxinv.arrays import Array, cast_to, float64, namespace, solve_spd
from cvxinv.generator import Generator
from cvxinv.generator.jacobian import frozen

STEPS, HALVINGS = 30, 20
CHUNK = 256  # signals at a time: J holds n n_0 numbers for each


def debias(
    G: Generator, y: Array, z: Array, supports: list[Array], observed: Array | None
) -> Array:
    """z re-fitted to the observed pixels with frozen supports, per signal, wherever ||y - G(z)||
    does not get worse.

    Shapes as of `latent_pursuit`; float64 inside, and in the kind and dtype of `z` outside.
    """
    if z.ndim == 1:
        one = None if observed is None else observed[None, :]
        return debias(G, y[None, :], z[None, :], [S[None, :] for S in supports], one)[0]
    xp = namespace(z)
    y, v = float64(y), xp.asarray(float64(z), copy=True)
    seen = (
        xp.ones_like(y, dtype=xp.bool)
        if observed is None
        else observed & xp.ones_like(y, dtype=xp.bool)
    )
    y = xp.where(seen & xp.isfinite(y), y, xp.zeros_like(y))
    M = xp.astype(seen, xp.float64)
    usable = xp.nonzero(xp.all(xp.isfinite(v), axis=1))[0]
    for first in range(0, usable.shape[0], CHUNK):
        rows = usable[first : first + CHUNK]
        J, k = frozen(G, [S[rows] for S in supports])
        fitted = _fit(G.activation, J, k, y[rows], M[rows], v[rows])
        before, after = (_cost(M[rows] * (y[rows] - G(point))) for point in (v[rows], fitted))
        better = after <= before
        v[rows[better]] = fitted[better]
    return cast_to(v, z)


def _fit(phi: Activation, J: Array, k: Array, y: Array, M: Array, start: Array) -> Array:
    """The minimiser v (B, n_0) of 1/2 ||M (y - phi(J v + k))||^2 by Gauss-Newton steps, halved
    while they do not descend.
    """
    xp = namespace(y)
    v, rows = (
        xp.asarray(start, copy=True),
        xp.arange(start.shape[0], device=getattr(start, "device", None)),
    )
    for _ in range(STEPS):
        t = (J @ v[rows][:, :, None])[:, :, 0] + k
        e = M * (y - phi(t))
        Jphi = (M * phi.derivative(t))[:, :, None] * J
        JphiT = xp.matrix_transpose(Jphi)
        step = _solve(JphiT @ Jphi, (JphiT @ e[:, :, None])[:, :, 0])
        step = step * _length(phi, t, (J @ step[:, :, None])[:, :, 0], y, M, _cost(e))[:, None]
        v[rows] = v[rows] + step
        going = xp.any(xp.abs(step) > 1e-15 * (1 + xp.abs(v[rows])), axis=1)
        if not bool(xp.any(going)):
            break
        if not bool(xp.all(going)):
            rows, J, k, y, M = rows[going], J[going], k[going], y[going], M[going]
    return v


def _length(phi: Activation, t: Array, change: Array, y: Array, M: Array, cost: Array) -> Array:
    """Per signal, the first of 1, 1/2, 1/4, .. by which the step, which changes t = J v + k by
    `change`, does not ascend; else 0.
    """
    xp = namespace(t)
    length, rows = (
        xp.ones_like(cost),
        xp.arange(cost.shape[0], device=getattr(cost, "device", None)),
    )
    for _ in range(HALVINGS):
        worse = _cost(M * (y - phi(t + length[rows][:, None] * change))) > cost
        if not bool(xp.any(worse)):
            return length
        rows, t, change, y, M, cost = (
            rows[worse],
            t[worse],
            change[worse],
            y[worse],
            M[worse],
            cost[worse],
        )
        length[rows] = length[rows] / 2
    length[rows] = 0.0
    return length


def _cost(e: Array) -> Array:
    return 0.5 * namespace(e).sum(e * e, axis=1)


def _solve(H: Array, g: Array) -> Array:
    """H^-1 g with unit diagonal scaling, which a column of J that is zero (a dead latent direction)
    needs.
    """
    xp = namespace(H)
    eye = xp.eye(H.shape[1], dtype=xp.float64, device=getattr(H, "device", None))
    H = H + (1e-15 * xp.max(xp.abs(H), axis=(1, 2)) + 1e-300)[:, None, None] * eye
    d = xp.sqrt(xp.linalg.diagonal(H))
    H = H / (d[:, :, None] * d[:, None, :])
    return solve_spd(H + 1e-14 * eye, g / d) / d
