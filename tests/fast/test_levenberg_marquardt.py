"""Levenberg-Marquardt on eq. 1: against closed forms, SciPy, automatic differentiation, and its own
promises about batches.
"""

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
import fast
from cvxinv.generator.jacobian import jacobian
from fast.latent.eq1 import fit_to
from fast.latent.race import nearest
from fast.latent.steps import TRIALS, begin, descend, step
from tests.support.instances import generator
from tests.support.tolerances import CLOSED_FORM, FORWARD

SIZES = (3, 14, 30, 50)
ACTIVATIONS = ("identity", "tanh", "sigmoid", "plu", "leaky_relu")
TO_THE_SAME = 1e-6  # two descents of one problem: relative, in z


def case(phi="identity", count=5, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    G = generator(SIZES, phi, biased=True)
    z = rng.standard_normal((count, SIZES[0]))
    return G, z, G(z) + noise * rng.standard_normal((count, SIZES[-1]))


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_jacobian_is_that_of_automatic_differentiation(phi):
    G, z, y = case(phi)
    seen = np.random.default_rng(1).random(y.shape) < 0.7
    fit, _ = fit_to(G, y, seen)
    z = torch.from_numpy(z)
    weights, biases = (
        [torch.from_numpy(np.array(W)) for W in G.weights],
        [torch.from_numpy(np.array(b)) for b in G.biases],
    )

    def forward(v):
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            v = torch.relu(W @ v + b)
        return G.activation(weights[-1] @ v + biases[-1])

    for b in range(len(z)):
        expected = (
            torch.autograd.functional.jacobian(forward, z[b]) * torch.from_numpy(seen[b])[:, None]
        )
        np.testing.assert_allclose(
            fit.jacobian(z)[b].T, expected, atol=FORWARD * float(expected.abs().max())
        )
        np.testing.assert_allclose(
            jacobian(G, z.numpy(), seen)[b], expected, atol=FORWARD * float(expected.abs().max())
        )


@pytest.mark.parametrize("prior", [0.0, 0.3])
def test_one_linear_piece_is_least_squares(prior):
    """With supports that cannot change G is affine: the minimiser has a closed form."""
    rng = np.random.default_rng(0)
    W0, W1, b0 = rng.standard_normal((8, 3)), rng.standard_normal((20, 8)), np.full(8, 100.0)
    G = cvxinv.Generator([W0, W1], [b0, np.zeros(20)])
    y = G(rng.standard_normal((4, 3))) + 0.1 * rng.standard_normal((4, 20))
    J, k = W1 @ W0, W1 @ b0
    expected = np.linalg.solve(J.T @ J + prior * np.eye(3), J.T @ (y - k).T).T
    found = fast.levenberg_marquardt(G, y, start=np.zeros((4, 3)), prior=prior)
    assert found.finished.all()
    np.testing.assert_allclose(found.z, expected, rtol=CLOSED_FORM)
    residual = 0.5 * ((y - G(expected)) ** 2).sum(axis=1) + 0.5 * prior * (expected**2).sum(axis=1)
    np.testing.assert_allclose(found.objective, residual, rtol=1e-12)


@pytest.mark.parametrize("phi", ["tanh", "sigmoid", "identity"])
def test_agrees_with_scipy_from_the_same_start(phi):
    G, z, y = case(phi, noise=0.01)
    start = z + 0.01
    found = fast.levenberg_marquardt(G, y, start=start)
    for b in range(len(z)):
        rival = scipy.optimize.least_squares(
            lambda v, b=b: G(v) - y[b], start[b], xtol=1e-15, ftol=1e-15, gtol=1e-15
        )
        assert found.objective[b] <= rival.cost * (1 + 1e-9)


@given(
    st.integers(0, 10_000),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.integers(0, 5),
)
@example(0, "plu", 0.1, 4)
@example(1, "tanh", 1.0, 0)
def test_never_above_the_start_and_never_above_with_more_starts(seed, phi, noise, starts):
    G, z, y = case(phi, noise=noise, seed=seed)
    start = np.random.default_rng(seed + 1).standard_normal(z.shape)
    before = 0.5 * ((y - G(start)) ** 2).sum(axis=1)
    found = fast.levenberg_marquardt(G, y, start=start, starts=starts, seed=seed)
    assert (found.objective <= before * (1 + 1e-14)).all()
    np.testing.assert_allclose(
        found.objective, 0.5 * ((y - G(found.z)) ** 2).sum(axis=1), rtol=1e-9, atol=1e-25
    )
    assert ((found.agreement >= 0) & (found.agreement <= 1)).all()


def test_random_starts_alone_find_z_without_noise():
    G, z, y = case("plu", count=20)
    found = fast.levenberg_marquardt(G, y, starts=12)
    assert (cvxinv.snr(z, found.z) > 150).mean() >= 0.9


def test_a_signal_is_alone_or_among_others():
    G, z, y = case("plu", count=9, noise=0.05)
    start = z + 0.3
    start[4] = np.nan  # has to be drawn, which its companions must not notice
    for starts in (0, 5):
        whole = fast.levenberg_marquardt(G, y, start=start, starts=starts)
        for b in range(len(z)):
            one = fast.levenberg_marquardt(G, y[b], start=start[b], starts=starts)
            np.testing.assert_allclose(one.z, whole.z[b], rtol=TO_THE_SAME, atol=TO_THE_SAME)


def test_masks_hide_everything():
    G, z, y = case("plu", noise=0.01)
    seen = np.random.default_rng(0).random(y.shape) < 0.6
    a = fast.levenberg_marquardt(
        G, np.where(seen, y, np.nan), start=z + 0.1, observed=seen, starts=3
    )
    b = fast.levenberg_marquardt(G, np.where(seen, y, 1e6), start=z + 0.1, observed=seen, starts=3)
    np.testing.assert_array_equal(a.z, b.z)
    assert np.isfinite(a.z).all()


def test_a_signal_with_nan_is_left_out():
    G, z, y = case()
    y[1, 3] = np.nan
    found = fast.levenberg_marquardt(G, y, start=z, starts=3)
    assert np.isnan(found.z[1]).all()
    assert not found.finished[1]
    assert np.isfinite(np.delete(found.z, 1, axis=0)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_kinds_and_dtypes_come_back(kind, dtype):
    G, z, y = case()
    y = y.astype(dtype)
    y = torch.from_numpy(y) if kind == "torch" else y
    found = fast.levenberg_marquardt(G, y, starts=2)
    assert type(found.z) is type(y)
    assert (found.z.dtype, tuple(found.z.shape)) == (y.dtype, z.shape)
    one = fast.levenberg_marquardt(G, y[0], starts=2)
    assert (tuple(one.z.shape), one.objective.ndim) == ((3,), 0)


def test_no_signals():
    G, _, y = case()
    assert fast.levenberg_marquardt(G, y[:0], starts=3).z.shape == (0, 3)


def test_scale():
    G, z, _ = case("identity", noise=0.0)
    G0 = cvxinv.Generator(G.weights, None)
    for unit in (1e-8, 1e8):
        found = fast.levenberg_marquardt(G0, unit * G0(z), start=unit * (z + 0.01))
        np.testing.assert_allclose(G0(found.z), unit * G0(z), rtol=1e-6, atol=1e-8 * unit)


def test_nearest_is_the_nearest_draw():
    G, _, y = case("plu", count=3)
    fit, _ = fit_to(G, y, None)
    z = nearest(G, fit, [0, 2, 0], 1.0).numpy()
    Z = np.random.default_rng([0, 2, 0]).standard_normal((1024, 3))
    distance = ((y[:, None, :] - G(Z)[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(((y - G(z)) ** 2).sum(axis=1), distance.min(axis=1), rtol=1e-4)


@pytest.mark.parametrize("phi", ["tanh", "plu"])
@pytest.mark.parametrize("damping", [1e-2, 1.0])
def test_a_step_is_the_best_of_the_dampings_in_closed_form(phi, damping):
    """(J'J + damping D) dz = -J'e, D the diagonal of J'J; or none, where no damping descends."""
    G, z, y = case(phi, count=40, noise=0.1)
    fit, _ = fit_to(G, y, None)
    at = begin(fit, torch.from_numpy(z + np.random.default_rng(5).standard_normal(z.shape)))
    at.damping.fill_(damping)
    found, start, chosen = step(fit, fit.to(torch.float32), at), at.z.numpy(), []
    for b, J in enumerate(jacobian(G, start)):
        H, g = J.T @ J, J.T @ (G(start[b]) - y[b])
        trials = [
            start[b] - np.linalg.solve(H + damping * t * np.diag(np.diag(H)), g) for t in TRIALS
        ]
        values = [0.5 * ((y[b] - G(trial)) ** 2).sum() for trial in trials]
        chosen.append(np.argmin(values))
        best = trials[chosen[b]] if min(values) < at.objective[b] else start[b]
        np.testing.assert_allclose(found.z[b], best, rtol=1e-3, atol=1e-3)
    assert len({*chosen}) > 1


def test_steps_descend():
    G, z, y = case("plu", noise=0.1)
    fit, _ = fit_to(G, y, None)
    at, values = begin(fit, torch.from_numpy(z + 0.5)), []
    for _ in range(6):
        values.append(at.objective.clone())
        at = descend(fit, at, 1)
    assert (torch.diff(torch.stack(values), dim=0) <= 1e-14).all()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"starts": -1}, ValueError, "starts: expected an integer >= 0, got -1"),
        ({"starts": 1.5}, TypeError, "starts"),
        ({"steps": True}, TypeError, "steps"),
        ({"prior": -1.0}, ValueError, "prior"),
        ({"prior": np.ones(3)}, ValueError, "prior: expected a number or shape"),
        ({"start": np.zeros((5, 2))}, ValueError, "start"),
        ({"observed": np.ones(3, bool)}, ValueError, "observed"),
        ({"scale": -1.0}, ValueError, "scale"),
    ],
)
def test_errors_name_the_argument(options, error, text):
    G, _, y = case()
    with pytest.raises(error, match=text.replace("(", r"\(")):
        fast.levenberg_marquardt(G, y, **options)
