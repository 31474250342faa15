"""The Jacobian of a generator, and the affine map that it is while all supports stay as they are.

J = diag(phi') W_L D_L .. D_1 W_0 with D_i the 0/1 diagonal of S_i. A unit whose input is zero sits
on a kink of the generator: J is that of the side on which the unit is off.
"""

from collections.abc import Sequence

from cvxinv.arrays import Array, dtype_name, float64, match, namespace
from cvxinv.generator.model import Generator

# of |w_j| |x| + |b_j|: an input of a unit that rounding of x alone can make is zero
ROUNDING = {"float64": 1e-10, "float32": 1e-5}


def through(weights: Sequence[Array], masks: Sequence[Array]) -> Array:
    """(W_L D_L .. D_1 W_0)' (B, n_0, n), D_i the diagonal of the 0/1 masks of S_i (B, n_i).

    Transposed: all signals and latent directions share the product with each W' so.
    """
    Jt = weights[0].T[None]
    for D, W in zip(masks, weights[1:], strict=True):
        Jt = (Jt * D[:, None, :]) @ W.T
    return Jt


def frozen(G: Generator, supports: list[Array]) -> tuple[Array, Array]:
    """J (B, n, n_0) and k (B, n) of the affine map z -> W_L x_L + b_L with the supports [S_1, ..,
    S_L] (B, n_i) frozen.
    """
    xp = namespace(supports[0])
    W, b = _parameters(G, supports[0])
    masks = [xp.astype(S, xp.float64) for S in supports]
    k = b[0][None]
    for D, w, c in zip(masks, W[1:], b[1:], strict=True):
        k = (D * k) @ w.T + c
    return xp.matrix_transpose(through(W, masks)), k


def jacobian(G: Generator, z: Array, observed: Array | None = None) -> Array:
    """J (B, n, n_0) of G at z (B, n_0), in float64, zero in rows that are not observed."""
    rounding = ROUNDING[dtype_name(z)]
    z = float64(z)
    xp = namespace(z)
    J, k = frozen(G, _surely_on(G, z, rounding))
    slope = G.activation.derivative((J @ z[:, :, None])[:, :, 0] + k)
    if observed is not None:
        slope = slope * xp.astype(match(observed, z), xp.float64)
    return slope[:, :, None] * J


def _surely_on(G: Generator, z: Array, rounding: float) -> list[Array]:
    """The supports of z (B, n_0) without the units that rounding alone may have turned on."""
    xp = namespace(z)
    W, b = _parameters(G, z)
    supports, x = [], z
    for w, c, x_next in zip(W, b, G.layers(z), strict=False):
        terms = xp.abs(x) @ xp.abs(w).T + xp.abs(c)
        supports.append(x_next > rounding * terms)
        x = x_next
    return supports


def _parameters(G: Generator, like: Array) -> tuple[list[Array], list[Array]]:
    """[W_0, .., W_L] and [b_0, .., b_L] in float64, in the kind of `like`."""
    W = [float64(match(w, like)) for w in G.weights]
    if G.biases is None:
        return W, [namespace(like).zeros_like(w[:, 0]) for w in W]
    return W, [float64(match(b, like)) for b in G.biases]
