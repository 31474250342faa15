"""The image layer as the pursuits state it: on phi^-1(y), where it is convex, over the pixels where
phi^-1 can be trusted (`cvxinv.guarantees.pixels`).

What is solved, for each signal, is a weighted problem whose weights are 0 or 1,

    K = diag(1 where tau <= eps^0.55 max(1, |t|), and phi' is not too small for the noise),

that is, eq. 5 as min 1/2 ||K (W x + b - t)||^2 + lam 1'x over x >= 0 (Algorithm 3), basis pursuit
with lam_j = 2 ell eps ||K w_j|| (Algorithm 1), least squares on the true columns (Algorithm 4), or
a linear program. Statements and certificates have the rows of K alone. The pixels that it leaves
out still hold z, with the weight phi' that they deserve, in debiasing, which is least squares on y
itself.
"""

from dataclasses import dataclass, replace
from typing import Any

from cvxinv.arrays import Array, match, namespace, to_numpy
from cvxinv.generator import Generator
from cvxinv.generator.arguments import rows_of
from cvxinv.guarantees.pixels import bounded, far_outside, known, moved
from cvxinv.problems import BasisPursuit, LastLayer, LinearProgram, MidLayer
from cvxinv.solution import Solution
from cvxinv.solution.notes import noted

SURE = 10.0  # errors of rounding by which an entry is not zero


@dataclass(frozen=True, eq=False)
class ImageLayer:
    """What x_L is held against, and what is to be said of the signals."""

    target: Array  # (B, n) or (n,): phi^-1(y), or y
    seen: Array | None  # the pixels that enter
    invalid: Array  # (B,) bool: signals that are not in the scale of phi
    saturated: Array  # (B,) observed pixels that phi^-1 was not taken of
    accuracy: Array  # (B,) to which what is inverted is known, relative to its size
    printed: bool = False  # whether on phi itself
    noise: float = 0.0  # for which pixels were left out too

    @property
    def rows(self) -> Array:
        """The pixels that enter, in the shape of the signals."""
        return rows_of(self.seen, self.target)

    def eq5(self, G: Generator, lam: float) -> LastLayer:
        """Eq. 5 on it."""
        phi = G.activation if self.printed else "identity"
        return LastLayer(G.weights[-1], self.target, phi, G.bias(G.depth), lam, self.seen)

    def sure(
        self, solution: Solution, problem: LastLayer | MidLayer | BasisPursuit | LinearProgram
    ) -> Solution:
        """Without the entries that may come from the rounding of y alone: as rows of the next
        layer, where units that are off are only bounded or have no row, they would hold what is
        not so.
        """
        xp = namespace(solution.x)
        if not bool(xp.any(self.accuracy > 0)):
            return solution
        norms = xp.linalg.vector_norm(match(problem.W, solution.x), axis=0)
        t = xp.where(xp.isfinite(problem.data), problem.data, 0.0)
        level = SURE * self.accuracy * xp.linalg.vector_norm(t, axis=-1)
        above = norms * xp.abs(solution.x) > level[..., None]
        return replace(solution, support=solution.support & above)

    @property
    def worst(self) -> float:
        """The accuracy to which all signals are known."""
        xp = namespace(self.accuracy)
        finite = xp.where(xp.isfinite(self.accuracy), self.accuracy, 0.0)
        return float(xp.max(finite)) if len(finite) else 0.0

    def evenly(self) -> "ImageLayer":
        """With all signals known as well as the worst: for solvers that go that far."""
        xp = namespace(self.accuracy)
        return replace(self, accuracy=xp.clip(self.accuracy, self.worst, None))

    def noted(self, notes: Any) -> Any:
        """The notes, with a sentence on signals for which it is not phi^-1(y) as a whole."""
        count = to_numpy(self.saturated).reshape(-1)
        if self.printed:
            everywhere = to_numpy(self.saturated) >= 0
            return noted(notes, everywhere, lambda b: "eq. 5 was solved as printed, on y itself")
        why = "noise or rounding move it too far" if self.noise > 0 else "rounding alone moves it"
        return noted(
            notes,
            to_numpy(self.saturated) > 0,
            lambda b: (
                f"the image layer was solved on phi^-1(y) without {count[b]} saturated"
                f" pixel{'s' if count[b] > 1 else ''}, where {why}"
            ),
        )


def as_printed(y: Array, seen: Array | None) -> ImageLayer:
    """y, for eq. 5 on phi itself."""
    return _whole(y, y, seen, printed=True)


def on_preimage(G: Generator, y: Array, seen: Array | None, noise: float = 0.0) -> ImageLayer:
    """phi^-1(y), over the pixels where that is known, also in spite of `noise` in any of them."""
    xp, phi = namespace(y), G.activation
    target = phi.inverse(y)
    if not bounded(phi):
        return _whole(y, target, seen)

    observed = rows_of(seen, y) & xp.isfinite(y)
    invalid = xp.any(observed & far_outside(phi, y), axis=-1)
    trusted = observed & known(phi, y, noise)
    t = xp.where(trusted, target, 0.0)
    tau = xp.where(trusted, moved(phi, y, t), 0.0)
    size, error = xp.linalg.vector_norm(t, axis=-1), xp.linalg.vector_norm(tau, axis=-1)
    out = observed & ~trusted & ~invalid[..., None]
    if bool(xp.any(out)):
        seen = rows_of(seen, y) & ~out
        target = xp.where(out, 0.0, target)
    return ImageLayer(
        target,
        seen,
        invalid,
        saturated=xp.sum(xp.astype(out, xp.int64), axis=-1),
        accuracy=error / xp.where(size > 0, size, 1.0),
        noise=noise,
    )


def _whole(y: Array, target: Array, seen: Array | None, printed: bool = False) -> ImageLayer:
    """An image layer that leaves nothing out."""
    xp = namespace(y)
    zero = xp.zeros_like(y[..., 0])
    return ImageLayer(target, seen, zero > 0, xp.astype(zero, xp.int64), zero, printed)
