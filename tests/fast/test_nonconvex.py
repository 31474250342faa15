"""Eq. 5 with a nonlinear phi by the default of `fast.solve`: stationary points, from signals in and
out of phi's range.
"""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import LastLayer, Status, reference, verify
from cvxinv.activations import PLU, LeakyReLU
from fast.methods.nonconvex import newton, nonlinear
from tests.support.instances import replaced, tensors
from tests.support.layers import ACTIVATIONS, nonconvex
from tests.support.oracles import distance
from tests.support.tolerances import (
    ALONE,
    DERIVATIVE,
    KKT,
    KKT_FLOAT32,
    SAME_OBJECTIVE,
    SAME_POINT,
    SATURATED,
)

SMOOTH = ("tanh", "sigmoid")
MASKS = ("all", "shared", "each")


def by_differences(problem, b, x):
    """The gradient of signal b's objective at x by central differences, from the statement's own
    fields.
    """
    rows = np.broadcast_to(True if problem.observed is None else problem.observed, problem.y.shape)[
        b
    ]

    def value(x):
        t = problem.W[rows] @ x + (0 if problem.bias is None else problem.bias[rows])
        return 0.5 * ((problem.y[b][rows] - problem.phi(t)) ** 2).sum() + problem.lam * x.sum()

    steps = 1e-6 * np.eye(len(x))
    return np.array([(value(x + h) - value(x - h)) / 2e-6 for h in steps])


def stationary(sol, which=slice(None)):
    assert set(sol.status[which]) <= {Status.STATIONARY}, sol.certificate.kkt
    assert (sol.certificate.kkt[which] <= KKT).all()
    assert not sol.certificate.optimal(1.0).any()
    assert np.isnan(sol.certificate.gap).all()
    assert (sol.x[which] >= 0).all()


# -- the truth where there is one, stationary points elsewhere -------------------------------------


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_without_noise_the_truth_is_found(phi, masked, biased):
    problem, x = nonconvex(phi, masked, biased=biased)
    sol = fast.solve(problem)
    stationary(sol)
    assert (distance(replaced(problem, y=np.nan_to_num(problem.y)), sol.x, x) <= SAME_POINT).all()
    np.testing.assert_array_equal(sol.support, x > 0)


@pytest.mark.parametrize("lam", [0.0, 0.02])
@pytest.mark.parametrize("noise", [0.01, 0.3])
@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("phi", SMOOTH)
def test_with_noise_the_point_is_stationary(phi, masked, noise, lam):
    problem, _ = nonconvex(phi, masked, noise, lam)
    sol = fast.solve(problem)
    stationary(sol)
    assert verify(problem, sol.x).stationary(KKT).all()
    for b in range(6):
        gradient = by_differences(problem, b, sol.x[b])
        scale = np.nansum(problem.y[b] ** 2)
        assert (gradient >= -DERIVATIVE * scale).all()
        assert (np.abs(gradient[sol.x[b] > 1e-4]) <= DERIVATIVE * scale).all()


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("phi", SMOOTH)
def test_larger_layers_whose_pixels_are_saturated(phi, noise):
    problem, x = nonconvex(phi, "each", noise, count=4, shape=(400, 120))
    W, bias = 3 * problem.W, 3 * problem.bias
    y = (
        problem.phi(x @ W.T + bias)
        + problem.y
        - nonconvex(phi, "each", count=4, shape=(400, 120))[0].y
    )
    sol = fast.solve(replaced(problem, W=W, bias=bias, y=y))
    stationary(sol)
    if noise == 0:
        np.testing.assert_allclose(sol.x, x, atol=SATURATED)


@pytest.mark.parametrize("phi", ["plu", "leaky_relu"])
def test_kinked_activations_claim_no_more_than_the_certificate_and_are_near_it(phi):
    """At a kink of phi the gradient jumps: a minimum there is no KKT point of either side."""
    for noise, lam in ((0.01, 0.0), (0.1, 0.01)):
        problem, x = nonconvex(phi, "each", noise, lam)
        sol = fast.solve(problem)
        proven = verify(problem, sol.x).stationary(KKT)
        assert list(sol.status) == [
            Status.STATIONARY if good else Status.MAX_ITER for good in proven
        ]
        assert (sol.x >= 0).all()
        assert (sol.certificate.objective <= verify(problem, x).objective).all(), (
            "worse than the truth"
        )


