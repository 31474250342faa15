"""Layer-by-layer inversion, written once for every backend: Algorithms 1, 3 and 4, and the linear programs of Lei et al.

Each takes `solve(problem) -> Solution`: `cvxinv.reference.solve`, `fast.solve`, or a `functools.partial` of either.
"""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from . import checks
from .arrays import Array, as_float, float64, match, namespace
from .debias import debias as debias_latent
from .generator import Generator
from .guarantees.recursion import column_norms, propagated, reachable_lipschitz, weights
from .guarantees.stability import stability
from .parts import Solve, backend, collected, inverted, last_layer, per_layer, rows_of, signals_of
from .problems import BasisPursuit, Latent, LeastSquares, LinearProgram, MidLayer
from .solution import Inversion, Solution


def latent_pursuit(
    G: Generator, y: Array, solve: Solve | None = None, lam: float | Sequence[float] = 0.0, gamma: float = 0.0,
    observed: Array | None = None, debias: bool = True,
) -> Inversion:  # fmt: skip
    """Latent-Pursuit (Algorithm 3): eq. 5 for x_L, eq. 6 for x_{L-1} .. x_1, eq. 9 for z, then optionally debiasing.

    Where phi is piecewise linear (PLU, leaky ReLU), eq. 5 is neither convex nor smooth; it is then solved on phi^-1(y), which is
    convex. With tanh and sigmoid it is solved as printed, to a stationary point (erratum E3).

    Parameters
    ----------
    G : Generator
    y : (B, n) or (n,) array
        The signals G(z), perhaps masked.
    solve : callable, optional
        The backend: `solve(problem) -> Solution`. `fast.solve` by default; `cvxinv.reference.solve` is the oracle.
    lam : float or sequence of L floats
        Weights lam_1 .. lam_L of the l1 terms.
    gamma : float
        Weight of the prior on z (eq. 9).
    observed : (n,) or (B, n) bool array, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    debias : bool
        Whether to re-fit z to the observed pixels with all supports frozen. A signal's z is replaced only where that brings
        G(z) closer to it.

    Returns
    -------
    Inversion

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or negative weights.
    """
    solve = backend(solve)
    y, seen = signals_of(G, y, observed)
    lams = per_layer("lam", lam, G.depth)
    last, invalid = last_layer(G, y, seen, lams[-1])
    solutions = [solve(last)]
    for i in range(G.depth - 1, 0, -1):
        solutions.append(solve(MidLayer(G.weights[i], solutions[-1].x, solutions[-1].support, G.bias(i), lams[i - 1])))
    solutions.append(solve(Latent(G.weights[0], solutions[-1].x, solutions[-1].support, G.bias(0), gamma)))
    z = solutions[-1].x
    supports = [s.support for s in solutions[-2::-1]]
    if debias:
        z = debias_latent(G, y, z, supports, seen)
    return collected(G, z, solutions, invalid)


def layered_basis_pursuit(
    G: Generator, y: Array, solve: Solve | None = None, noise: float = 0.0,
    lam: Literal["theorem3"] | float | Sequence[float] = "theorem3", observed: Array | None = None, debias: bool = False,
) -> Inversion:  # fmt: skip
    """Layered Basis-Pursuit (Algorithm 1): basis pursuit on phi^-1(y), then on the rows just found, then least squares for z.

    Parameters
    ----------
    noise : float
        epsilon, a bound on ||y - G(z)||_2.
    lam : "theorem3", float or sequence of L floats
        "theorem3": the corrected weights lam_ij = 2 eps_{i+1} ||w_ij|| over the rows kept (erratum E1), with the noise level
        propagated by the theorem's recursion over the entries found (see `cvxinv.guarantees.stability`); the answer's `bounds` say
        what is proven of it. A signal that noise can carry out of the range of phi, where phi^-1 has no Lipschitz constant, is
        INVALID_SIGNAL. Numbers: lam_1 .. lam_L for all columns alike, as printed.
    G, y, solve, observed, debias
        As of `latent_pursuit`.
    """
    solve = backend(solve)
    y, seen = signals_of(G, y, observed)
    noise = per_layer("noise", noise, 1)[0]
    given = None if isinstance(lam, str) else per_layer("lam", lam, G.depth)
    if isinstance(lam, str) and lam != "theorem3":
        raise ValueError(f"lam: expected 'theorem3' or numbers, got {lam!r}")
    xp = namespace(y)
    target, invalid = inverted(G, y, seen)
    rows = rows_of(seen, y)
    epsilon = reachable_lipschitz(G.activation, y, rows, noise) * noise
    if given is None:
        unbounded = ~xp.isfinite(epsilon)
        invalid = invalid | unbounded
        target = xp.where(unbounded[..., None], xp.full_like(target, xp.nan), target)
        epsilon = xp.where(unbounded, xp.zeros_like(epsilon), epsilon)
    solutions: list[Solution] = []
    for i in range(G.depth, 0, -1):
        norms = column_norms(match(G.weights[i], y), rows)
        lams = weights(epsilon, norms) if given is None else xp.full_like(norms, given[i - 1])
        solutions.append(solve(BasisPursuit(G.weights[i], target, rows, G.bias(i), lams)))
        target, rows = solutions[-1].x, solutions[-1].support
        epsilon = propagated(epsilon, norms, xp.sum(xp.astype(rows, xp.int64), axis=-1))
    solutions.append(solve(LeastSquares(G.weights[0], target, rows, None, G.bias(0))))
    z = solutions[-1].x
    if debias:
        z = debias_latent(G, y, z, [s.support for s in solutions[-2::-1]], seen)
    found = collected(G, z, solutions, invalid)
    if given is not None:
        return found
    kept = xp.asarray(y, copy=True)  # the bounds are for this signal and these pixels, whatever becomes of the arguments
    pixels = None if seen is None else xp.asarray(seen, copy=True)
    return replace(found, bounding=partial(stability, G, found.supports, noise, "unknown", signal=kept, observed=pixels))


