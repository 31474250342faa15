"""Errata E7 to E12: missing hypotheses and slips, each with a counterexample that can be run."""

from collections.abc import Callable
from itertools import product

import numpy as np

from cvxinv import Generator, latent_pursuit, layered_basis_pursuit, oracle, reference, snr
from cvxinv.guarantees import mutual_coherence, oracle_error, stability
from validation.erratum import Erratum, Measurement

DRAWS = 10_000


def e7() -> Erratum:
    """Corollary 1 sets lam = 0, and a wide W_L then has many minimisers."""
    corners = np.eye(5) - 0.2
    W = np.linalg.svd(corners)[0][:, :4].T @ corners
    G, z = Generator([np.array([[1.0], [-1], [-1], [-1], [-1]]), W]), np.array([1.0])
    assert 3 * mutual_coherence(W) < 1, "the condition for s_1 = 1"
    printed = layered_basis_pursuit(G, G(z), solve=reference.solve, noise=0.0)
    x_1 = G.layers(z)[0]
    assert np.linalg.norm(W @ (x_1 + 1) - G(z)) < 1e-12, "as good a minimiser as x_1"
    eps = 1e-6
    corrected = layered_basis_pursuit(G, G(z), solve=reference.solve, noise=eps)
    bound = stability(G, G.supports(z), eps, layers=[x_1])
    assert bound.guaranteed
    return Erratum(
        "E7",
        "Corollary 1; Theorem 3 and Lemma 2 without noise",
        "Without noise, where lam = 2 eps is 0, Algorithm 1 has one solution, within the support,"
        " and it gives z exactly",
        "W_1 the five corners of a simplex in R^4 (mu = 1/4), W_0 = (1, -1, -1, -1, -1)', z = 1:"
        " x_1 + t 1 fits for every t",
        (
            Measurement("distance of x_1 + 1, a minimiser, from x_1", float(np.sqrt(5)), 0.0),
            Measurement(
                "entries found outside the support",
                float(np.sum(printed.supports[0] & (x_1 == 0))),
                0.0,
            ),
            Measurement(
                "|z^ - z|, from the minimiser of least norm", float(abs(printed.z - z)[0]), 1e-6
            ),
        ),
        "The limit eps -> 0, with error at most a constant times eps; at eps = 0 the columns must"
        " be independent on the rows kept",
        (
            Measurement(
                f"|z^ - z| with eps = {eps:g}", float(abs(corrected.z - z)[0]), float(bound.latent)
            ),
        ),
    )


def e8() -> Erratum:
    """Theorem 2 for entries that are not continuous."""
    lost = met = 0
    for signs in product((-1.0, 1.0), repeat=6):
        W_0, W_1 = np.array(signs[:2]).reshape(2, 1), np.array(signs[2:]).reshape(2, 2)
        G = Generator([W_0, W_1])
        if [int(G.supports(np.array([t]))[0].sum()) for t in (1.0, -1.0)] == [
            1,
            1,
        ]:  # s_1 >= n_0 = 1 and s_1 < n = 2, for both
            met += 1
            lost += bool(np.array_equal(G(np.array([1.0])), G(np.array([-1.0]))))
    rng = np.random.default_rng(0)
    dependent = np.sum(np.linalg.matrix_rank(rng.standard_normal((DRAWS, 2, 2))) < 2)
    return Erratum(
        "E8",
        "Theorem 2",
        "For i.i.d. weights (say Gaussian), z is unique with probability 1 where s_L < n, s_i <"
        " s_{i+1} and s_1 >= n_0",
        f"Weights +-1, equally probable, n_0 = 1, n_1 = n = 2, z = 1: {met} of the 64 networks meet"
        " the conditions (so does z' = -1)",
        (Measurement("probability that G(-1) = G(1), given the conditions", lost / met, 0.0),),
        "Entries with a density, and z fixed before the weights are drawn (E9): a square matrix is"
        " then regular with probability 1",
        (
            Measurement(
                f"share of singular ones among {DRAWS} Gaussian W_1", float(dependent) / DRAWS, 0.0
            ),
        ),
    )


