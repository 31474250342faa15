"""Signals of a statement by number, how many there are, and what the statement minimises."""

import numpy as np
import pytest
import torch
from hypothesis import given

from cvxinv import LastLayer, LinearProgram, certificate
from tests.support.strategies import STATEMENTS, seeds, statements
from tests.support.tolerances import FORWARD

QUADRATIC = tuple(cls for cls in STATEMENTS if cls is not LinearProgram)


@given(statements())
def test_signals_by_number_are_those_of_a_loop(problem):
    if problem.data.ndim == 1:
        with pytest.raises(TypeError, match="one signal"):
            len(problem)
        with pytest.raises(TypeError, match="one signal"):
            problem[0]
        return
    alone = list(problem)
    assert len(alone) == len(problem) == len(problem.data)
    for b, one in enumerate(alone):
        np.testing.assert_array_equal(one.data, problem.data[b])
        assert repr(one) == repr(problem[b])
    assert len(problem[:1]) == min(1, len(problem))
    assert problem  # also where there are no signals
    mask = np.arange(len(problem)) % 2 == 1
    np.testing.assert_array_equal(problem[mask].data, problem.data[mask])


@given(statements(QUADRATIC), seeds)
def test_the_objective_is_that_of_the_certificate(problem, seed):
    x = np.random.default_rng(seed).standard_normal((*problem.data.shape[:-1], problem.W.shape[1]))
    expected = certificate.verify(problem, x).objective
    np.testing.assert_allclose(problem.objective(x), expected, rtol=1e-5, atol=0)


def test_the_objective_of_a_linear_program():
    rng = np.random.default_rng(0)
    W, t, x = rng.standard_normal((5, 3)), rng.standard_normal((2, 5)), rng.standard_normal((2, 3))
    error = x @ W.T - t
    error = np.where(t > 0, np.abs(error), np.maximum(error + t, 0))
    largest = LinearProgram(W, t).objective(x)
    np.testing.assert_allclose(largest, error.max(axis=1), rtol=FORWARD)
    total = LinearProgram(W, t, norm="l1").objective(x)
    np.testing.assert_allclose(total, error.sum(axis=1), rtol=FORWARD)


def test_the_objective_of_eq_5_in_both_kinds_of_arrays():
    y, seen = np.array([[0.5, np.nan], [0.2, 0.1]]), np.array([[True, False], [True, True]])
    x = np.array([[1.0], [2.0]])
    problem = LastLayer(np.array([[1.0], [0.0]]), y, "tanh", lam=0.5, observed=seen)
    misfit = np.array([0.5 - np.tanh(1), 0.2 - np.tanh(2)]) ** 2 + [0, 0.01]
    expected = 0.5 * misfit + [0.5, 1.0]
    np.testing.assert_allclose(problem.objective(x), expected, rtol=FORWARD)
    tensors = LastLayer(torch.tensor([[1.0], [0.0]]).double(), torch.tensor(y), "tanh", lam=0.5)
    values = tensors.objective(torch.tensor(x))
    assert torch.isnan(values[0])
    one = problem[1].objective(x[1])
    assert one.shape == ()
    np.testing.assert_allclose([values[1], one], expected[1], rtol=FORWARD)


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"x: expected shape \(2, 1\), got \(1, 1\)"):
        LastLayer(np.ones((3, 1)), np.ones((2, 3))).objective(np.ones((1, 1)))
