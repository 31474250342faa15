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
* R are the pixels of which phi^-1 is known (`cvxinv.guarantees.pixels`) at the image layer: where
  tanh or sigmoid saturate, Algorithm 1 leaves them out, and so do mu, ||w_ij|| and ell. What holds
  for any y then takes that every y chooses the same.
* Columns that are zero on R (Algorithm 1 leaves them at zero) say nothing about their entries:
  those bounds are infinite.
* Without noise lam = 0, and uniqueness also takes independent columns on R. Corollary 1 is
  otherwise the limit eps -> 0 (E7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cvxinv.activations import Activation
from cvxinv.arrays import Array, to_numpy
from cvxinv.checks import array, floats, nonnegative, shape
from cvxinv.generator import Generator
from cvxinv.generator.arguments import vectors_of
from cvxinv.guarantees.arguments import (
    answered,
    kept_pixels,
    sparsity_levels,
    support_masks,
    true_layers,
    verdicts,
)
from cvxinv.guarantees.layer_bounds import ROUNDING, Kept, LayerBounds, below, layer_bounds
from cvxinv.guarantees.pixels import bounded, far_outside, known
from cvxinv.guarantees.recursion import reachable_lipschitz
from cvxinv.guarantees.singular import smallest_singular_value

ULPS = 8  # by which one matrix product may differ from another
UNREACHABLE = (
    "phi^-1 has no Lipschitz constant on what y and its noise can reach, or y decides on which"
    " pixels (or pass the signal)."
)


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
        epsilon, a bound on ||y - G(z)||_2 over the observed pixels; where y is given as `signal`,
        those of which phi^-1 is known will do.
    sparsity : "supports", "unknown", or L numbers or (B,) arrays
    layers : sequence of L arrays, (B, n_i) or (n_i,), optional
        The true x_1 .. x_L; their supports must be `supports`.
    signal : (B, n) or (n,) array, or images, optional
        y, for the pixels of which phi^-1 is taken, and its Lipschitz constant on what those and
        their noise can reach. Without it, for any y within the noise of G(z) where `layers` are
        given; else on all of phi's range, where tanh and sigmoid have none.
    observed : (n,) or (B, n) bool array, or images, optional
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
    rows, level = _image(G, signal, truth, kept_pixels(G, observed, B, one), noise)

    def out(a: Any) -> Any:
        return answered(a, like, one)

    bounded = np.isfinite(level)
    kept = Kept(rows, level, bounded, np.where(bounded, "", UNREACHABLE))
    found: list[LayerBounds] = []
    for i in range(G.depth, 0, -1):
        W, S = to_numpy(G.weights[i]).astype(np.float64), masks[i - 1]
        bounds = layer_bounds(W, kept, S, s[i - 1], None if truth is None else truth[i - 1])
        kept = below(i, W, kept, S, bounds, exact=truth is not None)
        found.append(replace(bounds, **{name: out(a) for name, a in vars(bounds).items()}))
    W_0 = to_numpy(G.weights[0]).astype(np.float64)
    smallest = np.array([smallest_singular_value(W_0[R]) for R in kept.rows]).reshape(B)
    full = smallest > 0
    latent = np.where(full, kept.level / np.where(full, smallest, 1.0), np.inf)
    return Stability(
        layers=found[::-1],
        noise=out(level),
        latent=out(latent),
        latent_condition=out(verdicts(full)),
        latent_guaranteed=out(kept.trusted & full),
    )


def _image(
    G: Generator, signal: Array | None, truth: list[Any] | None, seen: Any, noise: float
) -> tuple[Any, Any]:
    """The rows (B, n) of the image layer and eps_{L+1} = ell eps per signal, ell being what
    Algorithm 1 computes from y, or not smaller; inf where there is none.
    """
    (B, n), phi = seen.shape, G.activation
    if signal is not None:
        y = to_numpy(vectors_of(G, "signal", floats("signal", signal)))
        shape("signal", y, (n,), (B, n))
        y = np.broadcast_to(y, (B, n))
        rows, reach = known(phi, y, noise), noise
        lost = ~np.isfinite(y) | far_outside(phi, y)
    elif truth is not None:
        W, b = to_numpy(G.weights[-1]), G.bias(G.depth)
        t = truth[-1].astype(np.float64) @ W.astype(np.float64).T
        y = phi(t if b is None else t + to_numpy(b)).astype(truth[-1].dtype)
        # the signal may be `noise` away from it, and what the signal can reach as much further
        reach = 2 * noise * (1 + ROUNDING)
        rows, lost = _settled(phi, y, noise)
    else:
        whole = noise * phi.inverse_lipschitz(*phi.range) if noise > 0 else 0.0
        return seen, np.full(B, whole)
    level = noise * reachable_lipschitz(phi, y, rows & seen, reach)
    return rows & seen, np.where((lost & seen).any(axis=1), np.inf, level)


def _settled(phi: Activation, y: Any, noise: float) -> tuple[Any, Any]:
    """The pixels of which phi^-1 is known for all signals within the noise of y, and those of
    which it is for some of them only. Those of which it is are an interval around the middle.
    """
    if not bounded(phi):
        return np.isfinite(y), ~np.isfinite(y)
    away = noise * (1 + ROUNDING) + ULPS * np.finfo(y.dtype).eps * np.abs(y)
    always = known(phi, y - away, noise) & known(phi, y + away, noise)
    nearest = np.clip(sum(phi.range) / 2, y - away, y + away).astype(y.dtype)
    return always, known(phi, nearest, noise) & ~always
