"""`assert_optimal`: one signal or many, arrays and tensors, and what its message says."""

import re

import numpy as np
import pytest
import torch

import fast
from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, LinearProgram, MidLayer
from cvxinv.errors import NotConvexError
from cvxinv.testing import ShapeError, assert_optimal
from cvxinv.testing.judge import above

TWO = np.eye(2)
Y = np.array([[1.0, -2.0], [3.0, 4.0]])
PROBLEM = LastLayer(TWO, Y)
X = np.array([[1.0, 0.0], [3.0, 4.0]])
# x >= 1 and x <= -1 of the first signal
APART = MidLayer(np.array([[-1.0], [1.0], [1.0]]), np.array([[0, 0, 1.0], [0, 1.0, 1.0]]),
                 bias=np.array([1.0, 1.0, 0.0]))  # fmt: skip


def message(problem, x, *args, **options):
    with pytest.raises(AssertionError) as found:
        assert_optimal(problem, x, *args, **options)
    return str(found.value)


def test_solutions_pass():
    assert_optimal(PROBLEM, X)
    assert_optimal(PROBLEM, X.tolist())
    assert_optimal(PROBLEM[0], X[0])
    assert_optimal(PROBLEM[0], [1.0, 0.0])
    assert_optimal(PROBLEM, (X, None))
    assert_optimal(PROBLEM, fast.solve(PROBLEM))
    assert_optimal(PROBLEM[1], fast.solve(PROBLEM[1]), tol=1e-8)
    assert_optimal(LastLayer(torch.tensor(TWO), torch.tensor(Y)), torch.tensor(X))
    assert_optimal(LastLayer(torch.tensor(TWO), torch.tensor(Y)), X)


def test_multipliers_are_taken_or_recovered():
    """x_2 <= 0 is all that keeps x_2 from 1."""
    problem = MidLayer(np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]]))
    x, dual = np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])
    for answer in (x, (x, dual), (x, None)):
        assert_optimal(problem, answer)
    assert_optimal(problem, x, dual=dual)
    wrong = np.array([[0.0, -1.0]])
    for words in (message(problem, (x, wrong)), message(problem, x, dual=wrong)):
        assert "row 0: KKT" in words
        assert "multiplier of row 1 below zero" in words


def test_wrong_rows_are_named_with_criterion_and_entry():
    words = message(PROBLEM, np.array([[1.0, 0.0], [3.0, 5.0]]))
    assert re.match(r"row 1: KKT 0\.\d+ > 1e-06: gradient on the support at x\[1\]\n", words)
    words = message(PROBLEM, np.array([[1.0, -0.5], [3.0, 4.0]]))
    assert re.match(r"row 0: violation 0\.\d+ > 1e-06: x\[1\] below zero", words)
    words = message(PROBLEM, np.array([[1.0, np.nan], [3.0, 4.0]]))
    assert words.startswith("row 0: violation inf > 1e-06: x holds nan or inf")
    single = message(PROBLEM[1], np.array([3.0, 0.0]), 1e-3)
    assert single.startswith("KKT")
    assert "> 0.001: gradient off the support: x[1] should not be zero" in single


def test_a_gap_alone_is_named():
    """Far from the optimum of a small weight, though all entries look right."""
    problem = BasisPursuit(TWO, np.array([[1.0, 1.0]]), lam=0.5)
    assert "row 0: KKT" in message(problem, np.array([[0.5, 0.51]]))
    assert_optimal(problem, np.array([[0.5, 0.5]]))


@pytest.mark.parametrize(
    ("value", "tol", "text"),
    [
        (3.14159, 1e-6, "3.1"),
        (1.04e-6, 1e-6, "1.04e-06"),
        (1e-6 * (1 + 1e-9), 1e-6, "1.000000001e-06"),
        (1.0000001234, 1.0000001233, "1.0000001"),  # tol is shown as 1
        (np.inf, 1e-6, "inf"),
        (np.nextafter(1e-6, 1), 1e-6, "1.0000000000000002e-06"),
    ],
)
def test_figures_have_as_many_digits_as_show_that_they_are_above(value, tol, text):
    assert above(value, tol) == text
    assert float(above(np.float64(value), tol)) > float(f"{tol:g}")


def test_many_wrong_rows_are_counted():
    problem = LeastSquares(TWO, np.ones((15, 2)))
    lines = message(problem, np.zeros((15, 2))).splitlines()
    assert [line[:6] for line in lines[:10]] == [f"row {b}:"[:6] for b in range(10)]
    assert lines[10] == ".. and 5 more"


