"""Steps of Gauss-Newton and Levenberg-Marquardt, for many signals at a time: least squares in the
few unknowns of a latent vector.

J'J costs least and loses half of the digits. Where the columns of J nearly depend on each other it
loses them all, and J itself is factorised.
"""

from cvxinv.arrays import Array, namespace, solve_spd

FLOOR = 1e-24  # of the diagonal, relative to its largest entry: an unknown that no row sees
RIDGE = 1e-14  # beside the unit diagonal
LIFT = 1e-9  # .. and where pivots are looked at, so that all are positive
NEARLY = 1e-3  # squared distance of a unit column from the span of others below which J decides
EXACT = 1e-13  # singular values below this share of the largest are rounding
RANK = 1e-10  # .. and below this one, those of a J that is itself a product of rounded matrices


def unit_diagonal(H: Array) -> tuple[Array, Array]:
    """H (B, n, n), positive semidefinite, in units s (B, n) of the unknowns in which its diagonal
    is 1 (less for an unknown that no row sees), and s: H^-1 g is s H_s^-1 (s g).
    """
    xp = namespace(H)
    diagonal = xp.linalg.diagonal(H)
    least = FLOOR * xp.max(diagonal, axis=1, keepdims=True)
    s = 1 / xp.sqrt(xp.clip(xp.maximum(diagonal, least), 1e-300, None))
    return H * (s[:, :, None] * s[:, None, :]), s


def step(J: Array, e: Array) -> Array:
    """The d (B, n) that minimises ||e - J d|| for J (B, m, n) and e (B, m); of those that do, a
    small one.
    """
    xp = namespace(J)
    Jt = xp.matrix_transpose(J)
    H, s = unit_diagonal(Jt @ J)
    eye = xp.eye(H.shape[1], dtype=H.dtype, device=getattr(H, "device", None))
    d = s * solve_spd(H + RIDGE * eye, s * (Jt @ e[:, :, None])[:, :, 0])
    hard = xp.nonzero(nearly_dependent(H))[0]
    if hard.shape[0]:
        d[hard] = _factorised(J[hard], e[hard])
    return d


def nearly_dependent(H: Array) -> Array:
    """(B,) bool: whether some columns may depend on each other, given their products H (B, n, n)
    with a unit diagonal; from the pivots of H, for little.
    """
    xp = namespace(H)
    eye = xp.eye(H.shape[1], dtype=H.dtype, device=getattr(H, "device", None))
    known = xp.all(xp.isfinite(H), axis=(1, 2))
    H = xp.where(known[:, None, None], H, eye)
    pivots = xp.linalg.diagonal(xp.linalg.cholesky(H + LIFT * eye)) ** 2
    return xp.min(pivots, axis=1) < NEARLY


def full_rank(J: Array) -> Array:
    """(B,) bool: whether the columns of J (B, m, n), each in its own unit, are independent."""
    xp = namespace(J)
    H, _ = unit_diagonal(xp.matrix_transpose(J) @ J)
    found = ~nearly_dependent(H)
    b = xp.nonzero(~found)[0]
    if b.shape[0]:
        s = xp.linalg.svdvals(unit_columns(J[b])[0])
        found[b] = (s[:, -1] > RANK * s[:, 0]) & (J.shape[1] >= J.shape[2])
    return found


def unit_columns(J: Array) -> tuple[Array, Array]:
    """J (B, m, n) with columns of norm 1, and their norms (B, n): 1 for a column that is zero."""
    xp = namespace(J)
    norms = xp.linalg.vector_norm(J, axis=1)
    norms = xp.where(norms > 0, norms, 1.0)
    return J / norms[:, None, :], norms


def _factorised(J: Array, e: Array) -> Array:
    """`step` by J = Q R and the singular values of R, in units of the columns."""
    xp = namespace(J)
    J, norms = unit_columns(J)
    Q, R = xp.linalg.qr(J, mode="reduced")
    U, s, Vt = xp.linalg.svd(R, full_matrices=False)
    known = s > EXACT * s[:, :1]
    parts = (xp.matrix_transpose(Q @ U) @ e[:, :, None])[:, :, 0]
    parts = xp.where(known, parts / xp.where(known, s, 1.0), 0.0)
    return (xp.matrix_transpose(Vt) @ parts[:, :, None])[:, :, 0] / norms
