from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from rich.progress import Progress

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
from tests.support.instances import generator
from tests.support.tolerances import ALONE, CLOSED_FORM, EXACT_SNR, FLOAT32_SNR, FORWARD

ACTIVATIONS = ("identity", "tanh", "sigmoid", "plu", "leaky_relu")
SIZES = (3, 12, 30, 60)


def case(phi="identity", count=6, biased=True, distance=0.05, sizes=SIZES):
    """A generator, latent vectors that their signals determine, the signals, and starts nearby."""
    rng = np.random.default_rng(0)
    G = generator(sizes, phi, biased=biased)
    z = rng.standard_normal((500, sizes[0]))
    z = z[G.supports(z)[0].sum(axis=1) > sizes[0] + 1][:count]
    assert len(z) == count
    return G, z, G(z), z + distance * rng.standard_normal(z.shape)


def random_mask(shape, hidden=0.2, seed=0):
    return np.random.default_rng(seed).random(shape) >= hidden


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
    with Progress(disable=True) as bar:
        runs = [
            [
                *map(
                    np.asarray,
                    _descend(
                        fit, torch.tensor(start), [step] * steps, momentum, SMALL_GRADIENT, bar
                    ),
                )
            ]
            for step in STEP_SIZES
        ]
    for points, objective, _ in runs:
        expected[objective < lowest] = points[objective < lowest]
        lowest = np.minimum(lowest, objective)
    for k in reversed(range(len(STEP_SIZES))):
        points, _, converged = runs[k]
        expected[converged], first[converged] = points[converged], k
    np.testing.assert_allclose(found, expected, atol=ALONE)
    solved = torch.tensor(first < len(STEP_SIZES))
    assert bool(
        (fit[solved].gradient(torch.tensor(found)[solved])[1].norm(dim=1) < SMALL_GRADIENT).all()
    )
    assert len(set(first)) > 2


# -- batches and bad signals -----------------------------------------------------------------------

small = partial(gradient_descent, steps=300, step=5e-3)


def test_a_signal_does_not_depend_on_its_companions():
    G, _, y, start = case("plu")
    batch = small(G, y, start=start)
    for b in range(len(y)):
        alone = small(G, y[b], start=start[b])
        assert alone.z.shape == (3,)
        assert alone.signal.shape == (60,)
        assert alone.layers[0].shape == alone.supports[0].shape == (12,)
        assert alone.status is batch.status[b]
        np.testing.assert_allclose(alone.z, batch.z[b], atol=ALONE)
    one = small(G, y[:1], start=start[:1])
    assert one.z.shape == (1, 3)
    assert one.status.shape == (1,)


def test_random_starts_depend_on_seed_and_row_only():
    G, _, y, _ = case("plu")
    z = [small(G, signals, steps=1, seed=seed).z for signals, seed in ((y, 3), (y[:2], 3), (y, 4))]
    np.testing.assert_allclose(z[0][:2], z[1], atol=ALONE)
    assert (z[0] != z[2]).all()
    assert len(np.unique(z[0])) == z[0].size


@pytest.mark.parametrize("seed", [0, 7])
def test_random_starts_are_not_the_latent_vectors_of_an_experiment(seed):
    """z ~ default_rng(seed), as any experiment draws it, and the same seed here: the start must not
    be the answer.
    """
    G = generator(SIZES, "plu")
    z = np.random.default_rng(seed).standard_normal((4, 3))
    inv = gradient_descent(G, G(z), steps=1, step=1e-12, seed=seed)
    assert (np.linalg.norm(inv.z - z, axis=1) > 0.1).all()


def test_no_signals_at_all():
    G, _, y, _ = case("plu")
    for step in (0.1, "search"):
        inv = gradient_descent(G, y[:0], step=step)
        assert inv.z.shape == (0, 3)
        assert inv.signal.shape == (0, 60)
        assert inv.status.shape == (0,)


