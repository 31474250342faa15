"""What is no number, array, mask, .. : for each kind of argument, values that must be refused.

The matrix of the calls is (6, 4), for 3 signals; the generator has sizes 3, 8, 12, for 5 signals.
"""

import warnings
from typing import Any

import numpy as np
import torch

from cvxinv.activations import Sigmoid

W = np.ones((6, 4))


class Steeper(Sigmoid):
    """Another function under the sigmoid's name."""

    def __call__(self, t):
        return super().__call__(2 * t)


def masked(shape):
    return np.ma.array(np.ones(shape), mask=np.arange(np.prod(shape)).reshape(shape) == 0)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX, NARROW = np.matrix(np.ones((3, 6))), np.matrix(np.ones((2, 6)))
CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
WORDS = ["text", b"bytes", object(), {}, len]
NO_NUMBERS = [*WORDS, True, np.True_, torch.tensor(True), 1j, np.ma.masked, [None], np.nan, np.inf]
NO_ARRAYS = [
    *WORDS,
    3.0,
    masked((3, 6)),
    [masked(6), masked(6)],
    MATRIX,
    [["a", "b"], ["c", "d"]],
    [[1 + 5j, 2.0], [3.0, 4.0]],
    [[1.0, 2.0], [3.0]],
    [None, 1.0],
    CIRCLE,
    np.array([[1.0, None]], dtype=object),
    np.ones((3, 6), dtype=complex),
    np.ones((3, 6), dtype=np.float16),
    torch.ones((3, 6), dtype=torch.bfloat16),
    torch.ones((3, 6)).to_sparse(),
    np.ones((2, 2, 2)),
    np.ones((3, 77)),
]
NO_FLOATS = [*NO_ARRAYS, np.ones((3, 6), dtype=bool)]
NO_MASKS = [*NO_ARRAYS, np.ones((3, 6)), np.full((3, 6), 2), np.ones(77, dtype=bool)]
NO_MATRIX = [*NO_FLOATS[:-2], np.ones(6), np.ones((0, 4)), np.full((6, 4), np.nan)]
BAD: dict[str, list[Any]] = {
    "matrix": [None, *NO_MATRIX],
    "signals": [None, *NO_FLOATS],
    "points": [None, *NO_FLOATS],
    "points?": NO_FLOATS,
    "numbers": [None, *NO_FLOATS[:-3], NO_FLOATS[-1]],
    "vector?": [*NO_FLOATS, np.full(6, np.inf)],
    "mask?": NO_MASKS,
    "number >= 0": [None, *NO_NUMBERS, -1, np.ones(2)],
    "number >= 0?": [*NO_NUMBERS, -1, np.ones(2)],
    "number > 0?": [*NO_NUMBERS, -1, 0, np.ones(2)],
    "share": [None, *NO_NUMBERS, -1, 1.0],
    "share?": [*NO_NUMBERS, -1, 1.0],
    "per signal": [None, *NO_NUMBERS, -1, np.ones(77), [1.0, "a"]],
    "per signal?": [*NO_NUMBERS, -1, np.ones(77), [1.0, "a"]],
    "weights": [None, *NO_NUMBERS, -1, np.ones(77), [1.0, "a"]],
    "per layer": [None, *NO_NUMBERS, -1, [1.0, 2.0, 3.0], [True]],
    "count": [None, *WORDS, True, np.True_, 1.0, -1, np.ones(2), "3", np.nan],
    "count?": [*WORDS, True, np.True_, 1.0, -1, np.ones(2), "3", np.nan],
    "count > 0": [None, *WORDS, True, 1.0, -1, 0, np.ones(2)],
    "count > 0?": [*WORDS, True, 1.0, -1, 0, np.ones(2)],
    "jobs": [None, *WORDS, True, 1.0, 0, np.ones(2)],
    "flag": [None, *WORDS, 0, 1, 1.0, np.ones(2)],
    "flag?": [*WORDS, 0, 1, 1.0, np.ones(2)],
    "progress": [None, *WORDS[:-1], 0, 1, 1.0, np.ones(2)],
    "progress?": [*WORDS[:-1], 0, 1, 1.0, np.ones(2)],
    "choice": [None, *WORDS, 3, 1.0, True, np.ones(2)],
    "solver?": [*WORDS, 3, True],
    "activation": [None, *WORDS, 3, Steeper(), Sigmoid],
    "generator": [None, *WORDS, W, [W, W]],
    "problem": [None, *WORDS, W],
    "supports": [None, *WORDS, [], [np.ones((5, 8))], [np.ones((5, 7), bool)], [masked((5, 8))]],
    "layers?": [*WORDS, [], [np.ones((5, 7))], [np.ones((5, 8), complex)], [masked((5, 8))]],
    "latents": [None, *NO_FLOATS, [], [np.ones((5, 8))]],
    "sparsity": [None, *WORDS, 2, True, [1, 2], [-1], [1.5], [True], ["a"], [np.nan]],
    "solve?": ["text", 3, W],
    "image shape?": [*WORDS, "ab", 12.0, (3,), (3, 5), (0, 12), (-3, -4), (3.0, 4), (True, 12)],
    "list of matrices": [None, *WORDS, W, [W], [W, "a"], [W, W], [W, NARROW]],
    "list of vectors?": [
        *WORDS,
        3.0,
        [],
        [np.ones(8)],
        [np.ones(8), np.ones(11)],
        [np.ones(8)] * 2,
    ],
}