@pytest.mark.parametrize("masked", ["all", "shared"])
@pytest.mark.parametrize("phi", SMOOTH)
def test_no_worse_than_a_nonlinear_programming_solver(phi, masked):
    for noise, lam in ((0.0, 0.0), (0.0, 0.01), (0.05, 0.01)):
        problem, _ = nonconvex(phi, masked, noise, lam, count=3, shape=(40, 12))
        sol, rival = fast.solve(problem), reference.solve(problem)
        stationary(sol)
        size = 0.5 * np.nansum(problem.y**2, axis=1)
        both = rival.status == Status.STATIONARY
        assert both.any()
        assert (sol.certificate.objective <= rival.certificate.objective + SAME_OBJECTIVE * size)[
            both
        ].all()


@pytest.mark.parametrize("phi", ACTIVATIONS)
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_a_step_is_halved_until_the_objective_falls(phi, size):
    problem, truth = nonconvex(phi, "all", 0.2, 0.1)
    p, _ = nonlinear(tensors(problem), even=False)
    method = newton(p)
    x = size * torch.rand(truth.shape, generator=torch.manual_seed(0), dtype=torch.float64)
    state = method.start(x, p.no_dual)
    for _ in range(5):
        new = method.step(state)
        assert (new.value <= state.value * (1 + 1e-12)).all()
        np.testing.assert_allclose(p.value(new.x), new.value[:, 0], rtol=1e-12)
        state = new


@pytest.mark.parametrize(
    "phi", [PLU(alpha=1.0), LeakyReLU(slope=1.0), PLU(alpha=0.1, c=1e6)], ids=str
)
def test_a_phi_that_is_the_identity_has_the_convex_solution(phi):
    for masked, lam in (("all", 0.0), ("each", 0.1)):
        problem, _ = nonconvex("plu", masked, 0.2, lam)
        sol, expected = (
            fast.solve(replaced(problem, activation=phi)),
            fast.solve(replaced(problem, activation="identity")),
        )
        stationary(sol)
        assert (
            distance(replaced(problem, y=np.nan_to_num(problem.y)), sol.x, expected.x) <= SAME_POINT
        ).all()
        np.testing.assert_allclose(
            sol.certificate.objective, expected.certificate.objective, rtol=SAME_OBJECTIVE
        )


@given(
    t=st.floats(-3, 3),
    y=st.floats(-2, 2),
    lam=st.sampled_from([0.0, 0.01, 0.5]),
    w=st.sampled_from([-2.0, 0.1, 1.0, 30.0]),
    phi=st.sampled_from(SMOOTH),
)
@example(t=0.0, y=1.0, lam=0.0, w=1.0, phi="tanh")  # the infimum is at infinity
@example(t=0.0, y=-1.5, lam=0.0, w=-2.0, phi="tanh")
@example(t=3.0, y=0.0, lam=0.0, w=30.0, phi="sigmoid")
@example(t=2.0, y=2.0, lam=0.5, w=1.0, phi="tanh")
def test_one_unknown_against_a_grid(t, y, lam, w, phi):
    """Two pixels, one unknown: a stationary point, or none is claimed; never worse than x = 0 by
    more than rounding.
    """
    problem = LastLayer(np.array([[w], [0.5]]), np.array([y, 0.3]), phi, np.array([t, 0.0]), lam)
    sol = fast.solve(problem)
    assert np.isfinite(sol.x).all()
    assert sol.status in (Status.STATIONARY, Status.MAX_ITER)
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e3, 2000)])
    misfit = problem.phi(grid[:, None] * problem.W[:, 0] + problem.bias) - problem.y
    values = 0.5 * (misfit**2).sum(axis=1) + lam * grid
    local = (values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])
    lowest = [values[0], *values[1:-1][local], values[-1]]
    if sol.status is Status.STATIONARY:
        assert sol.certificate.objective <= max(lowest) * (1 + 1e-6) + 1e-9


# -- signals out of range, hidden pixels, companions -----------------------------------------------


