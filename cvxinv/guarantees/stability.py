"""Theorem 3 and Corollary 1 as they are true: what Layered Basis-Pursuit (Algorithm 1) is
guaranteed to find under noise.

Layer i is Lemma 2 (Tropp 2006) on the rows R = S^_{i+1} that Algorithm 1 kept and on unit-norm
columns. R lies in the true S_{i+1}, so there x^_{i+1} - b_i = W_i x_i + e with ||e||_2 <=
eps_{i+1}. With one weight per column, lam_ij = 2 eps_{i+1} ||w_ij|| (E1), and

    s_i < 1 / (3 mu(W_i^R)),   s_i of the true x_i, mu and ||w_ij|| on R (E2),

the solution is unique, its support lies in that of x_i, and |x^_ij - x_ij| < (3 + sqrt(1.5))
eps_{i+1} / ||w_ij||. Hence:

* `epsilon`, the noise of the next step, needs the error on S^_i only: sqrt(|S^_i|) in place of
  sqrt(s_i) is proven, and sharper.
* The error of the whole x_i, and the condition, need the true s_i. |S^_i| does not do: it is at
  most s_i, by how much nobody knows.
* Nonzeros of x_i that are larger than their entrywise bound are found. If all are, in all layers,
  then S^_i = S_i throughout, and everything is known before Algorithm 1 has run.
* Columns that are zero on R (Algorithm 1 leaves them at zero) say nothing about their entries:
  those bounds are infinite.
* Without noise lam = 0, and uniqueness also takes independent columns on R. Corollary 1 is
  otherwise the limit eps -> 0 (E7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cvxinv.arrays import Array, to_numpy
from cvxinv.checks import array, floats, nonnegative
from cvxinv.generator import Generator
from cvxinv.guarantees.bracket import Verdict
from cvxinv.guarantees.coherence import mutual_coherence
from cvxinv.guarantees.inputs import (
    answered,
    kept_pixels,
    smallest_singular_value,
    sparsity_levels,
    support_masks,
    true_layers,
    verdicts,
)
from cvxinv.guarantees.recursion import (
    TROPP,
    column_norms,
    propagated,
    reachable_lipschitz,
    weights,
)

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
class Stability:
    """What Theorem 3 (corrected) says of B signals: a `LayerBounds` per layer, and the bound on the
    latent vector.

    Numbers are those of the recursion whether or not the conditions hold; `guaranteed` says where
    they are proven bounds on the errors of the exact minimisers (a solver adds its own error to
    them).

    Attributes
    ----------
    layers : list of LayerBounds
        For x_1 .. x_L.
    noise : (B,) array
        eps_{L+1} = ell eps.
    latent : (B,) array
        Bound on ||z^ - z||_2: eps_1 / sqrt(lambda_min(W_0'W_0)), W_0 on the rows kept; inf where it
        has no full column rank there.
    latent_condition : (B,) array of Verdict
        Whether it has.
    latent_guaranteed : (B,) bool array
        Whether that bound is proven, the layers above included.
    """

    layers: list[LayerBounds]
    noise: Array
    latent: Array
    latent_condition: Any
    latent_guaranteed: Array

    @property
    def conditions(self) -> list[Any]:
        """The conditions of layers 1 .. L, as Verdicts."""
        return [layer.condition for layer in self.layers]

    @property
    def epsilon(self) -> list[Array]:
        """The noise levels eps_1 .. eps_{L+1}."""
        return [*(layer.epsilon for layer in self.layers), self.noise]

    @property
    def entrywise(self) -> list[Array]:
        """The entrywise bounds of layers 1 .. L."""
        return [layer.entrywise for layer in self.layers]

    @property
    def guaranteed(self) -> Array:
        """Whether everything is proven, from the image to the latent vector, (B,)."""
        return self.latent_guaranteed


def stability(
    G: Generator,
    supports: Sequence[Array],
    noise: float,
    sparsity: Literal["supports", "unknown"] | Sequence[Any] = "supports",
    layers: Sequence[Array] | None = None,
    signal: Array | None = None,
    observed: Array | None = None,
) -> Stability:
    """Theorem 3 with its errata corrected: conditions, noise levels, error bounds per layer, and
    the bound on the latent vector.

    There are three ways to ask, by what is known of the supports:

    * `stability(G, S, noise)`: S_i are the true supports, and it is taken as given that Algorithm 1
      finds exactly them.
    * `stability(G, S, noise, layers=xs)`, before it has run, for any y within the noise of G(z):
      that it finds exactly them is proven from the sizes of the entries, or not; layers below one
      where it is not are not guaranteed.
    * `stability(G, S_hat, noise, sparsity=(s_1, .., s_L))`, after it has run: S_hat is what it
      found, s_i the true number of nonzeros (the theorem's "known sparsity levels"). With "unknown"
      nothing is guaranteed: the condition can only be FAILS or UNDECIDED, `largest` is the s_i up
      to which it holds, and `error` is for that s_i.

    Parameters
    ----------
    G : Generator
    supports : sequence of L boolean arrays, (B, n_i) or (n_i,)
    noise : float
        epsilon, a bound on ||y - G(z)||_2 over the observed pixels.
    sparsity : "supports", "unknown", or L numbers or (B,) arrays
    layers : sequence of L arrays, (B, n_i) or (n_i,), optional
        The true x_1 .. x_L; their supports must be `supports`.
    signal : (B, n) or (n,) array, optional
        y, for the Lipschitz constant of phi^-1 on what y and its noise can reach. Without it, for
        any y within the noise of G(z) where `layers` are given; else on all of phi's range, where
        tanh and sigmoid have none.
    observed : (n,) or (B, n) bool array, optional
        The pixels that are seen.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, for wrong shapes, kinds or numbers.
    """
    masks, one = support_masks(G, supports)
    like, B = array("supports[0]", supports[0]), len(masks[0])
    noise = nonnegative("noise", noise)
    truth = None if layers is None else true_layers(G, layers, masks)
    s = sparsity_levels(sparsity, masks, truth is not None)
    rows = kept_pixels(G, observed, B, one)
    level = _noise_level(G, signal, truth, rows, noise)

    def out(a: Any) -> Any:
        return answered(a, like, one)

    trusted = np.isfinite(
        level
    )  # that the rows kept are rows of the truth, and their noise at most `level`
    above = np.where(
        trusted,
        "",
        "phi^-1 has no Lipschitz constant on what y and its noise can reach (or pass the signal).",
    )
    found: list[LayerBounds] = []
    noise_level = level
    for i in range(G.depth, 0, -1):
        W, S, s_i = to_numpy(G.weights[i]).astype(np.float64), masks[i - 1], s[i - 1]
        norms = column_norms(W, rows)
        mu = _coherence(W, rows, norms)
        condition, reason, largest = _condition(W, rows, norms, mu, S.sum(axis=1), s_i, level)
        guaranteed = trusted & (condition == Verdict.HOLDS)
        entrywise = np.where(
            norms > 0, TROPP * level[:, None] / np.where(norms > 0, norms, 1), np.inf
        )
        count = np.minimum(largest, W.shape[1]) if s_i is None else s_i
        error = propagated(level, norms, count)
        missed = count > S.sum(
            axis=1
        )  # nonzeros that were not found may lie in columns that are zero on the rows kept
        hidden = (S & (norms == 0)).any(axis=1)  # Algorithm 1 cannot find these supports
        nothing = (
            hidden
            | (missed & (norms == 0).any(axis=1))
            | ((condition == Verdict.FAILS) & (s_i is None))
        )
        recovered = _recovered(
            S, s_i, entrywise, guaranteed & ~hidden, None if truth is None else truth[i - 1]
        )
        epsilon = np.where(hidden, np.inf, propagated(level, norms, S.sum(axis=1)))
        found.append(
            LayerBounds(
                out(condition),
                out(recovered),
                out(guaranteed),
                out(_joined(above, reason)),
                out(mu),
                out(largest),
                out(weights(level, norms)),
                out(entrywise),
                out(epsilon),
                out(np.where(nothing, np.inf, error)),
            )
        )
        trusted, rows, level = guaranteed & ~hidden, S, epsilon
        above = np.where(
            hidden,
            f"x_{i} has nonzeros in columns that are zero on the rows kept.",
            f"Layer {i} is not guaranteed.",
        )
        above = np.where(trusted, "", above)
        if truth is not None:
            trusted = trusted & (recovered == Verdict.HOLDS)
            above = np.where(
                trusted | ~guaranteed, above, f"Entries of x_{i} may be too small to be found."
            )
    W_0 = to_numpy(G.weights[0]).astype(np.float64)
    smallest = np.array([smallest_singular_value(W_0[R]) for R in rows]).reshape(B)
    full = smallest > 0
    latent = np.where(full, level / np.where(full, smallest, 1.0), np.inf)
    return Stability(
        found[::-1], out(noise_level), out(latent), out(verdicts(full)), out(trusted & full)
    )


# -- the pieces ------------------------------------------------------------------------------------


def _condition(
    W: Any, rows: Any, norms: Any, mu: Any, found: Any, s: Any, level: Any
) -> tuple[Any, Any, Any]:
    """Verdicts on s < 1 / (3 mu), their reasons, and the largest s that passes; s None where the
    true one is unknown.
    """
    B, n = norms.shape
    condition, reason = np.empty(B, object), np.empty(B, object)
    with np.errstate(divide="ignore"):
        limit = 1 / (3 * mu)
    largest = np.minimum(n, np.ceil(np.minimum(n + 1, (1 - ROUNDING) * limit)) - 1).astype(np.int64)
    for b in range(B):
        least, bound = (
            found[b] if s is None else s[b],
            f"1 / (3 mu) = {limit[b]:.4g} on the rows kept",
        )
        if s is not None and found[b] > s[b]:
            condition[b], reason[b] = (
                Verdict.FAILS,
                f"{found[b]} nonzeros found where {s[b]:g} were said to be: noise or sparsity is"
                " wrong.",
            )
        elif least >= limit[b] * (1 + ROUNDING):
            condition[b], reason[b] = Verdict.FAILS, f"s = {least:g} is not less than {bound}."
        elif level[b] == 0 and not _independent(W[rows[b]][:, norms[b] > 0], mu[b]):
            condition[b] = Verdict.FAILS
            reason[b] = (
                "Without noise lam is 0, and dependent columns leave many minimisers: state a small"
                " noise."
            )
        elif s is None:
            condition[b], reason[b] = (
                Verdict.UNDECIDED,
                f"Holds if the true s is at most {largest[b]}, less than {bound}.",
            )
        elif least > largest[b]:
            condition[b], reason[b] = (
                Verdict.UNDECIDED,
                f"s = {least:g} equals {bound} up to rounding.",
            )
        else:
            condition[b], reason[b] = Verdict.HOLDS, f"s = {least:g} is less than {bound}."
    return condition, reason, largest


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


def _noise_level(
    G: Generator, signal: Array | None, truth: list[Any] | None, rows: Any, noise: float
) -> Any:
    """eps_{L+1} = ell eps per signal, ell being what Algorithm 1 computes from y, or not smaller;
    inf where there is none.
    """
    (B, n), phi, reach = rows.shape, G.activation, noise
    if signal is not None:
        y = to_numpy(floats("signal", signal)).astype(np.float64)
        if y.shape not in {(n,), (B, n)}:
            raise ValueError(f"signal: expected shape ({B}, {n}), got {y.shape}")
    elif truth is not None:
        W, b = to_numpy(G.weights[-1]), G.bias(G.depth)
        y = phi(
            truth[-1].astype(np.float64) @ W.astype(np.float64).T
            + (0.0 if b is None else to_numpy(b))
        )
        reach = (
            2 * noise * (1 + ROUNDING)
        )  # y may be `noise` away from it, and what y can reach as much further
    else:
        return np.full(B, noise * phi.inverse_lipschitz(*phi.range) if noise > 0 else 0.0)
    y = np.broadcast_to(y, (B, n))
    invertible = (np.isfinite(phi.inverse(y)) | ~rows).all(axis=1)
    return np.where(invertible, noise * reachable_lipschitz(phi, y, rows, reach), np.inf)
