"""Statements in files: what is written is read again, and what is malformed is refused by name."""

import numpy as np
import pytest

import cvxinv
from cvxinv.errors import ProblemFileError
from cvxinv.problems import file as problem_file


@pytest.mark.parametrize(
    "problem",
    [
        cvxinv.LastLayer(
            np.eye(3),
            np.ones((2, 3)),
            cvxinv.activations.PLU(0.2, 2.0),
            np.ones(3),
            0.5,
            np.array([True, False, True]),
        ),
        cvxinv.LastLayer(np.eye(3), np.ones(3), "sigmoid"),
        cvxinv.MidLayer(np.eye(3), np.ones((2, 3)), np.ones(3, dtype=bool), lam=0.1),
        cvxinv.Latent(np.ones((4, 2)), np.ones(4), gamma=2.0),
        cvxinv.BasisPursuit(np.ones((4, 2)), np.ones((3, 4)), lam=np.array([1.0, 2.0])),
        cvxinv.LeastSquares(np.ones((4, 2)), np.ones((3, 4)), columns=np.array([True, False])),
        cvxinv.LinearProgram(np.ones((4, 2)), np.ones((3, 4)), norm="l1", nonnegative=False),
    ],
    ids=lambda p: type(p).__name__,
)
def test_problem_files_round_trip(problem, tmp_path):
    problem_file.save(problem, tmp_path / "p")  # exactly this name
    again = problem_file.load(tmp_path / "p")
    assert type(again) is type(problem)
    assert vars(again).keys() == vars(problem).keys()
    for name, value in vars(problem).items():
        if hasattr(value, "ndim"):
            np.testing.assert_array_equal(getattr(again, name), value)
            assert getattr(again, name).dtype == value.dtype
        elif name == "activation":
            assert again.phi == problem.phi
        else:
            assert getattr(again, name) == value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "`problem`"),
        ({"problem": "Riddle"}, "Riddle"),
        ({"problem": np.ones(3)}, "shape (3,)"),
        ({"problem": "MidLayer", "W": np.eye(2)}, "x_next"),
        ({"problem": "MidLayer", "W": np.eye(2), "x_next": np.ones(2), "mu": 1.0}, "mu"),
        ({"problem": "MidLayer", "W": np.eye(2), "x_next": np.ones(3)}, "x_next: expected shape"),
        ({"problem": "MidLayer", "W": np.eye(2), "x_next": np.ones(2), "lam": -1.0}, "lam"),
        ({"problem": "MidLayer", "W": "none", "x_next": np.ones(2)}, "W"),
        ({"problem": "LastLayer", "W": np.eye(2), "y": np.ones(2), "activation": "wave"}, "wave"),
        ({"problem": "LastLayer", "W": np.eye(2), "y": np.ones(2), "activation": "{"}, "p.npz"),
        (
            {
                "problem": "LastLayer",
                "W": np.eye(2),
                "y": np.ones(2),
                "activation": '{"name": "plu", "beta": 1}',
            },
            "beta",
        ),
    ],
)
def test_malformed_problem_files(content, words, tmp_path):
    np.savez(tmp_path / "p.npz", **content)
    with pytest.raises(ProblemFileError) as error:
        problem_file.load(tmp_path / "p.npz")
    assert words in str(error.value)
