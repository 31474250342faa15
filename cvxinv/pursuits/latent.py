"""Latent-Pursuit, Algorithm 3."""

from collections.abc import Sequence

from cvxinv.arrays import Array
from cvxinv.checks import flag, nonnegative, per_layer
from cvxinv.generator import Generator
from cvxinv.generator.arguments import signals_of
from cvxinv.problems import Latent, MidLayer
from cvxinv.pursuits.common import Solve, backend, collected, last_layer, overflow_is_a_status
from cvxinv.pursuits.debias import debias as debias_latent
from cvxinv.solution import Inversion


@overflow_is_a_status
def latent_pursuit(
    G: Generator,
    y: Array,
    solve: Solve | None = None,
    lam: float | Sequence[float] = 0.0,
    gamma: float = 0.0,
    observed: Array | None = None,
    debias: bool = True,
) -> Inversion:
    """Latent-Pursuit (Algorithm 3): eq. 5 for x_L, eq. 6 for x_{L-1} .. x_1, eq. 9 for z, then
    optionally debiasing.

    Where phi is piecewise linear (PLU, leaky ReLU), eq. 5 is neither convex nor smooth; it is then
    solved on phi^-1(y), which is convex. With tanh and sigmoid it is solved as printed, to a
    stationary point (erratum E3).

    Parameters
    ----------
    G : Generator
    y : (B, n) or (n,) array, or images (B, ..) or (..) of n pixels
        The signals G(z), perhaps masked.
    solve : callable, optional
        The backend: `fast.solve` by default, `cvxinv.reference.solve` the oracle, or a function of
        your own that returns x, (x, dual) or a `Solution` for a statement. Its statuses are not
        looked at: they are decided from the statement's data at the point that it returns.
    lam : float or sequence of L floats
        Weights lam_1 .. lam_L of the l1 terms.
    gamma : float
        Weight of the prior on z (eq. 9).
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    debias : bool
        Whether to re-fit z to the observed pixels with all supports frozen. A signal's z is
        replaced only where that brings G(z) closer to it.

    Returns
    -------
    Inversion
        OPTIMAL says that every layer problem is solved; `residual`, whether G(z) is the signal.
        NOT_IDENTIFIABLE where fewer than n_0 independent rows of W_0 hold z.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or negative weights.
    """
    solve = backend(solve)
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    lams, gamma = per_layer("lam", lam, G.depth), nonnegative("gamma", gamma)
    debias = flag("debias", debias)
    first, invalid = last_layer(G, y, seen, lams[-1])
    solutions = [solve(first)]
    for i in range(G.depth - 1, 0, -1):
        x, S = solutions[-1].x, solutions[-1].support
        solutions.append(solve(MidLayer(G.weights[i], x, S, G.bias(i), lams[i - 1])))
    x, S = solutions[-1].x, solutions[-1].support
    last = Latent(G.weights[0], x, S, G.bias(0), gamma)
    solutions.append(solve(last))
    z = solutions[-1].x
    if debias:
        supports = [s.support for s in solutions[-2::-1]]
        z = debias_latent(G, y, z, supports, seen)
    return given.back(collected(G, y, seen, z, solutions, last, invalid))
