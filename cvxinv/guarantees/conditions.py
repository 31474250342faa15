"""The conditions of Theorems 1 and 2 at the supports of B signals, one after the other."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.generator import Generator
from cvxinv.guarantees.bracket import Bracket, Verdict, less
from cvxinv.guarantees.dependence import Columns, resolve
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


class Sparks:
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
        deadline = time.monotonic() + budget
        wanted: dict[tuple[int, bytes], tuple[Any, set[int]]] = {}
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
            one = above.pop() if len(above) == 1 else None
            self.found[i, key] = bracket(W[S], tol, left / (len(wanted) - done), above=one)

    def rank(self, S: Any) -> Bracket:
        """The rank of W_0^S."""
        W, tol = self.weights[0]
        rank = Columns.of(W[S], tol).rank
        return Bracket(rank, rank, "singular values")


def judged_conditions(
    G: Generator, masks: list[Any], finite: Any, theorem: int, sparks: Sparks | None, budget: float
) -> list[Condition]:
    """All conditions, from the image down; masks are S_1, .., S_L and the pixels seen."""
    L, B = G.depth, range(len(finite))
    if sparks is not None:
        sparks.decide(masks, finite, budget)
    found = []
    for i in range(L, 0, -1):
        S, rows = masks[i - 1], masks[i]
        judged = [_cardinality(i, S[b], rows[b], theorem, sparks) if finite[b] else None for b in B]
        statement = f"s_{i} < {_bound(i, L, masks, theorem, sparks)}"
        name = "(i)" if i == L else "(ii)"
        found.append(_condition(name, i, statement, S.sum(axis=1), judged))
    n, S = G.sizes[0], masks[0]
    judged = [_full_rank(n, S[b], sparks) if finite[b] else None for b in B]
    statement = "s_1 >= n_0" if sparks is None else "rank(W_0[S_1]) = n_0"
    return [*found, _condition("(iii)", 1, statement, S.sum(axis=1), judged)]


def _bound(i: int, L: int, masks: list[Any], theorem: int, sparks: Sparks | None) -> str:
    """What s_i is compared with in (i) and (ii), in words."""
    if sparks is None:
        rows = "n" if i == L else f"s_{i + 1}"
        return rows if theorem == 2 else f"({rows} + 1)/2"
    if i < L:
        return f"spark(W_{i}[S_{i + 1}])/2"
    return f"spark(W_{i})/2" if masks[L].all() else f"spark(W_{i}[seen])/2"


# the bound, the verdict, the reason, whether columns are independent
_Judged = tuple[Bracket, Verdict, str, bool]


def _cardinality(i: int, S: Any, rows: Any, theorem: int, sparks: Sparks | None) -> _Judged:
    """Conditions (i) and (ii) for one signal."""
    s, m = int(S.sum()), int(rows.sum())
    if theorem == 2:
        count = Bracket(m, m, "rows kept")
        verdict = less(s, count)
        sign = "<" if verdict is Verdict.HOLDS else ">="
        return count, verdict, f"s_{i} = {s} {sign} {m} rows", False
    if sparks is None:
        q = Bracket(m + 1, m + 1, "rows + 1, almost surely")
    else:
        q = sparks.cheap(i, rows)
    independent = sparks is not None and q.exact and q.lower == len(S) + 1
    verdict = less(s, q, 0.5)
    if verdict is Verdict.UNDECIDED:
        ends = f"[{q.lower / 2:g}, {q.upper / 2:g}]"
        reason = f"s_{i} = {s}, and spark/2 is known only to lie in {ends}: {q.method}"
        return q, verdict, reason, False
    sign, end = ("<", q.lower) if verdict is Verdict.HOLDS else (">=", q.upper)
    relation = "=" if q.exact else ">=" if verdict is Verdict.HOLDS else "<="
    reason = f"s_{i} = {s} {sign} {end:g}/2, where spark {relation} {end:g}: {q.method}"
    if independent and verdict is Verdict.FAILS:
        reason += f"; x_{i} is unique all the same, as no columns are dependent"
    return q, verdict, reason, independent


def _full_rank(n: int, S: Any, sparks: Sparks | None) -> _Judged:
    """Condition (iii) for one signal."""
    s = int(S.sum())
    if sparks is None:
        verdict = Verdict.HOLDS if s >= n else Verdict.FAILS
        reason = f"s_1 = {s} {'>=' if s >= n else '<'} n_0 = {n}"
        return Bracket(n, n, "n_0"), verdict, reason, False
    rank = sparks.rank(S)
    full = rank.lower == n
    verdict = Verdict.HOLDS if full else Verdict.FAILS
    reason = f"rank {rank.lower:g} {'=' if full else '<'} n_0 = {n} on s_1 = {s} rows"
    return rank, verdict, reason, full


def _condition(
    name: str, layer: int, statement: str, cardinality: Any, judged: list[_Judged | None]
) -> Condition:
    unknown = Bracket(0, np.inf, NOT_FINITE), Verdict.UNDECIDED, NOT_FINITE, False
    columns = [np.empty(len(judged), dtype=kind) for kind in (object, object, object, bool)]
    for b, row in enumerate(judged):
        for column, value in zip(columns, unknown if row is None else row, strict=True):
            column[b] = value
    return Condition(name, layer, statement, cardinality, *columns)
