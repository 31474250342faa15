"""Debiasing (last step of Algorithm 3): all supports frozen, min 1/2 ||y - phi(W_L D_L W_{L-1}
D_{L-1} .. W_0 z)||^2 over z.

With D_i the 0/1 diagonal of S_i, the generator is affine in z up to phi: G(z) = phi(J z + k). Least
squares where phi is the identity; else a smooth (PLU: piecewise smooth) problem in n_0 unknowns,
for which damped Gauss-Newton steps are taken.
"""

from cvxinv.activations import Activation
from cvxinv.arrays import Array, cast_to, float64, namespace
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of
from cvxinv.generator.jacobian import frozen
from cvxinv.memory import parts, room
from cvxinv.newton import gauss_newton
from cvxinv.rows import one_or_many

ROUNDS, STEPS, HALVINGS = 8, 30, 20
# the cost that rounding makes, relative to ||y||^2 / 2
ROUNDED = 1e-30
LAST = 1e-15  # a step this small, relative to z, is the last
COPIES = 4  # of J in float64 that are alive at once


def debias(
    G: Generator, y: Array, z: Array, supports: list[Array], observed: Array | None
) -> Array:
    """z re-fitted to the observed pixels with frozen supports, per signal, wherever ||y - G(z)||
    does not get worse; again with the supports of the new z where these differ, and so on.

    Shapes as of `latent_pursuit`; float64 inside, and in the kind and dtype of `z` outside.
    """
    many = one_or_many(z)
    y, z, seen = many.rows(float64(y)), many.signals, many.rows(rows_of(observed, y))
    supports = [many.rows(S) for S in supports]
    xp = namespace(z)
    v = xp.asarray(float64(z), copy=True)
    y = xp.where(seen & xp.isfinite(y), y, 0.0)
    M = xp.astype(seen, xp.float64)
    usable = xp.nonzero(xp.all(xp.isfinite(v), axis=1))[0]
    for part in parts(usable.shape[0], 8 * COPIES * y.shape[1] * v.shape[1], room(v)):
        b = usable[part]
        S = [s[b] for s in supports]
        for _ in range(ROUNDS):
            b, S = _round(G, y, M, v, b, S)
            if not b.shape[0]:
                break
    return many.back(cast_to(v, z))


def _round(
    G: Generator, y: Array, M: Array, v: Array, b: Array, supports: list[Array]
) -> tuple[Array, list[Array]]:
    """Re-fit v (all signals, in place) for the signals b; those of them whose v got better and has
    other supports now, and these.
    """
    xp = namespace(y)
    J, k = frozen(G, supports)
    fitted = _fit(G.activation, J, k, y[b], M[b], v[b])
    before, after = (_cost(M[b] * (y[b] - G(point))) for point in (v[b], fitted))
    v[b] = xp.where((after <= before)[:, None], fitted, v[b])
    going = (after < before) & (after > _rounding(y[b]))
    now = G.supports(v[b])
    moved = xp.zeros_like(going)
    for old, new in zip(supports, now, strict=True):
        moved = moved | xp.any(old != new, axis=1)
    going = xp.nonzero(going & moved)[0]
    return b[going], [S[going] for S in now]


def _fit(phi: Activation, J: Array, k: Array, y: Array, M: Array, start: Array) -> Array:
    """The minimiser v (B, n_0) of 1/2 ||M (y - phi(J v + k))||^2 by Gauss-Newton steps, halved
    while they do not descend.
    """
    xp = namespace(y)
    v = xp.asarray(start, copy=True)
    b = xp.arange(v.shape[0], device=getattr(v, "device", None))  # those that still move
    for _ in range(STEPS):
        t = _product(J, v[b]) + k
        e = M * (y - phi(t))
        step = gauss_newton.step((M * phi.derivative(t))[:, :, None] * J, e)
        step = step * _length(phi, t, _product(J, step), y, M, _cost(e))[:, None]
        v[b] = v[b] + step
        # indices once: every mask would make a GPU's host wait
        going = xp.nonzero(xp.any(xp.abs(step) > LAST * (1 + xp.abs(v[b])), axis=1))[0]
        if not going.shape[0]:
            break
        if going.shape[0] < b.shape[0]:
            b, J, k, y, M = (a[going] for a in (b, J, k, y, M))
    return v


def _length(phi: Activation, t: Array, change: Array, y: Array, M: Array, cost: Array) -> Array:
    """Per signal, the first of 1, 1/2, 1/4, .. by which the step, which changes t = J v + k by
    `change`, does not ascend; else 0.
    """
    xp = namespace(t)
    length = xp.ones_like(cost)
    b = xp.arange(cost.shape[0], device=getattr(cost, "device", None))  # those still too long
    for _ in range(HALVINGS):
        now = _cost(M * (y - phi(t + length[b][:, None] * change)))
        worse = xp.nonzero(now > cost)[0]
        if not worse.shape[0]:
            return length
        b, t, change, y, M, cost = (a[worse] for a in (b, t, change, y, M, cost))
        length[b] = length[b] / 2
    length[b] = 0.0
    return length


def _product(J: Array, v: Array) -> Array:
    """J v for each signal, (B, n)."""
    return (J @ v[:, :, None])[:, :, 0]


def _rounding(y: Array) -> Array:
    """The cost that rounding of y makes, (B,)."""
    return ROUNDED * _cost(y)


def _cost(e: Array) -> Array:
    return 0.5 * namespace(e).sum(e * e, axis=1)
