"""Small random statements, degenerate ones included, as values that can be written down as
examples.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from cvxinv import BasisPursuit, Latent, LeastSquares
from tests.support.instances import CLASSES, CONSTRAINED, DATA, MASK, objective

STYLES = ("normal", "whole", "low rank")
WEIGHTS = (0.0, 1e-6, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Case:
    """What a statement is drawn from; `build` makes it, so that examples can be written down."""

    cls: type
    m: int
    n: int
    count: int = 2
    style: str = "normal"
    masked: str = "each"
    biased: bool = True
    weight: float = 0.0
    seed: int = 0
    dtype: str = "float64"

    def build(self):
        """Entries are normal, or whole numbers from -2 to 2 (ties, zero rows, copies of columns),
        or of low rank.
        """
        rng = np.random.default_rng(self.seed)

        def numbers(*shape):
            return (
                rng.standard_normal(shape)
                if self.style == "normal"
                else rng.integers(-2, 3, shape).astype(float)
            ).astype(self.dtype)

        rank = 1 if self.style == "low rank" else 0
        W = numbers(self.m, rank) @ numbers(rank, self.n) if rank else numbers(self.m, self.n)
        data, bias = numbers(self.count, self.m), numbers(self.m) if self.biased else None
        mask = {
            "all": None,
            "shared": rng.random(self.m) < 0.6,
            "each": rng.random(data.shape) < 0.6,
        }[self.masked]
        options = {
            MASK[self.cls]: mask,
            "bias": bias,
            "W": W,
            DATA[self.cls]: np.abs(data) if self.cls in CONSTRAINED else data,
        }
        if self.cls is LeastSquares:
            return self.cls(
                **options, columns=rng.random((self.count, self.n)) < 0.7 if self.weight else None
            )
        weight = (
            self.weight * rng.random(self.n).astype(self.dtype)
            if self.cls is BasisPursuit and self.seed % 2
            else self.weight
        )
        return self.cls(**options, **{"gamma" if self.cls is Latent else "lam": weight})


def cases(classes=CLASSES, **fixed):
    drawn = {
        "cls": st.sampled_from(classes),
        "m": st.integers(1, 12),
        "n": st.integers(1, 12),
        "count": st.integers(1, 3),
        "style": st.sampled_from(STYLES),
        "masked": st.sampled_from(["all", "shared", "each"]),
        "biased": st.booleans(),
        "weight": st.sampled_from(WEIGHTS),
        "seed": st.integers(0, 999),
    }
    # a basis pursuit with a tiny weight has a test of its own
    return st.builds(Case, **{**drawn, **fixed}).filter(
        lambda case: case.cls is not BasisPursuit or case.weight != 1e-6
    )


def sizes(problem):
    """What objectives are compared with: their value at zero, and that of the size of the
    inequalities.
    """
    zero = np.zeros((len(getattr(problem, DATA[type(problem)])), problem.W.shape[1]))
    return objective(problem, zero) + (0 if problem.bias is None else 0.5 * (problem.bias**2).sum())
