"""Small generators, some with weights that no random draw has, and what is said of them."""

from itertools import pairwise

import numpy as np

import cvxinv

SIZES = (2, 6, 7, 5)


def generator(seed, sizes=SIZES, kind="gaussian", bias=False):
    """A small generator; `kind` spoils the weights above the first."""
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal((m, n)) for n, m in pairwise(sizes)]
    for W in weights[1:]:
        if kind == "repeated":
            W[:, 0] = 2 * W[:, -1]
        elif kind == "zero_column":
            W[:, 1] = 0
        elif kind == "rank_two":
            W[:] = W[:, :2] @ rng.standard_normal((2, W.shape[1]))
    if kind == "singular":
        weights[0][:, 0] = weights[0][:, 1]
    biases = [0.3 * rng.standard_normal(n) for n in sizes[1:]] if bias else None
    return cvxinv.Generator(weights, biases)


def latents(seed, B=6, n=SIZES[0]):
    return np.random.default_rng([seed, 1]).standard_normal((B, n))


def verdicts(found):
    """(conditions, B)."""
    return np.array([c.verdict for c in found.conditions], dtype=object)
