"""Gradient descent on eq. 1: its gradient, its recursion, and the search of its step size."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
from cvxinv import Generator, Status
from fast.latent.eq1 import fit_to
from fast.latent.gradient_descent import (
    EVERY,
    SMALL_GRADIENT,
    STEP_SIZES,
    _descend,
    gradient_descent,
)
from tests.support.eq1 import ACTIVATIONS, case, random_mask
from tests.support.instances import generator
from tests.support.tolerances import ALONE, CLOSED_FORM, EXACT_SNR, FORWARD

# -- the gradient and the recursion ----------------------------------------------------------------


@pytest.mark.parametrize("masked", ["all", "shared", "each"])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_gradient_is_that_of_automatic_differentiation(phi, biased, masked):
    G, _, y, z = case(phi, biased=biased, distance=0.5)
    seen = {"all": None, "shared": random_mask(y.shape[1]), "each": random_mask(y.shape)}[masked]
    hidden = np.zeros(y.shape, bool) if seen is None else ~(seen & np.ones(y.shape, bool))
    fit, _ = fit_to(G, np.where(hidden, np.nan, y), seen)
    variable = torch.tensor(z, requires_grad=True)
    x = variable
    for i, W in enumerate(G.weights):
        t = x @ torch.tensor(W).T + (torch.tensor(G.biases[i]) if biased else 0)
        x = torch.relu(t)
    expected = 0.5 * ((G.activation(t) - torch.tensor(y)) * torch.tensor(~hidden)).square().sum(
        dim=1
    )
    expected.sum().backward()
    objective, g = fit.gradient(torch.tensor(z))
    np.testing.assert_allclose(objective, expected.detach(), rtol=FORWARD)
    np.testing.assert_allclose(g, variable.grad, atol=FORWARD * float(variable.grad.abs().max()))


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_the_recursion_as_stated(phi):
    """v <- momentum v + gradient, z <- z - step (1 - t / steps) v, signal by signal in plain
    NumPy.
    """
    G, _, y, z = case(phi, biased=True, distance=0.3)
    steps, momentum, step = 50, 0.8, 2e-3
    inv = gradient_descent(G, y, steps=steps, momentum=momentum, step=step, start=z)
    W, b = G.weights, G.biases
    for signal, start, found in zip(y, z, inv.z, strict=True):
        x, v = start, 0
        for t in range(steps):
            x1 = np.maximum(W[0] @ x + b[0], 0)
            x2 = np.maximum(W[1] @ x1 + b[1], 0)
            t3 = W[2] @ x2 + b[2]
            e = G.activation.derivative(t3) * (G.activation(t3) - signal)
            v = momentum * v + W[0].T @ ((x1 > 0) * (W[1].T @ ((x2 > 0) * (W[2].T @ e))))
            x = x - step * (1 - t / steps) * v
        np.testing.assert_allclose(found, x, rtol=FORWARD, atol=FORWARD)


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_from_near_the_truth_it_gets_there(phi):
    G, z, y, start = case(phi)
    step = {"sigmoid": 0.3, "identity": 0.01, "leaky_relu": 0.01}.get(phi, 0.02)
    for seen in (None, random_mask(y.shape[1]), random_mask(y.shape)):
        signals = y if seen is None else np.where(seen, y, np.nan)
        inv = gradient_descent(G, signals, steps=3000, step=step, observed=seen, start=start)
        assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
        assert list(inv.status) == [Status.STATIONARY] * len(z)
        np.testing.assert_allclose(inv.signal, y, atol=CLOSED_FORM)
    for x, x_hat, S, S_hat in zip(
        G.layers(inv.z), inv.layers, G.supports(inv.z), inv.supports, strict=True
    ):
        np.testing.assert_array_equal(x_hat, x)
        np.testing.assert_array_equal(S_hat, S)
    assert inv.solutions == []


@given(
    step=st.floats(1e-6, 1e6),
    momentum=st.floats(0, 0.99),
    seed=st.integers(0, 5),
    phi=st.sampled_from(ACTIVATIONS),
    steps=st.integers(1, 2 * EVERY),
)
@example(step=1e6, momentum=0.9, seed=0, phi="identity", steps=EVERY + 1)  # overflows
@example(step=1e4, momentum=0.0, seed=0, phi="tanh", steps=10)  # is thrown to where phi is flat
def test_never_worse_than_the_start(step, momentum, seed, phi, steps):
    G, _, y, _ = case(phi, count=2)
    start = np.random.default_rng([seed, 1]).standard_normal((2, 3))
    inv = gradient_descent(G, y, steps=steps, momentum=momentum, step=step, start=start)
    assert np.isfinite(inv.z).all()
    before, after = (np.linalg.norm(y - G(z), axis=1) for z in (start, inv.z))
    assert (after <= before * (1 + CLOSED_FORM)).all()
    assert all(status in (Status.STATIONARY, Status.MAX_ITER) for status in inv.status)


@pytest.mark.parametrize("step", [1e3, 1e300])
def test_what_blows_up_keeps_its_best_point_and_spoils_no_other(step):
    """G(z) = (max(z, 0), max(-z, 0)): the second signal is solved before the first step, the first
    thrown away by it.
    """
    G = Generator([np.array([[1.0], [-1.0]]), np.eye(2)])
    inv = gradient_descent(
        G, np.array([[2.0, 0.0], [3.0, 0.0]]), steps=4000, step=step, start=np.array([[1.0], [3.0]])
    )
    assert inv.z.tolist() == [[1.0], [3.0]]
    assert list(inv.status) == [Status.MAX_ITER, Status.STATIONARY]


def test_stationarity_does_not_depend_on_units():
    G, z, y, _ = case("identity", biased=False)
    near = z * (1 + np.array([[1e-12], [1e-10], [1e-7], [1e-6], [1e-3], [0]]))
    for unit in (1e-9, 1.0, 1e9):
        fit, _ = fit_to(G, unit * y, None)
        assert fit.stationary(torch.tensor(unit * near)).tolist() == [
            True,
            True,
            False,
            False,
            False,
            True,
        ]


# -- the search ------------------------------------------------------------------------------------


def test_search_takes_the_smallest_step_size_that_converges():
    """Signals scaled apart see different curvature under tanh: they want different step sizes, and
    some find none.
    """
    G = generator((3, 12, 30), "tanh")
    G = Generator([0.3 * G.weights[0], 0.3 * G.weights[1]], activation="tanh")
    z = np.random.default_rng(1).standard_normal((40, 3)) * np.linspace(0.1, 20, 40)[:, None]
    start, steps, momentum = 0.9 * z, 400, 0.5
    found = gradient_descent(G, G(z), steps=steps, momentum=momentum, step="search", start=start).z
    fit, _ = fit_to(G, G(z), None)
    first, lowest = np.full(len(z), len(STEP_SIZES)), np.full(len(z), np.inf)
    expected = start.copy()
    runs, begin = [], torch.tensor(start)
    for step in STEP_SIZES:
        run = _descend(fit, begin, [step] * steps, momentum, SMALL_GRADIENT)
        runs.append([a.numpy() for a in run])
    for points, objective, _ in runs:
        expected[objective < lowest] = points[objective < lowest]
        lowest = np.minimum(lowest, objective)
    for k in reversed(range(len(STEP_SIZES))):
        points, _, converged = runs[k]
        expected[converged], first[converged] = points[converged], k
    np.testing.assert_allclose(found, expected, atol=ALONE)
    _, gradient = fit.gradient(torch.tensor(found))
    assert (gradient.norm(dim=1).numpy() < SMALL_GRADIENT)[first < len(STEP_SIZES)].all()
    assert len(set(first)) > 2
