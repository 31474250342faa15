"""The pursuits on small random generators and on the shipped one, with the reference as their
backend.
"""

from functools import partial

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv import BasisPursuit, Generator, Status, reference
from tests.support.instances import generator
from tests.support.tolerances import ALONE, CLOSED_FORM, EXACT_SNR, FLOAT32_SNR, FORWARD, KKT

latent_pursuit = partial(cvxinv.latent_pursuit, solve=reference.solve)
basis_pursuit = partial(cvxinv.layered_basis_pursuit, solve=reference.solve)
oracle = partial(cvxinv.oracle, solve=reference.solve)
ACTIVATIONS = ("identity", "tanh", "plu", "sigmoid", "leaky_relu")
SHAPES = ((4, 12, 40), (4, 12, 30, 80))
FINE = (Status.OPTIMAL, Status.STATIONARY)


def recoverable(G, count=6, seed=0):
    """Latent vectors whose every layer is determined by the next: at least n_i active rows in W_i,
    with some to spare.
    """
    z = np.random.default_rng(seed).standard_normal((400, G.sizes[0]))
    enough = [S.sum(axis=1) > n for S, n in zip(G.supports(z), G.sizes, strict=False)]
    z = z[np.all(enough, axis=0)][:count]
    assert len(z) == count
    return z


def exact(z, inv):
    assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
    assert all(status in FINE for status in np.atleast_1d(inv.status))


def inversion(name, z):
    """The algorithm of that name, as a function of generator and signals; the oracle gets the
    supports of z.
    """
    return {
        "latent": latent_pursuit,
        "basis": basis_pursuit,
        "oracle": lambda G, y, observed=None: oracle(G, y, G.supports(z), observed),
        "lp": partial(cvxinv.linear_programming, noise=1e-9),
    }[name]


