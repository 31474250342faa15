"""What is known of z: covariances, and what no pixel determines."""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv import Generator, Status
from cvxinv.generator.jacobian import jacobian
from cvxinv.inversion.error_bars import root, spectrum
from tests.support.inversion import small
from tests.support.tolerances import FAST_SNR


@pytest.fixture(scope="module")
def mnist():
    return cvxinv.mnist_generator()


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
    alone = cvxinv.cramer_rao(G, z[1], 0.1, seen)
    np.testing.assert_allclose(alone, cvxinv.cramer_rao(G, z, 0.1, seen)[1], rtol=1e-12)
    assert alone.shape == ()
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


@pytest.mark.parametrize("sigma_z", [0.01, 1.0, 30.0])
def test_covariance_with_a_prior_is_that_of_bayes(sigma_z):
    rng = np.random.default_rng(1)
    R, sigma = rng.standard_normal((4, 5, 3)), np.array([0.01, 0.1, 1.0, 10.0])
    found = spectrum(R, own_units=False)
    precision = R.transpose(0, 2, 1) @ R / sigma[:, None, None] ** 2 + np.eye(3) / sigma_z**2
    expected = np.linalg.inv(precision)
    np.testing.assert_allclose(found.covariance(sigma, sigma_z), expected, rtol=1e-9, atol=1e-14)
    errors = np.sqrt(expected.diagonal(axis1=1, axis2=2))
    np.testing.assert_allclose(found.standard_error(sigma, sigma_z), errors, rtol=1e-9)


def test_parts_that_fit_into_the_memory_are_the_whole(monkeypatch):
    G, z, _ = small("tanh", count=7)
    whole = root(G, z, None)
    monkeypatch.setattr("cvxinv.inversion.error_bars.room", lambda _: 0)  # one signal at a time
    np.testing.assert_allclose(root(G, z, None), whole, rtol=1e-12, atol=1e-14)


def test_derivatives_that_overflow_say_nothing():
    W0, W1 = np.diag([1e200, 1.0]), np.array([[1e200, 0.0], [1e-200, 2.0], [0.0, 4.0]])
    with np.errstate(over="ignore"):
        R = root(Generator([W0, W1]), np.ones((1, 2)), None)[0]
    np.testing.assert_allclose(R.T @ R, [[1.0, 2.0], [2.0, 20.0]])


def test_standard_errors_are_infinite_only_where_z_is_not_determined():
    G = cvxinv.Generator([np.eye(3), np.random.default_rng(0).standard_normal((10, 3))])
    y = G(
        np.array([1.0, -1.0, 0.5])
    )  # the second unit is off: its latent number could be any below zero
    inv = cvxinv.invert(G, y, noise=0.1)
    assert inv.status is Status.NOT_IDENTIFIABLE
    np.testing.assert_array_equal(np.isinf(inv.standard_error), [False, True, False])
    np.testing.assert_allclose(inv.z[[0, 2]], [1.0, 0.5], atol=1e-9)


def test_rounding_of_float32_is_noise_too():
    G, z, _ = small("sigmoid", count=50)
    inv = cvxinv.invert(G, G(z).astype(np.float32))
    assert (inv.standard_error[inv.identifiable] > 1e-9).all()


def test_a_prior_makes_few_pixels_enough(mnist):
    z = np.random.default_rng(0).standard_normal((2, 20))
    inv = cvxinv.invert(
        mnist, mnist(z), observed=np.arange(784) % 60 == 0, noise=0.1, prior=1.0, starts=2
    )
    assert np.isfinite(inv.standard_error).all()
    assert (inv.standard_error <= 1.0 + 1e-12).all()
    assert "NOT_IDENTIFIABLE" not in {s.name for s in inv.status}


def test_a_prior_without_noise_changes_nothing():
    G, z, y = small(count=3)
    inv = cvxinv.invert(G, y, noise=0.0, prior=1.0)
    assert [s.name for s in inv.status] == ["OPTIMAL"] * 3
    assert cvxinv.snr(z, inv.z).min() > FAST_SNR


# -- what no pixel determines ----------------------------------------------------------------------


def active(count, biased, rows, seed):
    """Latent vectors of 20 numbers with `count` first-layer units on."""
    rng = np.random.default_rng(seed)
    W = [rng.standard_normal((rows, 20)), rng.standard_normal((200, rows)) / 8]
    G = Generator(W, [0.3 * rng.standard_normal(rows), np.zeros(200)] if biased else None)
    z = rng.standard_normal((8000, 20))
    return G, z[G.supports(z)[0].sum(axis=1) == count][:8]


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("rows", [38, 40, 60])
@pytest.mark.parametrize("seed", [0, 1])
def test_fewer_active_rows_than_unknowns_determine_nothing(rows, biased, seed):
    """Not even where the pursuit stops at a corner of all solutions, where rounding turns one more
    unit on.
    """
    G, z = active(19, biased, rows, seed)
    assert len(z)
    inv = cvxinv.invert(G, G(z), starts=2)
    assert set(inv.status) == {Status.NOT_IDENTIFIABLE}
    assert not inv.identifiable.any()
    assert np.isinf(inv.standard_error).any(axis=1).all()
    assert np.isinf(inv.condition).all()


