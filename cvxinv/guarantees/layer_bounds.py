"""What Theorem 3 (corrected, see `stability`) says of one layer, for B signals in NumPy."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv.arrays import Array
from cvxinv.guarantees.bracket import Verdict
from cvxinv.guarantees.coherence import mutual_coherence
from cvxinv.guarantees.recursion import TROPP, column_norms, propagated, weights
from cvxinv.guarantees.singular import smallest_singular_value

ROUNDING = 1e-12  # 3 mu s this close to 1 decides nothing


@dataclass(frozen=True, eq=False)
class LayerBounds:
    """What Theorem 3 (corrected) says of one layer x_i of B signals (without the B axis, if the
    supports had none).

    Attributes
    ----------
    condition : (B,) array of Verdict
        s_i < 1 / (3 mu) on the rows kept; without noise, also that the columns are independent
        there.
    recovered : (B,) array of Verdict
        Whether S^_i = S_i is proven.
    guaranteed : (B,) bool array
        Whether all that the theorem claims of this layer is proven, the layers above included.
    reason : (B,) array of str
        A sentence with the numbers.
    coherence : (B,) array
        mu(W_i) on the rows kept, over columns that are not zero there.
    largest : (B,) int array
        The largest s_i that meets the coherence condition.
    lam : (B, n_i) array
        The weights of Algorithm 1, 2 eps_{i+1} ||w_ij||.
    entrywise : (B, n_i) array
        Bounds on |x^_ij - x_ij|: (3 + sqrt(1.5)) eps_{i+1} / ||w_ij||; inf for columns that are
        zero on the rows kept. Any nonzero of the true x_i that is larger is found.
    epsilon : (B,) array
        eps_i: bound on ||x^_i - x_i||_2 over S^_i, the rows that the next step keeps; inf where
        columns of the support given are zero on the rows kept, for Algorithm 1 does not find those,
        and nothing below is guaranteed.
    error : (B,) array
        Bound on the whole ||x^_i - x_i||_2; the same where the supports given are the true ones.
    """

    condition: Any
    recovered: Any
    guaranteed: Array
    reason: Any
    coherence: Array
    largest: Array
    lam: Array
    entrywise: Array
    epsilon: Array
    error: Array


@dataclass(frozen=True, eq=False)
class Kept:
    """What Algorithm 1 goes on with from the layer above.

    Attributes
    ----------
    rows : (B, m) bool array
        The rows that it keeps.
    level : (B,) array
        The noise on them.
    trusted : (B,) bool array
        Whether it is proven that they are rows of the truth, and that their noise is at most
        `level`.
    doubt : (B,) array of str
        Why not, where it is not.
    """

    rows: Any
    level: Any
    trusted: Any
    doubt: Any


def layer_bounds(W: Any, kept: Kept, S: Any, s: Any, x: Any) -> LayerBounds:
    """The bounds of a layer whose support is S (B, n), with s (B,) true nonzeros (None: unknown)
    and the true values x (B, n) (None: unknown).
    """
    norms, found = column_norms(W, kept.rows), S.sum(axis=1)
    mu = _coherence(W, kept.rows, norms)
    condition, reason, largest = _condition(W, kept, norms, mu, found, s)
    guaranteed = kept.trusted & (condition == Verdict.HOLDS)
    reached = norms > 0
    entrywise = np.where(
        reached, TROPP * kept.level[:, None] / np.where(reached, norms, 1.0), np.inf
    )
    count = np.minimum(largest, W.shape[1]) if s is None else s
    # nonzeros that were not found may lie in columns that are zero on the rows kept
    missed = (count > found) & ~reached.all(axis=1)
    hidden = _hidden(S, norms)
    unbounded = hidden | missed | ((condition == Verdict.FAILS) & (s is None))
    return LayerBounds(
        condition=condition,
        recovered=_recovered(S, s, entrywise, guaranteed & ~hidden, x),
        guaranteed=guaranteed,
        reason=_joined(kept.doubt, reason),
        coherence=mu,
        largest=largest,
        lam=weights(kept.level, norms),
        entrywise=entrywise,
        epsilon=np.where(hidden, np.inf, propagated(kept.level, norms, found)),
        error=np.where(unbounded, np.inf, propagated(kept.level, norms, count)),
    )


def below(i: int, W: Any, kept: Kept, S: Any, bounds: LayerBounds, exact: bool) -> Kept:
    """What goes on from the layer x_i with these bounds; `exact`: only where S is proven."""
    hidden = _hidden(S, column_norms(W, kept.rows))
    trusted = bounds.guaranteed & ~hidden
    lost = f"x_{i} has nonzeros in columns that are zero on the rows kept."
    doubt = np.where(hidden, lost, f"Layer {i} is not guaranteed.")
    doubt = np.where(trusted, "", doubt)
    if exact:
        trusted = trusted & (bounds.recovered == Verdict.HOLDS)
        small = f"Entries of x_{i} may be too small to be found."
        doubt = np.where(trusted | ~bounds.guaranteed, doubt, small)
    return Kept(S, bounds.epsilon, trusted, doubt)


def _hidden(S: Any, norms: Any) -> Any:
    """(B,) whether S has columns that are zero on the rows kept: Algorithm 1 does not find it."""
    return (S & (norms == 0)).any(axis=1)


def _condition(W: Any, kept: Kept, norms: Any, mu: Any, found: Any, s: Any) -> tuple[Any, Any, Any]:
    """Verdicts on s < 1 / (3 mu), their reasons, and the largest s that passes."""
    B, n = norms.shape
    with np.errstate(divide="ignore"):
        limit = 1 / (3 * mu)
    passing = np.ceil(np.minimum(n + 1, (1 - ROUNDING) * limit)) - 1
    largest = np.minimum(n, passing).astype(np.int64)
    condition, reason = np.empty(B, object), np.empty(B, object)
    for b in range(B):
        columns = W[kept.rows[b]][:, norms[b] > 0]
        unique = kept.level[b] > 0 or _independent(columns, mu[b])
        true = None if s is None else s[b]
        condition[b], reason[b] = _judged(found[b], true, limit[b], largest[b], unique)
    return condition, reason, largest


def _judged(found: int, s: Any, limit: float, largest: int, unique: bool) -> tuple[Verdict, str]:
    """The condition of one signal with `found` nonzeros, s of them true (None: unknown)."""
    least, bound = found if s is None else s, f"1 / (3 mu) = {limit:.4g} on the rows kept"
    if s is not None and found > s:
        said = f"{found} nonzeros found where {s:g} were said to be"
        return Verdict.FAILS, f"{said}: noise or sparsity is wrong."
    if least >= limit * (1 + ROUNDING):
        return Verdict.FAILS, f"s = {least:g} is not less than {bound}."
    if not unique:
        why = "Without noise lam is 0, and dependent columns leave many minimisers"
        return Verdict.FAILS, f"{why}: state a small noise."
    if s is None:
        why = f"Holds if the true s is at most {largest}, less than {bound}."
        return Verdict.UNDECIDED, why
    if least > largest:
        return Verdict.UNDECIDED, f"s = {least:g} equals {bound} up to rounding."
    return Verdict.HOLDS, f"s = {least:g} is less than {bound}."


def _independent(W: Any, mu: float) -> bool:
    """Whether the columns are linearly independent: by Gershgorin's circles, else by singular
    values.
    """
    return bool((W.shape[1] - 1) * mu < 1 - ROUNDING or smallest_singular_value(W) > 0)


def _recovered(S: Any, s: Any, entrywise: Any, guaranteed: Any, x: Any) -> Any:
    """Whether S^ = S is proven: by the sizes of the true entries x, or because as many were found
    as there are.
    """
    B = len(S)
    proven = np.zeros(B, bool) if s is None else guaranteed & (S.sum(axis=1) == s)
    refuted = np.zeros(B, bool) if s is None else S.sum(axis=1) != s
    if x is not None:
        proven = guaranteed & (~S | (x > entrywise)).all(axis=1)
    answer = np.full(B, Verdict.UNDECIDED, dtype=object)
    answer[refuted], answer[proven] = Verdict.FAILS, Verdict.HOLDS
    return answer


def _coherence(W: Any, rows: Any, norms: Any) -> Any:
    """mu(W^R) for each mask R, over the columns that are not zero on R."""
    distinct, where = np.unique(rows, axis=0, return_inverse=True)
    mu = mutual_coherence(W, distinct)
    for k in np.flatnonzero((column_norms(W, distinct) == 0).any(axis=1)):
        columns = W[:, column_norms(W, distinct[k]) > 0]
        mu[k] = mutual_coherence(columns, distinct[k]) if columns.shape[1] > 1 else 0.0
    return mu[where.ravel()]


def _joined(above: Any, reason: Any) -> Any:
    """Both sentences, per signal."""
    return np.array([f"{a} {r}".strip() for a, r in zip(above, reason, strict=True)], dtype=object)
