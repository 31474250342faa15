"""Latent-Pursuit, Algorithm 3."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from cvxinv import rows
from cvxinv.arrays import Array
from cvxinv.checks import choice, flag, nonnegative, per_layer
from cvxinv.generator import Generator
from cvxinv.generator.arguments import seen_of, signals_of
from cvxinv.problems import Latent, MidLayer
from cvxinv.progress import Progress, meter
from cvxinv.pursuits.common import (
    LAYER_PROBLEMS,
    ROUGH,
    Certified,
    Solve,
    backend,
    briefly,
    collected,
    image_layer_fits,
    known_to,
    layerwise,
    not_reproduced,
    overflow_is_a_status,
)
from cvxinv.pursuits.debias import debias as debias_latent
from cvxinv.pursuits.image_layer import ImageLayer, as_printed, on_preimage
from cvxinv.solution import Inversion, Status

STEPS = 10  # on eq. 5 as printed: with noise, all that more of them would fit is noise


@overflow_is_a_status
def latent_pursuit(
    G: Generator,
    y: Array,
    solve: Solve | None = None,
    lam: float | Sequence[float] = 0.0,
    gamma: float = 0.0,
    observed: Array | None = None,
    debias: bool = True,
    last: Literal["auto", "inverted", "printed"] = "auto",
    progress: Progress = False,
) -> Inversion:
    """Latent-Pursuit (Algorithm 3): eq. 5 for x_L, eq. 6 for x_{L-1} .. x_1, eq. 9 for z, then
    optionally debiasing.

    Eq. 5 is not convex unless phi is the identity. On phi^-1(y) it is; there it is solved, over the
    pixels where y determines phi^-1(y) (`cvxinv.pursuits.image_layer`).

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
        Whether to re-fit z to the observed pixels with all supports frozen, and again with those of
        the z found as long as they change. A signal's z is replaced only where that brings G(z)
        closer to it.
    last : "auto", "inverted" or "printed"
        Where phi is tanh or sigmoid, how x_L is found. "inverted": eq. 5 on phi^-1(y), which is
        exact without noise and amplifies it; pixels in saturation, or outside the range of phi by a
        hair, are left out. "printed": eq. 5 itself, to a stationary point (erratum E3). "auto":
        inverted, and for the signals that z then does not reproduce a limited number of steps on
        eq. 5 as printed, kept where G(z) comes closer. `notes` say per signal what was done.
    progress : bool or callable
        Whether to show on stderr how far the work is; or what is to be told: progress(done, total),
        in layer problems of single signals.

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
    given = signals_of(G, y, observed).narrowed()
    y, seen = given.y, given.seen
    lams, gamma = per_layer("lam", lam, G.depth), nonnegative("gamma", gamma)
    debias = flag("debias", debias)
    choice("last", last, ("auto", "inverted", "printed"))
    if G.activation.name == "identity" or not G.activation.smooth:
        last = "inverted"  # the same for the identity; where phi has kinks, eq. 5 is not smooth
    many = rows.one_or_many(y)
    y, seen = many.signals, many.rows(seen)
    down = partial(_down, G, lams=lams, gamma=gamma, debias=debias)
    with meter(progress, (G.depth + 1) * len(y), LAYER_PROBLEMS) as done:
        image = as_printed(y, seen) if last == "printed" else on_preimage(G, y, seen).evenly()
        found = down(y, seen, image, layerwise(known_to(solve, image.worst), done))
        if 0 < image.worst <= ROUGH:  # what that cost, exactly
            b = _lost(y, seen, found)
            b = b[image_layer_fits(G, y[b], seen_of(seen, b), found.layers[-1][b])]
            if len(b):
                some, M = y[b], seen_of(seen, b)
                found = _nearer(found, b, down(some, M, on_preimage(G, some, M), solve))
        if last == "auto":
            b = _lost(y, seen, found)
            if len(b):
                some, M = y[b], seen_of(seen, b)
                again = down(some, M, as_printed(some, M), briefly(solve, STEPS))
                found = _nearer(found, b, again)
    return given.back(many.back(given.wide(found)))


def _lost(y: Array, seen: Array | None, found: Inversion) -> Array:
    """The indices of signals in the scale of phi that z does not reproduce."""
    b = not_reproduced(y, seen, found)
    return b[[found.status[int(k)] is not Status.INVALID_SIGNAL for k in b]]


def _nearer(found: Inversion, b: Array, again: Inversion) -> Inversion:
    """With what was found again for the signals b, where G(z) comes closer."""
    nearer = again.residual < found.residual[b]
    return rows.put(found, b[nearer], rows.take(again, nearer))


def _down(
    G: Generator,
    y: Array,
    seen: Array | None,
    image: ImageLayer,
    solve: Certified,
    lams: Sequence[float],
    gamma: float,
    debias: bool,
) -> Inversion:
    """From the image layer down to z (B signals)."""
    first = image.eq5(G, lams[-1])
    solutions = [image.sure(solve(first), first)]
    for i in range(G.depth - 1, 0, -1):
        x, S = solutions[-1].x, solutions[-1].support
        layer = MidLayer(G.weights[i], x, S, G.bias(i), lams[i - 1])
        solutions.append(image.sure(solve(layer), layer))
    x, S = solutions[-1].x, solutions[-1].support
    last = Latent(G.weights[0], x, S, G.bias(0), gamma)
    solutions.append(solve(last))
    z = solutions[-1].x
    if debias:
        supports = [s.support for s in solutions[-2::-1]]
        z = debias_latent(G, y, z, supports, seen)
    found = collected(G, y, seen, z, solutions, last, image.invalid)
    return replace(found, notes=image.noted(found.notes))