@pytest.mark.parametrize("rows", [40, 60])
def test_enough_of_them_do(rows):
    G, z = active(24, True, rows, 0)
    inv = cvxinv.invert(G, G(z))
    assert set(inv.status) == {Status.OPTIMAL}
    assert (np.abs(inv.z - z) <= 10 * inv.standard_error).all()
    assert (inv.standard_error < 1e-9).all()


@pytest.mark.parametrize("unit", [1e-150, 1e-11, 1e-3, 1e5, 1e11, 1e150])
def test_units_of_a_latent_number_do_not_matter(unit):
    G, z, _ = small(count=20)
    S_1, S_2 = G.supports(z)
    z = z[(S_1.sum(axis=1) > 5) & (S_2.sum(axis=1) > 20)][:6]
    y = G(z)
    first, *others = G.weights
    scale = np.array([unit, 1.0, 1.0])
    scaled = Generator([first / scale, *others], G.biases, G.activation)
    expected, inv = (cvxinv.invert(g, y, starts=2) for g in (G, scaled))
    assert cvxinv.snr(z, inv.z / scale).min() > FAST_SNR
    assert list(inv.status) == list(expected.status) == [Status.OPTIMAL] * 6
    np.testing.assert_allclose(inv.condition, expected.condition, rtol=1e-6)
    ratio = inv.standard_error / (scale * expected.standard_error)
    assert (ratio > 0.1).all()
    assert (ratio < 10).all()  # both are rounding


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 0.0])
def test_the_standard_error_covers_the_error_where_columns_nearly_depend(distance):
    rng = np.random.default_rng(0)
    W = [rng.standard_normal((30, 4)), rng.standard_normal((80, 30))]
    W[0][:, 0] = W[0][:, 1] + distance * rng.standard_normal(30)
    G, z = Generator(W), rng.standard_normal((40, 4))
    inv = cvxinv.invert(G, G(z), starts=2)
    assert (np.abs(inv.z - z) <= 10 * inv.standard_error).all()
    expected = Status.OPTIMAL if distance > 1e-9 else Status.NOT_IDENTIFIABLE
    assert distance == 1e-9 or set(inv.status) == {expected}
    assert (inv.residual <= 1e-12 * np.linalg.norm(G(z), axis=1)).all()


@pytest.mark.parametrize("pixels", [0, 2, 14])
def test_little_noise_with_a_prior_leaves_the_priors_error_bar(mnist, pixels):
    z = np.random.default_rng(0).standard_normal((3, 20))
    seen = np.isin(np.arange(784), 400 + 7 * np.arange(pixels))
    inv = cvxinv.invert(mnist, mnist(z), seen, noise=0.0, prior=0.7, starts=2)
    assert Status.NOT_IDENTIFIABLE not in inv.status
    assert not inv.identifiable.any()
    unknown = 20 - np.linalg.matrix_rank(jacobian(mnist, inv.z, seen))
    np.testing.assert_allclose((inv.standard_error**2).sum(axis=1), unknown * 0.7**2)
    np.testing.assert_allclose(inv.covariance.trace(axis1=1, axis2=2), unknown * 0.7**2)
    J = spectrum(root(mnist, inv.z, seen), own_units=False)
    little = J.standard_error(np.full(3, 1e-9), 0.7)
    np.testing.assert_allclose(inv.standard_error, little, atol=1e-6)


# -- what is no answer has no figures --------------------------------------------------------------


def test_figures_of_a_signal_with_a_nan_are_nan():
    G, _, y = small()
    y[2, 5] = np.nan
    inv = cvxinv.invert(G, y, starts=2)
    figures = ("z", "signal", "residual", "objective", "noise", "covariance", "standard_error")
    for name in (*figures, "condition", "agreement"):
        figure = getattr(inv, name)
        assert np.isnan(figure[2]).all(), name
        assert np.isfinite(np.delete(figure, 2, axis=0)).all(), name
    assert inv.status[2] is Status.NONFINITE
    assert not inv.identifiable[2]


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("f8", 1e155), ("f8", 1e160), ("f8", 1e200), ("f8", 1e300), ("f4", 1e30), ("f4", 3e38)],
)
@pytest.mark.parametrize("phi", ["plu", "identity", "tanh"])
def test_no_overflow_is_an_answer(phi, dtype, size):
    G, z, y = small(phi)
    y = y.astype(dtype)
    y[1], y[3] = size, -size
    runs = (cvxinv.invert, cvxinv.latent_pursuit, cvxinv.layered_basis_pursuit)
    for run in runs:
        inv = run(G, y)
        for b in (1, 3):
            solved = inv.status[b] in (Status.OPTIMAL, Status.STATIONARY)
            assert not solved or np.isfinite(inv.residual[b])
            assert run is not cvxinv.invert or inv.status[b] is not Status.OPTIMAL
    others = [0, 2, 4, 5]
    assert cvxinv.snr(z, cvxinv.invert(G, y).z.astype(float))[others].min() > 60
