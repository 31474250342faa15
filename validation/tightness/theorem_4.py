"""Theorem 4, measured: mean squared errors of the oracle against their bounds."""

from typing import Any

import numpy as np

from cvxinv import Generator, oracle
from cvxinv.guarantees import oracle_error
from validation.tightness.designs import orthonormal, pairs

DRAWS, SEED = 20_000, 0


def theorem4(
    name: str, G: Generator, z: Any, sigma: float = 0.01, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """The oracle's mean squared error over many draws of noise, with its 99 % confidence interval,
    against Theorem 4.
    """
    S = G.supports(z)
    bounds = oracle_error(G, S, sigma)
    y = G(z) + sigma * np.random.default_rng(SEED).standard_normal((draws, G.sizes[-1]))
    inv = oracle(G, y, [np.repeat(s[None], draws, axis=0) for s in S])
    rows = []
    for i, (x, x_hat) in enumerate(zip([z, *G.layers(z)], [inv.z, *inv.layers], strict=True)):
        squares = np.sum((x_hat - x) ** 2, axis=1)
        mean, half = float(squares.mean()), float(2.576 * squares.std() / np.sqrt(draws))
        rows.append(
            {
                "design": name,
                "layer": i,
                "draws": draws,
                "mean": mean,
                "interval_99": [mean - half, mean + half],
                "expected": float(bounds.expected[i]),
                "lower": float(bounds.lower[i]),
                "upper": float(bounds.upper[i]),
            }
        )
    return rows


def oracles() -> list[tuple[str, Generator, Any]]:
    """Generators for Theorem 4: orthogonal at every support, where both bounds are equal; and
    Gaussian ones.
    """
    rng = np.random.default_rng(0)
    W_0, W_1 = pairs(2 * orthonormal(4, 4, rng)), pairs(orthonormal(8, 8, rng))
    orthogonal = Generator([W_0, W_1, 3 * orthonormal(24, 16, rng)])
    gaussian = Generator([rng.standard_normal((m, n)) for n, m in ((3, 16), (16, 40), (40, 60))])
    return [
        ("orthogonal", orthogonal, rng.standard_normal(4)),
        ("Gaussian", gaussian, rng.standard_normal(3)),
    ]
