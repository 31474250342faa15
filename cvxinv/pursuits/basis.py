"""Layered Basis-Pursuit, Algorithm 1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

from cvxinv.arrays import Array, match, namespace
from cvxinv.checks import choice, flag, nonnegative, per_layer
from cvxinv.generator import Generator
from cvxinv.generator.arguments import signals_of
from cvxinv.guarantees.recursion import column_norms, propagated, reachable_lipschitz, weights
from cvxinv.guarantees.stability import Stability, stability
from cvxinv.problems import BasisPursuit, LeastSquares
from cvxinv.progress import Progress, meter
from cvxinv.pursuits.common import (
    LAYER_PROBLEMS,
    Certified,
    Solve,
    backend,
    collected,
    layerwise,
    overflow_is_a_status,
    signals_in,
)
from cvxinv.pursuits.debias import debias as debias_latent
from cvxinv.pursuits.image_layer import on_preimage
from cvxinv.solution import Inversion, Solution


@dataclass(frozen=True, eq=False, repr=False)
class BoundedInversion(Inversion):
    """The answer of Algorithm 1, with what Theorem 3 says of it."""

    bounding: Callable[[], Stability] | None = None

    @cached_property
    def bounds(self) -> Stability | None:
        """The noise levels that the pursuit went by, and what Theorem 3 says of the estimates (of z
        before debiasing); None for weights other than the theorem's.

        Computed when first asked for: coherences of many row subsets can cost more than the
        pursuit.
        """
        return None if self.bounding is None else self.bounding()


@overflow_is_a_status
def layered_basis_pursuit(
    G: Generator,
    y: Array,
    solve: Solve | None = None,
    noise: float = 0.0,
    lam: Literal["theorem3"] | float | Sequence[float] = "theorem3",
    observed: Array | None = None,
    debias: bool = False,
    progress: Progress = False,
) -> BoundedInversion:
    """Layered Basis-Pursuit (Algorithm 1): basis pursuit on phi^-1(y), then on the rows just found,
    then least squares for z.

    Where phi is tanh or sigmoid, the image layer has the pixels of which phi^-1 is known in spite
    of rounding and noise as its rows (`cvxinv.guarantees.pixels`); `notes` say how many are left
    out. INVALID_SIGNAL are those alone that are not in the scale of phi.

    Parameters
    ----------
    noise : float
        epsilon, a bound on ||y - G(z)||_2 over the pixels that are used.
    lam : "theorem3", float or sequence of L floats
        "theorem3": the corrected weights lam_ij = 2 eps_{i+1} ||w_ij|| over the rows kept (erratum
        E1), with eps_{L+1} = ell epsilon, ell the Lipschitz constant of phi^-1 on what the rows of
        the image layer and their noise can reach, propagated by the theorem's recursion over the
        entries found (see `cvxinv.guarantees.stability`); the answer's `bounds` say what is proven
        of it. Numbers: lam_1 .. lam_L for all columns alike, as printed.
    G, y, solve, observed, debias, progress
        As of `latent_pursuit`.
    """
    solve = backend(solve)
    signals = signals_of(G, y, observed)
    y, seen = signals.y, signals.seen
    noise, debias = nonnegative("noise", noise), flag("debias", debias)
    if isinstance(lam, str):
        choice("lam", lam, ("theorem3",), also="numbers or ")
    given = None if isinstance(lam, str) else per_layer("lam", lam, G.depth)
    with meter(progress, (G.depth + 1) * signals_in(y), LAYER_PROBLEMS) as done:
        solve = layerwise(solve, done)
        return signals.back(_basis_pursuit(G, y, seen, solve, noise, given, debias))


def _basis_pursuit(
    G: Generator,
    y: Array,
    seen: Array | None,
    solve: Certified,
    noise: float,
    given: list[float] | None,
    debias: bool,
) -> BoundedInversion:
    xp = namespace(y)
    image = on_preimage(G, y, seen, noise)
    target, rows = image.target, image.rows
    epsilon = reachable_lipschitz(G.activation, y, rows, noise) * noise
    epsilon = xp.where(image.invalid, xp.zeros_like(epsilon), epsilon)  # those are not solved
    solutions: list[Solution] = []
    for i in range(G.depth, 0, -1):
        norms = column_norms(match(G.weights[i], y), rows)
        lams = weights(epsilon, norms) if given is None else xp.full_like(norms, given[i - 1])
        layer = BasisPursuit(G.weights[i], target, rows, G.bias(i), lams)
        solutions.append(image.sure(solve(layer), layer))
        target, rows = solutions[-1].x, solutions[-1].support
        epsilon = propagated(epsilon, norms, xp.sum(xp.astype(rows, xp.int64), axis=-1))
    last = LeastSquares(G.weights[0], target, rows, None, G.bias(0))
    solutions.append(solve(last))
    z = solutions[-1].x
    if debias:
        z = debias_latent(G, y, z, [s.support for s in solutions[-2::-1]], seen)
    answer = collected(G, y, seen, z, solutions, last, image.invalid)
    found = vars(replace(answer, notes=image.noted(answer.notes)))
    if given is not None:
        return BoundedInversion(**found)
    # the bounds are for this signal and these pixels, whatever becomes of the arguments
    y = xp.asarray(y, copy=True)
    seen = None if seen is None else xp.asarray(seen, copy=True)
    bounding = partial(stability, G, found["supports"], noise, "unknown", signal=y, observed=seen)
    return BoundedInversion(**found, bounding=bounding)
