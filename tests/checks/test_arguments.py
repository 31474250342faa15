"""Every argument of every public function: what is no such thing is refused by name, before any
work.

A row of the table is a function, a call that is right, and the kind of each of its arguments; the
kind says which values are wrong.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import cvxinv
import fast
from cvxinv import guarantees, reference
from tests.support.bad import BAD

RNG = np.random.default_rng(0)
W = RNG.standard_normal((6, 4))
Y = RNG.standard_normal((3, 6))
X = RNG.standard_normal((3, 4))
G = cvxinv.Generator([RNG.standard_normal((8, 3)), RNG.standard_normal((12, 8))])
Z = RNG.standard_normal((5, 3))
SIGNALS, SUPPORTS = G(Z), G.supports(Z)
LAYER = cvxinv.MidLayer(W, Y)
SOLUTION = reference.solve(LAYER)


# -- where it is wrong -----------------------------------------------------------------------------


@dataclass
class Door:
    """A public function, a call of it that is right, and the kinds of its arguments."""

    function: Any
    right: dict[str, Any]
    kinds: dict[str, str]

    @property
    def name(self):
        return f"{self.function.__module__.split('.')[0]}.{self.function.__qualname__}"


def never(problem):
    raise AssertionError("worked before all arguments were checked")


LAYERS = {"W": "matrix", "bias": "vector?"}
HIDDEN = {**LAYERS, "x_next": "signals", "support": "mask?"}
TARGET = {**LAYERS, "target": "signals", "rows": "mask?"}
PURSUIT = {"G": "generator", "y": "signals", "observed": "mask?", "progress": "progress"}
Y_OF_G = {"G": G, "y": SIGNALS}
SPARK = {"budget": "number >= 0", "generic": "flag", "tol": "share?"}
SUB = {"W": "matrix", "s": "count > 0", **SPARK}
FIT = {**PURSUIT, "noise": "per signal?", "prior": "number > 0?", "solve": "solve?"}
DOORS = [
    Door(
        cvxinv.LastLayer,
        {"W": W, "y": Y},
        {**LAYERS, "y": "signals", "activation": "activation", "lam": "number >= 0"}
        | {"observed": "mask?"},
    ),
    Door(cvxinv.MidLayer, {"W": W, "x_next": Y}, {**HIDDEN, "lam": "number >= 0"}),
    Door(cvxinv.Latent, {"W": W, "x_next": Y}, {**HIDDEN, "gamma": "number >= 0"}),
    Door(
        cvxinv.LinearProgram,
        {"W": W, "x_next": Y},
        {**HIDDEN, "norm": "choice", "nonnegative": "flag", "observed": "mask?"},
    ),
    Door(cvxinv.BasisPursuit, {"W": W, "target": Y}, {**TARGET, "lam": "weights"}),
    Door(cvxinv.LeastSquares, {"W": W, "target": Y}, {**TARGET, "columns": "mask?"}),
    Door(
        cvxinv.verify,
        {"problem": LAYER, "x": X},
        {"problem": "problem", "x": "points", "dual": "points?"},
    ),
    Door(
        cvxinv.refutes,
        {"problem": LAYER, "proof": np.zeros((3, 6))},
        {"problem": "problem", "proof": "points"},
    ),
    Door(SOLUTION.certificate.optimal, {}, {"tol": "number >= 0"}),
    Door(SOLUTION.certificate.stationary, {}, {"tol": "number >= 0"}),
    Door(SOLUTION.certificate.report, {}, {"tol": "number >= 0"}),
    Door(
        reference.solve,
        {"problem": LAYER},
        {"problem": "problem", "solver": "solver?", "polish": "flag", "n_jobs": "jobs"}
        | {"progress": "progress?", "tol": "number > 0?"},
    ),
    Door(
        fast.solve,
        {"problem": LAYER},
        {"problem": "problem", "tol": "number > 0?", "max_iter": "count?", "method": "choice"}
        | {"x0": "points?", "restart": "flag", "history": "flag", "sure": "flag"}
        | {"rho": "number > 0?", "alpha_beta": "number > 0?", "memory": "count > 0?"}
        | {"accuracy": "number >= 0?"}
        | {"progress": "progress"},
    ),
    Door(
        fast.gradient_descent,
        Y_OF_G,
        {**PURSUIT, "steps": "count > 0", "momentum": "share", "seed": "count"}
        | {"step": "number > 0?", "start": "points?", "progress": "progress?"},
    ),
    Door(
        fast.levenberg_marquardt,
        Y_OF_G,
        {**PURSUIT, "start": "points?", "starts": "count", "seed": "count"}
        | {"prior": "per signal", "scale": "number >= 0", "steps": "count"},
    ),
    Door(
        cvxinv.latent_pursuit,
        {**Y_OF_G, "solve": never},
        {**PURSUIT, "solve": "solve?", "lam": "per layer", "gamma": "number >= 0"}
        | {"debias": "flag", "last": "choice"},
    ),
    Door(
        cvxinv.layered_basis_pursuit,
        {**Y_OF_G, "solve": never},
        {**PURSUIT, "solve": "solve?", "noise": "number >= 0", "lam": "per layer"}
        | {"debias": "flag"},
    ),
    Door(
        cvxinv.linear_programming,
        Y_OF_G,
        {**PURSUIT, "norm": "choice", "noise": "number >= 0"},
    ),
    Door(
        cvxinv.noisy_pursuit,
        {**Y_OF_G, "solve": never},
        {**PURSUIT, "solve": "solve?", "noise": "per signal?"},
    ),
    Door(
        cvxinv.oracle,
        {**Y_OF_G, "supports": SUPPORTS, "solve": never},
        {**PURSUIT, "supports": "supports", "solve": "solve?"},
    ),
    Door(
        cvxinv.invert,
        {**Y_OF_G, "noise": 0.1, "solve": never},
        {**FIT, "starts": "count?", "seed": "count"},
    ),
    Door(cvxinv.hybrid, {**Y_OF_G, "noise": 0.1, "solve": never}, FIT),
    Door(
        cvxinv.cramer_rao,
        {"G": G, "z": Z, "sigma": 0.1},
        {"G": "generator", "z": "signals", "sigma": "per signal", "observed": "mask?"},
    ),
    Door(cvxinv.snr, {"x": X, "x_hat": X}, {"x": "numbers", "x_hat": "points"}),
    Door(
        cvxinv.Generator,
        {"weights": G.weights},
        {"weights": "list of matrices", "biases": "list of vectors?", "activation": "activation"}
        | {"image_shape": "image shape?"},
    ),
    Door(G.__call__, {"z": Z}, {"z": "signals"}),
    Door(G.layers, {"z": Z}, {"z": "signals"}),
    Door(G.supports, {"z": Z}, {"z": "signals"}),
    Door(G.measure, {"A": np.ones((2, 12))}, {"A": "matrix"}),
    Door(guarantees.mutual_coherence, {"W": W}, {"W": "matrix", "rows": "mask?"}),
    Door(guarantees.spark, {"W": W}, {"W": "matrix", "method": "choice", **SPARK}),
    Door(guarantees.sub_spark, {"W": W, "s": 4}, SUB),
    Door(guarantees.sub_rank, {"W": W, "s": 4}, SUB),
    Door(
        guarantees.submatrix_coherence,
        {"W": W, "s": 4},
        {"W": "matrix", "s": "count > 0", "budget": "number >= 0"},
    ),
    Door(
        guarantees.oracle_error,
        {"G": G, "supports": SUPPORTS, "sigma": 0.1},
        {"G": "generator", "supports": "supports", "sigma": "number >= 0", "observed": "mask?"},
    ),
    Door(
        guarantees.stability,
        {"G": G, "supports": SUPPORTS, "noise": 0.1},
        {"G": "generator", "supports": "supports", "noise": "number >= 0", "sparsity": "sparsity"}
        | {"layers": "layers?", "signal": "points?", "observed": "mask?"},
    ),
    Door(
        guarantees.uniqueness,
        {"G": G, "z_or_supports": Z},
        {"G": "generator", "z_or_supports": "latents", "theorem": "choice"}
        | {"observed": "mask?", **SPARK},
    ),
]
# what is not walked: the device and dtype of `to`, a path, a module (their own tests do that)
LEFT_OUT = {"mnist_generator", "from_torch", "to", "load", "save"}
CASES = [(door, argument) for door in DOORS for argument in door.kinds]


@pytest.mark.parametrize(
    ("door", "argument"), CASES, ids=[f"{door.name}-{argument}" for door, argument in CASES]
)
def test_what_is_wrong_is_refused_by_name(door, argument):
    for bad in BAD[door.kinds[argument]]:
        with pytest.raises((TypeError, ValueError)) as caught:
            door.function(**{**door.right, argument: bad})
        assert str(caught.value).startswith((f"{argument}: ", f"{argument}[")), (bad, caught.value)


@pytest.mark.parametrize("door", DOORS, ids=[door.name for door in DOORS])
def test_no_argument_is_forgotten(door):
    """But for options that are handed on: tests/reference/test_solvers.py."""
    given = inspect.signature(door.function).parameters.values()
    assert set(door.kinds) == {p.name for p in given if p.kind is not p.VAR_KEYWORD}


def test_no_function_is_forgotten():
    public = [getattr(room, name) for room in (cvxinv, guarantees) for name in room.__all__]
    functions = {f.__name__ for f in public if inspect.isfunction(f)}
    assert functions - {door.function.__name__ for door in DOORS} == {"mnist_generator"}
