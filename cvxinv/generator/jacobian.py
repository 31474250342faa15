"""The Jacobian of a generator, and the affine map that it is while all supports stay as they
are.
"""

from cvxinv.arrays import Array, float64, match, namespace
from cvxinv.generator.model import Generator


def frozen(G: Generator, supports: list[Array]) -> tuple[Array, Array]:
    """J (B, n, n_0) and k (B, n) of the affine map z -> W_L x_L + b_L with the supports [S_1, ..,
    S_L] (B, n_i) frozen.
    """
    like = supports[0]
    xp = namespace(like)
    W = [float64(match(w, like)) for w in G.weights]
    b = [
        xp.zeros_like(w[:, 0]) if G.biases is None else float64(match(G.biases[i], like))
        for i, w in enumerate(W)
    ]
    J, k = W[0].T[None], b[0][None]  # J' here, on which all signals share the product with W'
    for i, S in enumerate(supports):
        D = xp.astype(S, xp.float64)
        J = (J * D[:, None, :]) @ W[i + 1].T
        k = (D * k) @ W[i + 1].T + b[i + 1]
    return xp.matrix_transpose(J), k


def jacobian(G: Generator, z: Array, observed: Array | None = None) -> Array:
    """J (B, n, n_0) of G at z (B, n_0), in float64: diag(phi') W_L D_L .. D_1 W_0, zero in rows
    that are not observed.
    """
    z = float64(z)
    xp = namespace(z)
    J, k = frozen(G, G.supports(z))
    slope = G.activation.derivative((J @ z[:, :, None])[:, :, 0] + k)
    if observed is not None:
        slope = slope * xp.astype(match(observed, z), xp.float64)
    return slope[:, :, None] * J
