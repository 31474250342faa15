"""What Theorems 2 and 4 need and do not say: errata E8, E9 and E10."""

from itertools import product

import numpy as np

from cvxinv import Generator, oracle
from cvxinv.guarantees import oracle_error
from validation.errata.erratum import Erratum, Measurement

DRAWS = 10_000
NETWORKS = DRAWS // 10


def e8() -> Erratum:
    """Theorem 2 for entries that are not continuous."""
    lost = met = 0
    for signs in product((-1.0, 1.0), repeat=6):
        W_0, W_1 = np.array(signs[:2]).reshape(2, 1), np.array(signs[2:]).reshape(2, 2)
        G = Generator([W_0, W_1])
        s_1 = [int(G.supports(np.array([t]))[0].sum()) for t in (1.0, -1.0)]
        if s_1 == [1, 1]:  # s_1 >= n_0 = 1 and s_1 < n = 2, for both
            met += 1
            lost += bool(np.array_equal(G(np.array([1.0])), G(np.array([-1.0]))))
    gaussian = np.random.default_rng(0).standard_normal((DRAWS, 2, 2))
    singular = float(np.mean(np.linalg.matrix_rank(gaussian) < 2))
    return Erratum(
        name="E8",
        place="Theorem 2",
        claim="For i.i.d. weights (say Gaussian), z is unique with probability 1 where s_L < n,"
        " s_i < s_{i+1} and s_1 >= n_0",
        counterexample="Weights +-1, equally probable, n_0 = 1, n_1 = n = 2, z = 1:"
        f" {met} of the 64 networks meet the conditions (so does z' = -1)",
        printed=(
            Measurement("probability that G(-1) = G(1), given the conditions", lost / met, 0.0),
        ),
        correction="Entries with a density, and z fixed before the weights are drawn (E9): a square"
        " matrix is then regular with probability 1",
        corrected=(
            Measurement(f"share of singular ones among {DRAWS} Gaussian W_1", singular, 0.0),
        ),
    )


def e9() -> Erratum:
    """Theorem 2 is not uniform in z."""
    W_0 = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    rng = np.random.default_rng(0)
    exists = fixed = 0
    apart = 0.0
    for _ in range(NETWORKS):
        W_1 = rng.standard_normal((3, 4))
        v = np.linalg.svd(W_1)[2][-1]  # W_1 v = 0
        v = v * np.sign(v[0])
        if np.array_equal(np.sign(v), [1, 1, -1, -1]):
            exists += 1
            apart = _apart(Generator([W_0, W_1]), v[:2], v[2:])
        along = np.allclose(v[:2] / np.linalg.norm(v[:2]), np.sqrt(0.5), rtol=1e-12)
        fixed += bool(along and np.all(v[2:] < 0))
    return Erratum(
        name="E9",
        place="Theorem 2, if read for all signals of one network",
        claim="With probability 1 (over the weights) z is unique for every signal that meets the"
        " conditions",
        counterexample="W_0 = [I; -I], n_0 = 2, n = 3, Gaussian W_1: where its null vector has"
        " signs (+, +, -, -), two cones of G's range cross, and z > 0 and z' < 0 with"
        " s_1 = 2 >= n_0, s_1 < n give the same signal",
        printed=(
            Measurement(f"share of {NETWORKS} networks with such a pair", exists / NETWORKS, 0.0),
            Measurement("||z - z'|| where ||G(z) - G(z')|| <= 1e-12", apart, 0.0),
        ),
        correction="For z fixed before the weights are drawn, the probability is 1; for all z at"
        " once take Theorem 1, s_L < (n + 1) / 2",
        corrected=(
            Measurement(
                "share of the same networks where z = (1, 1) has such a partner",
                fixed / NETWORKS,
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
    mean, deviation = float(squares.mean()), float(squares.std() / np.sqrt(DRAWS))
    printed = sigma**2 * 2 / 2  # sigma^2 s_1 / lambda_max(W~_1'W~_1)
    corrected = float(oracle_error(G, G.supports(z), sigma).lower[1])
    return Erratum(
        name="E10",
        place="Theorem 4, eq. 13",
        claim="With known supports, E||x^_i - x_i||^2 is at least sigma^2 s_i / prod lambda_max (no"
        " condition on W~_j)",
        counterexample="W~_1 = (1, 1), x_1 = (1, 1), sigma = 0.1; of the many answers of"
        " Algorithm 4, the one of least norm",
        printed=(
            Measurement(
                "printed lower bound, against the mean of 10 000 draws + 4 standard errors",
                printed,
                mean + 4 * deviation,
            ),
        ),
        correction="W~_j of full column rank for all j >= i; else nothing but 0 from below and inf"
        " from above",
        corrected=(Measurement("lower bound (the upper one is inf)", corrected, mean),),
    )


def _apart(G: Generator, z: np.ndarray, other: np.ndarray) -> float:
    """||z - z'|| if both have two active rows and give the same signal, else 0."""
    assert G.supports(z)[0].sum() == G.supports(other)[0].sum() == 2
    return float(np.linalg.norm(z - other)) if np.linalg.norm(G(z) - G(other)) <= 1e-12 else 0.0
