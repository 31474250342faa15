"""How statements print: small ones as Python that states them again, others by their sizes."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    LinearProgram,
    MidLayer,
    activations,
)

# whoever states a problem can do without the reference, and so without cvxpy
PUBLIC = {name: getattr(cvxinv, name) for name in cvxinv.__all__ if name != "reference"}
NUMBERS = st.floats(-1e300, 1e300, allow_nan=False)
PHI = ["identity", "tanh", "plu", activations.PLU(0.5, 2.0), activations.LeakyReLU(0.3)]


def arrays(shape, entries=NUMBERS):
    size = int(np.prod(shape))
    return st.lists(entries, min_size=size, max_size=size).map(lambda v: np.array(v).reshape(shape))


@st.composite
def statements(draw):
    """Statements of every class, of one signal or two, whose arrays hold 24 numbers at most."""
    m, n, B = draw(st.tuples(*[st.integers(1, 2)] * 2, st.integers(0, 2)))
    batch = (B,) if B else ()
    W, data = draw(arrays((m, n))), draw(arrays((*batch, m)))
    bias = draw(st.none() | arrays((m,)))
    shapes = st.sampled_from([(m,), (*batch, m)])
    mask = draw(st.none() | shapes.flatmap(lambda shape: arrays(shape, st.booleans())))
    weight = draw(st.floats(0, 1e300))
    match draw(st.integers(0, 5)):
        case 0:
            return LastLayer(W, data, draw(st.sampled_from(PHI)), bias, weight, mask)
        case 1:
            return MidLayer(W, data, mask, bias, weight)
        case 2:
            return Latent(W, data, mask, bias, weight)
        case 3:
            return BasisPursuit(W, data, mask, bias, draw(arrays((n,), st.floats(0, 9))))
        case 4:
            return LeastSquares(W, data, mask, draw(st.none() | arrays((n,), st.booleans())), bias)
        case _:
            return LinearProgram(W, data, mask, bias, "l1", draw(st.booleans()), mask)


def assert_equal(a, b):
    assert type(a) is type(b)
    for f in fields(a):
        one, other = getattr(a, f.name), getattr(b, f.name)
        assert type(one) is type(other), f.name
        np.testing.assert_array_equal(one, other, strict=hasattr(one, "ndim"), err_msg=f.name)


@given(problem=statements())
@example(MidLayer([[2.0, 0.0], [0.0, 1.0]], [2.0, 0.5]))
@example(MidLayer([[1.0]], [[-0.0]], support=[[True]], bias=[5e-324]))
@example(LastLayer([[1.0]], [0.1 + 0.2], activations.Sigmoid()))
def test_small_statements_state_themselves(problem):
    words = repr(problem)
    assert "\n" not in words
    assert_equal(problem, eval(words, dict(PUBLIC)))


W, Y = np.ones((6, 4)), np.ones((3, 6))
SIZES = [
    (MidLayer(W, Y), "MidLayer(W 6 x 4, 3 signals, float64)"),
    (MidLayer(W, Y[0], lam=0.001), "MidLayer(W 6 x 4, 1 signal, float64, lam=0.001)"),
    (Latent(W, Y[:1], bias=Y[0], gamma=2), "Latent(W 6 x 4, 1 signal, float64, bias, gamma=2.0)"),
    (Latent(W, Y[:0]), "Latent(W 6 x 4, 0 signals, float64)"),
    (
        LastLayer(W.astype(np.float32), Y.astype(np.float32), "tanh", observed=Y[0] > 0),
        "LastLayer(W 6 x 4, 3 signals, float32, activation='tanh', observed)",
    ),
    (
        LastLayer(torch.ones(1, 1), torch.ones(1)),
        "LastLayer(W 1 x 1, 1 signal, torch float32 on cpu)",
    ),
    (
        LastLayer([[1.0]], [np.nan], activations.PLU(0.5, 2.0)),
        "LastLayer(W 1 x 1, 1 signal, float64, activation=activations.PLU(alpha=0.5, c=2.0))",
    ),
    (BasisPursuit(W, Y, lam=np.ones(4)), "BasisPursuit(W 6 x 4, 3 signals, float64, lam)"),
    (
        LinearProgram(W, Y, norm="l1", nonnegative=False),
        "LinearProgram(W 6 x 4, 3 signals, float64, norm='l1', nonnegative=False)",
    ),
    (
        MidLayer(np.ones((392, 128)), np.ones((512, 392)), np.ones(392, bool), lam=1e-3),
        "MidLayer(W 392 x 128, 512 signals, float64, support, lam=0.001)",
    ),
]


@pytest.mark.parametrize(("problem", "words"), SIZES, ids=[words for _, words in SIZES])
def test_other_statements_say_their_sizes(problem, words):
    assert repr(problem) == words


def test_small_is_24_numbers():
    assert repr(MidLayer(np.ones((4, 5)), np.ones(4))).startswith("MidLayer(W=[[1.0, ")
    assert repr(MidLayer(np.ones((4, 5)), np.ones(4), bias=[0, 0, 0, 0])).startswith("MidLayer(W 4")