def oracle(G: Generator, y: Array, supports: Sequence[Array], observed: Array | None = None, solve: Solve | None = None) -> Inversion:
    """The layer-wise oracle (Algorithm 4): least squares with the true supports `[S_1, .., S_L]`.

    Parameters
    ----------
    supports : sequence of L boolean arrays, (B, n_i) or (n_i,)
        As `G.supports(z)` gives them.
    G, y, observed, solve
        As of `latent_pursuit`.
    """
    solve = backend(solve)
    y, seen = signals_of(G, y, observed)
    masks = [match(S, y) for S in checks.supports("supports", supports, G.sizes, tuple(y.shape[:-1]))]
    target, invalid = inverted(G, y, seen)
    rows = rows_of(seen, y)
    solutions = []
    for i in range(G.depth, -1, -1):
        columns = masks[i - 1] if i else None
        solutions.append(solve(LeastSquares(G.weights[i], target, rows, columns, G.bias(i))))
        if i:
            target, rows = solutions[-1].x, masks[i - 1]
    found = collected(G, solutions[-1].x, solutions, invalid)
    return replace(found, supports=masks)


def linear_programming(
    G: Generator, y: Array, norm: Literal["linf", "l1"] = "linf", noise: float = 0.0, observed: Array | None = None
) -> Inversion:
    """The baseline of Lei et al. (2019): one linear program per layer, on phi^-1(y), solved with HiGHS.

    Parameters
    ----------
    norm : "linf" or "l1"
        The norm in which the misfit of a layer is minimised.
    noise : float
        Entries of an estimated layer up to this level do not count as its support.
    G, y, observed
        As of `latent_pursuit`.
    """
    reference = importlib.import_module("cvxinv.reference")
    y, seen = signals_of(G, y, observed)
    noise = per_layer("noise", noise, 1)[0]
    target, invalid = inverted(G, y, seen)
    support = rows_of(None, y)
    rows: Array | None = rows_of(seen, y)
    solutions: list[Solution] = []
    for i in range(G.depth, -1, -1):
        solutions.append(reference.solve(LinearProgram(G.weights[i], target, support, G.bias(i), norm, i > 0, rows)))
        found = solutions[-1]
        target, support, rows = found.x, found.support & (found.x > noise), None
        solutions[-1] = replace(found, support=support)
    return collected(G, solutions[-1].x, solutions, invalid)


def snr(x: Array, x_hat: Array) -> Array:
    """Signal-to-noise ratio 20 log10(||x|| / ||x - x_hat||) in dB, over the last axis.

    inf where x_hat is exact, -inf where x is zero and x_hat is not.
    """
    x = as_float("x", x)
    x_hat = match(as_float("x_hat", x_hat), x)
    if x.shape != x_hat.shape:
        raise ValueError(f"x_hat: expected the shape of x, {tuple(x.shape)}, got {tuple(x_hat.shape)}")
    xp = namespace(x)
    x, x_hat = float64(x), float64(x_hat)
    signal, error = xp.sum(x**2, axis=-1), xp.sum((x - x_hat) ** 2, axis=-1)
    exact = error == 0
    lost, one = signal == 0, xp.ones_like(error)
    ratio = xp.where(lost, one, signal) / xp.where(exact, one, error)
    return xp.where(exact, xp.inf * one, xp.where(lost, -xp.inf * one, 10 * xp.log10(ratio)))
