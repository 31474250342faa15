"""Powers of two change no figure, over the whole range of float64; what is lost is refused."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import LastLayer, LeastSquares, MidLayer, verify
from cvxinv.newton.units import power_of_two
from tests.support.instances import CLASSES, DATA, replaced, solved

POWERS = st.integers(-900, 900)


def scaled(problem, matrix, signal):
    """The statement with matrix * W and signal * data; None where its weights are no float64."""
    weights = {}
    with np.errstate(all="ignore"):
        if hasattr(problem, "lam"):
            weights["lam"] = problem.lam * matrix * signal
        if hasattr(problem, "gamma"):
            weights["gamma"] = problem.gamma * matrix * matrix
    old = {name: getattr(problem, name) for name in weights}
    for name, value in weights.items():
        if not np.all(np.isfinite(value)) or np.any((np.abs(value) < 1e-290) & (old[name] != 0)):
            return None
    bias = None if problem.bias is None else signal * problem.bias
    data = {DATA[type(problem)]: signal * getattr(problem, DATA[type(problem)])}
    return replaced(problem, W=matrix * problem.W, bias=bias, **data, **weights)


@given(cls=st.sampled_from(CLASSES), seed=st.integers(0, 3), of_matrix=POWERS, of_signal=POWERS)
@example(cls=LeastSquares, seed=0, of_matrix=0, of_signal=-541)
@example(cls=LeastSquares, seed=1, of_matrix=-541, of_signal=0)
@example(cls=LeastSquares, seed=1, of_matrix=600, of_signal=800)
@example(cls=MidLayer, seed=2, of_matrix=-400, of_signal=410)
def test_powers_of_two_change_no_figure(cls, seed, of_matrix, of_signal):
    problem, sol = solved(cls, "noisy", seed)
    matrix, signal = 2.0**of_matrix, 2.0**of_signal
    other = scaled(problem, matrix, signal)
    if other is None or abs(of_signal - of_matrix) > 900:
        return
    rng = np.random.default_rng(seed)
    for x in (sol.x, 0 * sol.x, sol.x * (1 + 1e-3 * rng.standard_normal(sol.x.shape))):
        dual = None if sol.dual is None else signal * sol.dual
        here, there = (
            verify(problem, x, sol.dual),
            verify(other, x * 2.0 ** (of_signal - of_matrix), dual),
        )
        for name in ("kkt", "violation", "gap"):
            np.testing.assert_allclose(
                getattr(there, name), getattr(here, name), rtol=1e-9, atol=1e-13, err_msg=name
            )
        np.testing.assert_array_equal(there.optimal(1e-8), here.optimal(1e-8))


@pytest.mark.parametrize("size", [1e-163, 1e-250, 1e163])
def test_zero_does_not_solve_what_squares_cannot_hold(size):
    rng = np.random.default_rng(0)
    W, x = rng.standard_normal((8, 3)), np.array([1.0, 2.0, 3.0])
    for problem, found in (
        (LeastSquares(W, size * (W @ x)), size * x),
        (LeastSquares(size * W, W @ x), x / size),
        (LastLayer(size * W, size * (W @ x)), x),
    ):
        assert not verify(problem, 0 * x).optimal(0.1)
        assert verify(problem, found).optimal(1e-8)
        assert not verify(problem, 1.001 * found).optimal(1e-8)


def test_columns_that_are_lost_beside_others_are_refused():
    W = np.array([[1e150, 0.0], [0.0, 1e-150]])
    c = verify(LeastSquares(W, np.array([1e150, 1e-150])), np.array([1.0, 1.0]))
    assert c.kkt == np.inf
    assert not c.optimal(1e-2)


def test_powers_of_two():
    values = np.array([0.0, 1.0, 1.5, 2.0, 3e300, 5e-324, 1e-310, np.finfo(float).max])
    powers = power_of_two(values)
    assert (np.frexp(powers)[0] == 0.5).all()
    np.testing.assert_array_equal(powers[0], 1.0)
    assert ((powers <= values) & (values / 2 < powers) | (values == 0)).all()