@pytest.mark.parametrize("step", [5e-3, "search"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_signal_is_a_status(bad, step):
    G, _, y, start = case("tanh")
    seen = np.arange(60) >= 5
    run = partial(gradient_descent, G, steps=150, step=step, observed=seen, start=start)
    clean = run(y)
    spoilt = y.copy()
    spoilt[:, 0] = bad  # not seen
    spoilt[1, 20] = bad
    inv = run(spoilt)
    assert inv.status[1] is Status.NONFINITE
    assert np.isnan(inv.z[1]).all()
    others = [0, 2, 3, 4, 5]
    assert list(inv.status[others]) == list(clean.status[others])
    np.testing.assert_allclose(inv.z[others], clean.z[others], atol=ALONE)
    assert gradient_descent(G, spoilt[1], steps=1).status is Status.NONFINITE


def test_starts_that_are_not_finite_are_drawn():
    G, _, y, start = case("plu")
    start[2, 1] = np.nan
    inv, drawn = small(G, y, start=start), small(G, y)
    np.testing.assert_allclose(inv.z[2], drawn.z[2], atol=ALONE)
    assert np.isfinite(inv.z).all()


# -- kinds of input --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kind_and_dtype_come_back(dtype, kind):
    G, z, y, start = case("plu")
    G, y, start = G.to(dtype=dtype), y.astype(dtype), start.astype(dtype)
    if kind == "torch":
        G, y, start = G.to("cpu"), torch.tensor(y), torch.tensor(start)
    given_y = y.copy() if kind == "numpy" else y.clone()
    inv = gradient_descent(G, y, steps=3000, step=0.02, start=start)
    for array in (inv.z, inv.signal, *inv.layers):
        assert type(array) is type(y)
        assert array.dtype == y.dtype
    assert (np.asarray(y) == np.asarray(given_y)).all()
    assert (cvxinv.snr(z, np.asarray(inv.z, dtype=np.float64)) >= FLOAT32_SNR).all()
    assert list(inv.status) == [Status.STATIONARY] * len(z)


def test_numpy_memory_of_any_kind():
    """Read-only arrays, negative strides, and a mask and start of the other kind."""
    G, _, y, start = case("plu")
    expected = small(G, y, start=start, observed=np.ones(60, bool)).z
    frozen = y.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(small(G, frozen, start=start).z, expected)
    np.testing.assert_array_equal(
        small(G, y[:, ::-1].copy()[:, ::-1], start=torch.tensor(start)).z, expected
    )
    np.testing.assert_array_equal(
        small(G.to("cpu"), y, start=start, observed=torch.ones(60, dtype=torch.bool)).z, expected
    )


def test_wrong_arguments_are_named():
    G, _, y, start = case("plu")
    bad = [
        (TypeError, "G", lambda: gradient_descent(G.weights, y)),
        (ValueError, "y", lambda: gradient_descent(G, y[:, :3])),
        (TypeError, "y", lambda: gradient_descent(G, y.astype(np.float16))),
        (TypeError, "observed", lambda: gradient_descent(G, y, observed=np.ones(60))),
        (ValueError, "observed", lambda: gradient_descent(G, y, observed=np.ones(59, bool))),
        (ValueError, "start", lambda: gradient_descent(G, y, start=start[0])),
        (TypeError, "start", lambda: gradient_descent(G, y, start=start.astype(np.float16))),
        (ValueError, "steps", lambda: gradient_descent(G, y, steps=0)),
        (TypeError, "steps", lambda: gradient_descent(G, y, steps=1.5)),
        (ValueError, "momentum", lambda: gradient_descent(G, y, momentum=1.0)),
        (ValueError, "momentum", lambda: gradient_descent(G, y, momentum=-0.1)),
        (ValueError, "momentum", lambda: gradient_descent(G, y, momentum=np.nan)),
        (TypeError, "momentum", lambda: gradient_descent(G, y, momentum="0.9")),
        (ValueError, "step", lambda: gradient_descent(G, y, step=0.0)),
        (ValueError, "step", lambda: gradient_descent(G, y, step=np.inf)),
        (ValueError, "step", lambda: gradient_descent(G, y, step="fast")),
        (TypeError, "step", lambda: gradient_descent(G, y, step=None)),
        (ValueError, "seed", lambda: gradient_descent(G, y, seed=-1)),
        (TypeError, "seed", lambda: gradient_descent(G, y, seed=None)),
    ]
    for error, name, call in bad:
        with pytest.raises(error, match=f"^{name}: "):
            call()


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_on_a_gpu(dtype):
    G, z, y, start = case("plu")
    y, start = (torch.tensor(a, dtype=dtype, device="cuda") for a in (y, start))
    inv = gradient_descent(
        G, y, steps=3000, step=0.02, start=start, observed=torch.ones(60, dtype=torch.bool)
    )
    assert inv.z.device.type == inv.signal.device.type == "cuda"
    assert inv.z.dtype == dtype
    assert (
        cvxinv.snr(z, inv.z.double().cpu().numpy())
        >= (EXACT_SNR if dtype == torch.float64 else FLOAT32_SNR)
    ).all()
    assert list(inv.status) == [Status.STATIONARY] * len(z)
    searched = gradient_descent(G, y, steps=200, step="search", seed=1)
    assert bool(torch.isfinite(searched.z).all())
