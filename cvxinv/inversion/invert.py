"""The front door: z from a noisy, masked signal, with its error bar. A pursuit and random starts,
Levenberg-Marquardt on eq. 1.

Without noise the pursuit is exact, and nothing is left to do. With noise it is a good start: eq. 1
has only n_0 unknowns, and its minimiser attains the Cramer-Rao bound (SNRs: validation/README.md).
"""

import importlib
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from cvxinv.arrays import Array, cast_to, dtype_name, float64, namespace, to_numpy
from cvxinv.checks import nonnegative, per_signal
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of, signals_of
from cvxinv.inversion.error_bars import Spectrum, spectrum
from cvxinv.pursuits import latent_pursuit, noisy_pursuit
from cvxinv.pursuits.common import Solve
from cvxinv.solution import Inversion, Status

STARTS = 26
REPRODUCED = {
    "float64": 1e-6,
    "float32": 1e-4,
}  # relative residual of a pursuit up to which a signal counts as free of noise
EXACT = {
    "float64": 1e-10,
    "float32": 1e-5,
}  # relative residual up to which objective 0, the least there can be, is attained


def invert(
    G: Generator,
    y: Array,
    observed: Array | None = None,
    noise: Any = None,
    starts: int | None = None,
    prior: float | None = None,
    solve: Solve | None = None,
    seed: int = 0,
) -> Inversion:
    """Find z with G(z) = y, or nearest to y (eq. 1), and say how sure that is.

    1. Latent-Pursuit (Algorithm 3): exact without noise; `noisy_pursuit` for signals that it does
       not reproduce.
    2. Those start Levenberg-Marquardt on eq. 1, min_z 1/2 ||y - G(z)||^2 over the observed pixels,
       in a race with random starts.
    3. Error bars at the minimiser: covariance sigma^2 (J'J)^-1, J the Jacobian of G.

    Parameters
    ----------
    G : Generator
        For a linear measurement A of an identity-phi generator: `G.measure(A)`.
    y : (B, n) or (n,) array
    observed : (n,) or (B, n) bool array, optional
        The pixels that are seen; all by default. What is not seen may hold anything.
    noise : float or (B,) array, optional
        Standard deviation sigma of the noise of a pixel; by default estimated, per signal, from the
        residual: ||y - G(z)|| over the root of (observed pixels - n_0).
    starts : int, optional
        Random starts beside the pursuit, 26 by default; each is the nearest of 1 024 draws from
        N(0, I).
    prior : float, optional
        sigma_z of a Gaussian prior z ~ N(0, sigma_z^2 I), which adds 1/2 (sigma / sigma_z)^2
        ||z||^2 to eq. 1 (as in eq. 9); needs `noise`.
    solve : callable, optional
        The backend of the pursuit; `fast.solve` by default.
    seed : int
        Of the random starts. The answer for a signal does not depend on its companions, but for
        rounding: where eq. 1 has a kink at its minimum, rounding decides where near it descent
        ends.

    Returns
    -------
    Inversion
        With objective, residual, covariance and the other figures of a fit. `layers` and `supports`
        are those of z; `solutions` are the layer problems of the pursuit, certified one by one.
        Status: OPTIMAL where the signal is reproduced, so that the objective is 0 (which other z
        far away may attain too); STATIONARY where no step improves z any more. Eq. 1 is not convex
        (see `agreement`), and where noise puts its minimum on a kink of G, descent stops near it:
        another seed, or more starts, can move z by an error bar, and the objective by a fraction of
        a percent, up or down. MAX_ITER; NOT_IDENTIFIABLE where J has not full rank (and there is no
        prior), as with fewer observed pixels than latent numbers; NONFINITE with an observed nan or
        inf.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    y, seen = signals_of(G, y, observed)
    if y.ndim == 1:
        one = invert(
            G,
            y[None, :],
            None if seen is None else seen[None, :],
            _one(noise),
            starts,
            prior,
            solve,
            seed,
        )
        answer: Inversion = _single(one)
        return answer
    sigma = None if noise is None else per_signal("noise", noise, y)
    sigma_z = None if prior is None else nonnegative("prior", prior)
    if sigma_z is not None and (sigma is None or sigma_z == 0):
        raise ValueError(
            "prior: expected a positive standard deviation of z, together with `noise`"
        )
    w = None if sigma is None or sigma_z is None else (sigma / sigma_z) ** 2
    first = _pursuit(G, y, seen, sigma, solve)
    lm = importlib.import_module("fast").levenberg_marquardt
    found = lm(
        G,
        y,
        first.z,
        STARTS if starts is None else starts,
        seed,
        seen,
        0.0 if w is None else w,
        1.0 if sigma_z is None else sigma_z,
    )
    return _with_figures(G, y, seen, first, found, sigma, w)


def hybrid(
    G: Generator,
    y: Array,
    observed: Array | None = None,
    noise: Any = None,
    prior: float | None = None,
    solve: Solve | None = None,
) -> Inversion:
    """The pursuit, then eq. 1 from its z (section 6.1's future work): `invert` without random
    starts; parameters as there.
    """
    return invert(G, y, observed, noise, 0, prior, solve)


def _pursuit(
    G: Generator, y: Array, seen: Array | None, sigma: Array | None, solve: Solve | None
) -> Inversion:
    """Latent-Pursuit, replaced by the noise-aware one for the signals that it does not
    reproduce.
    """
    xp = namespace(y)
    if sigma is not None and bool(xp.all(sigma > 0)):
        return noisy_pursuit(G, y, solve, sigma, seen)
    first = latent_pursuit(G, y, solve, observed=seen, debias=False)
    size, residual = (_norm(a, seen) for a in (y, y - first.signal))
    rest = xp.nonzero(~(residual <= REPRODUCED[dtype_name(y)] * size) & xp.isfinite(size))[0]
    if rest.shape[0] == 0:
        return first
    some = None if seen is None else seen if seen.ndim == 1 else seen[rest]
    answer: Inversion = _put(
        first, rest, noisy_pursuit(G, y[rest], solve, None if sigma is None else sigma[rest], some)
    )
    return answer


def _with_figures(
    G: Generator,
    y: Array,
    seen: Array | None,
    first: Inversion,
    found: Any,
    sigma: Array | None,
    w: Array | None,
) -> Inversion:
    """The answer: z with its figures and statuses."""
    xp = namespace(y)
    z = found.z
    n0 = z.shape[1]
    usable = xp.all(xp.isfinite(z), axis=1)
    signal = cast_to(G(z), z)
    size, residual = _norm(y, seen), _norm(y - signal, seen)
    count = xp.sum(xp.astype(rows_of(seen, y), xp.float64), axis=1)
    if sigma is None:
        spare = count - n0
        rounding = (
            np.finfo(dtype_name(y)).eps * size / xp.sqrt(xp.clip(count, 1.0, None))
        )  # y is not known better than that
        sigma = xp.where(
            spare > 0,
            xp.maximum(residual / xp.sqrt(xp.clip(spare, 1.0, None)), rounding),
            xp.nan * residual,
        )
    J: Spectrum = spectrum(
        G, xp.where(usable[:, None], float64(z), xp.zeros_like(float64(z))), seen
    )
    identifiable = J.identifiable & usable
    covariance = J.covariance(sigma, w)
    covariance = xp.where(usable[:, None, None], covariance, xp.full_like(covariance, xp.nan))
    status = np.full(len(to_numpy(z)), Status.MAX_ITER, dtype=object)
    status[to_numpy(found.finished)] = Status.STATIONARY
    free = xp.ones_like(usable) if w is None else w == 0  # of a prior
    status[to_numpy(free & (residual <= EXACT[dtype_name(y)] * size))] = Status.OPTIMAL
    status[to_numpy(free & ~identifiable)] = Status.NOT_IDENTIFIABLE
    status[to_numpy(~usable)] = Status.NONFINITE
    layers = G.layers(z)
    error = xp.where(usable[:, None], J.standard_error(sigma, w), xp.nan * J.values)
    back = {
        "objective": found.objective,
        "residual": xp.where(usable, residual, xp.nan * residual),
        "noise": sigma,
        "covariance": covariance,
        "standard_error": error,
        "condition": J.condition,
        "agreement": found.agreement,
    }
    return Inversion(
        z,
        layers,
        [x > 0 for x in layers],
        first.solutions,
        signal,
        status,
        identifiable=identifiable,
        **{name: cast_to(a, z) for name, a in back.items()},
    )


def _norm(a: Array, seen: Array | None) -> Array:
    """||a|| over the observed pixels, in float64, (B,)."""
    xp = namespace(a)
    a = xp.where(rows_of(seen, a), float64(a), xp.zeros_like(float64(a)))
    return xp.sqrt(xp.sum(a * a, axis=1))


def _put(whole: Any, rows: Array, part: Any) -> Any:
    """`whole` with the rows `rows` of all its (B, ..) arrays replaced by those of `part`,
    dataclasses and lists alike.
    """
    if is_dataclass(whole) and not isinstance(whole, type):
        values = {
            f.name: _put(getattr(whole, f.name), rows, getattr(part, f.name)) for f in fields(whole)
        }
        return replace(whole, **values)
    if isinstance(whole, list):
        return [_put(a, rows, b) for a, b in zip(whole, part, strict=True)]
    if getattr(whole, "ndim", 0) == 0 or getattr(part, "ndim", 0) == 0:
        return whole
    out = (
        namespace(whole).asarray(whole, copy=True)
        if not isinstance(whole, np.ndarray)
        else whole.copy()
    )
    out[to_numpy(rows) if isinstance(whole, np.ndarray) else rows] = part
    return out


def _one(noise: Any) -> Any:
    """The noise level of one signal as that of a batch of one."""
    return noise if noise is None or getattr(noise, "ndim", 0) == 0 else noise.reshape(-1)


def _single(inv: Any) -> Any:
    """Without the B axis."""
    if is_dataclass(inv) and not isinstance(inv, type):
        return replace(inv, **{f.name: _single(getattr(inv, f.name)) for f in fields(inv)})
    if isinstance(inv, list):
        return [_single(a) for a in inv]
    return inv[0] if getattr(inv, "ndim", 0) > 0 else inv