@pytest.mark.parametrize("problem", [PROBLEM, LastLayer(torch.tensor(TWO), torch.tensor(Y))])
def test_small_statements_are_rebuilt_by_the_message(problem):
    words, names = message(problem, X + 1), {}
    exec(words.split("\n\n", 1)[1], names)
    assert type(names["problem"].W) is type(names["x"]) is type(problem.W)
    assert message(names["problem"], names["x"]) == words


def test_large_statements_are_not_printed():
    words = message(LeastSquares(np.eye(20), np.ones((2, 20))), np.zeros((2, 20)))
    assert len(words.splitlines()) == 2


def test_float32_data_are_asked_for_what_they_can_hold():
    problem = LastLayer(TWO.astype("f4"), Y.astype("f4"))
    assert_optimal(problem, X * (1 + 1e-5))
    assert "row 0" in message(problem, X * (1 + 1e-2))
    assert "row 0" in message(PROBLEM, X * (1 + 1e-5))


def test_signals_without_an_answer():
    """nan for data that hold nan; a Solution says it by its status."""
    spoilt = LastLayer(TWO, np.array([[1.0, np.nan], [3.0, 4.0]]))
    assert_optimal(spoilt, np.array([[np.nan, np.nan], [3.0, 4.0]]))
    assert_optimal(spoilt, fast.solve(spoilt))
    assert message(spoilt, np.array([[1.0, 0.0], [3.0, 4.0]])).startswith(
        "row 0: the data hold nan"
    )


def test_signals_that_are_infeasible():
    known = np.array([True, False])
    solution = fast.solve(APART)
    assert_optimal(APART, solution, infeasible=known)
    assert_optimal(APART, solution.x, infeasible=known)
    assert_optimal(APART[0], solution.x[0], infeasible=True)
    assert message(APART, solution.x).startswith("row 0: violation")
    assert message(APART, solution).startswith("row 0: violation")
    assert "row 1: its constraints contradict" in message(APART, solution, infeasible=True)


@pytest.mark.parametrize(
    ("problem", "x", "error", "words"),
    [
        (PROBLEM, X[0], ShapeError, "x: expected shape (2, 2), got (2,)"),
        (PROBLEM[0], X, ShapeError, "x: expected shape (2,), got (2, 2)"),
        (PROBLEM, None, ShapeError, "x: expected shape (2, 2), got None"),
        (PROBLEM, "x", ShapeError, "x: expected shape (2, 2), got 'x'"),
        (PROBLEM, 1.0, ShapeError, "x: expected shape (2, 2), got 1.0"),
        (PROBLEM, {"x": X}, ShapeError, "x: expected shape (2, 2), got dict"),
        (PROBLEM, X > 0, ShapeError, "x: expected float32 or float64 entries, got bool"),
        (PROBLEM, (X, X[0]), ShapeError, "dual: expected shape (2, 2), got (2,)"),
        ("lasso", X, TypeError, "problem: expected"),
        (LinearProgram(TWO, Y), X, TypeError, "expected a layer problem, got a LinearProgram"),
        (LastLayer(TWO, Y, activation="tanh"), X, NotConvexError, "tanh is not convex"),
    ],
)
def test_what_is_refused_in_words(problem, x, error, words):
    with pytest.raises(error, match=re.escape(words)):
        assert_optimal(problem, x)


def test_other_arguments_are_checked():
    with pytest.raises(ValueError, match="tol: expected a positive number, got 0"):
        assert_optimal(PROBLEM, X, tol=0)
    with pytest.raises((TypeError, ValueError), match="infeasible: expected"):
        assert_optimal(PROBLEM, X, infeasible=[True, False, True])
    with pytest.raises((TypeError, ValueError), match="infeasible: expected"):
        assert_optimal(PROBLEM, X, infeasible="no")


def test_latents():
    problem = Latent(np.array([[1.0], [-1.0]]), np.array([1.0, 0.0]), gamma=1.0)
    assert_optimal(problem, np.array([0.5]))
    assert "gradient on the support at x[0]" in message(problem, np.array([1.0]))
    assert "gradient off the support" in message(problem, np.array([0.0]))


def test_points_far_beyond_all_data_are_refused_without_a_warning():
    """Their squares overflow."""
    problem = LastLayer(np.eye(2), np.ones((2, 2)), lam=0.5)
    for far in (1e120, 1e200, 1e308):
        x = np.array([[far, -far], [0.5, 0.5]])
        with pytest.raises(
            AssertionError, match=r"^row 0: violation inf > 1e-06: x holds nan or inf"
        ):
            assert_optimal(problem, x)
