"""Where residuals do not decide: columns that nearly depend on each other, against exact optima."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import LastLayer, LeastSquares, MidLayer, verify
from cvxinv.certificate import rival
from cvxinv.certificate.pair import pair
from cvxinv.certificate.point import quadratic_point
from tests.support.instances import tensors
from validation import exact

DRAWS = st.integers(0, 2**32 - 1)
S = 1e-9
PARALLEL = LastLayer(np.array([[1, 1, -1], [0, S, 0], [0, 0, 0]]), np.array([1.0, 1.0, 0.0]))


def test_of_two_points_with_tiny_residuals_the_worse_one_is_refused():
    assert verify(PARALLEL, np.array([0, 1 / S, 1 / S - 1])).optimal(1e-8)
    assert not verify(PARALLEL, np.array([1.0, 0.0, 0.0])).optimal(1e-2)


def test_exact_solutions_of_ill_conditioned_systems_are_accepted():
    A = np.array([[1, 0, 1], [0, 1, 0], [1 + 1e-6, 0, 1]])
    b = np.array([0.074, 1.014, -0.383])
    problem, x = LeastSquares(A, b), np.linalg.solve(A, b)
    assert verify(problem, x).optimal(1e-12)
    assert not verify(problem, x * [0.99, 1, 0.99]).optimal(1e-3)


@given(
    cls=st.sampled_from([LeastSquares, LastLayer, MidLayer]), draw=DRAWS, power=st.integers(1, 10)
)
@example(cls=LastLayer, draw=0, power=9)
@example(cls=LeastSquares, draw=1, power=10)
@example(cls=MidLayer, draw=2, power=6)
@example(cls=LeastSquares, draw=1484557, power=10)  # too far out for float64
@example(cls=MidLayer, draw=65268, power=8)  # a better point at 1e7, feasible up to rounding
@example(cls=LeastSquares, draw=568, power=10)  # N = 3e-13, and a better point at 6e9
def test_nearly_dependent_columns_without_weights(cls, draw, power):
    rng = np.random.default_rng(draw)
    m, n = int(rng.integers(3, 6)), int(rng.integers(2, 4))
    W = np.round(4 * rng.standard_normal((m, n)))
    W[:, 1] = rng.choice([-1, 1]) * W[:, 0] + 10.0**-power * np.round(4 * rng.standard_normal(m))
    data = np.round(8 * rng.standard_normal((1, m))) / 8
    problem = cls(W, np.abs(data) if cls is MidLayer else data)
    (signal,) = exact.signals(problem)
    truth = exact.solve(signal)
    best = np.array([[float(v) for v in truth.x]])
    # what rounding of the exact solution costs, L and c as in `certificate.verify`
    size = max(np.linalg.norm(problem.data), np.linalg.norm(W @ best[0]))
    far = np.linalg.norm(W, axis=0) @ np.abs(best[0]) / size if size else 0.0
    rounding = (np.sqrt(m) + 8) * np.finfo(float).eps * (1 + far)
    if rounding <= 1e-4:
        assert verify(problem, best).optimal(max(1e-6, rounding))
    unit = 0.5 * float(np.linalg.norm(problem.data)) ** 2
    cut = np.linalg.pinv(W, rcond=10.0 ** (1 - power)) @ problem.data[0]
    for x in (0 * best, cut[None], best * [[0.5] * n], np.where(np.arange(n) == 1, 0.0, best)):
        x = x if cls is LeastSquares else np.abs(x)
        excess = float(signal.objective(x[0]) - truth.optimum)
        found = verify(problem, x)
        if found.optimal(1e-8)[0]:
            # the rival is not asked where N <= 1e-12: promise (1) of `certificate.verify`
            s = max(np.linalg.norm(problem.data), np.linalg.norm(W @ x[0]))
            far = np.linalg.norm(W, axis=0) @ np.abs(best - x)[0]
            allowed = 1e-6 * max(unit, float(truth.optimum)) + min(found.kkt[0], 1e-12) * s * far
            assert excess <= allowed


def test_a_well_conditioned_matrix_bounds_what_is_to_be_gained(monkeypatch):
    rng = np.random.default_rng(0)
    W, t = rng.standard_normal((30, 6)), rng.standard_normal((4, 30))
    x = np.linalg.lstsq(W, t.T)[0].T
    monkeypatch.setattr(rival, "_better", lambda *_: pytest.fail("A is well conditioned"))
    for step in (1e-9, 1e-6, 1e-4):
        moved = x + step * rng.standard_normal(x.shape)
        problem = LeastSquares(W, t)
        found = pair(quadratic_point(problem.quadratic(), moved), None)
        excess = rival.excess(found, np.arange(4))
        true = 0.5 * (((moved - x) @ W.T) ** 2).sum(axis=1) / found.at.s**2
        np.testing.assert_allclose(excess, true, rtol=1e-3, atol=1e-30)


def test_tensors_and_batches_get_the_same_verdicts():
    points = np.array([[0, 1 / S, 1 / S - 1], [1.0, 0.0, 0.0], [0, 1 / S, 1 / S - 1]])
    problem = LastLayer(PARALLEL.W, np.tile(PARALLEL.y, (3, 1)))
    expected = [True, False, True]
    assert verify(problem, points).optimal(1e-8).tolist() == expected
    found = verify(tensors(problem), torch.tensor(points))
    assert isinstance(found.kkt, torch.Tensor)
    assert found.optimal(1e-8).tolist() == expected
    free = LeastSquares(problem.W, problem.y)
    assert verify(tensors(free), torch.tensor(points)).optimal(1e-8).tolist() == expected
