"""The front door: z from a noisy, masked signal, with its error bar. A pursuit and random starts,
Levenberg-Marquardt on eq. 1.

Without noise the pursuit is exact, and nothing is left to do. With noise it is a good start: eq. 1
has only n_0 unknowns, and its minimiser attains the Cramer-Rao bound (SNRs: validation/README.md).
"""

import importlib
import math
from dataclasses import replace
from typing import Any

import numpy as np

from cvxinv import rows
from cvxinv.arrays import Array, cast_to, dtype_name, namespace, to_numpy
from cvxinv.checks import integer, nonnegative, per_signal
from cvxinv.generator import Generator
from cvxinv.generator.arguments import observed_norm, rows_of, seen_of, signals_of
from cvxinv.inversion.error_bars import Spectrum, root, spectrum
from cvxinv.progress import Meter, Progress, meter
from cvxinv.pursuits import latent_pursuit, noisy_pursuit
from cvxinv.pursuits.common import (
    Solve,
    briefly,
    image_layer_fits,
    not_reproduced,
    overflow_is_a_status,
)
from cvxinv.pursuits.debias import debias
from cvxinv.solution import Inversion, Status
from cvxinv.solution.notes import on_fit

STARTS = 26
# iterations for a layer of the pursuit, whose z is a start: what it lacks comes from eq. 1
QUICK = 100
# relative residual up to which objective 0, the least there can be, is attained
EXACT = {"float64": 1e-10, "float32": 1e-5}
# of the work for a signal, by their times: one of the pursuit, four of levenberg_marquardt
PARTS = 5
HARD = (
    1e3  # condition of J from which Levenberg-Marquardt, which uses J'J in float32, may stop early
)


