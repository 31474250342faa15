"""`check_solver`: honest solvers pass, arguments are checked, the same seed asks the same."""

import re

import numpy as np
import pytest

import fast
from cvxinv import LeastSquares, Solution
from cvxinv.testing import KINDS, LEVELS, ConformanceError, check_solver, raw, statements
from cvxinv.testing.levels import SWEEP
from cvxinv.testing.sweep import sweep
from tests.support import solvers
from tests.support.draws import drawn

FEW = {"max_examples": 40}
EMPTY = statements("least_squares", rows=1, columns=1, masks=True, batch=None)
ARGUMENTS = (
    "expected one of the arguments of check_solver: solve, problems, tol, max_examples, dtypes,"
    " batch, arrays, library, skip, seed, save"
)


def test_fast_passes():
    """As it does for all kinds: tests/fast/test_conformance.py."""
    check_solver(fast.solve, "qps", max_examples=4)


def test_fast_passes_on_single_tensors():
    check_solver(fast.solve, "latents", batch=None, library="torch", max_examples=4)


def test_solvers_of_arrays_pass():
    check_solver(solvers.of_scipy, "nnls", arrays=True)
    check_solver(solvers.lstsq, "least_squares", arrays=True)


def test_a_solver_of_one_signal_passes_though_it_raises():
    """Where the data hold nan."""
    check_solver(solvers.of_scipy_statement, "nnls", batch=None)


def returned(problem):
    """x, (x, dual) and Solution."""
    found = fast.solve(problem)
    return {1: found.x, 2: (found.x, found.dual)}.get(problem.W.shape[0], found)


def test_what_is_returned_may_be_x_or_more():
    check_solver(returned, "qps", max_examples=4)


def test_a_solver_may_return_lists_and_other_precisions():
    check_solver(lambda problem: solvers.of_scipy_batch(problem).tolist(), "nnls", **FEW)
    doubles = lambda problem: solvers.of_scipy_batch(problem).astype(np.float64)  # noqa: E731
    check_solver(doubles, "nnls", dtypes="float32", **FEW)


# -- what is put to a solver -----------------------------------------------------------------------


def test_levels_come_in_order_and_each_has_examples():
    rows = list(sweep(fast.solve, ["last_layers", "mid_layers"], max_examples=4).rows())
    for kind in ("last_layers", "mid_layers"):
        levels = [row.level for row in rows if row.kind == kind]
        assert levels == [level.name for level in SWEEP if level.applies(kind)]
    assert "infeasible" not in {row.level for row in rows if row.kind == "last_layers"}
    assert tuple(level.name for level in SWEEP) == LEVELS
    assert all(row.examples > 0 for row in rows)


def test_levels_end_with_the_first_that_fails():
    rows = list(sweep(solvers.stopped_early, ["nnls", "last_layers"], **FEW).rows())
    assert [row.kind for row in rows if row.failure is not None] == ["nnls", "last_layers"]
    assert rows[-1].failure is not None


def test_skipped_levels_dtypes_and_batches_are_not_asked():
    found = {}

    def solve(problem):
        found.setdefault("dtype", set()).add(problem.data.dtype.name)
        found.setdefault("batch", set()).add(len(problem))
        return solvers.zero_for_nan(problem)

    check_solver(solve, "nnls", dtypes="float64", batch=2, skip=["not finite"], **FEW)
    assert found == {"dtype": {"float64"}, "batch": {1, 2}}
    found.clear()
    check_solver(solve, "nnls", dtypes=["float32"], batch=1, skip="not finite", **FEW)
    assert found["dtype"] == {"float32"}


def sizes(seed):
    """Of what is asked with a seed."""
    seen = []

    def solve(problem):
        seen.append((problem.W.shape, problem.W.sum(), problem.data.sum()))
        return solvers.of_scipy_batch(problem)

    check_solver(solve, "nnls", seed=seed, skip="not finite", **FEW)
    return seen


def test_the_same_seed_asks_the_same():
    assert sizes(3) == sizes(3) != sizes(4)


def test_the_same_failure_is_found_again():
    def failure():
        with pytest.raises(ConformanceError) as found:
            check_solver(lambda A, b: np.zeros(A.shape[1]), "least_squares", arrays=True, seed=1)
        return str(found.value)

    assert failure() == failure()


