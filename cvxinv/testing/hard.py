"""Fixed instances, a kind of difficulty at a time, for `pytest.mark.parametrize`."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cvxinv import checks
from cvxinv.problems import (
    BasisPursuit,
    LastLayer,
    Latent,
    LayerProblem,
    LeastSquares,
    MidLayer,
    with_fields,
)
from cvxinv.testing.judge import assert_optimal
from cvxinv.testing.names import kinds

UNIQUE = (
    "plain",
    "noisy",
    "small_matrix",
    "large_matrix",
    "small_signal",
    "large_signal",
    "uneven_columns",
)
DIFFICULTIES = (
    *UNIQUE,
    "rank_deficient",
    "zero_columns",
    "duplicate_columns",
    "empty_support",
    "full_support",
    "one_row",
    "wide",
    "mask",
    "shared_mask",
    "zero_signal",
)
# whose mistakes they show: batches as a whole looked at, steps guessed, small steps taken for none
TRAPS = ("uneven_signals", "opposite_columns", "ill_conditioned")
MASKED = ("empty_support", "full_support", "mask", "shared_mask")
UNBIASED = (*MASKED, "zero_signal", *TRAPS)  # a bias could leave hidden layers without any x
CONDITION = 1e3
# halvings from a signal to the next, which is smaller; fewer where they share lam
HALVINGS, OF_SHARED_LAM = 15, 6
PLAIN = ("nnls", "lasso")  # kinds without bias and masks
SIGNALS = 3
SIZES = {"small": 1e-6, "large": 1e6}
STATEMENTS: dict[str, tuple[Any, ...]] = {
    "least_squares": (LeastSquares,),
    "nnls": (LastLayer,),
    "lasso": (BasisPursuit,),
    "last_layers": (LastLayer,),
    "basis_pursuits": (BasisPursuit,),
    "mid_layers": (MidLayer,),
    "latents": (Latent,),
    "qps": (MidLayer, Latent),
}
CLASSES = (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares)
SIGNED = (BasisPursuit, Latent, LeastSquares)
HIDDEN = (MidLayer, Latent)
MASKS = {
    LastLayer: "observed",
    MidLayer: "support",
    Latent: "support",
    BasisPursuit: "rows",
    LeastSquares: "rows",
}


@dataclass(frozen=True)
class Case:
    """A statement with a name, which pytest shows; `check(x)` asserts that x solves it."""

    name: str
    problem: LayerProblem

    @property
    def __name__(self) -> str:
        return self.name

    def check(self, x: Any, tol: float = 1e-6) -> None:
        """Assert that x, (x, dual) or a Solution is right for every signal: `assert_optimal`."""
        __tracebackhide__ = True  # of pytest
        assert_optimal(self.problem, x, tol)


def hard_cases(problems: Any = None, library: Literal["numpy", "torch"] = "numpy") -> list[Case]:
    """Instances of difficulty of one kind each, the same at every call.

        @pytest.mark.parametrize("case", hard_cases("nnls"))
        def test_mine(case):
            case.check(my_solve(case.problem))

    Parameters
    ----------
    problems : str or sequence of str, optional
        Kinds, `cvxinv.testing.KINDS`; all by default.
    library : "numpy" or "torch"
        Of the arrays. `cvxinv.testing.raw` makes the plain arrays of one signal of them.
    """
    tensors = checks.choice("library", library, ("numpy", "torch")) == "torch"
    found = []
    for kind in kinds("problems", problems):
        for cls in STATEMENTS[kind]:
            for difficulty in (*DIFFICULTIES, *TRAPS):
                if kind in PLAIN and difficulty in MASKED:
                    continue
                problem = instance(cls, difficulty, _seed(kind, cls, difficulty))
                if isinstance(problem, BasisPursuit) and kind == "lasso":
                    problem = with_fields(problem, lam=float(problem.lam.max()))
                if tensors:
                    problem = _in_torch(problem)
                suffix = f"-{cls.__name__}" if kind == "qps" else ""
                found.append(Case(f"{kind}-{difficulty}{suffix}", problem))
    return found


def _in_torch(problem: LayerProblem) -> LayerProblem:
    """The statement with tensors for arrays."""
    import torch

    arrays = {name: a for name, a in vars(problem).items() if isinstance(a, np.ndarray)}
    return with_fields(problem, **{name: torch.tensor(a) for name, a in arrays.items()})


def _seed(kind: str, cls: Any, difficulty: str) -> int:
    """With a weight, but for nnls; with a bias where the kind has one and all stays feasible."""
    biased = difficulty not in (UNBIASED if cls in HIDDEN else TRAPS)
    return {"nnls": 0, "lasso": 2}.get(kind, 3 if biased else 2)


def instance(cls: Any, difficulty: str, seed: int, count: int = SIGNALS) -> Any:
    """A batch of `count` signals; with a bias where seed is odd, with lam or gamma (of least
    squares: columns) where its second bit is set.
    """
    number = (*DIFFICULTIES, *TRAPS).index(difficulty)
    rng = np.random.default_rng([CLASSES.index(cls), number, seed])
    W = matrix(difficulty, rng)
    m, n = W.shape
    x = rng.standard_normal((count, n)) / np.maximum(np.linalg.norm(W, axis=0), 1e-3)
    x = x if cls in SIGNED else np.maximum(x, 0)
    bias = 0.3 * rng.standard_normal(m) if seed & 1 else None
    data = x @ W.T + (0 if bias is None else bias)
    data = data + 0.1 * rng.standard_normal(data.shape) if difficulty != "plain" else data
    data = np.maximum(data, 0) if cls in HIDDEN else data
    data = 0 * data if difficulty == "zero_signal" else data
    size, _, what = difficulty.partition("_")
    of_matrix = SIZES.get(size, 1.0) if what == "matrix" else 1.0
    of_signal: Any = SIZES.get(size, 1.0) if what == "signal" else 1.0
    if difficulty == "uneven_signals":
        shared = seed & 2 and cls not in (Latent, LeastSquares)
        of_signal = 2.0 ** -(np.arange(count) * (OF_SHARED_LAM if shared else HALVINGS))[:, None]
    W, data, bias = of_matrix * W, of_signal * data, None if bias is None else of_signal * bias
    options = {"bias": bias, MASKS[cls]: mask(difficulty, data.shape, rng)}
    if cls is LeastSquares:
        columns = rng.random((count, n)) < 0.7 if seed & 2 else None
        return cls(W, data, **options, columns=columns)
    weight = weights(difficulty, cls, W, data, seed, rng) if seed & 2 else 0.0
    return cls(W, data, **options, **{"gamma" if cls is Latent else "lam": weight})


def matrix(difficulty: str, rng: np.random.Generator) -> Any:
    """W (m, n), not yet scaled."""
    m, n = {"one_row": (1, 6), "wide": (7, 12)}.get(difficulty, (20, 8))
    W = rng.standard_normal((m, n))
    if difficulty == "rank_deficient":
        W = rng.standard_normal((m, 3)) @ rng.standard_normal((3, n))
    elif difficulty == "zero_columns":
        W[:, ::3] = 0
    elif difficulty == "duplicate_columns":
        W[:, 1::2] = W[:, 0::2]
    elif difficulty == "opposite_columns":
        W[:, 1::2] = -W[:, 0::2]
    elif difficulty == "ill_conditioned":
        U, _, V = np.linalg.svd(W, full_matrices=False)
        W = (U * np.geomspace(1, 1 / CONDITION, n)) @ V
    elif difficulty == "uneven_columns":
        W *= np.logspace(-2, 2, n)
    return W


def mask(difficulty: str, shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """The rows that enter (S of eqs. 6 and 9), None for the default."""
    if difficulty in ("empty_support", "full_support"):
        return np.full(shape, difficulty == "full_support")
    if difficulty == "shared_mask":
        return rng.random(shape[1]) < 0.6
    return rng.random(shape) < 0.6 if difficulty == "mask" else None


def weights(
    difficulty: str, cls: Any, W: Any, data: Any, seed: int, rng: np.random.Generator
) -> Any:
    """A gamma or lam that matters without setting all of x to zero."""
    if cls is Latent:
        return 0.1 * float(np.linalg.norm(W, 2) ** 2)
    count, data = len(data), data[-1:] if difficulty == "uneven_signals" else data  # the smallest
    lam = 0.1 * float(np.abs(data @ W).max()) or 0.1
    if cls is not BasisPursuit:
        return lam
    return lam * rng.uniform(0.5, 1.5, W.shape[1:] if seed & 1 else (count, W.shape[1]))
