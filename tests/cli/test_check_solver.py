"""`cvxinv check-solver`: files beside each other, folders for what fails."""

import sys

import pytest

from cvxinv.cli import main
from tests.support.shell import complains

MINE = """
import numpy as np
from helper import solved

def my_solve(problem):
    return solved(problem)

def zero(problem):
    return np.zeros((len(problem), problem.W.shape[1]))
"""
HELPER = """
import fast

def solved(problem):
    return fast.solve(problem).x
"""
QUICK = ["--problems", "least_squares", "--max-examples", "4"]


@pytest.fixture
def mine(tmp_path):
    """A file with two solvers, and what it imports beside it."""
    folder = tmp_path / "solvers"
    folder.mkdir()
    (folder / "helper.py").write_text(HELPER)
    (folder / "mine.py").write_text(MINE)
    path = list(sys.path)
    yield folder / "mine.py"
    assert sys.path == path
    for name in ("mine", "helper"):
        sys.modules.pop(name, None)


@pytest.fixture
def cvxinv(capfd):
    """Exit code, stdout and stderr of a command."""

    def run(*args):
        return main([str(arg) for arg in args]), *capfd.readouterr()

    return run


def test_a_file_imports_what_is_beside_it(cvxinv, mine):
    code, out, _ = cvxinv("check-solver", f"{mine}:my_solve", *QUICK)
    assert code == 0
    assert "passed: least_squares" in out


def test_what_fails_is_kept_in_a_folder_of_its_kind(cvxinv, mine, tmp_path):
    folder = tmp_path / "failed"
    args = ("check-solver", f"{mine}:zero", *QUICK, "--problems", "nnls", "--save", folder)
    assert cvxinv(*args)[0] == 1
    for kind in ("least_squares", "nnls"):
        found = [folder / kind / f"{name}.npz" for name in ("problem", "solution")]
        assert cvxinv("verify", *found)[0] == 1


def test_a_file_is_no_folder_to_save_in(cvxinv, mine):
    answer = cvxinv("check-solver", f"{mine}:zero", *QUICK, "--save", mine)
    complains(answer, "--save: expected the path of a folder", "is a file")
