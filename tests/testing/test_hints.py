"""What a message says to one who called `check_solver` in another way than the solver wants."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from cvxinv.testing import ConformanceError, check_solver
from cvxinv.testing.hints import ARRAYS, ONE, TENSORS, required


def of_arrays(A, b):
    return np.linalg.lstsq(A, b)[0]


def with_options(problem, steps=10, *, tol=1e-3):
    return [[np.inf] * steps]


def of_tensors(problem):
    return torch.linalg.lstsq(problem.W.double(), problem.target.double().T)[0].T


def of_tensor_functions(problem):
    return torch.linalg.pinv(problem.W)


def of_tensor_arrays(A, b):
    return torch.linalg.lstsq(A.double(), b.double())[0]


def of_any_number(*arrays):
    A, b = arrays
    return A, b


def forgotten(*arrays):
    raise TypeError("solve() missing 1 required positional argument: 'b'")


@pytest.mark.parametrize(
    ("solve", "options", "words"),
    [
        (nnls, {}, ARRAYS),
        (of_arrays, {}, ARRAYS),
        (forgotten, {}, ARRAYS),
        (forgotten, {"batch": None}, ARRAYS),
        (with_options, {}, ONE),
        (with_options, {"batch": None}, None),
        (of_any_number, {}, ONE),
        (of_tensors, {}, TENSORS),
        (of_tensor_functions, {"batch": None}, TENSORS),
        (of_tensor_arrays, {"arrays": True}, TENSORS),
        (of_tensors, {"library": "torch", "batch": None}, None),
    ],
)
def test_the_option_that_is_missing_is_named(solve, options, words):
    with pytest.raises(ConformanceError) as found:
        check_solver(solve, "least_squares", max_examples=4, dtypes="float64", **options)
    said = [line.strip() for line in str(found.value).splitlines()]
    assert [line for line in said if line in (ARRAYS, ONE, TENSORS)] == ([words] if words else [])


def test_arguments_that_a_function_asks_for_are_counted():
    assert (required(of_arrays), required(with_options), required(of_any_number)) == (2, 1, 0)
    assert required(nnls) == 2
    assert required(np.add) <= 2  # compiled functions may say nothing
    assert required(dict) == 0


TEST = """
import numpy as np
from cvxinv.testing import check_solver, hard_cases

def test_search():
    check_solver(lambda problem: 0 * problem.W[:1], "least_squares", max_examples=4)

def test_case():
    hard_cases("nnls")[0].check(np.zeros((3, 8)))
"""


def test_pytest_shows_the_message_and_not_our_source(tmp_path):
    (tmp_path / "test_it.py").write_text(TEST)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    run = subprocess.run(words, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True)
    assert run.returncode == 1
    assert "fails least_squares, level" in run.stdout
    assert "row 0: KKT" in run.stdout
    for ours in ("Parameters\n", "conformance.py", "judge.py", "hard.py", "raise Conf"):
        assert ours not in run.stdout
