"""What fails is made small: numbers by Hypothesis, which cannot see that a row of zeros need not be
there, and rows, columns and signals by `reduced`.
"""

import numpy as np
import pytest
from hypothesis import find, settings
from hypothesis.statistics import collector

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, reference
from cvxinv.testing import KINDS, generators, last_layers, planted, statements
from cvxinv.testing.reduce import candidates, reduced
from tests.support.draws import drawn
from tests.support.instances import feasible

ONE, TWO = np.eye(1), np.eye(2)
quiet = settings(max_examples=200, database=None, derandomize=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_simplest_statement_is_one_zero(kind):
    found = find(statements(kind), lambda problem: True, settings=quiet)
    assert (found.W.tolist(), found.data.tolist()) == ([[0.0]], [[0.0]])
    assert found.bias is None


def test_what_matters_stays():
    found = find(last_layers(), lambda p: np.linalg.matrix_rank(p.W) == 2, settings=quiet)
    assert np.count_nonzero(found.W) == found.W.sum() == 2
    assert len(found) == 1
    assert not found.data.any()
    biased = find(statements("latents"), lambda p: p.bias is not None, settings=quiet)
    assert biased.bias.tolist() == [0.0]


def test_numbers_become_whole():
    found = find(statements("lasso"), lambda p: np.abs(p.data).max() > 1.3, settings=quiet)
    assert np.count_nonzero(found.data) == 1
    assert np.abs(found.data).max() == 2
    assert not found.W.any()


def test_generators_shrink():
    found = find(generators(), lambda G: G.biases is not None, settings=quiet)
    assert found.sizes == (1, 1, 1)
    assert not any(a.any() for a in (*found.weights, *found.biases))


def test_planted_statements_shrink():
    found = find(planted("mid_layers"), lambda p: p.x.any(), settings=quiet)
    assert np.count_nonzero(found.x) == found.x.sum() == 1
    assert not found.dual.any()


@pytest.mark.parametrize(
    ("strategy", "kind", "count"),
    [(statements, "qps", 1000), (statements, "least_squares", 250), (planted, "qps", 250)],
)
def test_nothing_is_drawn_in_vain(strategy, kind, count):
    """None is filtered out; few of the draws end early, which Hypothesis makes of others."""
    noted = {}
    with collector.with_value(noted.update):
        assert len(drawn(strategy(kind), count)) == count
    status = [case["status"] for case in noted["generate-phase"]["test-cases"]]
    assert set(status) <= {"valid", "overrun"}
    assert len(status) <= 1.2 * count


# -- rows, columns and signals --------------------------------------------------------------------


def never():
    return False


def sizes(problem):
    return problem.data.shape, problem.W.shape


def test_rows_columns_and_signals_go():
    rng = np.random.default_rng(0)
    problem = LastLayer(rng.standard_normal((5, 4)), rng.standard_normal((3, 5)), bias=np.ones(5))
    found = reduced(problem, lambda p: True, never)
    assert sizes(found) == ((1, 1), (1, 1))
    assert found.bias is None
    assert found.W.round() == found.W
    found = reduced(problem, lambda p: p.W.shape[1] > 2 and p.bias is not None, never)
    assert sizes(found) == ((1, 1), (1, 3))


def test_nothing_goes_once_it_is_late():
    problem = LeastSquares(TWO, TWO)
    assert reduced(problem, lambda p: True, lambda: True) is problem


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_smaller_is_a_statement_with_an_answer(kind):
    """Without a column, inequalities may contradict each other: then nobody has an answer."""
    for problem in drawn(statements(kind, library="numpy"), 15):
        for other in candidates(problem):
            again = type(other)(**vars(other))  # all its fields fit together
            assert sizes(again) == sizes(other)
            if isinstance(other, (MidLayer, Latent)):
                assert all(feasible(other, b) for b in range(len(other)))


def test_a_column_that_inequalities_need_stays():
    """-x_1 + 1 <= 0, and x_2 is fitted."""
    W, bias = np.diag([-1.0, 1.0]), np.array([1.0, 0.0])
    problem = MidLayer(W, np.array([[0.0, 1.0]]), bias=bias)
    found = reduced(problem, lambda p: True, never)
    assert reference.solve(found).status[0].name == "OPTIMAL"


def test_single_signals_and_weights_of_columns():
    problem = BasisPursuit(TWO, TWO[0], lam=np.array([1.0, 2.0]))
    found = reduced(problem, lambda p: p.lam.max() == 2, never)
    assert sizes(found) == ((1,), (1, 1))
    assert found.lam.tolist() == [2.0]
    per_signal = BasisPursuit(TWO, TWO, lam=np.ones((2, 2)), rows=TWO > 0)
    found = reduced(per_signal, lambda p: True, never)
    assert found.lam.shape == found.rows.shape == (1, 1)