@overflow_is_a_status
def invert(
    G: Generator,
    y: Array,
    observed: Array | None = None,
    noise: Any = None,
    starts: int | None = None,
    prior: float | None = None,
    solve: Solve | None = None,
    seed: int = 0,
    progress: Progress = False,
) -> Inversion:
    """Find z with G(z) = y, or nearest to y (eq. 1), and say how sure that is.

    1. Latent-Pursuit (Algorithm 3): exact without noise; `noisy_pursuit` for signals that it does
       not reproduce.
    2. Those race random starts on eq. 1, min_z 1/2 ||y - G(z)||^2 over the observed pixels; from
       the winner Levenberg-Marquardt descends, and BFGS where the minimum is on a kink of G.
    3. Error bars at the minimiser: covariance sigma^2 (J'J)^-1, J the Jacobian of G.

    Parameters
    ----------
    G : Generator
        For a linear measurement A of an identity-phi generator: `G.measure(A)`.
    y : (B, n) or (n,) array, or images (B, ..) or (..) of n pixels
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    noise : float or (B,) array, optional
        Standard deviation sigma of the noise of a pixel; by default estimated, per signal, from the
        residual: ||y - G(z)|| over the root of (observed pixels - n_0).
    starts : int, optional
        Random starts beside the pursuit, 26 by default; each is the nearest of 1 024 draws from
        N(0, I).
    prior : float, optional
        sigma_z of a Gaussian prior z ~ N(0, sigma_z^2 I), which adds 1/2 (sigma / sigma_z)^2
        ||z||^2 to eq. 1 (as in eq. 9); needs `noise`. With noise=0 it only bounds what the pixels
        leave undetermined, as in the limit of little noise.
    solve : callable, optional
        The backend of the pursuit; `fast.solve` by default.
    seed : int
        Of the random starts. The answer for a signal does not depend on its companions, but for
        rounding: where eq. 1 has a kink at its minimum, rounding decides where near it descent
        ends.
    progress : bool or callable
        Whether to show on stderr how far the work is; or what is to be told: progress(done, total),
        in parts of which each signal has as many: the pursuit, the race, descent.

    Returns
    -------
    Inversion
        With objective, residual, covariance and the other figures of a fit. `layers` and `supports`
        are those of z; `solutions` are the layer problems of the pursuit, certified one by one.
        Status: OPTIMAL where the signal is reproduced, so that the objective is 0 (which other z
        far away may attain too); STATIONARY where no neighbouring piece of G descends, which is
        `stationarity` <= 1e-3: on data outside the range of G most minima lie on kinks of G. Eq. 1
        is not convex (see `agreement`): another seed, or more starts, can find another minimum, up
        or down. MAX_ITER; NOT_IDENTIFIABLE where J has not full rank (and there is no
        prior), as with fewer observed pixels than latent numbers; NONFINITE with an observed nan or
        inf.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    given = signals_of(G, y, observed).narrowed()
    y, seen = given.y, given.seen
    many = rows.one_or_many(y)
    y, seen = many.signals, many.rows(seen)
    sigma = None if noise is None else per_signal("noise", noise, y)
    sigma_z = math.inf if prior is None else nonnegative("prior", prior)
    if prior is not None and (sigma is None or sigma_z == 0):
        raise ValueError(
            "prior: expected a positive standard deviation of z, together with `noise`"
        )
    starts = STARTS if starts is None else integer("starts", starts)
    seed = integer("seed", seed)
    B = len(y)
    with meter(progress, PARTS * B, "parts") as done:
        first = _pursuit(G, y, seen, sigma, solve, done)
        found = importlib.import_module("cvxinv.fast").levenberg_marquardt(
            G,
            y,
            start=first.z,
            starts=starts,
            seed=seed,
            observed=seen,
            prior=0.0 if sigma is None or prior is None else (sigma / sigma_z) ** 2,
            scale=1.0 if prior is None else sigma_z,
            progress=done.within(B, (PARTS - 1) * B),
        )
        answer = _with_figures(G, y, seen, first, found, sigma, sigma_z)
        return given.back(many.back(given.wide(answer)))


def hybrid(
    G: Generator,
    y: Array,
    observed: Array | None = None,
    noise: Any = None,
    prior: float | None = None,
    solve: Solve | None = None,
    progress: Progress = False,
) -> Inversion:
    """The pursuit, then eq. 1 from its z (section 6.1's future work): `invert` without random
    starts; parameters as there.
    """
    return invert(G, y, observed, noise, 0, prior, solve, progress=progress)


def _pursuit(
    G: Generator,
    y: Array,
    seen: Array | None,
    sigma: Array | None,
    solve: Solve | None,
    done: Meter,
) -> Inversion:
    """Latent-Pursuit, replaced by the noise-aware one for the signals that it does not
    reproduce.
    """
    xp, B = namespace(y), len(y)
    if sigma is not None and bool(xp.all(sigma > 0)):
        return noisy_pursuit(G, y, solve, sigma, seen, done.within(0, B))
    half, quick = done.within(0, B // 2), briefly(solve, QUICK)
    first = latent_pursuit(G, y, quick, observed=seen, debias=False, last="inverted", progress=half)
    b = not_reproduced(y, seen, first)
    fitted = b[image_layer_fits(G, y[b], seen_of(seen, b), first.layers[-1][b])]
    if fitted.shape[0]:
        first = _debiased(G, y, seen, first, fitted)
        b = not_reproduced(y, seen, first)
    if b.shape[0] == 0:
        return first
    some = seen_of(seen, b)
    level = None if sigma is None else sigma[b]
    other = done.within(B // 2, B - B // 2)
    return rows.put(first, b, noisy_pursuit(G, y[b], solve, level, some, other))


def _debiased(G: Generator, y: Array, seen: Array | None, first: Inversion, b: Array) -> Inversion:
    """With z of the signals b re-fitted on the supports that the pursuit found."""
    some, supports = seen_of(seen, b), [S[b] for S in first.supports]
    z = debias(G, y[b], first.z[b], supports, some)
    residual = cast_to(observed_norm(y[b] - G(z), some), z)
    z, residual = rows.put(first.z, b, z), rows.put(first.residual, b, residual)
    return replace(first, z=z, residual=residual)


def _with_figures(
    G: Generator,
    y: Array,
    seen: Array | None,
    first: Inversion,
    found: Any,
    sigma: Array | None,
    sigma_z: float,
) -> Inversion:
    """The answer: z with its figures and statuses."""
    xp = namespace(y)
    free = math.isinf(sigma_z)  # of a prior
    usable = xp.all(xp.isfinite(found.z), axis=1)
    start = xp.where(usable[:, None], found.z, 0.0)
    z, R, J = _refined(G, y, seen, start, xp.isfinite(found.objective) & free)
    error_bars = J if free else spectrum(R, own_units=False)
    moved = xp.nonzero(xp.any(z != start, axis=1))[0]
    z = xp.where(usable[:, None], z, xp.nan)
    signal = cast_to(G(z), z)
    given, residual = observed_norm(y, seen), observed_norm(y - signal, seen)
    objective = rows.put(found.objective, moved, residual[moved] ** 2 / 2)
    notes = on_fit(G, y, seen, residual, sigma=sigma)
    sigma = _noise(y, seen, z, R, given, residual) if sigma is None else sigma
    exact = residual <= EXACT[dtype_name(y)] * given
    overflow = ~xp.isfinite(cast_to(residual, z))

    status = np.full(len(z), Status.MAX_ITER, dtype=object)
    status[to_numpy(found.finished)] = Status.STATIONARY
    status[to_numpy(exact if free else exact & (sigma == 0))] = Status.OPTIMAL
    status[to_numpy(overflow)] = Status.MAX_ITER
    if free:
        status[to_numpy(~J.identifiable)] = Status.NOT_IDENTIFIABLE
    status[to_numpy(~usable)] = Status.NONFINITE

    def back(a: Array) -> Array:
        known = xp.reshape(usable, (-1, *(1,) * (a.ndim - 1)))
        return cast_to(xp.where(known, a, xp.nan), z)

    layers = G.layers(z)
    return Inversion(
        z,
        layers,
        [x > 0 for x in layers],
        first.solutions,
        signal,
        status,
        residual=back(residual),
        objective=back(objective),
        noise=cast_to(sigma, z),
        covariance=back(error_bars.covariance(sigma, sigma_z)),
        standard_error=back(error_bars.standard_error(sigma, sigma_z)),
        condition=back(J.condition),
        identifiable=J.identifiable & usable,
        agreement=back(found.agreement),
        stationarity=back(found.stationarity),
        notes=notes,
    )


def _refined(
    G: Generator, y: Array, seen: Array | None, z: Array, free: Array
) -> tuple[Array, Array, Spectrum]:
    """z, a root R of J'J there, and its spectrum; z of signals that are `free` (B,) and whose J is
    ill-conditioned by least squares on J itself, as in the last step of Algorithm 3.
    """
    xp = namespace(z)
    R = root(G, z, seen)
    J = spectrum(R, own_units=True)
    b = xp.nonzero(free & (J.condition > HARD))[0]
    if b.shape[0]:
        some = seen_of(seen, b)
        better = debias(G, y[b], z[b], G.supports(z[b]), some)
        z, R = rows.put(z, b, better), rows.put(R, b, root(G, better, some))
        J = spectrum(R, own_units=True)
    return z, R, J


def _noise(
    y: Array, seen: Array | None, z: Array, R: Array, given: Array, residual: Array
) -> Array:
    """sigma (B,): ||y - G(z)|| over the root of (observed pixels - n_0), nan where that is not
    positive; at least the rounding of y and, R'R being J'J, of G(z), which may lie in one direction
    as a whole.
    """
    xp = namespace(y)
    count = xp.sum(xp.astype(rows_of(seen, y), xp.float64), axis=1)
    spare = count - z.shape[1]
    terms = given + xp.sum(xp.linalg.vector_norm(R, axis=1) * xp.abs(z), axis=1)
    rounding = np.finfo(dtype_name(y)).eps * terms
    level = residual / xp.sqrt(xp.clip(spare, 1.0, None))
    return xp.where(spare > 0, xp.maximum(level, rounding), xp.nan)
