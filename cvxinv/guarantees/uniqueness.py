"""Theorems 1 and 2: whether z is the only latent vector behind a signal, judged at the supports of
its own layers.
"""

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cvxinv.arrays import FLOATS, Array, dtype_name, is_torch, namespace, to_numpy
from cvxinv.checks import array, nonnegative
from cvxinv.generator import Generator
from cvxinv.guarantees.bracket import Bracket, Verdict, less, together
from cvxinv.guarantees.dependence import Columns, resolve
from cvxinv.guarantees.inputs import answered, check_generator, kept_pixels, support_masks
from cvxinv.guarantees.spark import bracket

NOT_FINITE = "the latent vector holds nan or inf"


@dataclass(frozen=True, eq=False)
class Condition:
    """One condition of a theorem, at one layer, for B signals (without the B axis, if one was
    given).

    Attributes
    ----------
    name : str
        "(i)", "(ii)" or "(iii)".
    layer : int
        The i of the layer x_i whose cardinality s_i it is about.
    statement : str
        What it asks for, "s_1 < spark(W_1[S_2])/2".
    cardinality : (B,) array of int
        s_i.
    bounds : (B,) array of Bracket
        What s_i is compared with: spark, number of rows, n_0; the rank for (iii) of Theorem 1.
    verdict : (B,) array of Verdict
    reason : (B,) array of str
        The same in words and numbers.
    independent : (B,) bool array
        Whether the columns of the layer's matrix, on the rows kept, are linearly independent: then
        x_{i} (z for (iii)) is the only solution of its layer, whatever the verdict. False where it
        was not asked for (Theorem 2).
    """

    name: str
    layer: int
    statement: str
    cardinality: Any
    bounds: Any
    verdict: Any
    reason: Any
    independent: Any


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
    observed : (n,) or (B, n) bool array, optional
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
    check_generator(G)
    if theorem not in (1, 2):
        raise ValueError(f"theorem: expected 1 or 2, got {theorem!r}")
    budget = nonnegative("budget", budget)
    masks, finite, single, like = _realised(G, z_or_supports)
    masks.append(kept_pixels(G, observed, len(finite), single))
    sparks = None if theorem == 2 or generic else _Sparks(G, tol)
    conditions = _conditions(G, masks, finite, theorem, sparks, budget)
    verdict = np.array(
        [together([c.verdict[b] for c in conditions]) for b in range(len(finite))], dtype=object
    )
    reason = np.array([_first(conditions, verdict, b) for b in range(len(finite))], dtype=object)
    injective = np.all([c.independent for c in conditions], axis=0)
    return _answered(
        Uniqueness(theorem, tuple(conditions), verdict, reason, injective), like, single
    )


# -- the arguments ---------------------------------------------------------------------------------


def _realised(G: Generator, given: Any) -> tuple[list[Any], Any, bool, Array]:
    """Supports [S_1, .., S_L] as (B, n_i) NumPy masks, which signals are finite (B,), whether there
    was no B axis, and their kind.
    """
    if not isinstance(given, (list, tuple)) or not _are_masks(given):
        z = array("z_or_supports", given)
        if dtype_name(z) not in FLOATS:
            raise TypeError(
                f"z_or_supports: expected float32 or float64 latent vectors or {G.depth} masks, got"
                f" {dtype_name(z)} entries"
            )
        xp = namespace(z)
        usable = xp.all(xp.isfinite(z), axis=-1, keepdims=True)
        supports = [to_numpy(S) for S in G.supports(xp.where(usable, z, xp.zeros_like(z)))]
        finite = np.atleast_1d(to_numpy(usable[..., 0]))
        return [np.atleast_2d(S) for S in supports], finite, z.ndim == 1, z
    supports, single = support_masks(G, given, "z_or_supports")
    return (
        supports,
        np.ones(len(supports[0]), dtype=bool),
        single,
        array("z_or_supports[0]", given[0]),
    )


def _are_masks(given: Any) -> bool:
    if not given or not (is_torch(given[0]) or isinstance(given[0], (np.ndarray, list, tuple))):
        return False
    return dtype_name(array("z_or_supports[0]", given[0])) == "bool"


# -- the conditions --------------------------------------------------------------------------------


class _Sparks:
    """Brackets of spark(W_i^S), each computed once for all signals that share it: first cheaply,
    then with what time there is.
    """

    def __init__(self, G: Generator, tol: float | None) -> None:
        self.weights = [resolve(W, tol) for W in G.weights]
        self.found: dict[tuple[int, bytes], Bracket] = {}

    def cheap(self, i: int, S: Any) -> Bracket:
        """By rank and coherence alone, unless more is known already."""
        key = i, S.tobytes()
        if key not in self.found:
            W, tol = self.weights[i]
            self.found[key] = bracket(W[S], tol, 0.0)
        return self.found[key]

    def decide(self, masks: list[Any], finite: Any, budget: float) -> None:
        """Narrow the brackets that leave a condition undecided, with equal shares of the time that
        is left.
        """
        deadline, wanted = (
            time.monotonic() + budget,
            dict[tuple[int, bytes], tuple[Any, set[int]]](),
        )
        for i in range(len(masks) - 1, 0, -1):
            for b in np.flatnonzero(finite):
                S, s = masks[i][b], int(masks[i - 1][b].sum())
                if less(s, self.cheap(i, S), 0.5) is Verdict.UNDECIDED:
                    wanted.setdefault((i, S.tobytes()), (S, set()))[1].add(2 * s)
        for done, ((i, key), (S, above)) in enumerate(wanted.items()):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            W, tol = self.weights[i]
            # a search for one number may end early; where signals ask for several, only the spark
            # itself answers all
            self.found[i, key] = bracket(
                W[S],
                tol,
                left / (len(wanted) - done),
                above=above.pop() if len(above) == 1 else None,
            )

    def rank(self, S: Any) -> Bracket:
        """The rank of W_0^S."""
        W, tol = self.weights[0]
        rank = Columns.of(W[S], tol).rank
        return Bracket(rank, rank, "singular values")


