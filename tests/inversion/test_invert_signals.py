"""Signals of every kind through the front door: odd ones, outside the range, dtypes, arguments."""

import numpy as np
import pytest
import torch

import cvxinv
from tests.support.inversion import small
from tests.support.tolerances import FAST_SNR


@pytest.fixture(scope="module")
def mnist():
    return cvxinv.mnist_generator()


def test_odd_signals(mnist):
    z = np.random.default_rng(0).standard_normal((6, 20))
    y = mnist(z)
    seen = np.ones((6, 784), bool)
    y[0], y[1] = 0.0, 1.0  # an all-zero and a constant image
    y[2, :30], seen[2, :30] = np.nan, False  # nan outside the mask is fine ..
    y[3, 5] = np.nan  # .. inside it is not
    seen[4] = np.arange(784) % 60 == 0  # 14 pixels for 20 latent numbers
    inv = cvxinv.invert(mnist, y, observed=seen, starts=4)
    names = [s.name for s in inv.status]
    assert names[2:] == ["OPTIMAL", "NONFINITE", "NOT_IDENTIFIABLE", "OPTIMAL"]
    assert set(names[:2]) <= {"STATIONARY", "MAX_ITER"}
    assert np.isfinite(np.delete(inv.z, 3, axis=0)).all()
    assert np.isnan(inv.z[3]).all()
    assert np.isnan(inv.noise[4])  # nothing is left to estimate it from
    assert not inv.identifiable[4]
    assert np.isinf(inv.condition[4])
    assert not np.isfinite(inv.standard_error[4]).any()
    assert "Observe more pixels" in inv.status[4].value
    assert cvxinv.snr(z[[2, 5]], inv.z[[2, 5]]).min() > FAST_SNR


def test_no_noise_and_huge_noise():
    G, z, y = small()
    exact = cvxinv.invert(G, y, noise=0.0)
    assert cvxinv.snr(z, exact.z).min() > FAST_SNR
    assert (exact.covariance == 0).all()
    lost = cvxinv.invert(G, y + 1e3 * np.random.default_rng(0).standard_normal(y.shape), noise=1e3)
    assert np.isfinite(lost.z).all()
    assert (lost.standard_error > 1).all()


def test_the_zero_signal_of_a_generator_without_biases():
    G = cvxinv.Generator(small()[0].weights)
    inv = cvxinv.invert(G, np.zeros((1, 80)), starts=2)
    assert inv.residual[0] <= 1e-9
    assert inv.status[0].name in ("OPTIMAL", "NOT_IDENTIFIABLE")


def test_outside_the_range_of_tanh():
    G, z, y = small("tanh", noise=0.3)
    assert (np.abs(y) > 1).any(axis=1).all()
    inv = cvxinv.invert(G, y, starts=4)
    assert np.isfinite(inv.z).all()
    assert np.median(cvxinv.snr(z, inv.z)) > 5


def test_a_linear_measurement():
    G, z, _ = small("identity")
    A = np.random.default_rng(0).standard_normal((30, 80))
    inv = cvxinv.invert(G.measure(A), G(z) @ A.T)
    assert (inv.residual <= 1e-9).all()
    assert (cvxinv.snr(z, inv.z)[inv.identifiable] > 100).mean() > 0.7


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kinds_and_dtypes_come_back(kind, dtype):
    G, z, y = small(noise=0.02)
    y = y.astype(dtype)
    y = torch.from_numpy(y) if kind == "torch" else y
    inv = cvxinv.invert(G, y, starts=3)
    for a in (
        inv.z,
        inv.signal,
        inv.objective,
        inv.covariance,
        inv.standard_error,
        inv.condition,
        inv.noise,
    ):
        assert type(a) is type(y)
        assert a.dtype == y.dtype
    assert np.median(cvxinv.snr(z, np.asarray(inv.z, dtype=float))) > 15


def test_no_signals():
    G, _, y = small()
    inv = cvxinv.invert(G, y[:0])
    assert inv.z.shape == (0, 3)
    assert inv.covariance.shape == (0, 3, 3)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"noise": -1.0}, ValueError, "noise"),
        ({"noise": np.ones(2)}, ValueError, "noise: expected a number or shape"),
        ({"noise": "much"}, TypeError, "noise"),
        ({"prior": 1.0}, ValueError, "prior"),
        ({"noise": 0.1, "prior": 0.0}, ValueError, "prior"),
        ({"starts": -2}, ValueError, "starts"),
        ({"solve": 3}, TypeError, "solve"),
        ({"observed": np.ones(3)}, TypeError, "observed"),
    ],
)
def test_errors_name_the_argument(options, error, text):
    G, _, y = small()
    with pytest.raises(error, match=text):
        cvxinv.invert(G, y, **options)
