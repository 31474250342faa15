"""The front door: exact without noise, as good as statistics allow with it, and honest about what
cannot be known.
"""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv import Status
from tests.support.instances import generator
from tests.support.tolerances import FAST_SNR

SIZES = (3, 16, 40, 80)
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


def small(phi="plu", count=6, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    G = generator(SIZES, phi, biased=True)
    z = rng.standard_normal((count, SIZES[0]))
    return G, z, G(z) + noise * rng.standard_normal((count, SIZES[-1]))


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
    np.testing.assert_allclose(
        inv.noise, 0.05, rtol=0.12
    )  # 764 degrees of freedom: 2.6 % is one standard deviation
    known = cvxinv.invert(mnist, y[:16], noise=0.05, starts=6)
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


# -- error bars ------------------------------------------------------------------------------------


def test_cramer_rao_by_finite_differences():
    G, z, _ = small("tanh")
    seen = np.random.default_rng(0).random(80) < 0.7
    h = 1e-6
    for b in range(len(z)):
        J = np.stack([(G(z[b] + h * e) - G(z[b] - h * e)) / (2 * h) for e in np.eye(3)], axis=1)[
            seen
        ]
        expected = 0.1**2 * np.trace(np.linalg.inv(J.T @ J))
        np.testing.assert_allclose(cvxinv.cramer_rao(G, z, 0.1, seen)[b], expected, rtol=1e-5)
    assert np.isinf(cvxinv.cramer_rao(G, z, 0.1, np.arange(80) < 2)).all()
    assert np.isinf(cvxinv.cramer_rao(G, z, 0.0, np.arange(80) < 2)).all()
    assert (cvxinv.cramer_rao(G, z, 0.0) == 0).all()
    np.testing.assert_array_equal(
        cvxinv.cramer_rao(G, z, [0.1] * len(z)), cvxinv.cramer_rao(G, z, 0.1)
    )
    tensor = cvxinv.cramer_rao(G, torch.from_numpy(z), 0.1)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_allclose(tensor, cvxinv.cramer_rao(G, z, 0.1), rtol=1e-10)


def test_covariance_is_that_of_linear_regression():
    """On one linear piece of G the estimate is ordinary least squares, whose covariance is
    known.
    """
    rng = np.random.default_rng(0)
    W0, W1 = rng.standard_normal((8, 3)), rng.standard_normal((20, 8))
    G = cvxinv.Generator([W0, W1], [np.full(8, 50.0), np.zeros(20)])
    z = rng.standard_normal((400, 3))
    inv = cvxinv.hybrid(G, G(z) + 0.1 * rng.standard_normal((400, 20)), noise=0.1)
    expected = 0.01 * np.linalg.inv((W1 @ W0).T @ (W1 @ W0))
    np.testing.assert_allclose(
        inv.covariance, np.broadcast_to(expected, inv.covariance.shape), rtol=1e-9
    )
    error = (inv.z - z) / np.sqrt(np.diag(expected))
    assert 0.9 < error.std() < 1.1


# -- odd signals -----------------------------------------------------------------------------------


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


def test_a_prior_makes_few_pixels_enough(mnist):
    z = np.random.default_rng(0).standard_normal((2, 20))
    inv = cvxinv.invert(
        mnist, mnist(z), observed=np.arange(784) % 60 == 0, noise=0.1, prior=1.0, starts=2
    )
    assert np.isfinite(inv.standard_error).all()
    assert (inv.standard_error <= 1.0 + 1e-12).all()
    assert "NOT_IDENTIFIABLE" not in {s.name for s in inv.status}


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


def test_standard_errors_are_infinite_only_where_z_is_not_determined():
    G = cvxinv.Generator([np.eye(3), np.random.default_rng(0).standard_normal((10, 3))])
    y = G(
        np.array([1.0, -1.0, 0.5])
    )  # the second unit is off: its latent number could be any below zero
    inv = cvxinv.invert(G, y, noise=0.1)
    assert inv.status is Status.NOT_IDENTIFIABLE
    np.testing.assert_array_equal(np.isinf(inv.standard_error), [False, True, False])
    np.testing.assert_allclose(inv.z[[0, 2]], [1.0, 0.5], atol=1e-9)


def test_a_prior_without_noise_changes_nothing():
    G, z, y = small(count=3)
    inv = cvxinv.invert(G, y, noise=0.0, prior=1.0)
    assert [s.name for s in inv.status] == ["OPTIMAL"] * 3
    assert cvxinv.snr(z, inv.z).min() > FAST_SNR


def test_rounding_of_float32_is_noise_too():
    G, z, _ = small("sigmoid", count=50)
    inv = cvxinv.invert(G, G(z).astype(np.float32))
    assert (inv.standard_error[inv.identifiable] > 1e-9).all()