def e9() -> Erratum:
    """Theorem 2 is not uniform in z."""
    W_0 = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    rng = np.random.default_rng(0)
    exists = fixed = 0
    example = None
    for _ in range(DRAWS // 10):
        W_1 = rng.standard_normal((3, 4))
        v = np.linalg.svd(W_1)[2][-1]  # W_1 v = 0
        v = v * np.sign(v[0])
        if np.array_equal(np.sign(v), [1, 1, -1, -1]):
            exists += 1
            example = (W_1, v)
        fixed += bool(
            np.allclose(v[:2] / np.linalg.norm(v[:2]), np.sqrt(0.5), rtol=1e-12)
            and np.all(v[2:] < 0)
        )
    assert example is not None
    W_1, v = example
    G, z, other = Generator([W_0, W_1]), v[:2], v[2:]
    assert G.supports(z)[0].sum() == G.supports(other)[0].sum() == 2
    return Erratum(
        "E9",
        "Theorem 2, if read for all signals of one network",
        "With probability 1 (over the weights) z is unique for every signal that meets the"
        " conditions",
        "W_0 = [I; -I], n_0 = 2, n = 3, Gaussian W_1: where its null vector has signs (+, +, -, -),"
        " two cones of G's range cross, and"
        " z > 0 and z' < 0 with s_1 = 2 >= n_0, s_1 < n give the same signal",
        (
            Measurement(
                f"share of {DRAWS // 10} networks with such a pair", exists / (DRAWS // 10), 0.0
            ),
            Measurement("||z - z'|| where ||G(z) - G(z')|| <= 1e-12", _apart(G, z, other), 0.0),
        ),
        "For z fixed before the weights are drawn, the probability is 1; for all z at once take"
        " Theorem 1, s_L < (n + 1) / 2",
        (
            Measurement(
                "share of the same networks where z = (1, 1) has such a partner",
                fixed / (DRAWS // 10),
                0.0,
            ),
        ),
    )


def e10() -> Erratum:
    """Theorem 4 needs full column rank."""
    sigma, G, z = 0.1, Generator([np.eye(2), np.ones((1, 2))]), np.ones(2)
    e = sigma * np.random.default_rng(0).standard_normal((DRAWS, 1))
    inv = oracle(G, G(z) + e, [np.ones((DRAWS, 2), bool)])
    squares = np.sum((inv.layers[0] - 1) ** 2, axis=1)
    above = float(squares.mean() + 4 * squares.std() / np.sqrt(DRAWS))
    corrected = oracle_error(G, G.supports(z), sigma)
    return Erratum(
        "E10",
        "Theorem 4, eq. 13",
        "With known supports, E||x^_i - x_i||^2 is at least sigma^2 s_i / prod lambda_max (no"
        " condition on W~_j)",
        "W~_1 = (1, 1), x_1 = (1, 1), sigma = 0.1; of the many answers of Algorithm 4, the one of"
        " least norm",
        (
            Measurement(
                "printed lower bound, against the mean of 10 000 draws + 4 standard errors",
                sigma**2 * 2 / 2,
                above,
            ),
        ),
        "W~_j of full column rank for all j >= i; else nothing but 0 from below and inf from above",
        (
            Measurement(
                "lower bound (the upper one is inf)",
                float(corrected.lower[1]),
                float(squares.mean()),
            ),
        ),
    )


def e11() -> Erratum:
    """The debiasing step of Algorithm 3 multiplies matrices that do not fit."""
    rng = np.random.default_rng(0)
    G, z = (
        Generator([rng.standard_normal((6, 2)), rng.standard_normal((9, 6))]),
        rng.standard_normal(2),
    )
    S = G.supports(z)[0]
    product_ = G.weights[1][:, S] @ G.weights[0][S]
    return Erratum(
        "E11",
        "Algorithm 3, debiasing",
        "G(z) = phi((prod_{i=L..0} W_i^{S_{i+1}}) z), the superscript keeping rows",
        "n_0 = 2, n_1 = 6, n = 9: W_1^{S_2} has n_1 columns, W_0^{S_1} has s_1 rows",
        (Measurement("n_1, against s_1", 6.0, float(S.sum())),),
        "W_i[S_{i+1}, S_i], rows and columns kept",
        (Measurement("|product z - G(z)|", float(np.abs(product_ @ z - G(z)).max()), 1e-12),),
    )


def e12() -> Erratum:
    """Recovery with cardinalities that grow by less than a factor of 2."""
    rng = np.random.default_rng(0)
    G = Generator([rng.standard_normal((30, 10)), rng.standard_normal((100, 30))])
    z = rng.standard_normal((200, 10))
    s = G.supports(z)[0].sum(axis=1)
    z = z[(s > 10) & (s < 20)][:20]
    s = G.supports(z)[0].sum(axis=1)
    found = snr(z, latent_pursuit(G, G(z), solve=reference.solve, debias=False).z)
    return Erratum(
        "E12",
        "section 6.1",
        "Gradient descent (and any other algorithm) fails when the ratio between the cardinalities"
        " of the layers is smaller than 2",
        f"Gaussian weights, 10-30-100, {len(z)} signals with s_1 / n_0 from {s.min() / 10:g} to"
        f" {s.max() / 10:g}: Latent-Pursuit",
        (Measurement("share recovered to 150 dB", float(np.mean(found > 150)), 0.0),),
        "As Theorem 2 says: a ratio above 1 suffices",
        (Measurement("share not recovered", float(np.mean(found <= 150)), 0.0),),
    )


def _apart(G: Generator, z: object, other: object) -> float:
    """||z - z'|| if both give the same signal, else 0."""
    a, b = np.asarray(z), np.asarray(other)
    return float(np.linalg.norm(a - b)) if np.linalg.norm(G(a) - G(b)) <= 1e-12 else 0.0


MORE: tuple[Callable[[], Erratum], ...] = (e7, e8, e9, e10, e11, e12)