# -- arrays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_state_the_same_problem(kind):
    """Their objective is that of the statement, up to a constant for qps."""
    rng = np.random.default_rng(0)
    for problem in drawn(statements(kind, batch=None)):
        given, n = raw(kind, problem), problem.W.shape[1]
        x, zero = rng.random(n), np.zeros(n)
        if isinstance(problem, LeastSquares):
            x = x * given.columns
        part = x[given.columns]
        if kind == "qps":
            P, q, G, h, lb = given.arguments
            value = part @ P @ part / 2 + q @ part + problem.objective(zero)
            assert set(lb) <= {0.0, -np.inf}
        else:
            A, b, *weight = given.arguments
            misfit = A @ part - b
            value = misfit @ misfit / 2
            if kind == "latents":
                value = value + weight[0] / 2 * part @ part
            elif weight:
                value = value + np.sum(weight[0] * np.abs(part))
            G, h = weight[1:] if kind in ("mid_layers", "latents") else (np.zeros((0, n)), [])
        np.testing.assert_allclose(value, problem.objective(x), rtol=1e-12, atol=1e-12)
        assert len(G) == len(h) == given.inequalities.sum()


def test_arrays_without_rows_or_columns_are_left_out():
    """Masks that hide all are drawn; few take what is left."""
    shapes = {raw("least_squares", p).arguments[0].shape for p in drawn(EMPTY)}
    assert any(0 in shape for shape in shapes)

    def solve(A, b):
        assert 0 not in A.shape
        return solvers.lstsq(A, b)

    check_solver(solve, "least_squares", arrays=True)


def test_arrays_are_spread_over_the_statement():
    problem = LeastSquares(np.eye(3), np.ones(3), columns=np.array([True, False, True]))
    given = raw("least_squares", problem)
    x, dual = given.whole((np.array([1.0, 2.0]), None))
    assert (x.tolist(), dual) == ([1.0, 0.0, 2.0], None)
    with pytest.raises(ValueError, match=re.escape("expected x of shape (2,), got (3,)")):
        given.whole(np.ones(3))


# -- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"solve": 3}, TypeError, "solve: expected a function of a problem, got 3"),
        ({"problems": "ridge"}, ValueError, "problems: expected one of 'least_squares'"),
        ({"problems": ["nnls", "ridge"]}, ValueError, "problems: expected one of"),
        ({"problems": 3}, TypeError, "problems: expected one or some of least_squares, nnls"),
        ({"problems": []}, ValueError, "problems: expected at least one of least_squares"),
        ({"tol": 0}, ValueError, "tol: expected a positive number, got 0"),
        ({"tol": "small"}, TypeError, "tol: expected a positive number, got 'small'"),
        ({"max_examples": 0}, ValueError, "max_examples: expected an integer >= 1, got 0"),
        ({"dtypes": "f4"}, ValueError, "dtypes: expected one of 'float32', 'float64', got 'f4'"),
        ({"dtypes": ()}, ValueError, "dtypes: expected at least one of float32, float64"),
        ({"dtypes": 3}, TypeError, "dtypes: expected one or some of float32, float64, got 3"),
        ({"batch": 0}, ValueError, "batch: expected an integer from 1 to 1000, got 0"),
        ({"batch": 1.5}, TypeError, "batch: expected an integer from 1 to 1000, got 1.5"),
        ({"arrays": 1}, TypeError, "arrays: expected True or False, got 1"),
        ({"library": "jax"}, ValueError, "library: expected one of 'numpy', 'torch', got 'jax'"),
        ({"skip": "easy"}, ValueError, "skip: expected one of 'one column', 'tiny'"),
        ({"skip": 3}, TypeError, "skip: expected one or some of one column, tiny"),
        ({"seed": -1}, ValueError, "seed: expected an integer >= 0, got -1"),
        ({"colour": 1}, TypeError, f"colour: {ARGUMENTS}"),
        ({"problem": "nnls"}, TypeError, f"problem: {ARGUMENTS}"),
        ({"save": 3}, TypeError, "save: expected the path of a folder, got 3"),
        ({"save": __file__}, ValueError, "test_check_solver.py is a file"),
        ({"save": f"{__file__}/in/it"}, ValueError, "save: expected the path of a folder, got /"),
    ],
)
def test_every_argument_is_checked(options, error, words):
    given = {"solve": fast.solve, "problems": "nnls", **options}
    with pytest.raises(error, match=re.escape(words)):
        check_solver(**given)


def test_statuses_of_a_solution_are_held_against_the_data():
    assert isinstance(solvers.always_optimal(LeastSquares(np.eye(1), np.ones((1, 1)))), Solution)
    with pytest.raises(ConformanceError, match="it has a solution, and is called MAX_ITER"):
        check_solver(solvers.never_optimal, "nnls", **FEW)
