"""Where the paper as printed is wrong: each erratum as a counterexample that a reader can run,
beside the corrected claim on the same data.

Run as `python -m validation.errata`; writes validation/results/errata.json. `errata_more` holds E7
onwards.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cvxinv import BasisPursuit, Generator, LastLayer, layered_basis_pursuit, reference, verify
from cvxinv.guarantees import stability
from cvxinv.guarantees.recursion import TROPP
from validation.errata_more import MORE
from validation.erratum import Erratum, Measurement
from validation.printed import algorithm_5
from validation.record import store


def e1() -> Erratum:
    """One lam for columns of different norms."""
    W, x, e, eps = np.diag([3.0, 0.1]), np.array([0.0, 5.0]), np.array([0.01, 0.0]), 0.01
    bound, norms = TROPP * eps / 0.1, np.linalg.norm(W, axis=0)
    printed = reference.solve(BasisPursuit(W, W @ x + e, lam=2 * eps)).x
    corrected = reference.solve(BasisPursuit(W, W @ x + e, lam=2 * eps * norms)).x
    return Erratum(
        "E1",
        "Theorem 3, eq. 19",
        "With one lam = 2 eps for all columns, the support lies in that of x and the error is less"
        " than (3 + sqrt(1.5)) eps / min ||w_j||",
        "W = diag(3, 0.1), x = (0, 5), e = (0.01, 0), eps = 0.01; mu = 0, so every condition holds",
        (
            Measurement("|x^_1|, which is not in the support", abs(printed[0]), 0.0),
            Measurement("error", _error(printed, x), bound),
        ),
        "lam_j = 2 eps ||w_j||",
        (
            Measurement("|x^_1|", abs(corrected[0]), 0.0),
            Measurement("error", _error(corrected, x), bound),
        ),
    )


def e2() -> Erratum:
    """The coherence of other rows than those kept."""
    c, s, eps = np.cos(np.pi / 6), np.sin(np.pi / 6), 0.001
    W_1 = np.array([[c, s], [-s, c]])
    G = Generator([np.eye(2), W_1, np.eye(2)])
    small, large = W_1.T @ [1, 0.001], W_1.T @ [1, 0.02]
    bound = stability(G, G.supports(small), eps).epsilon
    one_lam = layered_basis_pursuit(
        G, G(small), solve=reference.solve, lam=[2 * float(bound[1]), 2 * eps]
    )
    weighted, kept = (
        layered_basis_pursuit(G, G(x), solve=reference.solve, noise=eps) for x in (small, large)
    )
    assert not stability(G, G.supports(small), eps, layers=G.layers(small)).layers[0].guaranteed
    assert stability(G, G.supports(large), eps, layers=G.layers(large)).guaranteed
    return Erratum(
        "E2",
        "Theorem 3",
        "s_i < 1 / (3 mu_s(W_i)), s = s_{i+1}, suffices for ||x^_i - x_i||_2 < eps_i",
        "W_2 = I, W_1 a rotation by 30 degrees, x_2 = (1, 0.001), no noise, eps = 0.001: S^_2 ="
        " {1}, and one row has coherence 1",
        (
            Measurement("error of x_1, one lam", _norm(one_lam.layers[0] - small), float(bound[0])),
            Measurement(
                "error of x_1, weights of E1 (one minimiser of many)",
                _norm(weighted.layers[0] - small),
                float(bound[0]),
            ),
        ),
        "mu and ||w_ij|| of the rows kept, S^_{i+1}; they are S_{i+1} if every nonzero exceeds its"
        " entrywise bound, as in x_2 = (1, 0.02)",
        (Measurement("error of x_1", _norm(kept.layers[0] - large), float(bound[0])),),
    )


def e3() -> Erratum:
    """Eq. 5 with tanh is not convex."""

    def f(t: float) -> float:
        return 0.5 * float(np.tanh(t)) ** 2

    W, y, other = np.array([[0.1], [0.1], [10.0]]), np.array([0.99, 0.99, 0.0]), np.array([26.0])
    problem = LastLayer(W, y, "tanh")
    step = 1 / float(np.linalg.norm(W, 2) ** 2 * problem.phi.curvature(y).max())
    found = algorithm_5(problem, step, 20_000)[0][-1]
    convex = LastLayer(W, np.arctanh(y), "identity")
    best = reference.solve(convex)
    return Erratum(
        "E3",
        "section 5, below eq. 5",
        "For phi smooth and strictly increasing, eq. 5 is a smooth convex function (and FISTA"
        " solves it)",
        "f = 1/2 tanh(t)^2 at 1, 2 and 3; and W = (0.1, 0.1, 10)', y = (0.99, 0.99, 0), where FISTA"
        " from 0 ends far from the better x = 26",
        (
            Measurement("f(2), against the mean of f(1) and f(3)", f(2), (f(1) + f(3)) / 2),
            Measurement(
                "objective where FISTA ends, against x = 26",
                _objective(problem, found),
                _objective(problem, other),
            ),
        ),
        "FISTA finds a stationary point of eq. 5; the problem stated on phi^-1(y) is convex and is"
        " solved",
        (
            Measurement("KKT residual of FISTA's point", float(verify(problem, found).kkt), 1e-6),
            Measurement("KKT residual on phi^-1(y)", float(best.certificate.kkt), 1e-8),
        ),
    )


def e4() -> Erratum:
    """The step of Algorithm 5."""
    problem = LastLayer(3 * np.eye(1), np.array([1.0]))
    (_, returned), (projected, _) = (algorithm_5(problem, step, 100) for step in (0.5, 1 / 9))
    return Erratum(
        "E4",
        "Algorithm 5",
        "A step in (0, 1/ell) for an ell-smooth phi will do",
        "phi the identity (1-smooth, even 0-smooth), W = 3, y = 1, step 1/2, from 0, 100"
        " iterations",
        (
            Measurement(
                "objective at the end, against the start", _objective(problem, returned[-1]), 0.5
            ),
        ),
        "Step 1 / (lambda_max(W'W) sup(phi'^2 + |phi''| |phi - y|)), here 1/9",
        (Measurement("objective at the end", _objective(problem, projected[-1]), 1e-12),),
    )


def e5() -> Erratum:
    """The printed proof of the latent bound."""
    W, e = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([0.0, 1.0])
    error = float(np.sum(np.linalg.lstsq(W, e, rcond=None)[0] ** 2))
    gram = W.T @ W
    printed = float(e @ np.linalg.inv(gram) @ e)
    right = float(e @ W @ np.linalg.inv(gram) @ np.linalg.inv(gram) @ W.T @ e)
    return Erratum(
        "E5",
        "proof of Theorem 3, eqs. 24 and 25",
        "||z^ - z||^2 = e_1' (W'W)^-1 e_1, with e_1 of length s_1 and W'W of size n_0",
        "Undefined unless s_1 = n_0; and then wrong: W_0 = [[1, 2], [0, 1]], e_1 = (0, 1)",
        (Measurement("||z^ - z||^2, against the printed value", error, printed),),
        "||z^ - z||^2 = e_1' W (W'W)^-2 W' e_1 <= ||e_1||^2 / lambda_min(W'W): the bound of eq. 4"
        " is right",
        (
            Measurement("difference from that value", abs(error - right), 1e-12),
            Measurement(
                "||z^ - z||^2, against the bound", error, float(e @ e / np.linalg.eigvalsh(gram)[0])
            ),
        ),
    )


def e6() -> Erratum:
    """Algorithm 5 returns the extrapolated point."""
    problem = LastLayer(np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([2.0, -1.0]))
    points, extrapolated = algorithm_5(problem, 1 / float(np.linalg.norm(problem.W, 2) ** 2), 3)
    return Erratum(
        "E6",
        "Algorithm 5",
        "The point returned, x^(K), solves a problem with x >= 0",
        "W = [[1, 1], [0, 1]], y = (2, -1), phi the identity, lam = 0, K = 3, the step of E4",
        (Measurement("largest negative part", float(max(0.0, -extrapolated[-1].min())), 0.0),),
        "Return the projected point, u^(K)",
        (Measurement("largest negative part", float(max(0.0, -points[-1].min())), 0.0),),
    )


def _norm(x: Any) -> float:
    return float(np.linalg.norm(x))


def _error(x_hat: Any, x: Any) -> float:
    return float(np.abs(x_hat - x).max())


def _objective(problem: LastLayer, x: Any) -> float:
    return float(verify(problem, x).objective)


ERRATA: tuple[Callable[[], Erratum], ...] = (e1, e2, e3, e4, e5, e6, *MORE)


def main() -> None:
    """Run all, print the table, store the numbers."""
    found = [erratum() for erratum in ERRATA]
    table = Table(
        "",
        "as printed, and where",
        "counterexample",
        "measured",
        "corrected",
        "measured",
        show_lines=True,
    )
    for e in found:
        table.add_row(
            e.name,
            f"{e.claim} ({e.place})",
            e.counterexample,
            "\n".join(map(str, e.printed)),
            e.correction,
            "\n".join(map(str, e.corrected)),
        )
    Console(width=200).print(table)
    store(
        "errata",
        {"errata": json.loads(json.dumps([asdict(e) for e in found]))},
        ("numpy", "cvxpy", "clarabel"),
    )


if __name__ == "__main__":
    main()
