"""Latent-Pursuit for noisy signals: phi^-1 amplifies noise, and with noise no entry of a layer is
zero.

1. Eq. 5 on phi itself (some steps of Algorithm 5), where errors of saturated pixels weigh as little
   as they mean; phi^-1 multiplies them, by 10 for PLU.
2. The noise of an estimated layer follows from sigma through least squares, and an entry belongs to
   the support where it outweighs its standard error. Theorem 3's weights, which cover the worst
   case, leave no support at all at these levels.
3. Each row of the next layer problem is divided by the standard error of what it is held against,
   as least squares asks for. So it is no matter in which unit a hidden number is measured: c times
   a row of W_i and 1 / c times a column of W_{i+1} make the same signals.

Without noise this is Algorithm 3.
"""

from dataclasses import replace
from typing import Any

from cvxinv.arrays import Array, cast_to, float64, match, namespace
from cvxinv.checks import per_signal
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of, signals_of
from cvxinv.newton.gauss_newton import unit_diagonal
from cvxinv.problems import LastLayer, Latent, MidLayer
from cvxinv.progress import Meter, Progress, meter
from cvxinv.pursuits.common import (
    LAYER_PROBLEMS,
    Solve,
    backend,
    briefly,
    collected,
    layerwise,
    overflow_is_a_status,
    signals_in,
)
from cvxinv.pursuits.image_layer import on_preimage
from cvxinv.rows import one_or_many
from cvxinv.solution import Inversion, Solution

FISTA_STEPS = 50  # on phi from the solution on phi^-1(y): noise is all that more of them would fit
# iterations for the other layers, which noise can make degenerate: a start need not be exact
CAP = 50
INSIDE = 1e-6  # distance from the ends of phi's range within which phi^-1 is not evaluated
MARGIN = 1.5  # entries kept at least, as a multiple of the size of the layer below
RIDGE = 1e-6  # beside W'W of unit columns: standard errors where W has not full rank


@overflow_is_a_status
def noisy_pursuit(
    G: Generator,
    y: Array,
    solve: Solve | None = None,
    noise: Any = None,
    observed: Array | None = None,
    progress: Progress = False,
) -> Inversion:
    """Latent-Pursuit (Algorithm 3) on phi itself, with supports decided from the noise: a start for
    eq. 1, not an estimate.

    Parameters
    ----------
    noise : float or (B,) array, optional
        Standard deviation sigma of the noise of a pixel; by default estimated, per signal, from
        what the last layer leaves.
    G, y, solve, observed, progress
        As of `cvxinv.latent_pursuit`. A backend of your own gets eq. 5 as there: on phi^-1(y) where
        phi is piecewise linear.

    Returns
    -------
    Inversion
        As of `cvxinv.latent_pursuit`, without debiasing.
    """
    given = signals_of(G, y, observed)
    y, seen = given.y, given.seen
    sigma = None if noise is None else _levels(noise, y)
    calls = G.depth + 2  # the last layer takes two
    with meter(progress, calls * signals_in(y), LAYER_PROBLEMS) as done:
        return given.back(_noisy_pursuit(G, y, seen, solve, sigma, done))


def _noisy_pursuit(
    G: Generator,
    y: Array,
    seen: Array | None,
    solve: Solve | None,
    sigma: Array | None,
    done: Meter,
) -> Inversion:
    xp = namespace(y)
    solve = None if solve is backend(None) else solve
    go_on = layerwise(briefly(solve, CAP), done)
    last, invalid = _last(G, y, seen, solve, done)
    solutions, supports = [last], []
    M = xp.astype(rows_of(seen, y), xp.float64)
    variance, share = _noise(G, float64(y), M, last, sigma)
    W = float64(match(G.weights[-1], y))
    for i in range(G.depth, 0, -1):
        x, gains = float64(solutions[-1].x), _gains(W)
        variance = variance / share  # of an entry of x_i, in units of its gain
        S = _significant(x, variance[..., None] * gains, MARGIN * G.sizes[i - 1])
        supports.append(solutions[-1].support & S)
        share = _mean(supports[-1])

        unit = xp.sqrt(gains)
        W = float64(match(G.weights[i - 1], y)) / unit[:, None]
        b = None if G.biases is None else float64(match(G.biases[i - 1], y)) / unit
        held = cast_to(x / unit, y)
        if i > 1:
            solutions.append(go_on(MidLayer(W, held, supports[-1], b)))
    latent = Latent(W, held, supports[-1], b)
    solutions.append(go_on(latent))
    found = collected(G, y, seen, solutions[-1].x, solutions, latent, invalid)
    return replace(found, supports=supports[::-1])


