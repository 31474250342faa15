"""Algorithm 5 exactly as printed, for one signal and a step of one's choice, and what is wrong with
it: errata E3, E4 and E6.
"""

from typing import Any

import numpy as np

from cvxinv import LastLayer, reference, verify
from validation.errata.erratum import Erratum, Measurement


def algorithm_5(problem: LastLayer, step: float, K: int) -> tuple[Any, Any]:
    """The projected points u^(0) .. u^(K) and the extrapolated ones x^(0) .. x^(K), of which the
    last is what it returns.
    """
    W, y, phi = problem.W, problem.y, problem.phi
    u, x, t = np.zeros(W.shape[1]), np.zeros(W.shape[1]), 1.0
    projected, extrapolated = [u], [x]
    for _ in range(K):
        g = W.T @ (phi.derivative(W @ x) * (phi(W @ x) - y))
        last, u = u, np.maximum(x - step * (g + problem.lam), 0)
        following = (1 + np.sqrt(1 + 4 * t**2)) / 2
        x, t = u + (t - 1) / following * (u - last), following
        projected.append(u)
        extrapolated.append(x)
    return np.array(projected), np.array(extrapolated)


def e3() -> Erratum:
    """Eq. 5 with tanh is not convex."""

    def f(t: float) -> float:
        return 0.5 * float(np.tanh(t)) ** 2

    W, y, other = np.array([[0.1], [0.1], [10.0]]), np.array([0.99, 0.99, 0.0]), np.array([26.0])
    problem = LastLayer(W, y, "tanh")
    step = 1 / float(np.linalg.norm(W, 2) ** 2 * problem.phi.curvature(y).max())
    found = algorithm_5(problem, step, 20_000)[0][-1]
    kkt = float(verify(problem, found).kkt)
    inverted = reference.solve(LastLayer(W, np.arctanh(y), "identity"))
    return Erratum(
        name="E3",
        place="section 5, below eq. 5",
        claim="For phi smooth and strictly increasing, eq. 5 is a smooth convex function (and FISTA"
        " solves it)",
        counterexample="f = 1/2 tanh(t)^2 at 1, 2 and 3; and W = (0.1, 0.1, 10)',"
        " y = (0.99, 0.99, 0), where FISTA from 0 ends far from the better x = 26",
        printed=(
            Measurement("f(2), against the mean of f(1) and f(3)", f(2), (f(1) + f(3)) / 2),
            Measurement(
                "objective where FISTA ends, against x = 26",
                _objective(problem, found),
                _objective(problem, other),
            ),
        ),
        correction="FISTA finds a stationary point of eq. 5; the problem stated on phi^-1(y) is"
        " convex and is solved",
        corrected=(
            Measurement("KKT residual of FISTA's point", kkt, 1e-6),
            Measurement("KKT residual on phi^-1(y)", float(inverted.certificate.kkt), 1e-8),
        ),
    )


def e4() -> Erratum:
    """The step of Algorithm 5."""
    problem = LastLayer(3 * np.eye(1), np.array([1.0]))
    returned, projected = algorithm_5(problem, 0.5, 100)[1], algorithm_5(problem, 1 / 9, 100)[0]
    at_the_end = _objective(problem, returned[-1])
    return Erratum(
        name="E4",
        place="Algorithm 5",
        claim="A step in (0, 1/ell) for an ell-smooth phi will do",
        counterexample="phi the identity (1-smooth, even 0-smooth), W = 3, y = 1, step 1/2, from 0,"
        " 100 iterations",
        printed=(Measurement("objective at the end, against the start", at_the_end, 0.5),),
        correction="Step 1 / (lambda_max(W'W) sup(phi'^2 + |phi''| |phi - y|)), here 1/9",
        corrected=(Measurement("objective at the end", _objective(problem, projected[-1]), 1e-12),),
    )


def e6() -> Erratum:
    """Algorithm 5 returns the extrapolated point."""
    problem = LastLayer(np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([2.0, -1.0]))
    points, extrapolated = algorithm_5(problem, 1 / float(np.linalg.norm(problem.W, 2) ** 2), 3)
    below_zero = [float(max(0.0, -x[-1].min())) for x in (extrapolated, points)]
    return Erratum(
        name="E6",
        place="Algorithm 5",
        claim="The point returned, x^(K), solves a problem with x >= 0",
        counterexample="W = [[1, 1], [0, 1]], y = (2, -1), phi the identity, lam = 0, K = 3, the"
        " step of E4",
        printed=(Measurement("largest negative part", below_zero[0], 0.0),),
        correction="Return the projected point, u^(K)",
        corrected=(Measurement("largest negative part", below_zero[1], 0.0),),
    )


def _objective(problem: LastLayer, x: Any) -> float:
    return float(verify(problem, x).objective)
