"""Every public function with a call that is right: the doors of the house, and the kind of each of
their arguments.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import cvxinv
import fast
from cvxinv import guarantees, reference

RNG = np.random.default_rng(0)
W = RNG.standard_normal((6, 4))
Y = RNG.standard_normal((3, 6))
X = RNG.standard_normal((3, 4))
G = cvxinv.Generator([RNG.standard_normal((8, 3)), RNG.standard_normal((12, 8))])
DRAWS = RNG.standard_normal((40, 3))
Z = DRAWS[G.supports(DRAWS)[0].sum(axis=1) > 3][:5]  # more units on than latent numbers
SIGNALS, SUPPORTS = G(Z), G.supports(Z)
LAYER = cvxinv.MidLayer(W, Y)
SOLUTION = reference.solve(LAYER)


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