def _conditions(
    G: Generator, masks: list[Any], finite: Any, theorem: int, sparks: _Sparks | None, budget: float
) -> list[Condition]:
    """All conditions, from the image down; masks are S_1, .., S_L and the pixels seen."""
    L, B = G.depth, len(finite)
    if sparks is not None:
        sparks.decide(masks, finite, budget)
    found = []
    for i in range(L, 0, -1):
        name, rows = (
            ("(i)", "seen" if not masks[L].all() else "") if i == L else ("(ii)", f"S_{i + 1}")
        )
        matrix = f"W_{i}[{rows}]" if rows else f"W_{i}"
        bound = f"spark({matrix})/2" if sparks is not None else "n" if i == L else f"s_{i + 1}"
        bound = f"({bound} + 1)/2" if sparks is None and theorem == 1 else bound
        judged = [
            _cardinality(i, masks[i - 1][b], masks[i][b], theorem, sparks) if finite[b] else None
            for b in range(B)
        ]
        found.append(_condition(name, i, f"s_{i} < {bound}", masks[i - 1].sum(axis=1), judged))
    statement = "rank(W_0[S_1]) = n_0" if sparks is not None else "s_1 >= n_0"
    judged = [_full_rank(G.sizes[0], masks[0][b], sparks) if finite[b] else None for b in range(B)]
    return [*found, _condition("(iii)", 1, statement, masks[0].sum(axis=1), judged)]


_Judged = tuple[
    Bracket, Verdict, str, bool
]  # the bound, the verdict, the reason, whether columns are independent


def _cardinality(i: int, S: Any, rows: Any, theorem: int, sparks: _Sparks | None) -> _Judged:
    """Conditions (i) and (ii) for one signal."""
    s, m = int(S.sum()), int(rows.sum())
    if theorem == 2:
        verdict = less(s, count := Bracket(m, m, "rows kept"))
        return (
            count,
            verdict,
            f"s_{i} = {s} {'<' if verdict is Verdict.HOLDS else '>='} {m} rows",
            False,
        )
    q = (
        Bracket(m + 1, m + 1, "rows + 1, almost surely")
        if sparks is None
        else sparks.cheap(i, rows)
    )
    independent = sparks is not None and q.exact and q.lower == len(S) + 1
    verdict = less(s, q, 0.5)
    if verdict is Verdict.UNDECIDED:
        return (
            q,
            verdict,
            f"s_{i} = {s}, and spark/2 is known only to lie in [{q.lower / 2:g}, {q.upper / 2:g}]:"
            f" {q.method}",
            False,
        )
    sign, end = ("<", q.lower) if verdict is Verdict.HOLDS else (">=", q.upper)
    relation = "=" if q.exact else ">=" if verdict is Verdict.HOLDS else "<="
    reason = f"s_{i} = {s} {sign} {end:g}/2, where spark {relation} {end:g}: {q.method}"
    if independent and verdict is Verdict.FAILS:
        reason += f"; x_{i} is unique all the same, as no columns are dependent"
    return q, verdict, reason, independent


def _full_rank(n: int, S: Any, sparks: _Sparks | None) -> _Judged:
    """Condition (iii) for one signal."""
    s = int(S.sum())
    if sparks is None:
        verdict = Verdict.HOLDS if s >= n else Verdict.FAILS
        return (
            Bracket(n, n, "n_0"),
            verdict,
            f"s_1 = {s} {'>=' if s >= n else '<'} n_0 = {n}",
            False,
        )
    rank = sparks.rank(S)
    full = rank.lower == n
    return (
        rank,
        Verdict.HOLDS if full else Verdict.FAILS,
        f"rank {rank.lower:g} {'=' if full else '<'} n_0 = {n} on s_1 = {s} rows",
        full,
    )


def _condition(
    name: str, layer: int, statement: str, cardinality: Any, judged: list[_Judged | None]
) -> Condition:
    unknown = Bracket(0, np.inf, NOT_FINITE), Verdict.UNDECIDED, NOT_FINITE, False
    columns = [np.empty(len(judged), dtype=kind) for kind in (object, object, object, bool)]
    for b, row in enumerate(judged):
        for column, value in zip(columns, unknown if row is None else row, strict=True):
            column[b] = value
    return Condition(name, layer, statement, cardinality, *columns)


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