@pytest.mark.parametrize(
    ("phi", "value"),
    [
        ("tanh", 1.0),
        ("tanh", -1.0),
        ("tanh", 1.7),
        ("tanh", -40.0),
        ("sigmoid", 0.0),
        ("sigmoid", 1.2),
    ],
)
def test_pixels_out_of_range_are_fitted_and_harm_no_other_signal(phi, value):
    """The objective of eq. 5 is defined for any y, even where phi^-1(y) is not."""
    problem, x = nonconvex(phi)
    y = problem.y.copy()
    y[1, 7] = y[4, 0] = value
    sol, clean = fast.solve(replaced(problem, y=y)), fast.solve(problem)
    stationary(sol)
    good = [0, 2, 3, 5]
    np.testing.assert_allclose(sol.x[good], clean.x[good], atol=ALONE)
    assert (distance(problem[good], sol.x[good], x[good]) <= SAME_POINT).all()
    everywhere = fast.solve(replaced(problem, y=np.full_like(y, value)))
    assert np.isfinite(everywhere.x).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("method", ["auto", "fista"])
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_a_bad_signal_harms_no_other_and_hidden_pixels_hold_anything(phi, method, bad):
    problem, _ = nonconvex(phi, "each")
    y = np.where(problem.observed, problem.y, bad)
    clean = fast.solve(problem, method=method, max_iter=500)
    np.testing.assert_array_equal(
        fast.solve(replaced(problem, y=y), method=method, max_iter=500).x, clean.x
    )
    y[2, np.flatnonzero(problem.observed[2])[0]] = bad
    sol = fast.solve(replaced(problem, y=y), method=method, max_iter=500)
    assert sol.status[2] is Status.NONFINITE
    assert np.isnan(sol.x[2]).all()
    assert sol.certificate.kkt[2] == np.inf
    others = [0, 1, 3, 4, 5]
    assert list(sol.status[others]) == list(clean.status[others])
    np.testing.assert_allclose(sol.x[others], clean.x[others], atol=ALONE)


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_alone_in_chunks_in_tensors_and_from_the_solution(phi):
    problem, x = nonconvex(phi, "each", count=16)
    sol = fast.solve(problem)
    stationary(sol)
    np.testing.assert_array_equal(fast.solve(problem).x, sol.x)
    np.testing.assert_array_equal(fast.solve(tensors(problem)).x.numpy(), sol.x)
    np.testing.assert_allclose(fast.solve(problem, memory=1).x, sol.x, atol=ALONE)
    for b in (0, 15):
        alone = fast.solve(problem[b])
        assert alone.status is Status.STATIONARY
        np.testing.assert_allclose(alone.x, sol.x[b], atol=ALONE)
    warm = fast.solve(problem, x0=sol.x)
    stationary(warm)
    assert (warm.iterations <= 1).all()
    for start in (np.full_like(x, np.nan), np.full_like(x, -1.0), 0.5 * np.ones_like(x)):
        poor = fast.solve(problem, x0=start)
        stationary(poor)


@pytest.mark.parametrize("phi", SMOOTH)
def test_float32_and_few_iterations(phi):
    problem, _ = nonconvex(phi, noise=0.05, lam=0.01)
    arrays = {
        k: v.astype(np.float32) for k, v in vars(problem).items() if isinstance(v, np.ndarray)
    }
    sol = fast.solve(replaced(problem, **arrays))
    assert sol.x.dtype == np.float32
    assert list(sol.status) == [Status.STATIONARY] * 6
    assert (sol.certificate.kkt <= KKT_FLOAT32).all()
    for cap in (0, 1, 2):
        early = fast.solve(problem, max_iter=cap)
        assert np.isfinite(early.x).all()
        assert (early.iterations <= cap).all()
        assert list(early.status) == [
            Status.STATIONARY if good else Status.MAX_ITER
            for good in verify(problem, early.x).stationary(KKT)
        ]
    assert fast.solve(problem[:0]).x.shape == (0, 20)


@pytest.mark.parametrize("unit", [1e-4, 1e4])
@pytest.mark.parametrize("phi", SMOOTH)
def test_columns_may_have_any_unit(phi, unit):
    problem, _ = nonconvex(phi, noise=0.05)
    scale = np.where(np.arange(20) % 2, unit, 1.0)
    sol, expected = fast.solve(replaced(problem, W=problem.W * scale)), fast.solve(problem)
    stationary(sol)
    np.testing.assert_allclose(
        sol.certificate.objective, expected.certificate.objective, rtol=SAME_OBJECTIVE
    )
