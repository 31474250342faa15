"""Theorem 4: the expected error of the layer-wise oracle (Algorithm 4) under white Gaussian noise,
at given supports.

With W~_j = W_j[S_{j+1}, S_j] of full column rank, the oracle's error in layer i is A e, A = W~_i^+
.. W~_L^+, so its expected square is sigma^2 ||A||_F^2 exactly. The theorem brackets it by products
of extreme eigenvalues.

The theorem does not state the rank condition, and needs it: with dependent columns Algorithm 4 has
no single answer, the least-norm one is biased by a part of x that the noise level does not know,
and its variance can lie *below* the printed lower bound (E10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import Array, to_numpy
from cvxinv.checks import array, nonnegative
from cvxinv.generator import Generator
from cvxinv.guarantees.arguments import answered, kept_pixels, support_masks
from cvxinv.guarantees.bracket import Verdict
from cvxinv.guarantees.singular import singular_values


@dataclass(frozen=True, eq=False)
class OracleError:
    """Theorem 4 for B signals (without the B axis, if the supports had none); lists are for z, x_1,
    .., x_L.

    Attributes
    ----------
    lower, upper : list of (B,) arrays
        sigma^2 s_i / prod_{j>=i} lambda_max(W~_j'W~_j) <= E||x^_i - x_i||^2 <= sigma^2 s_i /
        prod_{j>=i} lambda_min(W~_j'W~_j), with n_0 for s_0. Where a W~_j, j >= i, has no full
        column rank: 0 and inf, the only bounds without knowledge of x.
    expected : list of (B,) arrays
        E||x^_i - x_i||^2 itself, sigma^2 ||W~_i^+ .. W~_L^+||_F^2; nan where a W~_j, j >= i, has no
        full column rank.
    conditions : list of (B,) arrays of Verdict
        Whether W~_i has full column rank; UNDECIDED where rounding cannot tell.
    """

    lower: list[Array]
    upper: list[Array]
    expected: list[Array]
    conditions: list[Any]


def oracle_error(
    G: Generator, supports: Sequence[Array], sigma: float, observed: Array | None = None
) -> OracleError:
    """Theorem 4: bounds on the oracle's expected squared error in every layer, and that error
    itself, for noise N(0, sigma^2 I).

    Parameters
    ----------
    G : Generator
        With the identity as output activation, as the theorem assumes.
    supports : sequence of L boolean arrays, (B, n_i) or (n_i,)
        The true supports, as `G.supports(z)` gives them.
    sigma : float
        Standard deviation of the noise of each observed pixel.
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers, or another activation than the
        identity.
    """
    masks, one = support_masks(G, supports)
    if G.activation.name != "identity":
        raise ValueError(
            "G: Theorem 4 needs the identity as output activation, this generator has"
            f" {G.activation.name}"
        )
    sigma, B, L = nonnegative("sigma", sigma), len(masks[0]), G.depth
    weights = [to_numpy(W).astype(np.float64) for W in G.weights]
    rows = [*masks, kept_pixels(G, observed, B, one)]  # of W_0, .., W_L
    columns = [np.ones((B, G.sizes[0]), bool), *masks]
    lower, upper, expected = (np.zeros((L + 1, B)) for _ in range(3))
    conditions = np.empty((L + 1, B), dtype=object)
    for b in range(B):
        smallest, largest, determined = 1.0, 1.0, True
        A = np.eye(int(rows[L][b].sum()))
        for i in range(L, -1, -1):
            W = weights[i][rows[i][b]][:, columns[i][b]]
            m, s = W.shape
            values = singular_values(W)
            full = bool(np.all(values > 0))
            lacking = Verdict.FAILS if m < s else Verdict.UNDECIDED
            conditions[i, b] = Verdict.HOLDS if full else lacking
            determined = determined and full
            if not determined:
                lower[i, b], upper[i, b], expected[i, b] = 0.0, np.inf, np.nan
                continue
            A = np.linalg.pinv(W, rcond=0) @ A
            smallest *= values.min(initial=np.inf) ** 2
            largest *= values.max(initial=0.0) ** 2
            if s:
                lower[i, b] = sigma**2 * s / largest
                upper[i, b] = sigma**2 * s / smallest
                expected[i, b] = sigma**2 * np.sum(A**2)
    like = array("supports[0]", supports[0])

    def out(a: Any) -> list[Any]:
        return [answered(v, like, one) for v in a]

    return OracleError(out(lower), out(upper), out(expected), out(conditions))
