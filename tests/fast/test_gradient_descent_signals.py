"""Gradient descent on signals of every kind: batches, bad ones, dtypes, devices, arguments."""

from functools import partial

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv import Status
from fast.latent.gradient_descent import (
    gradient_descent,
)
from tests.support.eq1 import SIZES, case
from tests.support.instances import generator
from tests.support.tolerances import ALONE, EXACT_SNR, FLOAT32_SNR

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
