"""Debiasing (last step of Algorithm 3): all supports frozen, min 1/2 ||y - phi(W_L D_L W_{L-1} D_{L-1} .. W_0 z)||^2 over z.

With D_i the 0/1 diagonal of S_i, the generator is affine in z up to phi: G(z) = phi(J z + k). Least squares where phi is the
identity; else a smooth (PLU: piecewise smooth) problem in n_0 unknowns, for which damped Gauss-Newton steps are taken.
"""

from .arrays import Array, cast_to, float64, match, namespace, solve_spd
from .generator import Generator

STEPS, HALVINGS = 30, 20


def frozen(G: Generator, supports: list[Array]) -> tuple[Array, Array]:
    """J (B, n, n_0) and k (B, n) of the affine map z -> W_L x_L + b_L with the supports [S_1, .., S_L] (B, n_i) frozen."""
    like = supports[0]
    xp = namespace(like)
    W = [float64(match(w, like)) for w in G.weights]
    b = [xp.zeros_like(w[:, 0]) if G.biases is None else float64(match(G.biases[i], like)) for i, w in enumerate(W)]
    J, k = W[0][None], b[0][None]
    for i, S in enumerate(supports):
        D = xp.astype(S, xp.float64)
        J = W[i + 1] @ (D[:, :, None] * J)
        k = (D * k) @ W[i + 1].T + b[i + 1]
    return J, k


def debias(G: Generator, y: Array, z: Array, supports: list[Array], observed: Array | None) -> Array:
    """z re-fitted to the observed pixels with frozen supports, per signal, wherever ||y - G(z)|| does not get worse.

    Shapes as of `latent_pursuit`; float64 inside, and in the kind and dtype of `z` outside.
    """
    if z.ndim == 1:
        one = None if observed is None else observed[None, :]
        return debias(G, y[None, :], z[None, :], [S[None, :] for S in supports], one)[0]
    xp = namespace(z)
    y, start = float64(y), float64(z)
    usable = xp.all(xp.isfinite(start), axis=1)
    start = xp.where(usable[:, None], start, xp.zeros_like(start))
    seen = xp.ones_like(y, dtype=xp.bool) if observed is None else observed & xp.ones_like(y, dtype=xp.bool)
    y = xp.where(seen & xp.isfinite(y), y, xp.zeros_like(y))
    J, k = frozen(G, supports)
    phi = G.activation

    def residual(v: Array) -> Array:
        return xp.where(seen, y - phi((J @ v[:, :, None])[:, :, 0] + k), xp.zeros_like(y))

    def cost(e: Array) -> Array:
        return 0.5 * xp.sum(e * e, axis=1)

    v, eye = start, xp.eye(start.shape[1], dtype=xp.float64, device=getattr(start, "device", None))
    for _ in range(STEPS):
        e = residual(v)
        slope = xp.where(seen, phi.derivative((J @ v[:, :, None])[:, :, 0] + k), xp.zeros_like(y))
        Jphi = slope[:, :, None] * J
        g = (xp.matrix_transpose(Jphi) @ e[:, :, None])[:, :, 0]
        H = xp.matrix_transpose(Jphi) @ Jphi
        damping = 1e-15 * xp.max(xp.abs(H), axis=(1, 2)) + 1e-300
        step = _solve(H + damping[:, None, None] * eye, g)
        length = xp.ones_like(usable, dtype=xp.float64)
        for _ in range(HALVINGS):
            worse = cost(residual(v + length[:, None] * step)) > cost(e)
            if not bool(xp.any(worse)):
                break
            length = xp.where(worse, length / 2, length)
        moved = xp.where(worse[:, None], xp.zeros_like(step), length[:, None] * step)
        v = v + moved
        if bool(xp.all(xp.abs(moved) <= 1e-15 * (1 + xp.abs(v)))):
            break
    before, after = cost(xp.where(seen, y - G(start), xp.zeros_like(y))), cost(xp.where(seen, y - G(v), xp.zeros_like(y)))
    better = usable & (after <= before)
    return xp.where(better[:, None], cast_to(v, z), z)


def _solve(H: Array, g: Array) -> Array:
    """H^-1 g with unit diagonal scaling, which a column of J that is zero (a dead latent direction) needs."""
    xp = namespace(H)
    d = xp.sqrt(xp.max(xp.where(xp.eye(H.shape[1], dtype=xp.float64, device=getattr(H, "device", None)) > 0, H, xp.zeros_like(H)), axis=2))
    d = xp.where(d > 0, d, xp.ones_like(d))
    H = H / (d[:, :, None] * d[:, None, :])
    eye = xp.eye(H.shape[1], dtype=xp.float64, device=getattr(H, "device", None))
    return solve_spd(H + 1e-14 * eye, g / d) / d
