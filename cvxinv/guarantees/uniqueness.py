"""Theorems 1 and 2: whether z is the only latent vector behind a signal, judged at the supports of
its own layers.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cvxinv.arrays import Array, dtype_name, is_torch, namespace, to_numpy
from cvxinv.checks import array, choice, flag, instance, nonnegative, share, signals
from cvxinv.generator import Generator
from cvxinv.guarantees.arguments import answered, kept_pixels, support_masks
from cvxinv.guarantees.bracket import Verdict, together
from cvxinv.guarantees.conditions import Condition, Sparks, judged_conditions


@dataclass(frozen=True, eq=False)
class Uniqueness:
    """What Theorem 1 or 2 says about B signals (without the B axis, if one was given).

    Attributes
    ----------
    theorem : int
    conditions : tuple of Condition
        From the image down: (i) for x_L, (ii) for x_{L-1} .. x_1, (iii) for z.
    verdict : (B,) array of Verdict
        HOLDS where all conditions do: z is the only latent vector that meets them. FAILS where one
        fails.
    reason : (B,) array of str
        Of the first condition that decides the verdict.
    injective : (B,) bool array
        Whether every layer has independent columns on the rows kept. Then no other latent vector at
        all gives this signal, even where the theorem's conditions fail.
    """

    theorem: int
    conditions: tuple[Condition, ...]
    verdict: Any
    reason: Any
    injective: Any

    def __str__(self) -> str:
        lines = []
        for condition in self.conditions:
            counts = Counter(np.atleast_1d(condition.verdict))
            told = ", ".join(f"{counts[v]} {v.name}" for v in Verdict if counts[v])
            lines.append(f"Theorem {self.theorem} {condition.name}, {condition.statement}: {told}")
        return "\n".join(lines)


def uniqueness(
    G: Generator,
    z_or_supports: Any,
    theorem: Literal[1, 2] = 1,
    observed: Array | None = None,
    *,
    generic: bool = False,
    budget: float = 10.0,
    tol: float | None = None,
) -> Uniqueness:
    """Theorems 1 and 2: per signal, layer and condition, whether z is the only latent vector that
    meets the conditions.

    Theorem 1, for any weights: (i) s_L < spark(W_L)/2, (ii) s_i < sub-spark(W_i, s_{i+1})/2, (iii)
    sub-rank(W_0, s_1) = n_0. At the support S_{i+1} of the signal's own layer, spark(W_i^{S_{i+1}})
    serves in (ii) and rank(W_0^{S_1}) in (iii), which is what is computed here. Where no columns
    are dependent, spark is n_i + 1 by convention; the layer then is unique in any case, which
    `independent` and `injective` tell.

    Theorem 2, for independent continuous random weights: (i) s_L < n, (ii) s_i < s_{i+1}, (iii) s_1
    >= n_0. It holds with probability one for a z fixed before the weights are drawn, not for all z
    of one network at once (errata E8, E9).

    Biases play no part: they only shift the right-hand sides.

    Parameters
    ----------
    G : Generator
    z_or_supports : (B, n_0) or (n_0,) array; or list of L bool arrays, (B, n_i) or (n_i,)
        Latent vectors, or the supports [S_1, .., S_L] of their layers.
    theorem : 1 or 2
    observed : (n,) or (B, n) bool array, or images, optional
        The pixels that are seen: only these rows of W_L enter.
    generic : bool
        For Theorem 1: whether the weights are independent continuous random numbers. Then spark =
        rows + 1 almost surely, and the conditions are eq. 3: s_L < (n + 1)/2, s_i < (s_{i+1} +
        1)/2, s_1 >= n_0. The weights are not looked at.
    budget : float
        Seconds that may be spent, in all, on sparks that ranks and coherence leave undecided.
    tol : float, optional
        As of `spark`.

    Returns
    -------
    Uniqueness
    """
    instance("G", G, Generator, "a cvxinv.Generator")
    choice("theorem", theorem, (1, 2))
    budget, generic = nonnegative("budget", budget), flag("generic", generic)
    tol = None if tol is None else share("tol", tol)
    masks, finite, single, like = _realised(G, z_or_supports)
    masks.append(kept_pixels(G, observed, len(finite), single))
    sparks = None if theorem == 2 or generic else Sparks(G, tol)
    conditions = judged_conditions(G, masks, finite, theorem, sparks, budget)
    B = range(len(finite))
    verdict = np.array([together([c.verdict[b] for c in conditions]) for b in B], dtype=object)
    reason = np.array([_first(conditions, verdict, b) for b in B], dtype=object)
    injective = np.all([c.independent for c in conditions], axis=0)
    found = Uniqueness(theorem, tuple(conditions), verdict, reason, injective)
    return _answered(found, like, single)


# -- the arguments ---------------------------------------------------------------------------------


def _realised(G: Generator, given: Any) -> tuple[list[Any], Any, bool, Array]:
    """Supports [S_1, .., S_L] as (B, n_i) NumPy masks, which signals are finite (B,), whether there
    was no B axis, and their kind.
    """
    if not isinstance(given, (list, tuple)) or not _are_masks(given):
        z = signals("z_or_supports", given, G.sizes[0])
        xp = namespace(z)
        usable = xp.all(xp.isfinite(z), axis=-1, keepdims=True)
        supports = [to_numpy(S) for S in G.supports(xp.where(usable, z, xp.zeros_like(z)))]
        finite = np.atleast_1d(to_numpy(usable[..., 0]))
        return [np.atleast_2d(S) for S in supports], finite, z.ndim == 1, z
    supports, single = support_masks(G, given, "z_or_supports")
    like = array("z_or_supports[0]", given[0])
    return supports, np.ones(len(supports[0]), dtype=bool), single, like


def _are_masks(given: Any) -> bool:
    if not given or not (is_torch(given[0]) or isinstance(given[0], (np.ndarray, list, tuple))):
        return False
    return dtype_name(array("z_or_supports[0]", given[0])) == "bool"


def _first(conditions: list[Condition], verdict: Any, b: int) -> str:
    """The reason of the first condition that has the verdict on all of them."""
    if verdict[b] is Verdict.HOLDS:
        return "all conditions hold"
    deciding = next(c for c in conditions if c.verdict[b] is verdict[b])
    return f"{deciding.name} {deciding.reason[b]}"


def _answered(found: Uniqueness, like: Array, single: bool) -> Uniqueness:
    """The answer in the kind of `like`, without the B axis if there is a single signal; verdicts,
    reasons and bounds stay NumPy.
    """

    def out(a: Any) -> Any:
        return answered(a, like, single)

    per_signal = ("cardinality", "bounds", "verdict", "reason", "independent")
    conditions = tuple(
        replace(c, **{name: out(getattr(c, name)) for name in per_signal}) for c in found.conditions
    )
    return Uniqueness(
        found.theorem, conditions, out(found.verdict), out(found.reason), out(found.injective)
    )
