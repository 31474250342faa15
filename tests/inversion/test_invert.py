"""The front door: exact without noise, and as good as statistics allow with it."""

import numpy as np
import pytest

import cvxinv
from cvxinv import Status
from tests.support.inversion import small
from tests.support.tolerances import FAST_SNR

DOWN = 784 * 13 // 28  # the upper 13 of 28 rows are hidden


@pytest.fixture(scope="module")
def mnist():
    return cvxinv.mnist_generator()


def masks(count):
    return {
        "clean": None,
        "half": np.arange(784) >= DOWN,
        "random": np.random.default_rng(5).random((count, 784)) >= 0.45,
    }


# -- without noise ---------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["clean", "half", "random"])
def test_without_noise_it_is_exact(mnist, setting):
    z = np.random.default_rng(0).standard_normal((12, 20))
    seen = masks(12)[setting]
    y = mnist(z) if seen is None else np.where(seen, mnist(z), np.nan)
    inv = cvxinv.invert(mnist, y, observed=seen)
    assert cvxinv.snr(z, inv.z).min() >= FAST_SNR
    assert list(inv.status) == [Status.OPTIMAL] * 12
    assert [len(inv.solutions), len(inv.layers), len(inv.supports)] == [3, 2, 2]
    assert all(s.name == "OPTIMAL" for solution in inv.solutions for s in solution.status)
    np.testing.assert_array_equal(inv.supports[1], mnist.supports(inv.z)[1])
    assert inv.identifiable.all()
    assert (inv.standard_error < 1e-9).all()


@pytest.mark.parametrize(("dtype", "rounding"), [("float64", 1e-10), ("float32", 1e-5)])
def test_the_signal_is_reproduced_to_rounding_or_it_is_not(dtype, rounding):
    G, _, y = small("plu")
    noise = np.random.default_rng(7).standard_normal(y.shape)
    size = np.linalg.norm(y, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    for share, status in [(0.5, Status.OPTIMAL), (3.0, Status.STATIONARY)]:
        inv = cvxinv.hybrid(G, (y + share * rounding * size * noise).astype(dtype))
        assert {*inv.status} == {status}


@pytest.mark.parametrize("phi", ["identity", "tanh", "sigmoid", "leaky_relu", "plu"])
def test_every_activation(phi):
    G, _, y = small(phi)
    inv = cvxinv.invert(G, y)
    found = inv.identifiable & (inv.status == Status.OPTIMAL)
    assert found.sum() >= 5
    assert (np.linalg.norm(y - inv.signal, axis=1) <= 1e-9 * np.linalg.norm(y, axis=1))[found].all()


def test_the_reference_backend_serves_too():
    G, _, y = small("plu", count=2)
    inv = cvxinv.invert(G, y, solve=cvxinv.reference.solve)
    assert (inv.residual <= 1e-9).all()


# -- with noise ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noisy(mnist):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((160, 20))
    return z, mnist(z) + 0.05 * rng.standard_normal((160, 784))


def test_attains_the_cramer_rao_bound_and_knows_it(mnist, noisy):
    z, y = noisy
    inv = cvxinv.invert(mnist, y, noise=0.05)
    bound = 10 * np.log10((z**2).sum(axis=1) / cvxinv.cramer_rao(mnist, z, 0.05))
    snr = cvxinv.snr(z, inv.z)
    assert np.median(snr) >= np.median(bound) - 0.5
    assert np.quantile(snr, 0.1) >= np.quantile(bound, 0.1) - 1.5
    inside = (np.abs(inv.z - z) <= 1.96 * inv.standard_error).mean()
    assert 0.92 <= inside <= 0.98
    np.testing.assert_allclose(inv.residual, np.linalg.norm(y - inv.signal, axis=1), rtol=1e-12)
    np.testing.assert_allclose(inv.objective, inv.residual**2 / 2, rtol=1e-9)
    assert {s.name for s in inv.status} <= {"STATIONARY", "MAX_ITER"}


def test_the_noise_is_estimated_where_it_is_not_given(mnist, noisy):
    _, y = noisy
    inv = cvxinv.invert(mnist, y[:16], starts=6)
    known = cvxinv.invert(mnist, y[:16], noise=0.05, starts=6)
    # 764 degrees of freedom: 2.6 % is one standard deviation
    np.testing.assert_allclose(inv.noise, 0.05, rtol=0.12)
    np.testing.assert_allclose(inv.standard_error, known.standard_error, rtol=0.3)


def test_more_starts_are_no_worse_and_hybrid_is_none(mnist, noisy):
    _, y = noisy
    few, many = (
        cvxinv.hybrid(mnist, y[:16], noise=0.05),
        cvxinv.invert(mnist, y[:16], noise=0.05, starts=12),
    )
    assert (many.objective <= few.objective * 1.5).all()
    assert np.mean(many.objective) <= np.mean(few.objective) * 1.001


def test_noise_aware_start_beats_the_printed_pursuit_on_the_last_layer(mnist, noisy):
    z, y = noisy[0][:64], noisy[1][:64]
    x2 = mnist.layers(z)[1]
    aware, printed = (
        cvxinv.noisy_pursuit(mnist, y, noise=0.05),
        cvxinv.latent_pursuit(mnist, y, debias=False),
    )
    gain = np.median(cvxinv.snr(x2, aware.layers[1])) - np.median(cvxinv.snr(x2, printed.layers[1]))
    assert gain > 1.0  # dB


def test_noise_aware_pursuit_is_the_pursuit_without_noise(mnist):
    z = np.random.default_rng(0).standard_normal((4, 20))
    inv = cvxinv.noisy_pursuit(mnist, mnist(z))
    assert cvxinv.snr(z, inv.z).min() > 100


def test_a_prior_shrinks(mnist, noisy):
    _, y = noisy
    free, held = (
        cvxinv.hybrid(mnist, y[:8], noise=0.05),
        cvxinv.hybrid(mnist, y[:8], noise=0.05, prior=0.05),
    )
    assert (np.linalg.norm(held.z, axis=1) < np.linalg.norm(free.z, axis=1)).mean() > 0.8
    assert (held.standard_error < 0.0501).all()


def test_a_signal_is_alone_or_among_others():
    G, _, y = small(noise=0.05)
    whole = cvxinv.invert(G, y, starts=6)
    for b in (0, 3):
        one = cvxinv.invert(G, y[b], starts=6)
        assert one.z.shape == (3,)
        assert one.covariance.shape == (3, 3)
        assert one.status is whole.status[b]
        np.testing.assert_allclose(
            one.objective, whole.objective[b], rtol=1e-3
        )  # at a kink, rounding decides where descent ends


def test_clean_and_noisy_signals_in_one_batch():
    G, z, y = small(count=6)
    y[::2] += 0.05 * np.random.default_rng(0).standard_normal(y[::2].shape)
    inv = cvxinv.invert(G, y, starts=4)
    assert (cvxinv.snr(z, inv.z)[1::2] > FAST_SNR).all()
    assert [s.name for s in inv.status[1::2]] == ["OPTIMAL"] * 3
    assert "OPTIMAL" not in {s.name for s in inv.status[::2]}
    for solution in inv.solutions:
        assert len(solution.status) == len(solution.x) == len(solution.certificate.kkt) == 6
