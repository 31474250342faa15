"""Output activations: value, derivative, inverse, range, and the Lipschitz constant of the
inverse.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
from cvxinv.activations import (
    PLU,
    Activation,
    Identity,
    LeakyReLU,
    Sigmoid,
    Tanh,
    activation,
    from_json,
    to_json,
)
from tests.support.tolerances import DERIVATIVE, FORWARD, INVERSE

PHI = (Identity(), Tanh(), Sigmoid(), LeakyReLU(), LeakyReLU(0.3), PLU(), PLU(0.5, 0.25))
EPS = np.finfo(float).eps
phis = st.sampled_from(PHI)
arguments = st.floats(-15, 15)


def torch_value(phi, t):
    match phi:
        case Tanh():
            return torch.tanh(t)
        case Sigmoid():
            return torch.sigmoid(t)
        case LeakyReLU():
            return torch.nn.functional.leaky_relu(t, phi.slope)
        case PLU():
            return torch.maximum(
                phi.alpha * (t + phi.c) - phi.c, torch.minimum(phi.alpha * (t - phi.c) + phi.c, t)
            )
    return t


@pytest.mark.parametrize("phi", PHI, ids=str)
def test_value_is_that_of_torch(phi):
    t = np.linspace(-15, 15, 1001)
    expected = torch_value(phi, torch.tensor(t))
    np.testing.assert_allclose(phi(t), expected, rtol=FORWARD, atol=1e-15)
    np.testing.assert_allclose(phi(torch.tensor(t)), expected, rtol=FORWARD, atol=1e-15)
    assert phi(torch.tensor(t, dtype=torch.float32)).dtype == torch.float32
    assert phi(t.astype(np.float32)).dtype == np.float32


def test_plu_by_hand():
    np.testing.assert_allclose(
        PLU()(np.array([-11.0, -1, -0.5, 0, 1, 3])), [-2, -1, -0.5, 0, 1, 1.2], rtol=FORWARD
    )
    np.testing.assert_allclose(
        PLU().inverse(np.array([-2.0, 0.5, 1.2])), [-11, 0.5, 3], rtol=FORWARD
    )


@given(phi=phis, t=arguments)
@example(phi=Tanh(), t=15.0)
@example(phi=Sigmoid(), t=-15.0)
@example(phi=PLU(), t=1.0)
def test_inverse_undoes(phi, t):
    t = np.array([t])
    y = phi(t)
    # half an ulp of y is the best that the inverse can know: it stretches that by 1 / phi'
    error = np.abs(phi.inverse(y) - t)
    assert (
        error <= 4 * EPS * (np.abs(t) + np.abs(y) / np.abs(phi.derivative(t)) + 1) + INVERSE * EPS
    )


@given(phi=phis, t=arguments)
@example(phi=PLU(), t=0.999)
@example(phi=LeakyReLU(), t=-1e-3)
def test_derivative_is_the_limit_of_difference_quotients(phi, t):
    h = 1e-6
    kinks = {"plu": [getattr(phi, "c", 0), -getattr(phi, "c", 0)], "leaky_relu": [0.0]}.get(
        phi.name, []
    )
    if any(abs(t - kink) <= 2 * h for kink in kinks):
        return
    quotient = (phi(np.array([t + h])) - phi(np.array([t - h]))) / (2 * h)
    np.testing.assert_allclose(phi.derivative(np.array([t])), quotient, rtol=DERIVATIVE, atol=1e-9)


@given(
    phi=phis,
    ends=st.lists(st.floats(-0.999, 0.999), min_size=2, max_size=2),
    where=st.lists(st.floats(0, 1), min_size=2, max_size=2),
)
@example(phi=PLU(0.5, 0.25), ends=[-0.9, 0.2], where=[0.0, 0.1])
@example(phi=LeakyReLU(), ends=[-0.5, 0.5], where=[0.0, 0.5])
@example(phi=Tanh(), ends=[0.99, 0.999], where=[1.0, 0.999])
def test_lipschitz_constant_bounds_the_inverse(phi, ends, where):
    low, high = sorted(ends)
    if phi.name == "sigmoid":
        low, high = (low + 1) / 2, (high + 1) / 2
    ell = phi.inverse_lipschitz(low, high)
    a, b = (np.array([min(high, low + w * (high - low))]) for w in where)
    difference = np.abs(phi.inverse(a) - phi.inverse(b))
    assert difference <= ell * np.abs(a - b) * (1 + 1e-9) + 64 * EPS * ell


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("phi", PHI, ids=str)
def test_lipschitz_constant_is_attained(phi, end):
    """At the end that is further out, whichever that is."""
    h = 1e-7
    low, high = (-0.7, 0.9) if end == "high" else (-0.9, 0.7)
    if phi.name == "sigmoid":
        low, high = (low + 1) / 2, (high + 1) / 2
    edges = np.array([low, high - h])
    slopes = (phi.inverse(edges + h) - phi.inverse(edges)) / h
    np.testing.assert_allclose(slopes.max(), phi.inverse_lipschitz(low, high), rtol=1e-5)


def test_lipschitz_constants_off_the_range():
    assert Tanh().inverse_lipschitz(-0.5, 1.0) == math.inf
    assert Sigmoid().inverse_lipschitz(-0.1, 0.5) == math.inf
    assert PLU().inverse_lipschitz(-1, 1) == 1
    assert LeakyReLU(0.5).inverse_lipschitz(0, 7) == 1
    for phi in PHI:
        with pytest.raises(ValueError, match="low <= high"):
            phi.inverse_lipschitz(0.5, 0.4)


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("phi", PHI, ids=str)
def test_range_and_what_lies_outside(phi, kind):
    low, high = phi.range
    values = phi(np.linspace(-10, 10, 101))
    assert (values > low).all()
    assert (values < high).all()
    assert (np.diff(values) > 0).all()
    if math.isfinite(low):
        outside = kind([low, high, low - 1, high + 1, math.nan, math.inf, -math.inf])
        assert np.isnan(np.asarray(phi.inverse(outside))).all()
        mixed = phi.inverse(kind([low, 0.5, high]))
        assert np.isfinite(float(mixed[1]))


def test_extremes_do_not_overflow():
    t = np.array([-1e4, -800.0, 800.0, 1e4])
    np.testing.assert_allclose(Sigmoid()(t), [0, 0, 1, 1], atol=1e-300)
    np.testing.assert_allclose(Sigmoid().derivative(t), 0, atol=1e-300)
    np.testing.assert_allclose(Tanh()(t), [-1, -1, 1, 1])
    assert np.isfinite(Sigmoid().inverse(np.array([5e-324, np.nextafter(1, 0)]))).all()


def test_names_and_parameters():
    for phi in PHI:
        assert isinstance(phi, Activation)
        assert from_json(to_json(phi)) == phi
        assert activation(phi) is phi
    assert activation("plu") == PLU(0.1, 1.0)
    assert activation("leaky_relu").slope == 0.01
    with pytest.raises(ValueError, match=r"activation: expected one of .*'relu'"):
        activation("relu")
    with pytest.raises(TypeError, match="activation"):
        activation(3)


REFUSED = [
    (PLU, (0.0,)),
    (PLU, (1.1,)),
    (PLU, (0.1, 0.0)),
    (PLU, (0.1, math.inf)),
    (LeakyReLU, (0.0,)),
    (LeakyReLU, (-1.0,)),
]


@pytest.mark.parametrize(("cls", "parameters"), REFUSED)
def test_what_is_not_invertible_is_refused(cls, parameters):
    with pytest.raises(ValueError, match=r"^(alpha|c|slope): "):
        cls(*parameters)


def test_the_torch_module_is_plu_and_differentiates():
    module, phi = cvxinv.nn.PLU(0.2, 0.7), PLU(0.2, 0.7)
    t = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
    module(t).sum().backward()
    np.testing.assert_allclose(module(t).detach(), phi(t.detach().numpy()), rtol=FORWARD)
    np.testing.assert_allclose(t.grad, phi.derivative(t.detach().numpy()), rtol=FORWARD)
    assert torch.autograd.gradcheck(module, t)
    with pytest.raises(ValueError, match="alpha"):
        cvxinv.nn.PLU(0.0)


@pytest.mark.parametrize("phi", PHI, ids=str)
def test_curvature_bounds_that_of_the_misfit(phi):
    """At every t of a grid, phi'^2 + |phi''| |phi - y|, phi'' by differences of phi'; and the bound
    is no more than four times as large as need be (erratum E4).
    """
    t = np.linspace(-8, 8, 4001)
    between = 0.5 * (t[1:] + t[:-1])
    second = np.abs(np.diff(phi.derivative(t)) / np.diff(t)) if phi.smooth else 0 * between
    low, high = np.clip(phi.range, -3, 3)
    for y in (low, 0.5 * (low + high), high, -5.0, 5.0):
        value, slope = phi(between), phi.derivative(between)
        found = float(phi.curvature(np.array([y]))[0])
        largest = (slope**2 + second * np.abs(value - y)).max()
        assert largest <= found * (1 + DERIVATIVE)
        assert found <= 4 * max(largest, 0.5)