def random_mask(shape, hidden=0.3, seed=0):
    return np.random.default_rng(seed).random(shape) >= hidden


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("phi", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_latent_pursuit_is_exact(sizes, phi, biased):
    G = generator(sizes, phi, biased=biased)
    z = recoverable(G)
    y = G(z)
    for debias in (False, True):
        inv = latent_pursuit(G, y, debias=debias)
        exact(z, inv)
    for x, x_hat, S, S_hat in zip(
        G.layers(z), inv.layers, G.supports(z), inv.supports, strict=True
    ):
        np.testing.assert_allclose(x_hat, x, atol=CLOSED_FORM * np.abs(x).max())
        np.testing.assert_array_equal(S_hat, S)
    np.testing.assert_allclose(inv.signal, G(inv.z), rtol=FORWARD)
    assert len(inv.solutions) == len(sizes) - 1
    assert [s.x.shape[1] for s in inv.solutions] == list(sizes[:-1])


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_latent_pursuit_is_exact_under_masks(phi):
    G = generator((4, 12, 40), phi)
    z = recoverable(G)
    for seen in (random_mask(40), random_mask((6, 40)), np.arange(40) >= 15):
        y = np.where(seen, G(z), np.nan)  # what is not seen may hold anything
        exact(z, latent_pursuit(G, y, observed=seen))


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_oracle_and_basis_pursuit_and_linear_programs_are_exact_without_noise(phi, sizes):
    G = generator(sizes, phi, biased=True)
    z = recoverable(G, 4)
    y, seen = G(z), random_mask(sizes[-1], 0.2)
    exact(z, oracle(G, y, G.supports(z)))
    exact(z, oracle(G, np.where(seen, y, np.nan), G.supports(z), observed=seen))
    exact(z, basis_pursuit(G, y))
    exact(z, basis_pursuit(G, y, observed=seen))
    for norm in ("linf", "l1"):
        exact(z, cvxinv.linear_programming(G, y, norm=norm, noise=1e-9))


def test_theorem_3_needs_column_weights():
    """Erratum E1 of the specification: one lam for all columns loses the support, lam_j = 2 eps
    ||w_j|| keeps it.
    """
    W, y, eps = np.diag([3.0, 0.1]), np.array([0.01, 0.5]), 0.01
    printed = reference.solve(BasisPursuit(W, y, lam=2 * eps)).x
    np.testing.assert_allclose(printed, [0.01 / 3 - 0.02 / 9, 3.0], atol=CLOSED_FORM)
    corrected = reference.solve(BasisPursuit(W, y, lam=2 * eps * np.linalg.norm(W, axis=0)))
    np.testing.assert_allclose(corrected.x, [0, 4.8], atol=CLOSED_FORM)
    np.testing.assert_array_equal(corrected.support, [False, True])
    assert np.abs(corrected.x - [0, 5]).max() < (3 + np.sqrt(1.5)) * eps / 0.1


def test_noise_levels_follow_the_recursion():
    """Layer by layer lam_ij = 2 eps_{i+1} ||w_ij|| on the rows kept, eps_i = (3 + sqrt(1.5)) / min
    ||w|| sqrt(s_i) eps_{i+1}.
    """
    rng, problems = np.random.default_rng(0), []
    G = generator((2, 6, 60, 400), "plu")
    z = recoverable(G, 2)
    y = G(z) + 1e-5 * rng.standard_normal((2, 400))

    def solve(problem):
        problems.append(problem)
        return reference.solve(problem)

    inv = cvxinv.layered_basis_pursuit(G, y, solve=solve, noise=1e-3)
    eps = np.where((np.abs(y) + 1e-3).max(axis=1) > 1, 10, 1) * 1e-3
    rows = np.ones(y.shape, bool)
    for problem, i in zip(problems[:2], (2, 1), strict=True):
        norms = np.sqrt(rows @ G.weights[i] ** 2)
        np.testing.assert_allclose(problem.lam, 2 * eps[:, None] * norms, rtol=FORWARD)
        np.testing.assert_array_equal(np.broadcast_to(problem.rows, rows.shape), rows)
        rows = inv.supports[i - 1]
        eps = (3 + np.sqrt(1.5)) / norms.min(axis=1) * np.sqrt(rows.sum(axis=1)) * eps


# -- bad signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["latent", "basis", "oracle", "lp"])
@pytest.mark.parametrize("phi", ["identity", "plu", "tanh"])
def test_a_nan_spoils_its_own_signal_only(phi, run):
    G = generator((4, 12, 40), phi)
    z = recoverable(G, 3)
    y, seen = G(z), np.arange(40) >= 5
    bad = y.copy()
    bad[1, 20] = np.nan
    clean, inv = (inversion(run, z)(G, signal, observed=seen) for signal in (y, bad))
    exact(z, clean)
    assert inv.status[1] is Status.NONFINITE
    for b in (0, 2):
        assert inv.status[b] in FINE
        np.testing.assert_allclose(inv.z[b], clean.z[b], atol=ALONE)
    assert np.isnan(inv.z[1]).all(), "a number here would look like an answer"


@pytest.mark.parametrize(
    ("phi", "value"), [("tanh", 2.5), ("tanh", -120.0), ("sigmoid", -0.6), ("sigmoid", 255.0)]
)
def test_values_far_outside_the_range_are_a_status(phi, value):
    G = generator((4, 12, 40), phi)
    z = recoverable(G, 3)
    y = G(z)
    y[1, 7] = value
    for inv in (
        basis_pursuit(G, y),
        oracle(G, y, G.supports(z)),
        cvxinv.linear_programming(G, y, noise=1e-9),
    ):
        assert inv.status[1] is Status.INVALID_SIGNAL
        assert (cvxinv.snr(z, inv.z)[[0, 2]] >= EXACT_SNR).all()
    alone = basis_pursuit(G, y[1])
    assert alone.status is Status.INVALID_SIGNAL
    unseen = np.arange(40) != 7
    exact(z, basis_pursuit(G, y, observed=unseen))


# -- kinds of input --------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["latent", "basis", "oracle", "lp"])
def test_one_signal_comes_back_as_one(run):
    G = generator((4, 12, 40), "plu")
    z = recoverable(G, 2)
    y = G(z)
    alone, batch = inversion(run, z[0])(G, y[0]), inversion(run, z)(G, y)
    assert alone.z.shape == (4,)
    assert alone.signal.shape == (40,)
    assert alone.layers[0].shape == alone.supports[0].shape == (12,)
    assert alone.status in FINE
    np.testing.assert_allclose(alone.z, batch.z[0], atol=ALONE)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_come_back_as_tensors(dtype):
    G = generator((4, 12, 40), "plu").to("cpu", dtype=dtype)
    z = torch.tensor(recoverable(generator((4, 12, 40), "plu"), 3), dtype=dtype)
    inv = latent_pursuit(G, G(z))
    for array in (inv.z, inv.signal, *inv.layers):
        assert isinstance(array, torch.Tensor)
        assert array.dtype == dtype
    assert all(S.dtype == torch.bool for S in inv.supports)
    assert inv.z.shape == (3, 4)


def test_rounding_to_float32_does_not_lose_the_support():
    G = generator((4, 12, 40), "plu").to(dtype=np.float32)
    z = recoverable(G.to(dtype=np.float64)).astype(np.float32)
    inv = latent_pursuit(G, G(z))
    for S, S_hat in zip(G.supports(z), inv.supports, strict=True):
        np.testing.assert_array_equal(S_hat, S)
    assert (cvxinv.snr(z, inv.z) >= FLOAT32_SNR).all()


def test_wrong_arguments_are_named():
    G = generator((4, 12, 40), "plu")
    y = G(recoverable(G, 2))
    bad = [
        (ValueError, "y", lambda: latent_pursuit(G, y[:, :3])),
        (TypeError, "y", lambda: latent_pursuit(G, y.astype(np.float16))),
        (TypeError, "observed", lambda: latent_pursuit(G, y, observed=np.ones(40))),
        (ValueError, "observed", lambda: latent_pursuit(G, y, observed=np.ones(39, bool))),
        (ValueError, "lam", lambda: latent_pursuit(G, y, lam=-1.0)),
        (ValueError, "lam", lambda: latent_pursuit(G, y, lam=[1.0, 2.0])),
        (ValueError, "gamma", lambda: latent_pursuit(G, y, gamma=-1.0)),
        (ValueError, "lam", lambda: basis_pursuit(G, y, lam="theorem4")),
        (ValueError, "noise", lambda: basis_pursuit(G, y, noise=-1.0)),
        (ValueError, "supports", lambda: oracle(G, y, [])),
        (ValueError, r"supports\[0\]", lambda: oracle(G, y, [np.ones((2, 3), bool)])),
        (TypeError, r"supports\[0\]", lambda: oracle(G, y, [np.ones((2, 12))])),
        (ValueError, "norm", lambda: cvxinv.linear_programming(G, y, norm="l2")),
        (ValueError, "x_hat", lambda: cvxinv.snr(y, y[:1])),
        (TypeError, "solve", lambda: cvxinv.latent_pursuit(G, y, solve=3)),
        (TypeError, "solve", lambda: cvxinv.latent_pursuit(G, y, solve=lambda problem: 3)),
    ]
    for error, name, call in bad:
        with pytest.raises(error, match=f"^{name}: "):
            call()


# -- debiasing and figures -------------------------------------------------------------------------


@pytest.mark.parametrize("phi", ["identity", "tanh", "plu"])
def test_debiasing_never_moves_away_from_the_signal(phi):
    G, rng = generator((4, 12, 40), phi), np.random.default_rng(0)
    z = recoverable(G)
    improved = 0
    for sigma in (1e-3, 0.05, 0.3):
        y = G(z) + sigma * rng.standard_normal((6, 40))
        seen = random_mask((6, 40), 0.2)
        for observed in (None, seen):
            plain, fitted = (
                latent_pursuit(G, y, observed=observed, debias=debias) for debias in (False, True)
            )
            misfit = [
                np.linalg.norm(
                    np.where(seen if observed is not None else True, y - inv.signal, 0), axis=1
                )
                for inv in (plain, fitted)
            ]
            assert (misfit[1] <= misfit[0] * (1 + FORWARD)).all()
            improved += np.sum(misfit[1] < 0.999 * misfit[0])
    assert improved > 10


def test_a_layer_without_a_preimage_is_a_status():
    """Two units max(0, z - 1), max(0, -z - 1): both on has no exact z, both off has; two units that
    are always on are never off.
    """
    G = Generator([np.array([[1.0], [-1.0]]), np.eye(2)], [np.array([-1.0, -1.0]), np.zeros(2)])
    inv = latent_pursuit(G, np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]), debias=False)
    assert all(status is Status.OPTIMAL for status in inv.solutions[0].status)
    np.testing.assert_allclose(inv.z[:2], [[-2.0], [2.0]], atol=KKT)
    assert abs(inv.z[2, 0]) <= 1 + KKT
    expected = [Status.OPTIMAL, Status.OPTIMAL, Status.NOT_IDENTIFIABLE]
    assert list(inv.status) == expected  # any z in [-1, 1] leaves both off
    never = Generator([np.zeros((2, 1)), np.eye(2)], [np.array([1.0, 1.0]), np.zeros(2)])
    assert latent_pursuit(never, np.array([0.0, 1.0]), debias=False).status is Status.INFEASIBLE


@pytest.mark.slow
@pytest.mark.parametrize("mask", ["clean", "random", "upper"])
def test_mnist(mask):
    G = cvxinv.mnist_generator()
    assert G.sizes == (20, 128, 392, 784)
    z = np.random.default_rng(0).standard_normal((8, 20))
    seen = {
        "clean": None,
        "random": random_mask((8, 784), 0.45),
        "upper": np.arange(784) >= 13 * 28,
    }[mask]
    inv = latent_pursuit(G, G(z), observed=seen)
    assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
