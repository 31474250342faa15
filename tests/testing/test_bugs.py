"""Solvers with a bug each: the message says which row, criterion and level, and holds code that
builds the failing instance again.
"""

import re

import numpy as np
import pytest

import fast
from cvxinv.cli import main
from cvxinv.problems import file as problem_file
from cvxinv.testing import LEVELS, ConformanceError, check_solver, statements, sweep
from cvxinv.testing.code import imports, rebuilt
from tests.support import solvers
from tests.support.draws import drawn
from tests.support.oracles import same_array

ALONE = "If it takes one signal at a time, pass batch=None."
BUGS = [
    (solvers.doubled_weight, "lasso", "one column", r"row 0: KKT .* on the support at x\[0\]"),
    (solvers.no_bias, "last_layers", None, r"row 0: KKT .* x\[0\]"),
    (solvers.no_bias, "mid_layers", None, "row 0: (KKT|violation)"),
    (solvers.stopped_early, "nnls", "one column", r"KKT 0.001 > 1e-06: gradient on the support"),
    (solvers.zero_for_nan, "nnls", "not finite", "row 0: the data hold nan or inf"),
    (solvers.no_columns, "least_squares", None, r"violation 1 > 1e-06: x\[\d\] is off the columns"),
    (solvers.always_optimal, "mid_layers", "infeasible", "contradict each other, and it is called"),
    (solvers.never_optimal, "nnls", "one column", "it has a solution, and is called MAX_ITER"),
    (
        solvers.reversed_rows,
        "nnls",
        "one column",
        r"row 0: .*should be zero\n  row 1: .*should not",
    ),
    (solvers.in_place, "nnls", "one column", "the solver changed W in place"),
    (solvers.raises_for_all, "latents", "infeasible", "must not take its companions along"),
    (solvers.raises_for_all, "lasso", "not finite", "raised ArithmeticError: no answer"),
    (solvers.transposed, "nnls", "one column", r"x: expected shape \(2, 1\), got \(1, 2\)"),
    (solvers.of_first_signal, "nnls", "one column", re.escape(f"got (1,)\n  {ALONE}")),
    (solvers.of_scipy_statement, "nnls", "one column", re.escape(ALONE)),
    (solvers.nothing, "lasso", "one column", r"x: expected shape \(1, 1\), got None"),
    (solvers.words, "lasso", "one column", r"x: expected shape \(1, 1\), got 'solved'"),
    (solvers.wrong_multipliers, "mid_layers", "one column", "row 0: KKT"),
    (solvers.not_deterministic(), "nnls", "one column", "on another call with the same data not"),
]
TENSORS = {"library": "torch", "dtypes": "float32", "batch": None}
QUICK = {"max_examples": 40, "dtypes": "float64"}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Half a second is enough to make them small."""
    monkeypatch.setattr(sweep, "SECONDS", 0.5)


def failure(solve, kind, level=None, **options):
    """The error that `check_solver` raises; the late levels alone, where one is named."""
    late = level in ("infeasible", "not finite")
    skip = [name for name in LEVELS if late and name != level]
    with pytest.raises(ConformanceError) as found:
        check_solver(solve, kind, **{"skip": skip, **QUICK, **options})
    return found.value


@pytest.mark.parametrize(("solve", "kind", "level", "words"), BUGS)
def test_bugs_are_found(solve, kind, level, words):
    error = failure(solve, kind, level)
    assert isinstance(error, AssertionError)
    message = str(error)
    first = (
        rf"^{solve.__name__} fails {kind}, level '{level or '.*'}', after (1 example|\d+ examples):"
    )
    assert re.match(first, message), message
    assert re.search(words, message), message
    assert error.problem.W.size <= (36 if level == "infeasible" else 20)
    if error.x is not None:
        assert error.x.shape == (*error.problem.data.shape[:-1], error.problem.W.shape[1])


def code(error):
    """The lines of the message that are Python."""
    return "\n".join(line[4:] for line in str(error).splitlines() if line.startswith("    "))


def least_norm(A, b, *others):
    """A solver of arrays that knows neither weights, signs nor constraints."""
    A, b = np.asarray(A), np.asarray(b)
    return np.linalg.pinv(A) @ b if np.isfinite(b).all() else np.full(A.shape[1], np.nan)


def least_norm_of_columns(A, b, *others):
    return 1.1 * least_norm(A, b)


@pytest.mark.parametrize(
    ("solve", "kind", "options"),
    [
        (solvers.stopped_early, "nnls", {}),
        (solvers.doubled_weight, "latents", TENSORS),
        (solvers.no_columns, "least_squares", {}),
        (solvers.zero_for_nan, "nnls", {}),
        (solvers.reversed_rows, "nnls", {}),
        (least_norm, "nnls", {"arrays": True}),
        (least_norm, "lasso", {"arrays": True}),
        (least_norm, "lasso", {"arrays": True, "library": "torch"}),
        (least_norm, "mid_layers", {"arrays": True}),
        (least_norm, "latents", {"arrays": True, "library": "torch"}),
        (least_norm_of_columns, "least_squares", {"arrays": True}),
    ],
)
def test_the_code_in_the_message_shows_the_failure(solve, kind, options):
    error = failure(solve, kind, **options)
    names = {solve.__name__: solve}
    with pytest.raises(AssertionError) as again:
        exec(code(error), names)
    assert not isinstance(again.value, ConformanceError)
    for name, value in vars(error.problem).items():
        if hasattr(value, "ndim"):
            built = getattr(names["problem"], name)
            assert type(built) is type(value)
            same_array(np.asarray(built), np.asarray(value))


def test_a_solver_without_a_name_is_called_solve():
    error = failure(lambda problem: 0.9 * fast.solve(problem).x, "nnls")
    assert "<lambda> fails nnls" in str(error)
    with pytest.raises(AssertionError, match="gradient on the support"):
        exec(code(error), {"solve": lambda problem: 0.9 * fast.solve(problem).x})


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", ["least_squares", "last_layers", "basis_pursuits", "qps"])
def test_every_statement_is_rebuilt_to_the_last_bit(kind, library):
    traits = {"dtype": ("float32", "float64"), "batch": (0, 2), "finite": False}
    for problem in drawn(statements(kind, library=library, **traits)):
        names = {}
        exec(f"{imports(problem)}\nproblem = {rebuilt(problem)}", names)
        built = names["problem"]
        assert type(built) is type(problem)
        for name, value in vars(problem).items():
            if hasattr(value, "ndim"):
                same_array(np.asarray(getattr(built, name)), np.asarray(value))
            else:
                assert getattr(built, name) == value


@pytest.mark.parametrize(
    ("solve", "kind", "options"),
    [
        (solvers.stopped_early, "nnls", {}),
        (solvers.zero_for_nan, "nnls", {}),
        (least_norm, "mid_layers", {"arrays": True}),
    ],
)
def test_what_is_saved_is_read_and_rejected(solve, kind, options, tmp_path, capfd):
    folder = tmp_path / "new" / "folder"
    error = failure(solve, kind, save=folder, **options)
    problem, solution = folder / kind / "problem.npz", folder / kind / "solution.npz"
    assert f"Saved: cvxinv verify {problem} {solution}" in str(error)
    assert main(["verify", str(problem), str(solution)]) == 1
    same_array(problem_file.load(problem).W, error.problem.W)
    capfd.readouterr()


def test_without_an_answer_the_problem_alone_is_saved(tmp_path):
    error = failure(solvers.nothing, "nnls", save=str(tmp_path))
    assert str(error).endswith(f"Saved: {tmp_path / 'nnls' / 'problem.npz'}")
    assert problem_file.load(tmp_path / "nnls" / "problem.npz").W.shape == (1, 1)


def test_what_a_solver_changes_is_put_back():
    error = failure(solvers.in_place, "nnls")
    assert not error.problem.W.any(), "the simplest statement fails, and its W is zero"


def test_the_optimum_that_was_planted_is_asked_for(monkeypatch):
    """Even of one whom the certificate believes."""
    from cvxinv.testing import trial

    monkeypatch.setattr(trial, "faults", lambda *_: {})
    levels = [level for level in LEVELS if level != "planted"]
    error = failure(solvers.doubled_weight, "lasso", skip=levels)
    assert re.search(r"row \d: objective .*, and the optimum that was planted is", str(error))
