"""The units in which a point is judged: none that it sets itself, none that hides it."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, verify
from tests.support.instances import CLASSES, DATA, MASK
from tests.support.tolerances import OPTIMAL

DRAWS = st.integers(0, 2**32 - 1)
SIZES = st.sampled_from([1e-9, 1e-3, 1.0, 1e9, 1e12, 1e30])


def nothing(cls, W, weight, hidden=False):
    """A statement whose data ask for nothing: target zero, or all of it hidden, and d >= 0."""
    m = len(W)
    options = {"W": W, DATA[cls]: np.zeros((1, m))}
    if hidden and cls not in (MidLayer, Latent):
        options |= {DATA[cls]: np.ones((1, m)), MASK[cls]: np.zeros(m, bool)}
    if cls in (MidLayer, Latent):
        options |= {MASK[cls]: np.arange(m) < (0 if hidden else m // 2)}
        options["bias"] = np.where(np.arange(m) < m // 2, 0.0, -1.0)
    if cls is not LeastSquares:
        options["gamma" if cls is Latent else "lam"] = weight
    return cls(**options)


@given(cls=st.sampled_from(CLASSES), draw=DRAWS, size=SIZES, weight=st.sampled_from([1e-12, 1.0]))
@example(cls=LastLayer, draw=0, size=1e9, weight=1.0)
@example(cls=BasisPursuit, draw=1, size=1e30, weight=1e-12)
@example(cls=Latent, draw=2, size=1e9, weight=1.0)
def test_where_nothing_is_asked_for_whatever_costs_something_is_refused(cls, draw, size, weight):
    rng = np.random.default_rng(draw)
    W = np.round(2 * rng.standard_normal((2, 4)))  # with directions that it does not see
    for hidden in (False, True):
        problem = nothing(cls, W, weight, hidden)
        assert verify(problem, np.zeros((1, 4))).optimal(1e-12).all()
        for x in (rng.standard_normal(4), np.linalg.svd(W)[2][-1], np.eye(4)[0]):
            x = size * np.abs(x) if cls in (LastLayer, MidLayer) else size * x
            c = verify(problem, x[None])
            if cls is not LeastSquares:
                assert not c.optimal(1e-2).any()
                assert (c.gap > 0.5).all()
            elif c.objective > 1e-20 * size**2:
                assert not c.optimal(1e-2).any()


@pytest.mark.parametrize(("activation", "size"), [("sigmoid", 1e6), ("tanh", 1e-3), ("tanh", 1e9)])
def test_a_point_far_out_is_not_stationary_for_a_signal_of_zero(activation, size):
    problem = LastLayer(np.array([[1.0, -1.0]]), np.zeros((1, 1)), activation, lam=1e-3)
    for x in ([size, 0.0], [size, size]):
        assert not verify(problem, np.array([x])).stationary(1e-6).any()


@given(draw=DRAWS, power=st.integers(0, 14), below=st.sampled_from([1e-3, 1.0, 5.0]))
@example(draw=0, power=12, below=5.0)
@example(draw=1, power=0, below=1.0)
def test_entries_below_zero_are_seen_on_columns_of_any_size(draw, power, below):
    rng = np.random.default_rng(draw)
    W = rng.standard_normal((5, 3))
    W[:, 1] *= 10.0**-power
    x = rng.uniform(0.5, 1, 3)
    y = W @ x
    x[1] = -below
    rows = np.array([1, 1, 1, 1, 0], bool)
    in_a_row = np.append(W[:4], [[0.0, -1.0, 0.0]], axis=0)  # it says -x_2 <= 10
    for problem in (
        LastLayer(W, y),
        MidLayer(W, y),
        MidLayer(in_a_row, np.append(y[:4], 0), support=rows, bias=np.array([0, 0, 0, 0, -10.0])),
    ):
        assert verify(problem, x).violation > OPTIMAL


def test_an_entry_below_zero_beside_the_rows_that_it_changes():
    problem = MidLayer(
        np.array([[1, 1e-12], [0, -1.0]]),
        np.array([1.0, 0.0]),
        support=np.array([True, False]),
        bias=np.array([0.0, -10.0]),
    )
    assert not verify(problem, np.array([1.0, -5.0])).optimal(1e-8)
    assert verify(problem, np.array([1.0, 0.0])).optimal(1e-8)


@pytest.mark.parametrize("size", [1.0, 1e9, 1e12])
@pytest.mark.parametrize("cls", [LastLayer, BasisPursuit, LeastSquares])
def test_data_that_no_column_reaches_set_no_scale(cls, size):
    rng = np.random.default_rng(0)
    W = rng.standard_normal((6, 3))
    W[2] = 0
    x = np.abs(rng.standard_normal(3))
    data = W @ x + np.where(np.arange(6) == 2, size, 0.0)
    assert verify(cls(W, data), x).optimal(1e-8)
    assert not verify(cls(W, data), 1.001 * x).optimal(1e-6)