def _last(
    G: Generator, y: Array, seen: Array | None, solve: Solve | None, done: Meter
) -> tuple[Solution, Array]:
    """Eq. 5 for x_L, on phi itself with the default backend; and the signals that lie outside the
    range of phi, where that matters.
    """
    if solve is not None or G.activation.name == "identity":
        image = on_preimage(G, y, seen)
        return layerwise(backend(solve), done)(image.eq5(G, 0.0)), image.invalid
    fast_solve = layerwise(backend(None), done)
    low, high = G.activation.range
    xp, W, b = namespace(y), G.weights[-1], G.bias(G.depth)
    inside = xp.clip(y, low + INSIDE, high - INSIDE)
    start = fast_solve(LastLayer(W, G.activation.inverse(inside), "identity", b, 0.0, seen))
    statement = LastLayer(W, y, G.activation, b, 0.0, seen)
    solution = fast_solve(statement, method="fista", x0=start.x, max_iter=FISTA_STEPS, restart=True)
    return solution, xp.zeros_like(y[..., 0], dtype=xp.bool)


def _levels(noise: Any, y: Array) -> Array:
    """sigma (B,), or one for one signal."""
    many = one_or_many(y)
    levels: Array = many.back(per_signal("noise", noise, many.signals))
    return levels


def _noise(
    G: Generator, y: Array, M: Array, last: Solution, sigma: Array | None
) -> tuple[Array, Array]:
    """sigma^2 per signal, and the mean of phi'^2 over all pixels (0 where they are hidden): how
    much of W_L'W_L is seen.
    """
    xp = namespace(y)
    x = float64(last.x)
    t = x @ float64(match(G.weights[-1], y)).T
    t = t if G.biases is None else t + float64(match(G.biases[-1], y))
    share = _mean(M * G.activation.derivative(t) ** 2)
    if sigma is not None:
        return sigma**2, share
    misfit = xp.where(M > 0, y - G.activation(t), 0.0)
    spare = xp.sum(M, axis=-1) - xp.sum(xp.astype(last.support, xp.float64), axis=-1)
    return xp.sum(misfit**2, axis=-1) / xp.clip(spare, 1.0, None), share


def _mean(a: Array) -> Array:
    """Over the last axis, and no less than rounding."""
    xp = namespace(a)
    return xp.clip(xp.mean(xp.astype(a, xp.float64), axis=-1), 1e-12, None)


def _significant(x: Array, variance: Array, least: float) -> Array:
    """Where x is above its standard error, or among its `least` largest: fewer rows would not
    determine the layer below (Theorem 2).
    """
    xp = namespace(x)
    border = xp.sort(x, axis=-1)[..., max(0, x.shape[-1] - int(least))][..., None]
    return (x > 0) & ((x * x > variance) | (x >= border))


def _gains(W: Array) -> Array:
    """The diagonal of (W'W)^-1: variances of least squares from rows with unit variance, (n,)."""
    xp = namespace(W)
    H, s = unit_diagonal((W.T @ W)[None])
    eye = xp.eye(H.shape[1], dtype=xp.float64, device=getattr(H, "device", None))
    return (s**2 * xp.linalg.diagonal(xp.linalg.inv(H + RIDGE * eye)))[0]
