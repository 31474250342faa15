"""What the theorems share: supports and masks checked and batched, in NumPy, and the rank of what
they keep.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cvxinv import checks
from cvxinv.arrays import Array, match, to_numpy
from cvxinv.generator import Generator
from cvxinv.guarantees.bracket import Verdict


def check_generator(G: Any) -> None:
    """Refuse what is no generator."""
    checks.instance("G", G, Generator, "a cvxinv.Generator")


def support_masks(
    G: Generator, supports: Sequence[Array], name: str = "supports"
) -> tuple[list[Any], bool]:
    """The supports S_1, .., S_L as (B, n_i) masks, and whether they came without the B axis."""
    check_generator(G)
    masks = [to_numpy(S) for S in checks.supports(name, supports, G.sizes)]
    return [np.atleast_2d(S) for S in masks], masks[0].ndim == 1


def kept_pixels(G: Generator, observed: Array | None, B: int, one: bool) -> Any:
    """The observed pixels as a (B, n) mask, all of them by default; (n,) if there is `one` signal
    without a B axis.
    """
    n = G.sizes[-1]
    if observed is None:
        return np.ones((B, n), bool)
    seen = to_numpy(checks.booleans("observed", observed))
    if seen.shape not in {(n,), (n,) if one else (B, n)}:
        raise ValueError(
            f"observed: expected shape ({n},){'' if one else f' or ({B}, {n})'}, got {seen.shape}"
        )
    return np.broadcast_to(seen, (B, n))


def singular_values(W: Any) -> Any:
    """The singular values of W (m, n), n of them; those that rounding cannot tell from zero are
    zero, so that rank can be read off.
    """
    m, n = W.shape
    values = np.zeros(n)
    if m and n:
        found = np.linalg.svd(W, compute_uv=False)
        values[: len(found)] = np.where(
            found > max(m, n) * np.finfo(np.float64).eps * found[0], found, 0.0
        )
    return values


def smallest_singular_value(W: Any) -> float:
    """sqrt(lambda_min(W'W)), less what rounding may add to it; zero where W has no full column
    rank, inf where it has no columns.
    """
    values = singular_values(W)
    return max(
        0.0,
        float(
            values.min(initial=np.inf)
            - max(W.shape) * np.finfo(np.float64).eps * values.max(initial=0.0)
        ),
    )


def answered(a: Any, like: Array, one: bool) -> Any:
    """`a` in the kind of `like` where it holds numbers, without its B axis if there is `one` signal
    only.
    """
    if a.dtype == object:
        return a[0] if one else a
    return match(a, like)[0] if one else match(a, like)


def verdicts(holds: Any) -> Any:
    """HOLDS where true, FAILS elsewhere."""
    return np.where(
        holds, np.asarray(Verdict.HOLDS, dtype=object), np.asarray(Verdict.FAILS, dtype=object)
    )


def true_layers(G: Generator, layers: Sequence[Array], masks: list[Any]) -> list[Any]:
    """The layers x_1, .., x_L as (B, n_i) arrays, which must have the supports given."""
    if len(layers) != G.depth:
        raise ValueError(f"layers: expected {G.depth} arrays x_1, .., x_L, got {len(layers)}")
    values = [
        np.atleast_2d(to_numpy(checks.floats(f"layers[{i}]", x))) for i, x in enumerate(layers)
    ]
    for i, (x, S) in enumerate(zip(values, masks, strict=True)):
        if x.shape != S.shape:
            raise ValueError(
                f"layers[{i}]: expected shape {S.shape}, that of supports[{i}], got {x.shape}"
            )
        if not np.array_equal(x > 0, S):
            raise ValueError(f"layers[{i}]: expected positive entries exactly on supports[{i}]")
    return values


def sparsity_levels(sparsity: Any, masks: list[Any], truth: bool) -> list[Any]:
    """s_1 .. s_L, each (B,), or None where unknown."""
    L, B = len(masks), len(masks[0])
    if isinstance(sparsity, str):
        if sparsity not in ("supports", "unknown"):
            raise ValueError(
                f"sparsity: expected 'supports', 'unknown' or {L} numbers, got {sparsity!r}"
            )
        if sparsity == "supports":
            return [S.sum(axis=1) for S in masks]
    if truth:
        raise ValueError("sparsity: expected 'supports' where the true layers are given")
    if isinstance(sparsity, str):
        return [None] * L
    if not hasattr(sparsity, "__len__"):
        raise TypeError(
            f"sparsity: expected 'supports', 'unknown' or {L} levels s_1, .., s_L, got {sparsity!r}"
        )
    if len(sparsity) != L:
        raise ValueError(f"sparsity: expected {L} levels s_1, .., s_L, got {len(sparsity)}")
    values = [np.asarray(to_numpy(s)) for s in sparsity]
    for i, s in enumerate(values):
        if s.shape not in {(), (B,)} or not np.all((s >= 0) & (s == np.floor(s))):
            raise ValueError(
                f"sparsity[{i}]: expected a whole number >= 0 or ({B},) of them, got {sparsity[i]}"
            )
    return [np.broadcast_to(s, (B,)).astype(np.int64) for s in values]
