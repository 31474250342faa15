"""Theorem 3 and Corollary 1: errata E1, E2, E5 and E7."""

from typing import Any

import numpy as np

from cvxinv import BasisPursuit, Generator, layered_basis_pursuit, reference
from cvxinv.guarantees import mutual_coherence, stability
from cvxinv.guarantees.recursion import TROPP
from validation.errata.erratum import Erratum, Measurement


def e1() -> Erratum:
    """One lam for columns of different norms."""
    W, x, e, eps = np.diag([3.0, 0.1]), np.array([0.0, 5.0]), np.array([0.01, 0.0]), 0.01
    bound, norms = TROPP * eps / 0.1, np.linalg.norm(W, axis=0)
    printed = reference.solve(BasisPursuit(W, W @ x + e, lam=2 * eps)).x
    corrected = reference.solve(BasisPursuit(W, W @ x + e, lam=2 * eps * norms)).x
    return Erratum(
        name="E1",
        place="Theorem 3, eq. 19",
        claim="With one lam = 2 eps for all columns, the support lies in that of x and the error is"
        " less than (3 + sqrt(1.5)) eps / min ||w_j||",
        counterexample="W = diag(3, 0.1), x = (0, 5), e = (0.01, 0), eps = 0.01; mu = 0, so every"
        " condition holds",
        printed=(
            Measurement("|x^_1|, which is not in the support", abs(printed[0]), 0.0),
            Measurement("error", _largest(printed - x), bound),
        ),
        correction="lam_j = 2 eps ||w_j||",
        corrected=(
            Measurement("|x^_1|", abs(corrected[0]), 0.0),
            Measurement("error", _largest(corrected - x), bound),
        ),
    )


def e2() -> Erratum:
    """The coherence of other rows than those kept."""
    c, s, eps = np.cos(np.pi / 6), np.sin(np.pi / 6), 0.001
    W_1 = np.array([[c, s], [-s, c]])
    G = Generator([np.eye(2), W_1, np.eye(2)])
    small, large = W_1.T @ [1, 0.001], W_1.T @ [1, 0.02]
    assert not stability(G, G.supports(small), eps, layers=G.layers(small)).layers[0].guaranteed
    assert stability(G, G.supports(large), eps, layers=G.layers(large)).guaranteed

    bound = stability(G, G.supports(small), eps).epsilon
    equal = [2 * float(bound[1]), 2 * eps]
    one_lam = layered_basis_pursuit(G, G(small), solve=reference.solve, lam=equal)
    weighted = layered_basis_pursuit(G, G(small), solve=reference.solve, noise=eps)
    kept = layered_basis_pursuit(G, G(large), solve=reference.solve, noise=eps)
    limit = float(bound[0])
    return Erratum(
        name="E2",
        place="Theorem 3",
        claim="s_i < 1 / (3 mu_s(W_i)), s = s_{i+1}, suffices for ||x^_i - x_i||_2 < eps_i",
        counterexample="W_2 = I, W_1 a rotation by 30 degrees, x_2 = (1, 0.001), no noise,"
        " eps = 0.001: S^_2 = {1}, and one row has coherence 1",
        printed=(
            Measurement("error of x_1, one lam", _norm(one_lam.layers[0] - small), limit),
            Measurement(
                "error of x_1, weights of E1 (one minimiser of many)",
                _norm(weighted.layers[0] - small),
                limit,
            ),
        ),
        correction="mu and ||w_ij|| of the rows kept, S^_{i+1}; they are S_{i+1} if every nonzero"
        " exceeds its entrywise bound, as in x_2 = (1, 0.02)",
        corrected=(Measurement("error of x_1", _norm(kept.layers[0] - large), limit),),
    )


def e5() -> Erratum:
    """The printed proof of the latent bound."""
    W, e = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([0.0, 1.0])
    inverse = np.linalg.inv(W.T @ W)
    error = float(np.sum(np.linalg.lstsq(W, e, rcond=None)[0] ** 2))
    printed, right = float(e @ inverse @ e), float(e @ W @ inverse @ inverse @ W.T @ e)
    bound = float(e @ e / np.linalg.eigvalsh(W.T @ W)[0])
    return Erratum(
        name="E5",
        place="proof of Theorem 3, eqs. 24 and 25",
        claim="||z^ - z||^2 = e_1' (W'W)^-1 e_1, with e_1 of length s_1 and W'W of size n_0",
        counterexample="Undefined unless s_1 = n_0; and then wrong: W_0 = [[1, 2], [0, 1]],"
        " e_1 = (0, 1)",
        printed=(Measurement("||z^ - z||^2, against the printed value", error, printed),),
        correction="||z^ - z||^2 = e_1' W (W'W)^-2 W' e_1 <= ||e_1||^2 / lambda_min(W'W): the bound"
        " of eq. 4 is right",
        corrected=(
            Measurement("difference from that value", abs(error - right), 1e-12),
            Measurement("||z^ - z||^2, against the bound", error, bound),
        ),
    )


def e7() -> Erratum:
    """Corollary 1 sets lam = 0, and a wide W_L then has many minimisers."""
    corners = np.eye(5) - 0.2
    W = np.linalg.svd(corners)[0][:, :4].T @ corners
    G, z = Generator([np.array([[1.0], [-1], [-1], [-1], [-1]]), W]), np.array([1.0])
    assert 3 * mutual_coherence(W) < 1, "the condition for s_1 = 1"
    x_1 = G.layers(z)[0]
    assert np.linalg.norm(W @ (x_1 + 1) - G(z)) < 1e-12, "as good a minimiser as x_1"

    printed = layered_basis_pursuit(G, G(z), solve=reference.solve, noise=0.0)
    outside = float(np.sum(printed.supports[0] & (x_1 == 0)))
    eps = 1e-6
    corrected = layered_basis_pursuit(G, G(z), solve=reference.solve, noise=eps)
    bound = stability(G, G.supports(z), eps, layers=[x_1])
    assert bound.guaranteed
    limit = float(bound.latent)
    return Erratum(
        name="E7",
        place="Corollary 1; Theorem 3 and Lemma 2 without noise",
        claim="Without noise, where lam = 2 eps is 0, Algorithm 1 has one solution, within the"
        " support, and it gives z exactly",
        counterexample="W_1 the five corners of a simplex in R^4 (mu = 1/4),"
        " W_0 = (1, -1, -1, -1, -1)', z = 1: x_1 + t 1 fits for every t",
        printed=(
            Measurement("distance of x_1 + 1, a minimiser, from x_1", float(np.sqrt(5)), 0.0),
            Measurement("entries found outside the support", outside, 0.0),
            Measurement("|z^ - z|, from the minimiser of least norm", _norm(printed.z - z), 1e-6),
        ),
        correction="The limit eps -> 0, with error at most a constant times eps; at eps = 0 the"
        " columns must be independent on the rows kept",
        corrected=(Measurement(f"|z^ - z| with eps = {eps:g}", _norm(corrected.z - z), limit),),
    )


def _norm(x: Any) -> float:
    return float(np.linalg.norm(x))


def _largest(x: Any) -> float:
    return float(np.abs(x).max())
