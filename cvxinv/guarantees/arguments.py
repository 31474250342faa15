"""The arguments that the theorems share, checked and in NumPy, and answers in the kind given."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cvxinv import checks
from cvxinv.arrays import Array, match, to_numpy
from cvxinv.generator import Generator
from cvxinv.generator.arguments import pixels_of
from cvxinv.guarantees.bracket import Verdict


def support_masks(
    G: Generator, supports: Sequence[Array], name: str = "supports"
) -> tuple[list[Any], bool]:
    """The supports S_1, .., S_L as (B, n_i) masks, and whether they came without the B axis."""
    checks.instance("G", G, Generator, "a cvxinv.Generator")
    masks = [to_numpy(S) for S in checks.supports(name, supports, G.sizes)]
    return [np.atleast_2d(S) for S in masks], masks[0].ndim == 1


def kept_pixels(G: Generator, observed: Array | None, B: int, one: bool) -> Any:
    """The observed pixels as a (B, n) mask, all of them by default; (n,) if there is `one` signal
    without a B axis.
    """
    n = G.sizes[-1]
    signals = np.broadcast_to(np.empty(1), (n,) if one else (B, n))
    seen = pixels_of(G, observed, signals)
    return np.broadcast_to(True if seen is None else seen, (B, n))


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
    layers = checks.sequence("layers", layers, G.depth, "arrays x_1, .., x_L")
    values = [
        np.atleast_2d(to_numpy(checks.finite(name, checks.floats(name, x))))
        for name, x in ((f"layers[{i}]", x) for i, x in enumerate(layers))
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
        checks.choice("sparsity", sparsity, ("supports", "unknown"), also=f"{L} numbers or ")
    if isinstance(sparsity, str) and sparsity == "supports":
        return [S.sum(axis=1) for S in masks]
    if truth:
        raise ValueError("sparsity: expected 'supports' where the true layers are given")
    if isinstance(sparsity, str):
        return [None] * L
    given = checks.sequence("sparsity", sparsity, L, "levels s_1, .., s_L")
    return [_level(f"sparsity[{i}]", s, B) for i, s in enumerate(given)]


def _level(name: str, s: Any, B: int) -> Any:
    """A whole number >= 0 for each of B signals, from one or from (B,) of them."""
    levels = to_numpy(checks.per_signal(name, s, np.empty((B, 1))))
    if not np.all(levels == np.floor(levels)):
        raise ValueError(f"{name}: expected whole numbers, got {s}")
    return levels.astype(np.int64)
