"""Small statements made to fool a certificate: cancellation, rows and columns of very different
size, weights at rounding level.
"""

import numpy as np
import pytest

from cvxinv import Latent, MidLayer, Status, reference, verify
from tests.support.adversarial import BIG_ROW, FLAT, SMALL_ROW, TINY


@pytest.mark.parametrize(
    ("problem", "x"),
    [
        (BIG_ROW, [0.5]),  # x - (x + r) would cancel to zero
        (BIG_ROW, [0.0]),  # the large row must not hide the gradient
        (SMALL_ROW, [0.99]),  # infeasible, by little compared with the signal
        (FLAT, [1 - 0.5 / TINY, 0.5 / TINY]),
    ],
)
def test_wrong_points_are_refused(problem, x):
    assert verify(problem, np.array(x)).kkt > 0.1
    assert not verify(problem, np.array(x)).optimal(1e-2)


@pytest.mark.parametrize(("problem", "x"), [(BIG_ROW, 1.0), (SMALL_ROW, 0.1)])
def test_solutions_are_found_and_accepted_without_multipliers(problem, x):
    sol = reference.solve(problem)
    np.testing.assert_allclose(sol.x, [x], rtol=1e-9)
    assert sol.status == Status.OPTIMAL
    assert verify(problem, sol.x).optimal(1e-8)
    assert verify(problem, sol.x, sol.dual).optimal(1e-8)


@pytest.mark.parametrize("weight", [1e-30, 1e-14, 1e-12, 1e-8, 1e-4])
def test_status_and_certificate_agree_for_weights_down_to_rounding_level(weight):
    rng = np.random.default_rng(0)
    W, t = rng.standard_normal((30, 10)), np.abs(rng.standard_normal(30))
    for problem in (MidLayer(W, t, lam=weight), Latent(W, t, gamma=weight)):
        sol = reference.solve(problem)
        assert sol.status == Status.OPTIMAL
        assert sol.certificate.optimal(1e-8)
        assert np.isnan(sol.certificate.gap) or sol.certificate.gap <= 1e-8
