"""The noise levels of Theorem 3, corrected: what Algorithm 1 computes while it runs and `stability`
proves afterwards.

One place for both, so that the weights used and the weights guaranteed cannot drift apart.
"""

import math

import numpy as np

from cvxinv.activations import Activation
from cvxinv.arrays import Array, float64, match, namespace, to_numpy

TROPP = 3 + math.sqrt(1.5)  # the constant of Lemma 2 (Tropp 2006)


def reachable_lipschitz(phi: Activation, y: Array, rows: Array, reach: float) -> Array:
    """The constant ell of Theorem 3: Lipschitz constant of phi^-1 between the pixels of y in `rows`
    and what is `reach` away, (B,).
    """
    values, used = to_numpy(y), to_numpy(rows)
    ell = np.ones(values.shape[:-1])
    if reach > 0:  # without noise nothing is amplified
        for b in np.ndindex(ell.shape):
            seen = values[b][used[b] & np.isfinite(values[b])]
            if seen.size:
                ell[b] = phi.inverse_lipschitz(float(seen.min()) - reach, float(seen.max()) + reach)
    return match(ell, y)


def column_norms(W: Array, rows: Array) -> Array:
    """||w_ij|| over the rows kept, float64: rows (.., m) to (.., n)."""
    W = float64(W)
    xp = namespace(rows)
    return xp.sqrt(xp.astype(rows, xp.float64) @ (W * W))


def weights(epsilon: Array, norms: Array) -> Array:
    """lam_ij = 2 eps_{i+1} ||w_ij||: one weight per column (erratum E1)."""
    xp = namespace(norms)
    epsilon = epsilon[..., None]
    return xp.where(norms > 0, 2 * epsilon, xp.zeros_like(epsilon)) * norms


def propagated(epsilon: Array, norms: Array, s: Array) -> Array:
    """eps_i = (3 + sqrt(1.5)) sqrt(s_i) eps_{i+1} / min_j ||w_ij||, over columns that are not zero
    on the rows kept.

    Zero columns take no part: Algorithm 1 sets their entries to zero. With s the number of entries
    found, eps_i bounds the error on those entries, which are the rows that the next layer keeps;
    with the true s_i it bounds the whole error.
    """
    xp = namespace(norms)
    smallest = xp.min(xp.where(norms > 0, norms, xp.inf * xp.ones_like(norms)), axis=-1)
    known = xp.isfinite(epsilon)  # 0 * inf is nan
    level = TROPP * xp.sqrt(xp.astype(s, xp.float64)) * xp.where(known, epsilon, 0.0)
    return xp.where(known, level / smallest, epsilon)
